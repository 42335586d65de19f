// A hook on the signalling wire, for who draws ladders, writes captures or speaks HEP.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include <trunkline/core/flow.hpp>
#include <trunkline/core/time.hpp>

namespace trunkline::net {

struct wire_tap_record {
    time_point at;
    bool outgoing;
    flow_id flow;
    const flow_info& info;
    /// Whose command sent it, by the machine's own number: of a call, the leg's slot and not the
    /// call's id, so that it may equal another call's id. None for what comes in: whose that is,
    /// only the machine finds out.
    owner_id owner;
    std::span<const std::byte> bytes;
};

/// Called on the shard, before the machine sees a packet and before the network does. Nothing in
/// the record outlives the call. It must not command the machine, and should not take long.
using wire_tap = std::function<void(const wire_tap_record&)>;

} // namespace trunkline::net
