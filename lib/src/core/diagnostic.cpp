#include <trunkline/core/diagnostic.hpp>

namespace trunkline {

std::string_view name(diagnostic code) noexcept {
    switch (code) {
    case diagnostic::none: return "none";
    case diagnostic::datagram_malformed: return "datagram_malformed";
    case diagnostic::datagram_noise: return "datagram_noise";
    case diagnostic::header_ignored: return "header_ignored";
    case diagnostic::response_unmatched: return "response_unmatched";
    case diagnostic::ack_unmatched: return "ack_unmatched";
    case diagnostic::transport_failed: return "transport_failed";
    case diagnostic::resolve_failed: return "resolve_failed";
    case diagnostic::stream_broken: return "stream_broken";
    case diagnostic::stream_dropped: return "stream_dropped";
    case diagnostic::request_unmatched: return "request_unmatched";
    case diagnostic::refused_malformed: return "refused_malformed";
    case diagnostic::refused_version: return "refused_version";
    case diagnostic::refused_unknown_source: return "refused_unknown_source";
    case diagnostic::refused_unauthorized: return "refused_unauthorized";
    case diagnostic::refused_method: return "refused_method";
    case diagnostic::refused_uri_scheme: return "refused_uri_scheme";
    case diagnostic::refused_merged: return "refused_merged";
    case diagnostic::refused_extension: return "refused_extension";
    case diagnostic::refused_content_type: return "refused_content_type";
    case diagnostic::refused_accept: return "refused_accept";
    case diagnostic::refused_trunk_disabled: return "refused_trunk_disabled";
    case diagnostic::refused_number_unknown: return "refused_number_unknown";
    case diagnostic::refused_no_agent: return "refused_no_agent";
    case diagnostic::refused_channels_full: return "refused_channels_full";
    case diagnostic::refused_offer: return "refused_offer";
    case diagnostic::refused_draining: return "refused_draining";
    case diagnostic::refused_overload: return "refused_overload";
    case diagnostic::refused_by_application: return "refused_by_application";
    case diagnostic::refused_session_interval: return "refused_session_interval";
    case diagnostic::refused_unreliable: return "refused_unreliable";
    case diagnostic::refused_rate: return "refused_rate";
    case diagnostic::source_banned: return "source_banned";
    case diagnostic::call_started: return "call_started";
    case diagnostic::call_answered: return "call_answered";
    case diagnostic::call_ended: return "call_ended";
    case diagnostic::connection_refused: return "connection_refused";
    case diagnostic::attempt_failed: return "attempt_failed";
    case diagnostic::ack_missing: return "ack_missing";
    case diagnostic::media_refused: return "media_refused";
    case diagnostic::rtp_foreign: return "rtp_foreign";
    case diagnostic::agent_failed: return "agent_failed";
    case diagnostic::callback_slow: return "callback_slow";
    case diagnostic::challenge_ignored: return "challenge_ignored";
    case diagnostic::session_expired: return "session_expired";
    case diagnostic::prack_missing: return "prack_missing";
    case diagnostic::media_source_changed: return "media_source_changed";
    case diagnostic::media_unproved: return "media_unproved";
    case diagnostic::dialog_stranger: return "dialog_stranger";
    }
    return "unknown";
}

} // namespace trunkline
