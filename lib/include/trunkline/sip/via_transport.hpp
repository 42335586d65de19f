// What a Via says of the transport that it goes by, RFC 3261 section 20.42.
#pragma once

#include <string_view>

#include <trunkline/core/flow.hpp>

namespace trunkline::sip {

[[nodiscard]] constexpr std::string_view in_via(transport over) noexcept {
    switch (over) {
    case transport::udp: return "UDP";
    case transport::tcp: return "TCP";
    case transport::tls: return "TLS";
    }
    return "UDP";
}

} // namespace trunkline::sip
