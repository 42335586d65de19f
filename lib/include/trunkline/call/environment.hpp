// What is around a leg: the path to its peer, the machines it works with, and what it tells its
// trunk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <trunkline/call/forks.hpp>
#include <trunkline/call/types.hpp>
#include <trunkline/core/entropy.hpp>
#include <trunkline/core/flow.hpp>
#include <trunkline/core/timer_wheel.hpp>
#include <trunkline/sip/transaction_layer.hpp>

namespace trunkline::calls {

/// Where signalling goes, and what we call ourselves there.
struct signalling_path {
    flow_id flow{};
    transport over = transport::udp;
    endpoint peer{};
    bool trusted = false;       ///< The peer may be shown credentials: it is a gateway.
    std::string sent_by{};      ///< Host and port as the peer reaches us.
    address media_at{};         ///< Bound to,
    address media_advertised{}; ///< and told in SDP.
};

/// What a leg tells its trunk, which decides what becomes of it.
struct notice {
    enum class what : std::uint8_t {
        ringing,
        progress, ///< A provisional response that is none of these: `end` has its status.
        early_media,
        answered,
        refused,  ///< An INVITE of ours came to nothing: `end` says how. Another gateway may do.
        ended,    ///< The call is over.
        unproved, ///< Media left for two seconds, and the peer has not shown that it reads us.
        proved,   ///< It has. Told after `unproved` only.
        reroute,  ///< Requests in the dialog have to go to `target`: see leg::set_path().
        large,    ///< The INVITE wants a stream; it goes by whatever set_path() says then.
        finished  ///< Nothing is under way any more: the leg may be erased.
    };
    what kind;
    owner_id owner;
    ending end{};
    endpoint target{};
    std::optional<std::uint32_t> retry_after{};
};

/// The machines of a shard that a leg works with. All of them outlive it.
struct environment {
    sip::transaction_layer& transactions;
    timer_wheel& wheel;
    entropy& random;
    const sip::timers& timers;
    std::vector<notice>& notices;
    duration wall_clock_offset{};
    forks other_forks{};
    /// Endpoints of this process that no media is sent to: where signalling and REST are served.
    std::vector<endpoint> own_services{};
};

} // namespace trunkline::calls
