// Whom a request calls, on a trunk that may have registered a Contact of its own.
#pragma once

#include <string_view>

#include <trunkline/sip/message.hpp>
#include <trunkline/trunk/directory.hpp>

namespace trunkline::trunks {

/// The Request-URI is the Contact that this trunk has registered.
[[nodiscard]] bool by_contact(const sip::message_view& request, const trunk& on);

/// Whom the Request-URI names; where that is our own Contact, the carrier has put it in the place
/// of the number, which is then in P-Called-Party-ID (RFC 7315 section 4.2), or in To.
[[nodiscard]] std::string_view called_user(const sip::message_view& request, const trunk& on);

} // namespace trunkline::trunks
