#include <trunkline/net/port_pool.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <set>
#include <vector>

namespace trunkline::net {
namespace {

using namespace std::chrono_literals;

constexpr time_point start{std::chrono::hours{1}};

TEST_CASE("net::port_pool: gives the even port of every pair that fits, once") {
    seeded_entropy dice{1};
    port_pool pool{{10'001, 10'010}, dice}; // 10001 is odd, and 10010 has no odd one above.
    CHECK(pool.size() == 4);
    std::set<std::uint16_t> taken;
    while (const auto port = pool.take(start)) taken.insert(*port);
    CHECK(taken == std::set<std::uint16_t>{10'002, 10'004, 10'006, 10'008});
    CHECK(pool.free() == 0);
}

TEST_CASE(
    "net::port_pool: where all that is free still rests, the pair that was freed first is given") {
    seeded_entropy dice{1};
    port_pool pool{{10'000, 10'007}, dice};
    std::vector<std::uint16_t> taken;
    for (int n = 0; n < 4; ++n) taken.push_back(*pool.take(start));
    for (const auto n : {2, 0, 3}) pool.put_back(taken[static_cast<std::size_t>(n)], start);
    CHECK(pool.take(start) == taken[2]);
    pool.put_back(taken[1], start);
    CHECK(pool.take(start) == taken[0]);
    CHECK(pool.take(start) == taken[3]);
    CHECK(pool.take(start) == taken[1]);
    CHECK_FALSE(pool.take(start));
}

TEST_CASE("net::port_pool: which pair comes next is drawn, each time") {
    std::set<std::uint16_t> first, steps;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        seeded_entropy dice{seed};
        port_pool pool{{}, dice};
        const auto one = *pool.take(start);
        const auto two = *pool.take(start);
        first.insert(one);
        steps.insert(static_cast<std::uint16_t>(two - one));
    }
    CHECK(first.size() > 40);
    CHECK(steps.size() > 40);
}

TEST_CASE("net::port_pool: a freed pair is not drawn for 32 seconds, and is from then on") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        seeded_entropy dice{seed};
        port_pool pool{{10'000, 10'005}, dice};
        const auto freed = *pool.take(start);
        pool.put_back(freed, start);
        CHECK(pool.free() == 3);
        const auto other = *pool.take(start + 31'999ms);
        CHECK(other != freed);
        CHECK(*pool.take(start + 31'999ms) != freed);
        pool.put_back(other, start + 31'999ms);
        CHECK(pool.take(start + 32s) == freed);
        CHECK(pool.take(start + 32s) == other);
    }
}

TEST_CASE("net::port_pool: every rested pair may be drawn, that freed a moment ago too") {
    std::set<std::uint16_t> drawn;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        seeded_entropy dice{seed};
        port_pool pool{{10'000, 10'007}, dice};
        const auto freed = *pool.take(start);
        pool.put_back(freed, start);
        drawn.insert(static_cast<std::uint16_t>(*pool.take(start + 32s) == freed));
    }
    CHECK(drawn == std::set<std::uint16_t>{0, 1});
}

TEST_CASE("net::port_pool: under a tenth free, the pair that was freed first is given") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        seeded_entropy dice{seed};
        port_pool pool{{10'000, 10'199}, dice}; // 100 pairs.
        std::vector<std::uint16_t> taken;
        while (const auto port = pool.take(start)) taken.push_back(*port);
        for (std::size_t n = 0; n < 9; ++n) pool.put_back(taken[n], start + n * 1s);
        for (std::size_t n = 0; n < 9; ++n) CHECK(pool.take(start + 100s) == taken[n]);
    }
}

TEST_CASE("net::port_pool: with a tenth free, a pair is drawn") {
    std::set<std::size_t> drawn;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        seeded_entropy dice{seed};
        port_pool pool{{10'000, 10'199}, dice};
        std::vector<std::uint16_t> taken;
        while (const auto port = pool.take(start)) taken.push_back(*port);
        for (std::size_t n = 0; n < 10; ++n) pool.put_back(taken[n], start);
        const auto next = *pool.take(start + 32s);
        drawn.insert(static_cast<std::size_t>(std::ranges::find(taken, next) - taken.begin()));
    }
    CHECK(drawn.size() > 5);
    CHECK(*drawn.rbegin() < 10);
}

TEST_CASE("net::port_pool: numbers its pairs from the lowest on") {
    seeded_entropy dice{1};
    const port_pool pool{{10'001, 10'010}, dice};
    CHECK(pool.index(10'002) == 0);
    CHECK(pool.index(10'008) == pool.size() - 1);
}

TEST_CASE("net::port_pool: an empty range has no ports, and the highest pair is used") {
    seeded_entropy dice{1};
    CHECK_FALSE(port_pool{{2000, 1999}, dice}.take(start));
    CHECK_FALSE(port_pool{{2000, 2000}, dice}.take(start));
    CHECK_FALSE(port_pool{{0, 1}, dice}.take(start));
    CHECK(port_pool{{65'534, 65'535}, dice}.take(start) == 65'534);
    CHECK(port_pool{{0, 65'535}, dice}.size() == 32'767);
}

TEST_CASE("net::port_range: shards share it without overlap and without waste") {
    const port_range all{16'385, 32'766};
    for (const auto count : std::initializer_list<std::uint16_t>{1, 2, 3, 7, 64}) {
        std::set<std::uint16_t> seen;
        for (std::uint16_t index = 0; index < count; ++index) {
            seeded_entropy dice{index};
            port_pool pool{all.share(index, count), dice};
            while (const auto port = pool.take(start)) CHECK(seen.insert(*port).second);
        }
        CHECK(seen.size() == 8190);
        CHECK(*seen.begin() == 16'386);
        CHECK(*seen.rbegin() == 32'764);
    }
}

TEST_CASE("net::port_range: more shards than pairs leaves some without") {
    seeded_entropy dice{1};
    std::size_t pairs = 0;
    for (std::uint16_t index = 0; index < 5; ++index) {
        pairs += port_pool{port_range{4000, 4005}.share(index, 5), dice}.size();
    }
    CHECK(pairs == 3);
}

} // namespace
} // namespace trunkline::net
