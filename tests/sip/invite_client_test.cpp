#include <trunkline/sip/invite_client.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

namespace trunkline::sip {
namespace {

using namespace std::chrono_literals;
using invite_client_fsm::action;
using invite_client_fsm::event;
using invite_client_fsm::state;
using invite_client_fsm::step;

constexpr time_point start{};
constexpr timers values{};

constexpr auto calling = state::calling;
constexpr auto proceeding = state::proceeding;
constexpr auto completed = state::completed;
constexpr auto accepted = state::accepted;
constexpr auto terminated = state::terminated;

// RFC 3261 figure 5 with RFC 6026 figure 5, every pair. Columns: 1xx, 2xx, 3xx-6xx, timers A, B, D,
// M, transport error.
constexpr step figure[5][8] = {
    // calling
    {{proceeding, action::pass_up},
     {accepted, action::pass_up},
     {completed, action::pass_up_and_ack},
     {calling, action::resend},
     {terminated, action::give_up},
     {calling, action::none},
     {calling, action::none},
     {terminated, action::fail}},
    // proceeding
    {{proceeding, action::pass_up},
     {accepted, action::pass_up},
     {completed, action::pass_up_and_ack},
     {proceeding, action::none},
     {proceeding, action::none},
     {proceeding, action::none},
     {proceeding, action::none},
     {terminated, action::fail}},
    // completed
    {{completed, action::none},
     {completed, action::none},
     {completed, action::ack},
     {completed, action::none},
     {completed, action::none},
     {terminated, action::none},
     {completed, action::none},
     {terminated, action::fail}},
    // accepted
    {{accepted, action::none},
     {accepted, action::pass_up},
     {accepted, action::none},
     {accepted, action::none},
     {accepted, action::none},
     {accepted, action::none},
     {terminated, action::none},
     {accepted, action::none}},
    // terminated
    {{terminated, action::none},
     {terminated, action::none},
     {terminated, action::none},
     {terminated, action::none},
     {terminated, action::none},
     {terminated, action::none},
     {terminated, action::none},
     {terminated, action::none}},
};

TEST_CASE("sip::invite_client_fsm: is the figure, pair by pair") {
    for (std::size_t now = 0; now < 5; ++now) {
        for (std::size_t what = 0; what < 8; ++what) {
            CAPTURE(now);
            CAPTURE(what);
            CHECK(invite_client_fsm::transition(static_cast<state>(now),
                                                static_cast<event>(what)) == figure[now][what]);
        }
    }
}

TEST_CASE("sip::invite_client: over UDP timer A doubles without a bound until timer B") {
    invite_client transaction{values, false, start};
    std::vector<duration> resent_at;
    auto last = action::none;
    while (const auto deadline = transaction.next_deadline()) {
        CHECK(transaction.tick(*deadline - 1ns) == action::none);
        last = transaction.tick(*deadline);
        if (last == action::resend) resent_at.push_back(*deadline - start);
        if (last == action::give_up) CHECK(*deadline - start == 32s);
    }
    CHECK(resent_at == std::vector<duration>{500ms, 1500ms, 3500ms, 7500ms, 15500ms, 31500ms});
    CHECK(last == action::give_up);
    CHECK(transaction.current() == terminated);
}

TEST_CASE(
    "sip::invite_client: over a stream nothing is sent again, and timer B runs all the same") {
    invite_client transaction{values, true, start};
    CHECK(transaction.next_deadline() == start + 32s);
    CHECK(transaction.tick(start + 32s - 1ns) == action::none);
    CHECK(transaction.tick(start + 32s) == action::give_up);
    CHECK_FALSE(transaction.next_deadline().has_value());
}

TEST_CASE("sip::invite_client: a provisional response stops every timer") {
    invite_client transaction{values, false, start};
    CHECK(transaction.response(100, start + 200ms) == action::pass_up);
    CHECK_FALSE(transaction.next_deadline().has_value());
    CHECK(transaction.tick(start + 1h) == action::none);
    CHECK(transaction.response(183, start + 1h) == action::pass_up);
    CHECK(transaction.response(603, start + 2h) == action::pass_up_and_ack);
    CHECK(transaction.next_deadline() == start + 2h + 32s);
}

TEST_CASE(
    "sip::invite_client: acknowledges a failure again for timer D over UDP, not over a stream") {
    invite_client datagram{values, false, start};
    CHECK(datagram.response(486, start + 1s) == action::pass_up_and_ack);
    CHECK(datagram.response(486, start + 2s) == action::ack);
    CHECK(datagram.response(180, start + 3s) == action::none);
    CHECK(datagram.next_deadline() == start + 33s); // Counted from the first.
    CHECK(datagram.tick(start + 33s) == action::none);
    CHECK(datagram.current() == terminated);
    CHECK(datagram.response(486, start + 34s) == action::none);

    invite_client stream{values, true, start};
    CHECK(stream.response(486, start + 1s) == action::pass_up_and_ack);
    CHECK(stream.next_deadline() == start + 1s);
    CHECK(stream.tick(start + 1s) == action::none);
    CHECK(stream.current() == terminated);
}

TEST_CASE("sip::invite_client: passes up the 2xx of every fork for timer M, RFC 6026") {
    for (const bool reliable : {false, true}) {
        invite_client transaction{values, reliable, start};
        CHECK(transaction.response(200, start + 1s) == action::pass_up);
        CHECK(transaction.next_deadline() == start + 33s);
        CHECK(transaction.response(200, start + 20s) == action::pass_up);
        CHECK(transaction.response(500, start + 21s) == action::none);
        CHECK(transaction.tick(start + 33s - 1ns) == action::none);
        CHECK(transaction.response(299, start + 33s - 1ns) == action::pass_up);
        CHECK(transaction.tick(start + 33s) == action::none);
        CHECK(transaction.current() == terminated);
        CHECK(transaction.response(200, start + 34s) == action::none);
    }
}

} // namespace
} // namespace trunkline::sip
