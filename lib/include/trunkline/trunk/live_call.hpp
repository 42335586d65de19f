// A call while it lives: what the engine knows of it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <trunkline/core/address.hpp>
#include <trunkline/core/timer_wheel.hpp>
#include <trunkline/trunk/call.hpp>
#include <trunkline/trunk/call_record.hpp>
#include <trunkline/trunk/directory.hpp>
#include <trunkline/trunk/gateway_names.hpp>

namespace trunkline::trunks {

/// Slot and generation in a slab, as the owner of effects and in call ids.
struct slot_id {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;

    friend constexpr bool operator==(const slot_id&, const slot_id&) = default;
    [[nodiscard]] constexpr owner_id owner() const noexcept {
        return owner_id{static_cast<std::uint64_t>(generation) << 32 | slot};
    }
    [[nodiscard]] static constexpr slot_id of(owner_id owner) noexcept {
        const auto both = static_cast<std::uint64_t>(owner);
        return {static_cast<std::uint32_t>(both), static_cast<std::uint32_t>(both >> 32)};
    }
};

/// One gateway address that an outbound call may go to.
struct candidate {
    std::string gateway{}; ///< As configured, for the record.
    gateway_name name{};
    endpoint to{};
    bool resolved = false;
    bool pinned = false; ///< To its transport, whatever the size of a request.
};

struct live_call {
    slot_id id;
    incoming_call facade;
    std::shared_ptr<const trunks::trunk> trunk{};
    std::unique_ptr<agent> who{};
    std::optional<slot_id> leg{};
    call_record record{};
    std::string fallback{}; ///< For the application: who stands in for the agent.
    bool channel_taken = false;
    bool acknowledged = true; ///< False of an inbound call until the ACK for its answer.
    std::string token{};      ///< Its call is counted by it, if it is not empty.
    bool decided = false;     ///< The application answered or rejected.
    bool ended = false;       ///< on_ended is on its way.
    bool hang_up_when_drained = false;
    bool anonymous = false;                                     ///< As its dial_request says,
    std::vector<std::pair<std::string, std::string>> headers{}; ///< and of its INVITEs.
    std::deque<std::optional<std::string>> marks{};             ///< Empty once it was told.
    std::uint64_t first_mark = 0;                               ///< The tag of marks.front().

    // Outbound.
    std::vector<candidate> candidates{};
    std::size_t next_candidate = 0;
    time_point attempt_started{};
    bool early_media = false;
    std::chrono::seconds ringing_timeout{60};

    timer_node ring_timer{};
    timer_node attempt_timer{};
};

} // namespace trunkline::trunks
