// The non-INVITE server transaction, RFC 3261 section 17.2.2, figure 8.
#pragma once

#include <cstdint>
#include <optional>

#include <trunkline/core/time.hpp>
#include <trunkline/sip/timers.hpp>

namespace trunkline::sip {

namespace non_invite_server_fsm {

enum class state : std::uint8_t { trying, proceeding, completed, terminated };
enum class event : std::uint8_t {
    retransmission,
    respond_provisional,
    respond_final,
    timer_j, ///< Stop absorbing retransmissions.
    transport_error,
};

enum class action : std::uint8_t { none, send, resend, fail };

struct step {
    state next;
    action todo;
    friend constexpr bool operator==(const step&, const step&) = default;
};

[[nodiscard]] constexpr step transition(state now, event what) noexcept {
    switch (now) {
    case state::trying:
    case state::proceeding:
        switch (what) {
        case event::retransmission:
            return {now, now == state::proceeding ? action::resend : action::none};
        case event::respond_provisional: return {state::proceeding, action::send};
        case event::respond_final: return {state::completed, action::send};
        case event::transport_error: return {state::terminated, action::fail};
        case event::timer_j: break;
        }
        break;
    case state::completed:
        if (what == event::retransmission) return {now, action::resend};
        if (what == event::timer_j) return {state::terminated, action::none};
        if (what == event::transport_error) return {state::terminated, action::fail};
        break;
    case state::terminated: break;
    }
    return {now, action::none};
}

} // namespace non_invite_server_fsm

/// The figure plus its timer. Lives from the request to `terminated`.
class non_invite_server {
public:
    using state = non_invite_server_fsm::state;
    using event = non_invite_server_fsm::event;
    using action = non_invite_server_fsm::action;

    constexpr non_invite_server(const timers& values, bool reliable) noexcept
        : timers_{&values},
          reliable_{reliable} {}

    [[nodiscard]] constexpr action request(time_point now) noexcept {
        return apply(event::retransmission, now);
    }
    [[nodiscard]] constexpr action respond(int status, time_point now) noexcept {
        return apply(status < 200 ? event::respond_provisional : event::respond_final, now);
    }
    [[nodiscard]] constexpr action transport_error(time_point now) noexcept {
        return apply(event::transport_error, now);
    }
    [[nodiscard]] constexpr action tick(time_point now) noexcept {
        if (timer_j_ && *timer_j_ <= now) return apply(event::timer_j, now);
        return action::none;
    }

    [[nodiscard]] constexpr std::optional<time_point> next_deadline() const noexcept {
        return timer_j_;
    }
    [[nodiscard]] constexpr state current() const noexcept { return state_; }

private:
    constexpr action apply(event what, time_point now) noexcept {
        const auto before = state_;
        const auto [next, todo] = non_invite_server_fsm::transition(state_, what);
        state_ = next;
        if (next != before) {
            timer_j_.reset();
            if (next == state::completed) timer_j_ = reliable_ ? now : now + 64 * timers_->t1;
        }
        return todo;
    }

    const timers* timers_; ///< The layer's: outlives every transaction.
    bool reliable_;
    state state_ = state::trying;
    std::optional<time_point> timer_j_;
};

} // namespace trunkline::sip
