#include <trunkline/net/port_pool.hpp>

#include <doctest/doctest.h>

#include <initializer_list>
#include <set>
#include <vector>

namespace trunkline::net {
namespace {

TEST_CASE("net::port_pool: gives the even port of every pair that fits, once") {
    seeded_entropy dice{1};
    port_pool pool{{10'001, 10'010}, dice}; // 10001 is odd, and 10010 has no odd one above.
    CHECK(pool.size() == 4);
    std::set<std::uint16_t> taken;
    while (const auto port = pool.take()) taken.insert(*port);
    CHECK(taken == std::set<std::uint16_t>{10'002, 10'004, 10'006, 10'008});
    CHECK(pool.free() == 0);
}

TEST_CASE("net::port_pool: the pair that was put back first is given again first") {
    seeded_entropy dice{1};
    port_pool pool{{10'000, 10'007}, dice};
    std::vector<std::uint16_t> taken;
    for (int n = 0; n < 4; ++n) taken.push_back(*pool.take());
    for (const auto n : {2, 0, 3}) pool.put_back(taken[static_cast<std::size_t>(n)]);
    CHECK(pool.take() == taken[2]);
    pool.put_back(taken[1]);
    CHECK(pool.take() == taken[0]);
    CHECK(pool.take() == taken[3]);
    CHECK(pool.take() == taken[1]);
    CHECK_FALSE(pool.take());
}

TEST_CASE("net::port_pool: where it starts is drawn") {
    std::set<std::uint16_t> first;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        seeded_entropy dice{seed};
        first.insert(*port_pool{{}, dice}.take());
    }
    CHECK(first.size() > 40);
}

TEST_CASE("net::port_pool: an empty range has no ports, and the highest pair is used") {
    seeded_entropy dice{1};
    CHECK_FALSE(port_pool{{2000, 1999}, dice}.take());
    CHECK_FALSE(port_pool{{2000, 2000}, dice}.take());
    CHECK_FALSE(port_pool{{0, 1}, dice}.take());
    CHECK(port_pool{{65'534, 65'535}, dice}.take() == 65'534);
    CHECK(port_pool{{0, 65'535}, dice}.size() == 32'767);
}

TEST_CASE("net::port_range: shards share it without overlap and without waste") {
    const port_range all{16'385, 32'766};
    for (const auto count : std::initializer_list<std::uint16_t>{1, 2, 3, 7, 64}) {
        std::set<std::uint16_t> seen;
        for (std::uint16_t index = 0; index < count; ++index) {
            seeded_entropy dice{index};
            port_pool pool{all.share(index, count), dice};
            while (const auto port = pool.take()) CHECK(seen.insert(*port).second);
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
