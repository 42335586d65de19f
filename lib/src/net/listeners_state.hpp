// What the shards of a process share; see listeners.hpp.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include <trunkline/net/listeners.hpp>

#include "handover.hpp"
#include "socket.hpp"

namespace trunkline::net {

struct listeners_state {
    struct listener {
        trunkline::transport transport;
        descriptor socket;
        endpoint local;
        bool wildcard; ///< Which address a datagram came to, and leaves from, is told each time.
    };

    /// The listener that sends to a peer over a transport: the one that is preferred if it can.
    [[nodiscard]] listener_id find(trunkline::transport over, const endpoint& to,
                                   listener_id preferred) const noexcept {
        const auto fits = [&](std::size_t i) {
            return i < opened.size() && opened[i].transport == over &&
                   opened[i].local.address.is_v4() == to.address.is_v4();
        };
        if (fits(static_cast<std::size_t>(preferred))) return preferred;
        for (std::size_t i = 0; i < opened.size(); ++i) {
            if (fits(i)) return static_cast<listener_id>(i);
        }
        return no_listener;
    }

    std::vector<listener> opened;
    std::uint16_t shards = 1;
    net::owner_of owner_of;
    std::deque<handover> to_shard; ///< By index; that of shard 0, who hands over, is never used.
};

} // namespace trunkline::net
