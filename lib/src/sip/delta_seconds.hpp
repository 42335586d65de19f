// The one kind of number that a dozen headers have.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include <trunkline/sip/grammar.hpp>

namespace trunkline::sip {

/// Digits only. Over 32 bits it counts as the largest value, as section 20.19 has it for Expires.
[[nodiscard]] inline std::optional<std::uint32_t> delta_seconds(std::string_view text) noexcept {
    const auto digits = grammar::run(text, 0, grammar::set::digit);
    if (digits == 0) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        value =
            std::min<std::uint64_t>(value * 10 + static_cast<unsigned>(text[i] - '0'), 0xffff'ffff);
    }
    return static_cast<std::uint32_t>(value);
}

} // namespace trunkline::sip
