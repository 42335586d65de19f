// How a trunk's registration stands, for operators.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <trunkline/core/export.hpp>
#include <trunkline/core/time.hpp>

namespace trunkline {

enum class registration_state : std::uint8_t {
    idle,          ///< Not registered, and not about to be.
    registering,   ///< For the first time, or after a failure.
    registered,    ///< Calls come; refreshing it changes nothing of that.
    waiting,       ///< The last attempt failed, and the next one is to come.
    unregistering, ///< The trunk was removed, or the manager drains.
};

[[nodiscard]] TRUNKLINE_EXPORT std::string_view name(registration_state what) noexcept;

struct registration_status {
    std::string trunk{};
    registration_state state = registration_state::idle;
    std::string gateway{};               ///< Host and port of the last one that was asked.
    int sip_code = 0;                    ///< What it said last; 0: nothing yet, or nothing at all.
    std::string reason{};                ///< In words, where something went wrong.
    std::optional<time_point> expires{}; ///< Until then the carrier knows, or knew, where we are.
    std::optional<time_point> retry{};   ///< When it is asked again, of a registration that failed.
};

} // namespace trunkline
