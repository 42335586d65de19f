#include <trunkline/sip/non_invite_server.hpp>

#include <doctest/doctest.h>

#include <cstddef>

namespace trunkline::sip {
namespace {

using namespace std::chrono_literals;
using non_invite_server_fsm::action;
using non_invite_server_fsm::event;
using non_invite_server_fsm::state;
using non_invite_server_fsm::step;

constexpr time_point start{};
constexpr timers values{};

constexpr auto trying = state::trying;
constexpr auto proceeding = state::proceeding;
constexpr auto completed = state::completed;
constexpr auto terminated = state::terminated;

// RFC 3261 figure 8, every pair. Columns: the request again, the user's 1xx, its final response,
// timer J, transport error.
constexpr step figure[4][5] = {
    {{trying, action::none},
     {proceeding, action::send},
     {completed, action::send},
     {trying, action::none},
     {terminated, action::fail}},
    {{proceeding, action::resend},
     {proceeding, action::send},
     {completed, action::send},
     {proceeding, action::none},
     {terminated, action::fail}},
    {{completed, action::resend},
     {completed, action::none},
     {completed, action::none},
     {terminated, action::none},
     {terminated, action::fail}},
    {{terminated, action::none},
     {terminated, action::none},
     {terminated, action::none},
     {terminated, action::none},
     {terminated, action::none}},
};

TEST_CASE("sip::non_invite_server_fsm: is the figure, pair by pair") {
    for (std::size_t now = 0; now < 4; ++now) {
        for (std::size_t what = 0; what < 5; ++what) {
            CAPTURE(now);
            CAPTURE(what);
            CHECK(non_invite_server_fsm::transition(static_cast<state>(now),
                                                    static_cast<event>(what)) == figure[now][what]);
        }
    }
}

TEST_CASE("sip::non_invite_server: over UDP timer J repeats the final for 64*T1, then ends") {
    non_invite_server transaction{values, false};
    CHECK(transaction.request(start) == action::none); // Nothing to repeat yet.
    CHECK_FALSE(transaction.next_deadline().has_value());
    CHECK(transaction.respond(100, start + 1s) == action::send);
    CHECK(transaction.request(start + 1s) == action::resend);
    CHECK_FALSE(transaction.next_deadline().has_value());
    CHECK(transaction.respond(200, start + 2s) == action::send);
    CHECK(transaction.next_deadline() == start + 34s);
    CHECK(transaction.request(start + 33s) == action::resend);
    CHECK(transaction.respond(500, start + 33s) == action::none);
    CHECK(transaction.next_deadline() == start + 34s);
    CHECK(transaction.tick(start + 34s - 1ns) == action::none);
    CHECK(transaction.current() == completed);
    CHECK(transaction.tick(start + 34s) == action::none);
    CHECK(transaction.current() == terminated);
    CHECK(transaction.request(start + 35s) == action::none);
}

TEST_CASE("sip::non_invite_server: over a stream nothing lingers") {
    non_invite_server transaction{values, true};
    CHECK(transaction.respond(404, start + 2s) == action::send);
    CHECK(transaction.next_deadline() == start + 2s);
    CHECK(transaction.tick(start + 2s) == action::none);
    CHECK(transaction.current() == terminated);
}

} // namespace
} // namespace trunkline::sip
