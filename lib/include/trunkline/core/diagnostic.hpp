// What a machine may want to tell its operator. Codes only: the words are in docs/diagnostics.md
// and in whoever prints them. A test holds the document to this list.
#pragma once

#include <cstdint>
#include <string_view>

#include <trunkline/core/export.hpp>

namespace trunkline {

enum class severity : std::uint8_t { trace, info, warning, failure };

enum class diagnostic : std::uint16_t {
    none = 0,
    // Transport.
    datagram_malformed = 100, ///< values: status that was answered (0 none), errc, offset, header
    datagram_noise,           ///< values: bytes
    response_unmatched,       ///< values: status
    ack_unmatched,
    transport_failed, ///< values: cause
    resolve_failed,   ///< values: record type
    stream_broken,    ///< values: errc, offset
    stream_dropped,   ///< values: why (1 nobody we know, 2 half a message, 3 idle, 4 silent)
    request_unmatched,
    header_ignored,     ///< values: header, errc, offset, how many since the last one that was told
    connection_refused, ///< values: cause; text: whose, and why TLS with it came to nothing
    // Inbound pipeline: one for each way an INVITE is refused. values: a detail, the status, and
    // how many of its kind there were since the last one that was told.
    refused_malformed = 200, ///< detail: errc
    refused_version,
    refused_unknown_source, ///< detail: status (0 when silent)
    refused_unauthorized,   ///< detail: 1 wrong password, 2 stale, 3 none given, 4 another URI
    refused_method,
    refused_uri_scheme,
    refused_merged,
    refused_extension,
    refused_content_type,
    refused_accept,
    refused_trunk_disabled,
    refused_number_unknown,
    refused_no_agent,
    refused_channels_full,
    refused_offer,
    refused_draining,
    refused_overload,
    refused_by_application,
    refused_session_interval, ///< Below our Min-SE (RFC 4028 section 9).
    refused_unreliable,       ///< The trunk wants 100rel, and the INVITE cannot.
    refused_rate,             ///< More calls than the trunk may begin in a second.
    source_banned,            ///< values: both halves of the address, as its bytes stand
    // Calls.
    call_started = 300,
    call_answered,
    call_ended,        ///< values: SIP status, ended_by
    attempt_failed,    ///< values: SIP status or 0, attempt, call_failure; text: who, and why
    ack_missing,       ///< No ACK for our 2xx in 64*T1 (RFC 3261 13.3.1.4).
    media_refused,     ///< values: cause
    rtp_foreign,       ///< values: packets that were not the call's, both halves of the address of
                       ///< a steady stranger, its port (0 without one)
    agent_failed,      ///< An agent's callback threw.
    callback_slow,     ///< values: microseconds
    challenge_ignored, ///< values: why (1 no credentials, 2 realm, 3 repeated, 4 algorithm, 5 no
                       ///< gateway)
    session_expired,   ///< Nobody refreshed it (RFC 4028).
    prack_missing,     ///< No PRACK for a reliable response in 64*T1 (RFC 3262 section 3).
    media_source_changed, ///< values: both halves of the address, port, calls::source_rank
    media_unproved,  ///< The peer has not shown that it reads us, and other streams do not either.
    dialog_stranger, ///< values: both halves of the address; 1 when it came by UDP or TCP
};

[[nodiscard]] TRUNKLINE_EXPORT std::string_view name(diagnostic code) noexcept;

} // namespace trunkline
