#include <trunkline/sip/invite_server.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

namespace trunkline::sip {
namespace {

using namespace std::chrono_literals;
using invite_server_fsm::action;
using invite_server_fsm::event;
using invite_server_fsm::state;
using invite_server_fsm::step;

constexpr time_point start{};
constexpr timers values{};

constexpr auto proceeding = state::proceeding;
constexpr auto accepted = state::accepted;
constexpr auto completed = state::completed;
constexpr auto confirmed = state::confirmed;
constexpr auto terminated = state::terminated;

// RFC 3261 figure 7 with RFC 6026 figure 7, every pair. Columns: INVITE again, ACK, the user's 1xx,
// 2xx, 3xx-6xx, timers G, H, I, L, transport error.
constexpr step figure[5][10] = {
    // proceeding
    {{proceeding, action::resend},
     {proceeding, action::none},
     {proceeding, action::send},
     {accepted, action::send},
     {completed, action::send},
     {proceeding, action::none},
     {proceeding, action::none},
     {proceeding, action::none},
     {proceeding, action::none},
     {terminated, action::fail}},
    // accepted
    {{accepted, action::none},
     {accepted, action::pass_up},
     {accepted, action::none},
     {accepted, action::send},
     {accepted, action::none},
     {accepted, action::none},
     {accepted, action::none},
     {accepted, action::none},
     {terminated, action::none},
     {accepted, action::none}},
    // completed
    {{completed, action::resend},
     {confirmed, action::none},
     {completed, action::none},
     {completed, action::none},
     {completed, action::none},
     {completed, action::resend},
     {terminated, action::no_ack},
     {completed, action::none},
     {completed, action::none},
     {terminated, action::fail}},
    // confirmed
    {{confirmed, action::none},
     {confirmed, action::none},
     {confirmed, action::none},
     {confirmed, action::none},
     {confirmed, action::none},
     {confirmed, action::none},
     {confirmed, action::none},
     {terminated, action::none},
     {confirmed, action::none},
     {confirmed, action::none}},
    // terminated
    {{terminated, action::none},
     {terminated, action::none},
     {terminated, action::none},
     {terminated, action::none},
     {terminated, action::none},
     {terminated, action::none},
     {terminated, action::none},
     {terminated, action::none},
     {terminated, action::none},
     {terminated, action::none}},
};

TEST_CASE("sip::invite_server_fsm: is the figure, pair by pair") {
    for (std::size_t now = 0; now < 5; ++now) {
        for (std::size_t what = 0; what < 10; ++what) {
            CAPTURE(now);
            CAPTURE(what);
            CHECK(invite_server_fsm::transition(static_cast<state>(now),
                                                static_cast<event>(what)) == figure[now][what]);
        }
    }
}

TEST_CASE("sip::invite_server: over UDP a failure is sent again by timer G until timer H") {
    invite_server transaction{values, false};
    CHECK_FALSE(transaction.next_deadline().has_value());
    CHECK(transaction.respond(180, start) == action::send);
    CHECK_FALSE(transaction.next_deadline().has_value());
    CHECK(transaction.respond(486, start) == action::send);
    std::vector<duration> resent_at;
    auto last = action::none;
    while (const auto deadline = transaction.next_deadline()) {
        CHECK(transaction.tick(*deadline - 1ns) == action::none);
        last = transaction.tick(*deadline);
        if (last == action::resend) resent_at.push_back(*deadline - start);
        if (last == action::no_ack) CHECK(*deadline - start == 32s);
    }
    CHECK(resent_at == std::vector<duration>{500ms, 1500ms, 3500ms, 7500ms, 11500ms, 15500ms,
                                             19500ms, 23500ms, 27500ms, 31500ms});
    CHECK(last == action::no_ack);
    CHECK(transaction.current() == terminated);
}

TEST_CASE("sip::invite_server: an INVITE that comes again does not put timer G off") {
    invite_server transaction{values, false};
    CHECK(transaction.respond(500, start) == action::send);
    CHECK(transaction.request(start + 400ms) == action::resend);
    CHECK(transaction.next_deadline() == start + 500ms);
}

TEST_CASE("sip::invite_server: over a stream a failure is sent once, and timer H runs") {
    invite_server transaction{values, true};
    CHECK(transaction.respond(486, start) == action::send);
    CHECK(transaction.next_deadline() == start + 32s);
    CHECK(transaction.tick(start + 32s) == action::no_ack);
    CHECK(transaction.current() == terminated);
}

TEST_CASE("sip::invite_server: an ACK ends retransmission, and timer I absorbs more of them") {
    invite_server datagram{values, false};
    CHECK(datagram.respond(486, start) == action::send);
    CHECK(datagram.ack(start + 100ms) == action::none);
    CHECK(datagram.current() == confirmed);
    CHECK(datagram.next_deadline() == start + 5100ms);
    CHECK(datagram.ack(start + 1s) == action::none);
    CHECK(datagram.request(start + 1s) == action::none);
    CHECK(datagram.next_deadline() == start + 5100ms);
    CHECK(datagram.tick(start + 5100ms) == action::none);
    CHECK(datagram.current() == terminated);

    invite_server stream{values, true};
    CHECK(stream.respond(486, start) == action::send);
    CHECK(stream.ack(start + 1s) == action::none);
    CHECK(stream.next_deadline() == start + 1s);
    CHECK(stream.tick(start + 1s) == action::none);
    CHECK(stream.current() == terminated);
}

TEST_CASE("sip::invite_server: after a 2xx timer L absorbs INVITEs and passes every ACK up") {
    for (const bool reliable : {false, true}) {
        invite_server transaction{values, reliable};
        CHECK(transaction.respond(200, start) == action::send);
        CHECK(transaction.next_deadline() == start + 32s);
        CHECK(transaction.request(start + 1s) == action::none);
        CHECK(transaction.respond(200, start + 2s) == action::send); // The dialog repeats it.
        CHECK(transaction.ack(start + 3s) == action::pass_up);
        CHECK(transaction.ack(start + 4s) == action::pass_up);
        CHECK(transaction.next_deadline() == start + 32s);
        CHECK(transaction.tick(start + 32s) == action::none);
        CHECK(transaction.current() == terminated);
    }
}

} // namespace
} // namespace trunkline::sip
