// Which headers a message cannot do without, RFC 3261 section 8.2.2: an unreadable header of any
// other name costs itself, and not the message.
#pragma once

#include <trunkline/sip/header.hpp>
#include <trunkline/sip/method.hpp>

namespace trunkline::sip {

/// What is known of a message before its optional headers are read.
struct message_kind {
    bool response = false;
    method what = method::other;
    bool within = false; ///< A request with a To tag.
    bool has_body = false;
    bool stream = false;
};

/// Requests of which no body is ever used, and which are answered or obeyed all the same.
[[nodiscard]] constexpr bool needs_no_body(method what) noexcept {
    return what == method::bye || what == method::ack || what == method::cancel;
}

/// A response is used where Via, From, To, Call-ID and CSeq can be read: what was agreed to must
/// not be lost, and a 2xx wants its ACK (section 13.2.2.4). A request is refused for what could
/// make it mean something else than its sender meant.
[[nodiscard]] constexpr bool needs(const message_kind& of, header which) noexcept {
    switch (which) {
    case header::via:
    case header::from:
    case header::to:
    case header::call_id:
    case header::cseq: return true;
    case header::content_length: return of.stream || (!of.response && !needs_no_body(of.what));
    case header::content_type:
    case header::content_encoding:
        return !of.response && of.has_body && !needs_no_body(of.what) &&
               of.what != method::options && of.what != method::register_;
    case header::require:
    case header::proxy_require:
        return !of.response && of.what != method::ack && of.what != method::cancel;
    case header::replaces: return !of.response && of.what == method::invite;
    case header::record_route: return !of.response && of.what == method::invite && !of.within;
    case header::contact: return !of.response && of.what == method::register_;
    case header::rack: return !of.response && of.what == method::prack;
    case header::refer_to: return !of.response && of.what == method::refer;
    default: return false;
    }
}

} // namespace trunkline::sip
