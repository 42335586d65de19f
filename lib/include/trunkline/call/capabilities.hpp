// What we speak, as every message that says so has it.
#pragma once

#include <string>
#include <string_view>

#include <trunkline/call/leg_settings.hpp>
#include <trunkline/call/media_target.hpp>
#include <trunkline/core/result.hpp>
#include <trunkline/core/text.hpp>
#include <trunkline/sip/message.hpp>

namespace trunkline::calls {

inline constexpr std::string_view allowed_methods =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY";

/// The line of what accepts, and of what refuses a method that is not spoken.
[[nodiscard]] inline std::string allow_field() {
    return "Allow: " + std::string{allowed_methods} + "\r\n";
}

[[nodiscard]] inline std::string_view supported_options(const leg_settings& of) noexcept {
    return of.provisionals == reliability::off ? "timer" : "timer, 100rel";
}

/// RFC 3261 section 11.2: what the 200 of an OPTIONS says.
[[nodiscard]] inline std::string capability_fields(const leg_settings& of) {
    return allow_field() +
           "Accept: application/sdp\r\nSupported: " + std::string{supported_options(of)} + "\r\n";
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

/// RFC 3261 section 20.43, the line of a 488: what is wrong with a description that was refused.
[[nodiscard]] inline std::string warning_field(const error& why) {
    std::string_view words = "305 trunkline \"no codec or transport in common\"";
    const auto where = static_cast<sdp::unreachable>(why.detail);
    if (why.code == errc::bad_address && where == sdp::unreachable::host_name) {
        words = "301 trunkline \"a host name in c= is not looked up: write its address\"";
    } else if (why.code == errc::bad_address && where == sdp::unreachable::other_family) {
        words = "300 trunkline \"media of the other IP version: there is no such address here\"";
    } else if (why.code == errc::bad_address && why.detail != 0) {
        return "Warning: 399 trunkline \"" +
               std::string{calls::words(static_cast<target_fault>(why.detail))} + "\"\r\n";
    } else if (why.code == errc::bad_address) {
        words = "301 trunkline \"no address that media can be sent to\"";
    } else if (why.code != errc::not_supported) {
        return "Warning: 399 trunkline \"the SDP is wrong at byte " + std::to_string(why.offset) +
               ": " + std::string{message(why.code)} + "\"\r\n";
    }
    return "Warning: " + std::string{words} + "\r\n";
}

/// The same of an answer, for the call's record.
[[nodiscard]] inline std::string_view words_of_answer(const error& why,
                                                      std::string_view otherwise) {
    if (why.code != errc::bad_address) return otherwise;
    switch (static_cast<sdp::unreachable>(why.detail)) {
    case sdp::unreachable::host_name: return "the answer names a host in c=, and none is looked up";
    case sdp::unreachable::other_family:
        return "the answer is at an address of the other IP version, and there is none here";
    case sdp::unreachable::none: break;
    }
    return otherwise;
}

} // namespace trunkline::calls
