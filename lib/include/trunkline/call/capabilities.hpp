// What we speak, as every message that says so has it.
#pragma once

#include <string>
#include <string_view>

#include <trunkline/call/leg_settings.hpp>
#include <trunkline/core/text.hpp>
#include <trunkline/sip/message.hpp>

namespace trunkline::calls {

inline constexpr std::string_view allowed_methods =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY";

/// The line of what accepts, and of what refuses a method that is not spoken.
[[nodiscard]] inline std::string allow_field() {
    return "Allow: " + std::string{allowed_methods} + "\r\n";
}

/// Why an offer is 488, to an INVITE, a re-INVITE, an UPDATE or a PRACK (RFC 3261 sections 13.3.1.3
/// and 14.2).
inline constexpr std::string_view no_common_codec =
    "Warning: 305 trunkline \"no codec in common\"\r\n";

[[nodiscard]] inline std::string_view supported_options(const leg_settings& of) noexcept {
    return of.provisionals == reliability::off ? "timer" : "timer, 100rel";
}

/// RFC 3261 section 8.2.2.3: an Unsupported line for each option that the request requires and that
/// is not spoken here. Empty when there is none.
[[nodiscard]] inline std::string unsupported_fields(const sip::message_view& request,
                                                    const leg_settings& here) {
    std::string fields;
    request.each_element(sip::header::require, [&](std::string_view option) {
        const bool reliable = iequals(option, "100rel") && here.provisionals != reliability::off;
        if (reliable || iequals(option, "timer")) return;
        fields.append("Unsupported: ").append(option).append("\r\n");
    });
    return fields;
}

} // namespace trunkline::calls
