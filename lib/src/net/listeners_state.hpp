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
        descriptor socket;
        endpoint local;
        bool wildcard; ///< Which address a datagram came to, and leaves from, is told each time.
    };

    std::vector<listener> opened;
    std::uint16_t shards = 1;
    net::owner_of owner_of;
    std::deque<handover> to_shard; ///< By index; that of shard 0, who hands over, is never used.
};

} // namespace trunkline::net
