// The INVITE server transaction, RFC 3261 section 17.2.1 as corrected by RFC 6026 section 8.7.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include <trunkline/core/time.hpp>
#include <trunkline/sip/timers.hpp>

namespace trunkline::sip {

namespace invite_server_fsm {

enum class state : std::uint8_t { proceeding, accepted, completed, confirmed, terminated };
enum class event : std::uint8_t {
    retransmission, ///< The INVITE again.
    ack,
    respond_provisional,
    respond_success,
    respond_failure,
    timer_g, ///< Resend the failure.
    timer_h, ///< No ACK came.
    timer_i, ///< Stop absorbing ACKs.
    timer_l, ///< Stop absorbing INVITEs of an accepted call.
    transport_error,
};

enum class action : std::uint8_t { none, send, resend, pass_up, no_ack, fail };

struct step {
    state next;
    action todo;
    friend constexpr bool operator==(const step&, const step&) = default;
};

/// Figure 7 of RFC 3261 with the Accepted state of RFC 6026, in which the dialog repeats its 2xx
/// and the transaction only absorbs the INVITE. 100 is sent by the layer as soon as the machine is
/// made.
[[nodiscard]] constexpr step transition(state now, event what) noexcept {
    switch (now) {
    case state::proceeding:
        switch (what) {
        case event::retransmission: return {now, action::resend};
        case event::respond_provisional: return {now, action::send};
        case event::respond_success: return {state::accepted, action::send};
        case event::respond_failure: return {state::completed, action::send};
        case event::transport_error: return {state::terminated, action::fail};
        default: break;
        }
        break;
    case state::accepted:
        if (what == event::ack) return {now, action::pass_up};
        if (what == event::respond_success) return {now, action::send};
        if (what == event::timer_l) return {state::terminated, action::none};
        break;
    case state::completed:
        switch (what) {
        case event::retransmission:
        case event::timer_g: return {now, action::resend};
        case event::ack: return {state::confirmed, action::none};
        case event::timer_h: return {state::terminated, action::no_ack};
        case event::transport_error: return {state::terminated, action::fail};
        default: break;
        }
        break;
    case state::confirmed:
        if (what == event::timer_i) return {state::terminated, action::none};
        break;
    case state::terminated: break;
    }
    return {now, action::none};
}

} // namespace invite_server_fsm

/// The figure plus its timers. Lives from the INVITE to `terminated`.
class invite_server {
public:
    using state = invite_server_fsm::state;
    using event = invite_server_fsm::event;
    using action = invite_server_fsm::action;

    constexpr invite_server(const timers& values, bool reliable) noexcept
        : timers_{&values},
          reliable_{reliable},
          interval_{values.t1} {}

    [[nodiscard]] constexpr action request(time_point now) noexcept {
        return apply(event::retransmission, now);
    }
    [[nodiscard]] constexpr action ack(time_point now) noexcept { return apply(event::ack, now); }
    [[nodiscard]] constexpr action respond(int status, time_point now) noexcept {
        return apply(status < 200   ? event::respond_provisional
                     : status < 300 ? event::respond_success
                                    : event::respond_failure,
                     now);
    }
    [[nodiscard]] constexpr action transport_error(time_point now) noexcept {
        return apply(event::transport_error, now);
    }
    [[nodiscard]] constexpr action tick(time_point now) noexcept {
        if (linger_ && *linger_ <= now) {
            switch (state_) {
            case state::accepted: return apply(event::timer_l, now);
            case state::confirmed: return apply(event::timer_i, now);
            default: return apply(event::timer_h, now);
            }
        }
        if (resend_ && *resend_ <= now) return apply(event::timer_g, now);
        return action::none;
    }

    [[nodiscard]] constexpr std::optional<time_point> next_deadline() const noexcept {
        return earliest(linger_, resend_);
    }
    [[nodiscard]] constexpr state current() const noexcept { return state_; }

private:
    constexpr action apply(event what, time_point now) noexcept {
        const auto before = state_;
        const auto [next, todo] = invite_server_fsm::transition(state_, what);
        state_ = next;
        if (what == event::timer_g && todo == action::resend) {
            interval_ = std::min(interval_ * 2, timers_->t2);
            resend_ = now + interval_;
        }
        if (next != before) {
            resend_ = linger_ = std::nullopt;
            if (next == state::accepted) linger_ = now + 64 * timers_->t1;
            if (next == state::completed) {
                linger_ = now + 64 * timers_->t1;
                if (!reliable_) resend_ = now + timers_->t1;
            }
            if (next == state::confirmed) linger_ = reliable_ ? now : now + timers_->t4;
        }
        return todo;
    }

    const timers* timers_; ///< The layer's: outlives every transaction.
    bool reliable_;
    state state_ = state::proceeding;
    duration interval_;
    std::optional<time_point> resend_; ///< Timer G.
    std::optional<time_point> linger_; ///< Timer H, I or L.
};

} // namespace trunkline::sip
