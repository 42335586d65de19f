// Which numbers a trunk dials: allowed and denied prefixes, and emergency numbers.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include <trunkline/core/export.hpp>
#include <trunkline/trunk/config.hpp>

namespace trunkline {

/// Premium rate and satellite ranges: what `trunk_config::deny_prefixes` is where it is not given.
/// docs/dialling.md names the country of each.
[[nodiscard]] TRUNKLINE_EXPORT std::span<const std::string_view> default_deny_prefixes() noexcept;

/// Numbers that a trunk dials with `allow_emergency` only, from 000 to 999.
[[nodiscard]] TRUNKLINE_EXPORT std::span<const std::string_view> emergency_numbers() noexcept;

/// Digits alone, up to six: 911, 116123, an extension. A short code has no country, and is dialled
/// as it stands.
[[nodiscard]] TRUNKLINE_EXPORT bool is_short_code(std::string_view number) noexcept;

/// 1 to 15 digits, with a plus before them or without: what allow_prefixes and deny_prefixes hold.
[[nodiscard]] TRUNKLINE_EXPORT bool is_prefix(std::string_view text) noexcept;

/// Why a trunk does not dial a target, or nothing when it does. `field` is the setting that forbids
/// it, `message` a sentence. The target is a number, a tel, sip or sips URI, or a user part; it is
/// judged by every number that a carrier could read in it, so that separators, escapes, letters, a
/// missing plus, a phone-context or an international prefix make no difference.
[[nodiscard]] TRUNKLINE_EXPORT std::optional<config_error> forbidden(const trunk_config& on,
                                                                     std::string_view target);

} // namespace trunkline
