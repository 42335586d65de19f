// Addresses that a URL from outside is not to lead to: our own host, our own network.
#pragma once

#include <string>

#include <trunkline/core/address.hpp>

namespace softswitch {

/// Loopback, private, link-local, multicast, reserved; and an IPv6 address that a translator turns
/// into one of these (RFC 6052, RFC 3056, RFC 4291 section 2.5.5).
[[nodiscard]] bool is_inner(const trunkline::address& what) noexcept;

/// The end of a sentence.
[[nodiscard]] std::string why_not_there(const trunkline::address& what);

} // namespace softswitch
