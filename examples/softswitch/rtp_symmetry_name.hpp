// What rtp_symmetric is called in the file, in REST and in the database.
#pragma once

#include <optional>
#include <string_view>

#include <trunkline/call/rtp_symmetry.hpp>

namespace softswitch {

[[nodiscard]] inline std::string_view name_of(trunkline::rtp_symmetry which) noexcept {
    switch (which) {
    case trunkline::rtp_symmetry::off: return "off";
    case trunkline::rtp_symmetry::automatic: return "auto";
    case trunkline::rtp_symmetry::any: return "any";
    }
    return "auto";
}

[[nodiscard]] inline std::optional<trunkline::rtp_symmetry>
rtp_symmetry_of(std::string_view text) noexcept {
    if (text == "off") return trunkline::rtp_symmetry::off;
    if (text == "auto") return trunkline::rtp_symmetry::automatic;
    if (text == "any") return trunkline::rtp_symmetry::any;
    return std::nullopt;
}

} // namespace softswitch
