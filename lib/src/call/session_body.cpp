#include <trunkline/call/session_body.hpp>

#include <algorithm>
#include <array>
#include <string>

#include <trunkline/call/types.hpp>
#include <trunkline/core/text.hpp>
#include <trunkline/sip/multipart.hpp>

namespace trunkline::calls {

namespace {

constexpr std::string_view description = "application/sdp";

/// What carriers send beside a description (RFC 3204, RFC 6442, RFC 7866): it is for the
/// application, whatever the sender calls it.
constexpr std::array<std::string_view, 5> known_beside{
    "application/isup", "application/qsig", "application/pidf+xml", "application/rs-metadata",
    "application/rs-metadata+xml"};

[[nodiscard]] bool is_known(std::string_view type) noexcept {
    return std::ranges::any_of(known_beside,
                               [&](std::string_view one) { return iequals(one, type); });
}

[[nodiscard]] bool is_multipart(const sip::message_view& message) noexcept {
    return iequals(message.value(sip::header::content_type).substr(0, 10), "multipart/");
}

} // namespace

session_body session_of(const sip::message_view& message) noexcept {
    if (message.body().empty()) return {};
    const bool request = message.is_request() && message.method() != sip::method::ack;
    const auto refused = [&](int status) { return session_body{{}, request ? status : 0}; };
    if (message.unreadable(sip::header::content_type)) return refused(400);
    const bool several = is_multipart(message);
    const bool untyped = !request && !message.has(sip::header::content_type);
    // Nearly every body is this, and nothing has to be cut for it.
    if (!several && !message.has(sip::header::content_encoding) &&
        (untyped || iequals(message.content_type(), description))) {
        return {message.body(), 0};
    }
    sip::body_parts parts;
    if (!parts.read(message)) return refused(415);
    session_body made;
    for (const auto& one : parts.all()) {
        const bool ours = untyped || iequals(one.type(), description);
        if (ours && !one.encoded) {
            if (made.sdp.empty()) made.sdp = one.content;
            continue;
        }
        if (one.is_optional()) continue;
        if (ours || !several || (one.is_required() && !is_known(one.type()))) return refused(415);
    }
    return made;
}

void tell_parts(const sip::message_view& message, owner_id told, outbox& out) {
    if (!is_multipart(message)) return;
    sip::body_parts parts;
    static_cast<void>(parts.read(message));
    for (const auto& one : parts.all()) {
        if (iequals(one.type(), description) && !one.encoded) continue;
        std::string text{one.content_type};
        std::ranges::replace_if(
            text, [](char c) { return c == '\r' || c == '\n'; }, ' ');
        text += '\n';
        text += one.content;
        out.tell(told, static_cast<std::uint16_t>(event::body_part),
                 out.keep(std::as_bytes(std::span{text})));
    }
}

} // namespace trunkline::calls
