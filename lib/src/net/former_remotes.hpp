// Whom a pair of ports spoke with, so that a new call on it does not hear the last call's peer.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>

#include <trunkline/core/address.hpp>
#include <trunkline/core/time.hpp>

namespace trunkline::net {

/// A peer whose BYE was lost goes on sending to ports that may be another call's by then. So the
/// endpoints that a pair last sent to and last heard are barred for its next owner. What the owner
/// sends to is described by its own peer, and lifts the bar. A report to the port above the barred
/// one lifts that one's too: a call that only listens sends no RTP (RFC 3550 11).
class former_remotes {
public:
    static constexpr duration barred_for = std::chrono::seconds{60};

    void sent(bool rtcp, const endpoint& to) noexcept {
        auto& last = now_.sent[rtcp ? 1 : 0];
        if (to == last) return;
        last = to;
        lift(rtcp, to);
        if (rtcp && to.port != 0)
            lift(false, {to.address, static_cast<std::uint16_t>(to.port - 1)});
    }
    /// False: it comes from whom the last owner spoke with, and is not to be heard.
    [[nodiscard]] bool heard(bool rtcp, const endpoint& from, time_point at) noexcept {
        const std::size_t which = rtcp ? 1 : 0;
        if (at < until_ && (from == before_.sent[which] || from == before_.heard[which])) {
            return false;
        }
        now_.heard[which] = from;
        return true;
    }
    /// The pair has no owner any more. One that spoke with no peer leaves the bar as it was.
    void freed(time_point at) noexcept {
        if (now_ != remotes{}) {
            before_ = now_;
            until_ = at + barred_for;
        }
        now_ = {};
    }

private:
    struct remotes {
        std::array<endpoint, 2> sent{}; ///< RTP and RTCP.
        std::array<endpoint, 2> heard{};
        friend bool operator==(const remotes&, const remotes&) = default;
    };

    void lift(bool rtcp, const endpoint& described) noexcept {
        const std::size_t which = rtcp ? 1 : 0;
        if (before_.sent[which] == described) before_.sent[which] = {};
        if (before_.heard[which] == described) before_.heard[which] = {};
    }

    remotes now_;
    remotes before_;
    time_point until_ = time_point::min();
};

} // namespace trunkline::net
