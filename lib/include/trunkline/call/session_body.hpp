// What a message says about the session, among all else that its body may bear.
#pragma once

#include <string_view>

#include <trunkline/core/export.hpp>
#include <trunkline/core/outbox.hpp>
#include <trunkline/sip/message.hpp>

namespace trunkline::calls {

struct session_body {
    std::string_view sdp{}; ///< Empty: nothing is said.
    int refused = 0;        ///< 415 or 400 of a request that asks for what is not done here.
};

/// A description may stand in a part of its own (RFC 5621), and a body that need not be understood
/// says nothing (RFC 3261 section 8.2.3). Of a response and of an ACK nothing is refused: what it
/// describes cannot be read, or it can. Of a body without a type there the description is taken.
[[nodiscard]] TRUNKLINE_EXPORT session_body session_of(const sip::message_view& message) noexcept;

/// The other parts, for the application: event::body_part for each.
void tell_parts(const sip::message_view& message, owner_id told, outbox& out);

} // namespace trunkline::calls
