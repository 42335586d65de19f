// The media of one call: RTP and RTCP both ways, what is heard, what is said.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string_view>

#include <trunkline/audio/playout_queue.hpp>
#include <trunkline/call/early_latches.hpp>
#include <trunkline/call/heard.hpp>
#include <trunkline/call/keypad.hpp>
#include <trunkline/call/types.hpp>
#include <trunkline/core/entropy.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/outbox.hpp>
#include <trunkline/core/result.hpp>
#include <trunkline/rtp/jitter_buffer.hpp>
#include <trunkline/rtp/session.hpp>
#include <trunkline/rtp/telephone_event.hpp>
#include <trunkline/sdp/offer_answer.hpp>

namespace trunkline::calls {

/// From the first agreement on, one packet leaves every ptime, speech or silence, unless hold says
/// otherwise. Sans-I/O; what is heard and what was played is told as events of the owner.
class TRUNKLINE_EXPORT media_stream {
public:
    struct config {
        rtp::release delivery = rtp::release::as_arrived;
        rtp_symmetry symmetry = rtp_symmetry::automatic;
        signalling_sources signalling{};
        const media_origins* origins = nullptr; ///< Outlives the stream.
        duration wall_clock_offset{};
    };

    media_stream(media_id media, owner_id owner, const config& values, entropy& random);

    /// What was agreed first, or anew. Begins to send. `dialog` tells the early dialogs of an
    /// INVITE apart.
    void agree(const sdp::agreed& what, time_point now, std::uint64_t dialog = 0);
    /// The early dialog that was agreed with last is the call's, and the others are gone.
    void answered() { sources_.answered(); }
    /// Whether packets may leave. A stream that is not permitted to send goes on to be heard.
    void permit_sending(bool permitted, time_point now);
    /// Whether RTP or RTCP came from the described address: the peer then reads what we send.
    [[nodiscard]] bool proved() const noexcept {
        return controlled_ || sources_.active().heard_described();
    }
    void receive(const inputs::media_packet& packet, time_point now, outbox& out);
    /// A digit by INFO: told, unless RTP tells of them.
    void hear_info(char digit, time_point now, outbox& out);
    void tick(time_point now, outbox& out);
    [[nodiscard]] std::optional<time_point> next_deadline() const noexcept;
    /// Sends RTCP BYE and nothing more.
    void stop(time_point now, outbox& out);

    /// Sends 10 to 60 ms at once, ahead of whatever is queued.
    result<void> send(std::span<const std::int16_t> pcm, time_point now, outbox& out);
    [[nodiscard]] audio::playout_queue& speech() noexcept { return speech_; }
    [[nodiscard]] const audio::playout_queue& speech() const noexcept { return speech_; }
    /// Tells of marks and utterances that need no packet to happen, as clear() makes them.
    void tell_happened(outbox& out);
    /// Queues digits to be sent by RFC 4733 one after the other.
    result<void> send_digits(std::string_view digits, time_point now);

    [[nodiscard]] media_statistics statistics() const noexcept;
    [[nodiscard]] media_id id() const noexcept { return media_; }
    [[nodiscard]] codec::law law() const noexcept { return law_; }
    [[nodiscard]] const sdp::agreed& agreed() const noexcept { return agreed_; }

private:
    void receive_rtp(const inputs::media_packet& packet, time_point now, outbox& out);
    void receive_useless(const inputs::media_packet& packet, const rtp::header& header,
                         std::uint64_t& counter, time_point now, outbox& out);
    void hear(const rtp::packet_view& packet, time_point now, outbox& out);
    void note_source(outbox& out) const;
    void drain(time_point now, outbox& out);
    void resume_or_pause(time_point now);
    void hear_event(const rtp::jitter_buffer::item& item, time_point now, outbox& out);
    void tell(const rtp::digit_changes& changes, time_point now, outbox& out);
    [[nodiscard]] std::optional<codec::law> law_of(std::uint8_t payload_type) const noexcept;
    void send_frame(time_point now, outbox& out);
    void send_packet(std::span<const std::byte> payload, time_point now, outbox& out);
    [[nodiscard]] bool send_event(time_point now, outbox& out);
    void send_report(time_point now, outbox& out);
    [[nodiscard]] endpoint rtcp_to() const noexcept;
    [[nodiscard]] bool reporting() const noexcept;
    [[nodiscard]] bool sending() const noexcept;
    [[nodiscard]] std::size_t frame_samples() const noexcept;

    media_id media_;
    owner_id owner_;
    config config_;
    sdp::agreed agreed_{};
    codec::law law_ = codec::law::ulaw;
    bool running_ = false;
    bool permitted_ = true;
    bool controlled_ = false;             ///< RTCP came from the described address.
    bool spoken_ = false;                 ///< A first packet has gone: it bears the marker.
    bool reported_ = false;               ///< Who never sent anything says no BYE.
    std::optional<time_point> paused_at_; ///< Hold stops the packets, not the media clock.
    rtp::session session_;
    rtp::jitter_buffer jitter_;
    heard heard_;
    early_latches sources_;
    audio::playout_queue speech_;
    rtp::telephone_event_receiver events_in_;
    keypad keypad_;
    rtp::telephone_event_sender events_out_;
    std::deque<char> digits_;
    std::optional<time_point> next_frame_;
    std::uint64_t unknown_type_ = 0;
    std::uint64_t malformed_ = 0;
    std::uint64_t no_event_ = 0; ///< Too short for a telephone-event.
    std::optional<time_point> first_received_;
    std::optional<time_point> first_sent_;
};

} // namespace trunkline::calls
