#include <trunkline/net/clock.hpp>
#include <trunkline/net/descriptor_limit.hpp>
#include <trunkline/net/system_entropy.hpp>

#include <doctest/doctest.h>

#include <ctime>
#include <initializer_list>
#include <set>
#include <vector>

#include <sys/resource.h>

namespace trunkline::net {
namespace {

TEST_CASE("net::now: does not go back") {
    const auto before = now();
    CHECK(before.time_since_epoch().count() > 0);
    CHECK(now() >= before);
}

TEST_CASE("net::unix_offset: added to protocol time it is the time of day") {
    const auto unix_time = (now().time_since_epoch().count() + unix_offset()) / 1'000'000'000;
    CHECK(unix_time - std::time(nullptr) <= 1);
    CHECK(std::time(nullptr) - unix_time <= 1);
}

TEST_CASE("net::system_entropy: fills any size, and no number comes twice") {
    system_entropy dice;
    std::set<std::uint64_t> seen;
    for (int n = 0; n < 1000; ++n) seen.insert(dice.number());
    CHECK(seen.size() == 1000);
    for (const auto size : std::initializer_list<std::size_t>{0, 1, 31, 255, 256, 257, 5000}) {
        std::vector<std::byte> bytes(size + 2);
        dice.fill(std::span{bytes}.subspan(1, size));
        CHECK(bytes.front() == std::byte{});
        CHECK(bytes.back() == std::byte{});
        std::set<std::byte> values{bytes.begin(), bytes.end()};
        if (size >= 255) CHECK(values.size() > 100);
    }
}

TEST_CASE("net::raise_descriptor_limit: says what the system allows") {
    const auto allowed = raise_descriptor_limit();
    rlimit limit{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK(allowed == limit.rlim_cur);
    CHECK(limit.rlim_cur == limit.rlim_max);
}

} // namespace
} // namespace trunkline::net
