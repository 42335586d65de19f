// The INVITE client transaction, RFC 3261 section 17.1.1 as corrected by RFC 6026 section 8.4.
#pragma once

#include <cstdint>
#include <optional>

#include <trunkline/core/time.hpp>
#include <trunkline/sip/timers.hpp>

namespace trunkline::sip {

namespace invite_client_fsm {

enum class state : std::uint8_t { calling, proceeding, completed, accepted, terminated };
enum class event : std::uint8_t {
    provisional,
    success, ///< 2xx
    failure, ///< 3xx to 6xx
    timer_a, ///< Resend.
    timer_b, ///< Give up.
    timer_d, ///< Stop acknowledging retransmitted failures.
    timer_m, ///< Stop passing up the 2xx of other forks.
    transport_error,
};

enum class action : std::uint8_t { none, pass_up, pass_up_and_ack, ack, resend, give_up, fail };

struct step {
    state next;
    action todo;
    friend constexpr bool operator==(const step&, const step&) = default;
};

/// Figure 5 of RFC 3261 with the Accepted state of RFC 6026: every 2xx goes up, from every fork.
[[nodiscard]] constexpr step transition(state now, event what) noexcept {
    switch (now) {
    case state::calling:
    case state::proceeding:
        switch (what) {
        case event::provisional: return {state::proceeding, action::pass_up};
        case event::success: return {state::accepted, action::pass_up};
        case event::failure: return {state::completed, action::pass_up_and_ack};
        case event::timer_a:
            return now == state::calling ? step{now, action::resend} : step{now, action::none};
        case event::timer_b:
            if (now == state::calling) return {state::terminated, action::give_up};
            break;
        case event::transport_error: return {state::terminated, action::fail};
        case event::timer_d:
        case event::timer_m: break;
        }
        break;
    case state::completed:
        if (what == event::failure) return {now, action::ack};
        if (what == event::timer_d) return {state::terminated, action::none};
        if (what == event::transport_error) return {state::terminated, action::fail};
        break;
    case state::accepted:
        if (what == event::success) return {now, action::pass_up};
        if (what == event::timer_m) return {state::terminated, action::none};
        break;
    case state::terminated: break;
    }
    return {now, action::none};
}

} // namespace invite_client_fsm

/// The figure plus its timers. Lives from the first send to `terminated`.
class invite_client {
public:
    using state = invite_client_fsm::state;
    using event = invite_client_fsm::event;
    using action = invite_client_fsm::action;

    /// The caller has just sent the INVITE, at `now`.
    constexpr invite_client(const timers& values, bool reliable, time_point now) noexcept
        : timers_{&values},
          reliable_{reliable},
          interval_{values.t1},
          give_up_{now + 64 * values.t1} {
        if (!reliable) resend_ = now + values.t1;
    }

    [[nodiscard]] constexpr action response(int status, time_point now) noexcept {
        return apply(status < 200   ? event::provisional
                     : status < 300 ? event::success
                                    : event::failure,
                     now);
    }
    [[nodiscard]] constexpr action transport_error(time_point now) noexcept {
        return apply(event::transport_error, now);
    }
    [[nodiscard]] constexpr action tick(time_point now) noexcept {
        if (linger_ && *linger_ <= now) {
            return apply(state_ == state::accepted ? event::timer_m : event::timer_d, now);
        }
        if (give_up_ && *give_up_ <= now) return apply(event::timer_b, now);
        if (resend_ && *resend_ <= now) return apply(event::timer_a, now);
        return action::none;
    }

    [[nodiscard]] constexpr std::optional<time_point> next_deadline() const noexcept {
        return earliest(linger_, earliest(resend_, give_up_));
    }
    [[nodiscard]] constexpr state current() const noexcept { return state_; }

private:
    constexpr action apply(event what, time_point now) noexcept {
        const auto before = state_;
        const auto [next, todo] = invite_client_fsm::transition(state_, what);
        state_ = next;
        if (todo == action::resend) {
            interval_ *= 2;
            resend_ = now + interval_;
        }
        if (next != before) {
            resend_ = give_up_ = linger_ = std::nullopt;
            if (next == state::accepted) linger_ = now + 64 * timers_->t1;
            // Timer D: more than 32 s over UDP, nothing where nothing is retransmitted.
            if (next == state::completed) linger_ = reliable_ ? now : now + timers_->d;
        }
        return todo;
    }

    const timers* timers_; ///< The layer's: outlives every transaction.
    bool reliable_;
    state state_ = state::calling;
    duration interval_;
    std::optional<time_point> resend_;  ///< Timer A.
    std::optional<time_point> give_up_; ///< Timer B.
    std::optional<time_point> linger_;  ///< Timer D or M.
};

} // namespace trunkline::sip
