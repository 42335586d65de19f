// What a call is told by and told of, below the trunk that it belongs to.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/core/address.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/flow.hpp>
#include <trunkline/core/time.hpp>

namespace trunkline {

enum class direction : std::uint8_t { inbound, outbound };

/// Who ended a call, seen from the telephone network.
enum class ended_by : std::uint8_t {
    caller,
    callee,
    carrier,     ///< Refused, or went away.
    application, ///< hang_up() or reject().
    agent,       ///< A callback threw.
    timeout,     ///< No answer, or no ACK.
    local_error, ///< No media port, no route, no gateway, no connection to one.
};
[[nodiscard]] TRUNKLINE_EXPORT std::string_view name(ended_by who) noexcept;

/// What kept a call from being, or ended it, where no SIP status says so. Words go with it.
enum class call_failure : std::uint8_t {
    none,            ///< A response said it, a BYE or CANCEL came, or we hung up.
    no_route,        ///< No such trunk, one that does not dial, or one without a gateway.
    not_dialable,    ///< The number or a header of the request cannot be sent.
    no_channel,      ///< All channels of the trunk are in use.
    no_turn,         ///< Too many calls wait for their turn.
    draining,        ///< We are shutting down.
    name_unresolved, ///< DNS knows no address of the gateway.
    not_reached,     ///< Connection refused, no route, or an ICMP error.
    tls,             ///< TLS came to nothing.
    gateway_silent,  ///< Not one response in time.
    gateway_resting, ///< It said 503 with Retry-After, and that time is not over.
    not_answered,    ///< It rang for as long as it may.
    no_media,        ///< No media port, or no offer or answer could be written.
    unusable_answer, ///< The peer's SDP answer cannot be used.
    unacknowledged,  ///< No ACK for our 200, or no PRACK for our provisional response.
    session_lost,    ///< No refresh of the session came, or the far end did not know it any more.
    agent_failed,    ///< A callback threw.
};
[[nodiscard]] TRUNKLINE_EXPORT std::string_view name(call_failure what) noexcept;

/// What a provisional response says of an outbound call: "queued" for 182.
[[nodiscard]] TRUNKLINE_EXPORT std::string_view provisional_words(int status) noexcept;

/// Where the samples of a frame come from.
enum class frame_kind : std::uint8_t {
    speech,    ///< As received.
    concealed, ///< The packet was lost; this sounds like what was around it.
    noise,     ///< The far end sends nothing (DTX): background.
    silence,   ///< The far end holds us.
};

/// Some milliseconds of what the caller said, 16-bit linear at 8 kHz. Frames of a call cover its
/// timeline without hole or overlap. The samples live until the callback returns.
struct audio_frame {
    std::span<const std::int16_t> samples{}; ///< 8 a millisecond; never empty in a callback.
    /// Index of the first sample since audio began, in samples of 1/8000 s; 0 for the first frame.
    std::uint64_t at = 0;
    frame_kind kind = frame_kind::speech; ///< Of all samples of the frame.
};

/// What became of a transfer that was asked for by REFER (RFC 3515).
enum class transfer_state : std::uint8_t {
    accepted,  ///< The far end has agreed to try.
    trying,    ///< It told of a provisional response: `status`.
    succeeded, ///< The new call was answered; this one is still there.
    failed,    ///< It was not, and this call goes on: `status` says why.
    unknown,   ///< The far end agreed, and never told.
};
struct transfer_progress {
    transfer_state state = transfer_state::unknown;
    /// SIP status of the new call, or of the REFER that was refused; 0 where no message had one.
    int status = 0;
};

/// Counted by the media stream of a call; all 0 or nothing where a call had no media. What came
/// and could not be heard is counted as what it is, and never as lost.
struct media_statistics {
    std::uint64_t sent = 0;     ///< RTP packets.
    std::uint64_t received = 0; ///< RTP packets, without duplicates.
    std::uint64_t lost = 0;     ///< RTP packets that never came, by their numbers.
    std::uint64_t late = 0;     ///< Packets that came, but after their turn.
    std::uint64_t foreign = 0;  ///< Packets from a source that is not the call's; dropped.
    /// A stranger with a steady stream, not heard; nothing where there was none.
    std::optional<endpoint> refused_source{};
    std::uint64_t refused_size = 0; ///< Packets of more than 200 ms, or no whole telephone-event.
    std::uint64_t unknown_type = 0; ///< Packets whose payload type was not agreed.
    std::uint64_t malformed = 0;    ///< Packets whose header lies about its lengths.
    std::uint64_t overflowed = 0;   ///< Packets that found the jitter buffer full.
    std::uint64_t resets = 0;       ///< How often the far end began a new timeline.
    duration concealed{}; ///< What stands in for lost packets, and sounds like what was around.
    duration made_up{};   ///< Noise and silence for times when the far end sent nothing.
    /// Interarrival jitter (RFC 3550 section 6.4.1) in nanoseconds; 0 until two packets came.
    duration jitter{};
    std::optional<duration> round_trip{};       ///< Nothing where the far end sends no RTCP.
    std::optional<time_point> first_received{}; ///< Protocol time; none: no RTP came.
    /// Of what the agent said, not of silence. Protocol time; none: it said nothing.
    std::optional<time_point> first_sent{};
};

namespace calls {

/// The `code` of the effects::event that a call tells its agent.
enum class event : std::uint16_t {
    incoming = 1,
    initiated, ///< Outbound: nothing has been sent yet.
    ringing,
    progress, ///< values: the status of a provisional response that is neither 100 nor 180
    early_media,
    answered,
    audio,            ///< bytes: samples; values: index, kind
    digit,            ///< values: the digit, milliseconds
    mark,             ///< values: tag, 1 when it was played and 0 when its utterance was cleared
    utterance_played, ///< values: id, samples
    drained,
    transfer,  ///< values: transfer_state, status
    referred,  ///< bytes: the URI that the peer wants us to call
    body_part, ///< bytes: a Content-Type, a line feed, and what stands under it
    ended,
};

/// What an ended call is remembered by.
struct ending {
    ended_by by = ended_by::local_error;
    int sip_code = 0;            ///< What the peer is told where it is to be told one.
    std::string reason{};        ///< Ours, in words.
    std::string carrier_words{}; ///< The peer's reason phrase, Reason and Warning headers.
    call_failure failure = call_failure::none;
    bool by_wire = false;               ///< A response had the `sip_code`, the peer's or ours.
    std::vector<std::string> targets{}; ///< Contacts of a 3xx.
};

/// Of an attempt that never reached its gateway. `words` are the driver's, where it has any.
[[nodiscard]] TRUNKLINE_EXPORT ending not_reached(cause why, std::string_view words);

} // namespace calls
} // namespace trunkline
