#include "stream_places.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace trunkline::net {
namespace {

using namespace std::chrono_literals;

constexpr auto nothing = stream_decision::nothing;
const address carrier = address::v4(198, 51, 100, 1);
const address stranger = address::v4(203, 0, 113, 66);

[[nodiscard]] stream_place place(const address& peer, flow_standing as, int heard = 0) {
    return {.peer = peer, .taken = true, .standing = as, .heard = time_point{} + 1s * heard};
}

struct table {
    std::vector<stream_place> places;
    stream_limits limits{40, 64};

    [[nodiscard]] stream_decision ask(const stream_place& newcomer) const {
        return make_room(
            places, [](const stream_place& one) -> const stream_place& { return one; }, limits,
            newcomer);
    }
    void fill(std::size_t count, flow_standing as, const address& peer = stranger) {
        for (std::size_t n = 0; n < count; ++n) {
            places.push_back(place(peer, as, static_cast<int>(places.size())));
        }
    }
};

TEST_CASE_FIXTURE(table, "net::make_room: strangers have a share of the places, exactly so large") {
    limits = {160, 64};
    CHECK(limits.strangers() == 20);
    CHECK(stream_limits{40, 64}.strangers() == 16); // A small table is nobody's share.
    fill(19, flow_standing::stranger);
    CHECK(ask(place(stranger, flow_standing::stranger)) == stream_decision{true, nothing});
    fill(1, flow_standing::stranger);
    CHECK(ask(place(stranger, flow_standing::stranger)) == stream_decision{true, 0});
    CHECK(ask(place(carrier, flow_standing::known)) == stream_decision{true, nothing});
}

TEST_CASE_FIXTURE(table, "net::make_room: the stranger that was silent longest gives way") {
    fill(16, flow_standing::stranger);
    places[0].heard += 100s;
    places[7].heard = time_point{} - 1s;
    CHECK(ask(place(stranger, flow_standing::stranger)) == stream_decision{true, 7});
}

TEST_CASE_FIXTURE(table, "net::make_room: what is known or used gives way to no stranger") {
    fill(20, flow_standing::known, carrier);
    fill(20, flow_standing::in_use, stranger);
    CHECK(ask(place(stranger, flow_standing::stranger)) == stream_decision{});
    // Nor to another source that is known.
    CHECK(ask(place(address::v4(198, 51, 100, 2), flow_standing::known)) == stream_decision{});
    // What its peer has closed is on its way out, and makes room for what is known.
    places[30].going = true;
    CHECK(ask(place(stranger, flow_standing::stranger)) == stream_decision{});
    CHECK(ask(place(address::v4(198, 51, 100, 2), flow_standing::known)) ==
          stream_decision{true, 30});
}

TEST_CASE_FIXTURE(table, "net::make_room: a stranger makes room for who is known, and for us") {
    fill(39, flow_standing::in_use, carrier);
    fill(1, flow_standing::stranger);
    CHECK(ask(place(address::v4(198, 51, 100, 2), flow_standing::known)) ==
          stream_decision{true, 39});
    auto ours = place(carrier, flow_standing::stranger);
    ours.ours = true;
    CHECK(ask(ours) == stream_decision{true, 39});
    // What we asked for never gives way.
    for (auto& each : places) each.ours = true;
    CHECK(ask(ours) == stream_decision{});
    CHECK(ask(place(stranger, flow_standing::stranger)) == stream_decision{});
}

TEST_CASE_FIXTURE(table, "net::make_room: strangers are counted by IPv4 address and by IPv6 /64") {
    limits.most_of_one = 2;
    fill(2, flow_standing::stranger);
    CHECK_FALSE(ask(place(stranger, flow_standing::stranger)).accepted);
    CHECK(ask(place(address::v4(203, 0, 113, 67), flow_standing::stranger)).accepted);
    places.clear();
    places.push_back(place(*address::parse("2001:db8:0:1::1"), flow_standing::stranger));
    places.push_back(place(*address::parse("2001:db8:0:1:ffff::2"), flow_standing::stranger));
    CHECK_FALSE(ask(place(*address::parse("2001:db8:0:1::3"), flow_standing::stranger)).accepted);
    CHECK(ask(place(*address::parse("2001:db8:0:2::3"), flow_standing::stranger)).accepted);
    // What we asked for is no peer's.
    places[0].ours = true;
    CHECK(ask(place(*address::parse("2001:db8:0:1::3"), flow_standing::stranger)).accepted);
}

TEST_CASE_FIXTURE(table, "net::make_room: a neighbour takes nothing from a source that is known") {
    limits.most_of_one = 2;
    const auto known = *address::parse("2001:db8:0:1::1");
    const auto neighbour = *address::parse("2001:db8:0:1::2");
    fill(2, flow_standing::stranger, neighbour);
    CHECK(ask(place(known, flow_standing::known)).accepted);
    fill(2, flow_standing::known, known);
    CHECK_FALSE(ask(place(known, flow_standing::known)).accepted);
    CHECK(ask(place(neighbour, flow_standing::known)).accepted);
}

} // namespace
} // namespace trunkline::net
