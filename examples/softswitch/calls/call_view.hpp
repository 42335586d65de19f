// A call as operators see it: its id, its state, and what happened to it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <trunkline/trunk/call_record.hpp>

namespace softswitch {

/// In the order that a call can go through them; a state is never left for an earlier one.
enum class call_state : std::uint8_t {
    initiated,
    progress,  ///< 183 without audio: the carrier works on it.
    forwarded, ///< 181
    queued,    ///< 182
    ringing,   ///< 180
    answered,
    ended,
};
[[nodiscard]] std::string_view name(call_state what) noexcept;

/// What became of the last transfer of a call.
struct transfer_view {
    std::string to{};
    std::string state{}; ///< asked, accepted, trying, succeeded, failed or unknown.
    int status = 0;      ///< The SIP status that was told last; 0 before any.
};

struct call_view {
    std::string id{}; ///< "CA" and 32 hex digits: also what agents know the call by.
    trunkline::direction direction = trunkline::direction::inbound;
    std::string from{};
    std::string to{};
    std::string trunk{};
    std::string agent{};
    std::string token{}; ///< Of REST, by name, where that began it.
    call_state state = call_state::initiated;
    std::int64_t started_unix_ns = 0;
    std::int64_t answered_unix_ns = 0;                      ///< 0 until then.
    std::optional<transfer_view> transfer{};                ///< When one was asked for.
    std::shared_ptr<const trunkline::call_record> record{}; ///< When it has ended.
};

/// What GET /events, webhooks and the page are told.
struct call_event {
    std::uint64_t number = 0; ///< Counts up from 1, without holes.
    call_state what = call_state::initiated;
    std::int64_t at_unix_ns = 0;
    call_view call{};
    bool of_transfer = false; ///< The call's state is as it was; its transfer's is not.
};
[[nodiscard]] std::string_view name(const call_event& what) noexcept;

} // namespace softswitch
