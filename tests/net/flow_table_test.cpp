// Which flow goes when a table is full, and which is found when two are alike.
#include "flow_table.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "support/print.hpp"

namespace trunkline::net {
namespace {

const listener_id first_listener{0};
const listener_id second_listener{1};
const address here = address::v4(192, 0, 2, 1);

[[nodiscard]] endpoint peer(std::uint16_t port) {
    return {address::v4(198, 51, 100, 7), port};
}
[[nodiscard]] flow_info from(std::uint16_t port, const address& local = here,
                             listener_id listener = first_listener) {
    return {transport::udp, listener, {local, 5060}, peer(port)};
}

TEST_CASE(
    "net::flow_table: when it is full the stranger that was idle for the longest goes first") {
    flow_table table{{1, 2}, 3};
    const auto one = table.open(from(1)).id;
    const auto two = table.open(from(2)).id;
    const auto three = table.open(from(3)).id;
    REQUIRE(table.full());
    CHECK(table.idlest().id == one);
    table.touch(*table.find(one));
    CHECK(table.idlest().id == two);
    table.touch(*table.find(two));
    CHECK(table.idlest().id == three);
}

TEST_CASE("net::flow_table: what was asked for goes after every stranger, and then by idleness") {
    flow_table table{{1, 2}, 3};
    const auto one = table.open(from(1)).id;
    const auto two = table.open(from(2)).id;
    const auto three = table.open(from(3)).id;
    table.keep(*table.find(one));
    table.keep(*table.find(two));
    CHECK(table.idlest().id == three);
    table.touch(*table.find(three)); // It is the latest to speak, and still a stranger.
    CHECK(table.idlest().id == three);
    table.keep(*table.find(three));
    CHECK(table.idlest().id == one);
    table.touch(*table.find(one)); // Touched, it stays among those that were asked for.
    CHECK(table.idlest().id == two);
}

TEST_CASE("net::flow_table: of two flows to one peer the one by the same local address is found") {
    const auto there = address::v4(192, 0, 2, 2);
    flow_table table{{1, 2}, 4};
    const auto by_first = table.open(from(5)).id;
    const auto by_second = table.open(from(5, there)).id;
    CHECK(table.find(first_listener, here, peer(5))->id == by_first);
    CHECK(table.find(first_listener, there, peer(5))->id == by_second);
    CHECK(table.find(first_listener, address::v4(192, 0, 2, 3), peer(5)) == nullptr);
    CHECK(table.find(second_listener, here, peer(5)) == nullptr);
    CHECK(table.find(first_listener, here, peer(6)) == nullptr);
    // An ICMP names the peer alone.
    std::vector<flow_id> told;
    table.each_to(first_listener, peer(5),
                  [&](const flow_table::flow& each) { told.push_back(each.id); });
    CHECK(told.size() == 2);
}

TEST_CASE("net::flow_table: an id that was closed finds nothing, and its slot has another") {
    flow_table table{{1, 2}, 1};
    const auto before = table.open(from(1)).id;
    table.close(*table.find(before));
    CHECK(table.find(before) == nullptr);
    CHECK(table.find(first_listener, here, peer(1)) == nullptr);
    const auto after = table.open(from(2)).id;
    CHECK(after.slot == before.slot);
    CHECK(after != before);
    CHECK(table.find(before) == nullptr);
    CHECK(table.find(after)->info.peer == peer(2));
}

TEST_CASE("net::flow_table: with half of a thousand closed the other half is still found") {
    flow_table table{{3, 4}, 1'000};
    for (std::uint16_t port = 1; port <= 1'000; ++port) static_cast<void>(table.open(from(port)));
    CHECK(table.full());
    for (std::uint16_t port = 1; port <= 1'000; port += 2) {
        table.close(*table.find(first_listener, here, peer(port)));
    }
    for (std::uint16_t port = 1; port <= 1'000; ++port) {
        CAPTURE(port);
        const auto* found = table.find(first_listener, here, peer(port));
        CHECK((found != nullptr) == (port % 2 == 0));
    }
    // Those that stay are in the order of their use as before.
    for (std::uint16_t port = 1; port <= 1'000; port += 2)
        static_cast<void>(table.open(from(port)));
    CHECK(table.idlest().info.peer == peer(2));
}

} // namespace
} // namespace trunkline::net
