#include <trunkline/call/media_stream.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <variant>

namespace trunkline::calls {

namespace {

constexpr std::uint32_t clock_rate = 8'000;
constexpr std::uint8_t comfort_noise = 13;
constexpr std::size_t longest_frame = 480; ///< 60 ms: nobody negotiates more.
constexpr std::size_t digits_queued = 64;

[[nodiscard]] codec::law to_law(sdp::encoding which) noexcept {
    return which == sdp::encoding::pcma ? codec::law::alaw : codec::law::ulaw;
}

[[nodiscard]] std::uint16_t code(event what) noexcept {
    return static_cast<std::uint16_t>(what);
}

} // namespace

media_stream::media_stream(media_id media, owner_id owner, const config& values, entropy& random)
    : media_{media},
      owner_{owner},
      config_{values},
      session_{{.clock_rate = clock_rate, .wall_clock_offset = values.wall_clock_offset}, random},
      jitter_{{.release = values.delivery, .clock_rate = clock_rate}},
      speech_{codec::law::ulaw},
      events_in_{{}},
      events_out_{{}} {
    sources_.know(values.signalling, values.origins, values.symmetry);
}

void media_stream::agree(const sdp::agreed& what, time_point now, std::uint64_t dialog) {
    agreed_ = what;
    law_ = to_law(what.law);
    speech_.set_law(law_);
    // Port 0 and 0.0.0.0 describe nobody: the source that was heard is the source of the resumed
    // call, too.
    if (what.rtp.port != 0 && !what.rtp.address.is_wildcard()) {
        sources_.describe(dialog, what.rtp, now);
    }
    sources_.hold(what.disabled || !sdp::receives(what.direction), now);
    running_ = !what.disabled;
    if (running_) heard_.start(now);
    resume_or_pause(now);
}

void media_stream::permit_sending(bool permitted, time_point now) {
    permitted_ = permitted;
    resume_or_pause(now);
}

void media_stream::resume_or_pause(time_point now) {
    if (!sending()) {
        if (next_frame_) paused_at_ = *next_frame_;
        next_frame_.reset();
    } else if (!next_frame_) {
        // RFC 3550 section 5.1: the timestamp tells when it was sampled. RFC 3551 section 4.1:
        // after a silence without packets comes a marker.
        if (paused_at_ && *paused_at_ < now) {
            session_.advance(
                static_cast<std::uint32_t>(rtp::units_of(now - *paused_at_, clock_rate)));
            spoken_ = false;
        }
        paused_at_.reset();
        next_frame_ = now;
    }
}

/// A held stream may be described by 0.0.0.0, and a disabled one by port 0: nobody is there.
bool media_stream::reporting() const noexcept {
    const auto to = rtcp_to();
    return running_ && permitted_ && agreed_.rtp.port != 0 && to.port != 0 &&
           !to.address.is_wildcard();
}

bool media_stream::sending() const noexcept {
    return running_ && permitted_ && sdp::sends(agreed_.direction) && agreed_.rtp.port != 0 &&
           !agreed_.rtp.address.is_wildcard();
}

std::size_t media_stream::frame_samples() const noexcept {
    const auto samples = static_cast<std::size_t>(agreed_.ptime.count()) * clock_rate / 1'000;
    return std::clamp<std::size_t>(samples, 80, longest_frame);
}

std::optional<codec::law> media_stream::law_of(std::uint8_t payload_type) const noexcept {
    if (payload_type == agreed_.receive_payload_type) return law_;
    // A peer that was offered both laws may change between them in mid-call (RFC 3264 section 6.1).
    if (payload_type == 0) return codec::law::ulaw;
    if (payload_type == 8) return codec::law::alaw;
    return std::nullopt;
}

void media_stream::receive(const inputs::media_packet& packet, time_point now, outbox& out) {
    if (!running_) return;
    if (packet.rtcp || (agreed_.rtcp_mux && rtp::is_rtcp(packet.bytes))) {
        const auto& source = sources_.active();
        const auto& from = packet.from.address;
        const bool described = from == agreed_.rtcp.address || from == source.described().address;
        // Statistics only: whatever RTCP says, it never ends a call.
        if (described || from == source.destination().address) {
            const auto read = session_.receive_rtcp(packet.bytes, now);
            controlled_ = controlled_ || (described && read);
        }
        return;
    }
    receive_rtp(packet, now, out);
}

void media_stream::receive_rtp(const inputs::media_packet& packet, time_point now, outbox& out) {
    const auto parsed = rtp::packet_view::parse(packet.bytes);
    if (!parsed) {
        const auto header = rtp::read_header(packet.bytes);
        if (header) receive_useless(packet, *header, malformed_, now, out);
        return;
    }
    const auto type = parsed->header.payload_type;
    const bool event = agreed_.receive_telephone_event == type;
    if (!event && !law_of(type) && type != comfort_noise) {
        return receive_useless(packet, parsed->header, unknown_type_, now, out);
    }
    const auto samples = static_cast<std::int64_t>(parsed->payload.size());
    const source_latch::packet seen{
        packet.from, parsed->header, packet.bytes, type == comfort_noise,
        std::max<duration>(agreed_.ptime, rtp::duration_of(samples, clock_rate))};
    switch (sources_.receive(seen, now)) {
    case source_latch::verdict::dropped:
    case source_latch::verdict::kept: return;
    case source_latch::verdict::heard: break;
    case source_latch::verdict::adopted:
        note_source(out);
        sources_.active().replay([&](std::span<const std::byte> bytes) {
            if (const auto earlier = rtp::packet_view::parse(bytes)) hear(*earlier, now, out);
        });
        break;
    }
    hear(*parsed, now, out);
}

/// What cannot be decoded, and so proves nothing of its source. Within the stream that is heard it
/// takes its place, empty: a number that came is not lost, and nothing waits for it.
void media_stream::receive_useless(const inputs::media_packet& packet, const rtp::header& header,
                                   std::uint64_t& counter, time_point now, outbox& out) {
    if (packet.from != sources_.active().live() || rtp::is_rtcp(packet.bytes)) return;
    ++counter;
    const auto& stream = session_.receiving();
    if (!stream.has_source() || stream.ssrc() != header.ssrc) return;
    rtp::packet_view empty;
    empty.header = header;
    hear(empty, now, out);
}

void media_stream::hear(const rtp::packet_view& packet, time_point now, outbox& out) {
    if (!first_received_) first_received_ = now;
    const bool restarted = jitter_.put(packet, now) == rtp::put_result::reset;
    static_cast<void>(session_.receive(packet, now, restarted));
    drain(now, out);
}

/// The described endpoint that is heard first is no news.
void media_stream::note_source(outbox& out) const {
    const auto& source = sources_.active();
    if (!first_received_ && source.live() == source.described()) return;
    const auto [high, low] =
        std::bit_cast<std::array<std::int64_t, 2>>(source.live()->address.bytes);
    out.note(severity::info, diagnostic::media_source_changed, owner_,
             {high, low, source.live()->port, static_cast<std::int64_t>(source.live_rank())});
}

void media_stream::drain(time_point now, outbox& out) {
    while (const auto item = jitter_.take(now)) {
        const bool packet = item->kind == rtp::jitter_buffer::item::what::packet;
        if (packet && agreed_.receive_telephone_event == item->payload_type) {
            hear_event(*item, now, out);
            heard_.take(*item, std::nullopt, owner_, now, out);
        } else {
            heard_.take(*item, law_of(item->payload_type), owner_, now, out);
        }
    }
}

void media_stream::hear_event(const rtp::jitter_buffer::item& item, time_point now, outbox& out) {
    const auto event = rtp::telephone_event::parse(item.payload);
    if (!event) {
        ++no_event_;
        return;
    }
    rtp::header header;
    header.marker = item.marker;
    header.payload_type = item.payload_type;
    header.sequence.value = static_cast<std::uint16_t>(item.sequence);
    header.timestamp.value = static_cast<std::uint32_t>(item.timestamp);
    header.ssrc = item.ssrc;
    tell(events_in_.receive(header, *event, now), now, out);
}

void media_stream::hear_info(char digit, time_point now, outbox& out) {
    if (keypad_.by_info(digit, now)) out.tell(owner_, code(event::digit), {}, {digit, 0});
}

void media_stream::tell(const rtp::digit_changes& changes, time_point now, outbox& out) {
    for (const auto& change : changes) {
        if (change.what != rtp::digit_change::kind::started) continue;
        if (!keypad_.by_rtp(change.digit, now)) continue;
        out.tell(owner_, code(event::digit), {}, {change.digit, 0});
    }
}

void media_stream::tick(time_point now, outbox& out) {
    drain(now, out);
    tell(events_in_.tick(now), now, out);
    if (running_) heard_.tick(!sdp::receives(agreed_.direction), owner_, now, out);
    if (next_frame_ && *next_frame_ <= now) send_frame(now, out);
    if (const auto due = session_.next_report(); due && *due <= now) send_report(now, out);
}

std::optional<time_point> media_stream::next_deadline() const noexcept {
    auto deadline = earliest(next_frame_, jitter_.next_deadline());
    deadline = earliest(deadline, session_.next_report());
    deadline = earliest(deadline, events_in_.next_deadline());
    return earliest(deadline, running_ ? heard_.next_deadline() : std::nullopt);
}

void media_stream::send_packet(std::span<const std::byte> payload, time_point now, outbox& out) {
    const auto header = session_.send(agreed_.send_payload_type, !spoken_, payload.size(), now);
    spoken_ = true;
    const auto room = out.reserve_media(media_, false, sources_.active().destination(),
                                        rtp::header_size + payload.size(), owner_);
    static_cast<void>(rtp::write_header(header, room));
    std::ranges::copy(payload, room.begin() + rtp::header_size);
    static_cast<void>(out.commit(rtp::header_size + payload.size()));
}

/// One packet for each ptime. When the driver was late by more than a few, what was missed is not
/// made up for: the far end's jitter buffer would only have to throw it away.
void media_stream::send_frame(time_point now, outbox& out) {
    const auto samples = frame_samples();
    const auto ptime = rtp::duration_of(static_cast<std::int64_t>(samples), clock_rate);
    if (!send_event(now, out)) {
        std::array<std::byte, longest_frame> payload{};
        const auto frame = std::span{payload}.first(samples);
        if (speech_.next_frame(frame)) {
            if (!first_sent_) first_sent_ = now;
        } else {
            std::ranges::fill(frame, codec::silence(law_));
        }
        send_packet(frame, now, out);
        tell_happened(out);
    }
    session_.advance(static_cast<std::uint32_t>(samples));
    *next_frame_ += ptime;
    while (*next_frame_ + 5 * ptime < now) {
        *next_frame_ += ptime;
        session_.advance(static_cast<std::uint32_t>(samples));
    }
}

/// A digit that is being sent takes the place of audio (RFC 4733 section 2.5.1.3).
bool media_stream::send_event(time_point now, outbox& out) {
    if (!agreed_.send_telephone_event) {
        digits_.clear();
        return false;
    }
    if (!events_out_.busy() && !digits_.empty() && now >= events_out_.ready_at()) {
        static_cast<void>(events_out_.start(digits_.front(), session_.sending().timestamp(), now));
        digits_.pop_front();
    }
    if (!events_out_.busy()) return false;
    while (const auto packet = events_out_.take(now)) {
        const auto header = session_.send_at(packet->timestamp, *agreed_.send_telephone_event,
                                             packet->marker, packet->payload.size(), now);
        const auto room = out.reserve_media(media_, false, sources_.active().destination(),
                                            rtp::header_size + packet->payload.size(), owner_);
        static_cast<void>(rtp::write_header(header, room));
        std::ranges::copy(packet->payload, room.begin() + rtp::header_size);
        static_cast<void>(out.commit(rtp::header_size + packet->payload.size()));
    }
    return true;
}

result<void> media_stream::send(std::span<const std::int16_t> pcm, time_point now, outbox& out) {
    if (pcm.empty() || pcm.size() > longest_frame) return error{.code = errc::limit_exceeded};
    if (!sending()) return error{.code = errc::wrong_state};
    // A digit takes the place of audio until it was sent, and the frames go on where they were.
    if (agreed_.send_telephone_event && (events_out_.busy() || !digits_.empty())) return {};
    std::array<std::byte, longest_frame> payload{};
    const auto frame = std::span{payload}.first(pcm.size());
    codec::encode(law_, pcm, frame);
    if (!first_sent_) first_sent_ = now;
    send_packet(frame, now, out);
    session_.advance(static_cast<std::uint32_t>(pcm.size()));
    // Silence only fills in when frames stop coming.
    next_frame_ = now + 2 * rtp::duration_of(static_cast<std::int64_t>(pcm.size()), clock_rate);
    return {};
}

result<void> media_stream::send_digits(std::string_view digits, time_point now) {
    if (!sending() || !agreed_.send_telephone_event) return error{.code = errc::not_supported};
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (!rtp::to_event(digits[i])) {
            return error{.code = errc::bad_token, .offset = static_cast<std::uint32_t>(i)};
        }
    }
    if (digits_.size() + digits.size() > digits_queued) return error{.code = errc::full};
    digits_.insert(digits_.end(), digits.begin(), digits.end());
    if (!next_frame_) next_frame_ = now;
    return {};
}

void media_stream::tell_happened(outbox& out) {
    while (const auto what = speech_.next_happened()) {
        if (const auto* played = std::get_if<audio::mark_played>(&*what)) {
            out.tell(owner_, code(event::mark), {}, {static_cast<std::int64_t>(played->tag), 1});
        } else if (const auto* dropped = std::get_if<audio::mark_dropped>(&*what)) {
            out.tell(owner_, code(event::mark), {}, {static_cast<std::int64_t>(dropped->tag), 0});
        } else if (const auto* done = std::get_if<audio::utterance_played>(&*what)) {
            out.tell(
                owner_, code(event::utterance_played), {},
                {static_cast<std::int64_t>(done->id), static_cast<std::int64_t>(done->samples)});
        } else if (std::holds_alternative<audio::drained>(*what)) {
            out.tell(owner_, code(event::drained));
        }
    }
}

endpoint media_stream::rtcp_to() const noexcept {
    const auto& source = sources_.active();
    if (agreed_.rtcp_mux) return source.destination();
    if (source.destination() == source.described()) return agreed_.rtcp;
    auto to = source.destination();
    to.port = static_cast<std::uint16_t>(to.port + 1);
    return to;
}

void media_stream::send_report(time_point now, outbox& out) {
    const auto room =
        out.reserve_media(media_, !agreed_.rtcp_mux, rtcp_to(), rtp::session::report_size, owner_);
    // Written all the same, because that begins the next interval.
    const auto size = session_.write_report(room, now);
    reported_ = reported_ || reporting();
    static_cast<void>(out.commit(reporting() ? size : 0));
}

void media_stream::stop(time_point now, outbox& out) {
    // RFC 3550 section 6.3.7: who never sent anything MUST NOT say BYE.
    if (reporting() && (reported_ || session_.sending().packets() > 0)) {
        const auto room = out.reserve_media(media_, !agreed_.rtcp_mux, rtcp_to(),
                                            rtp::session::report_size, owner_);
        static_cast<void>(out.commit(session_.write_bye(room, now)));
    }
    running_ = false;
    next_frame_.reset();
    heard_.stop();
}

media_statistics media_stream::statistics() const noexcept {
    const auto session = session_.statistics();
    media_statistics read;
    read.sent = session.sent_packets;
    read.received = session.received;
    read.lost = session.lost;
    const auto& buffered = jitter_.counters();
    read.late = buffered.late;
    read.foreign = sources_.active().foreign();
    read.refused_source = sources_.active().refused();
    read.refused_size = buffered.too_large + no_event_;
    read.unknown_type = unknown_type_;
    read.malformed = malformed_;
    read.overflowed = buffered.full;
    read.resets = buffered.resets;
    const auto time_of = [](std::uint64_t samples) {
        return rtp::duration_of(static_cast<std::int64_t>(samples), clock_rate);
    };
    read.concealed = time_of(heard_.concealed());
    read.made_up = time_of(heard_.made_up());
    read.jitter = session.jitter;
    read.round_trip = session.round_trip;
    read.first_received = first_received_;
    read.first_sent = first_sent_;
    return read;
}

} // namespace trunkline::calls
