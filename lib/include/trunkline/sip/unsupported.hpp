// What a 420 says, RFC 3261 section 8.2.2.3.
#pragma once

#include <string>
#include <string_view>

#include <trunkline/sip/message.hpp>

namespace trunkline::sip {

/// An Unsupported line for each option that the request requires: none of them is spoken here.
/// Empty when it requires nothing.
[[nodiscard]] inline std::string unsupported_fields(const message_view& request) {
    std::string fields;
    request.each_element(header::require, [&](std::string_view option) {
        fields.append("Unsupported: ").append(option).append("\r\n");
    });
    return fields;
}

} // namespace trunkline::sip
