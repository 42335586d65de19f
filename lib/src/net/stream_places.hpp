// Which connection makes room for the next one: where places are full, and what one peer may have.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <trunkline/core/flow.hpp>
#include <trunkline/core/time.hpp>

namespace trunkline::net {

/// Whether a holder of one of the addresses holds the other one: all of an IPv6 /64 are one host's.
[[nodiscard]] inline bool same_neighbourhood(const address& a, const address& b) noexcept {
    const std::ptrdiff_t length = a.is_v4() ? 16 : 8;
    return a.is_v4() == b.is_v4() &&
           std::equal(a.bytes.begin(), a.bytes.begin() + length, b.bytes.begin());
}

/// What a connection is to the table that it stands in.
struct stream_place {
    address peer{};
    bool taken = false;
    bool ours = false;  ///< We asked for it.
    bool going = false; ///< Closed by one side, and there only for what is still on its way.
    flow_standing standing = flow_standing::stranger;
    time_point heard{}; ///< When a byte came last.

    [[nodiscard]] bool stranger() const noexcept {
        return taken && !ours && standing == flow_standing::stranger;
    }
};

struct stream_limits {
    std::size_t most = 0;
    std::size_t most_of_one = 0;

    /// Strangers wait for a few seconds each, so a small share of the places is enough for them; of
    /// a small table it is more than all.
    [[nodiscard]] std::size_t strangers() const noexcept {
        return std::max<std::size_t>(16, most / 8);
    }
};

struct stream_decision {
    static constexpr std::size_t nothing = SIZE_MAX;
    bool accepted = false;
    std::size_t evicted = nothing; ///< The index of the one that makes room.

    friend bool operator==(const stream_decision&, const stream_decision&) = default;
};

/// A stranger takes the place of a stranger, the idlest one first, and never that of a connection
/// which a call uses or whose source a trunk knows. A source that is known takes a stranger's place
/// as well, and so does a connection that we ask for; where there is no stranger, that of a
/// connection which is on its way out. A known source is counted by its address, because a stranger
/// may live in the same IPv6 /64.
template <class Places, class AsPlace>
[[nodiscard]] stream_decision make_room(const Places& places, const AsPlace& as_place,
                                        const stream_limits& limits, const stream_place& newcomer) {
    std::size_t taken = 0;
    std::size_t strangers = 0;
    std::size_t of_one = 0;
    std::size_t idlest = stream_decision::nothing;
    std::size_t leaving = stream_decision::nothing;
    time_point idlest_heard{};
    time_point leaving_heard{};
    std::size_t index = 0;
    for (const auto& each : places) {
        const stream_place& one = as_place(each);
        const auto at = index++;
        if (!one.taken) continue;
        ++taken;
        if (one.ours) continue;
        const bool known = !one.stranger();
        const bool same = newcomer.stranger()
                              ? !known && same_neighbourhood(one.peer, newcomer.peer)
                              : known && one.peer == newcomer.peer;
        if (same) ++of_one;
        if (!known) ++strangers;
        auto& best = known ? leaving : idlest;
        auto& best_heard = known ? leaving_heard : idlest_heard;
        if (known && !one.going) continue;
        if (best != stream_decision::nothing && best_heard <= one.heard) continue;
        best = at;
        best_heard = one.heard;
    }
    if (!newcomer.ours && of_one >= limits.most_of_one) return {};
    const bool full = taken >= limits.most;
    const bool share_full = newcomer.stranger() && strangers >= limits.strangers();
    if (!full && !share_full) return {true};
    if (idlest != stream_decision::nothing) return {true, idlest};
    if (newcomer.stranger() || leaving == stream_decision::nothing) return {};
    return {true, leaving};
}

} // namespace trunkline::net
