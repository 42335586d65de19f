#include <trunkline/sdp/offer_answer.hpp>

#include <trunkline/core/siphash.hpp>
#include <trunkline/sdp/writer.hpp>

#include "stream_rules.hpp"

namespace trunkline::sdp {

namespace {

[[nodiscard]] agreed without_stream() noexcept {
    return {.direction = direction::inactive, .disabled = true};
}
/// We never write an address that nobody can send to, nor by accident the port that says "refused".
[[nodiscard]] result<void> reachable(const local_media& local, bool disabled) noexcept {
    if (local.address.is_wildcard()) return error{.code = errc::bad_address, .field = 'c'};
    if (local.rtp_port == 0 && !disabled) return error{.code = errc::missing, .field = 'm'};
    return {};
}

} // namespace

bool negotiation::slot::assign(std::string_view kind, std::string_view transport,
                               std::string_view format) noexcept {
    if (kind.size() + transport.size() + format.size() > letters.size()) format = "0";
    if (kind.size() + transport.size() + format.size() > letters.size()) return false;
    auto at = std::copy(kind.begin(), kind.end(), letters.begin());
    at = std::copy(transport.begin(), transport.end(), at);
    std::copy(format.begin(), format.end(), at);
    kind_size = static_cast<std::uint8_t>(kind.size());
    transport_size = static_cast<std::uint8_t>(transport.size());
    format_size = static_cast<std::uint8_t>(format.size());
    return true;
}

result<std::size_t> negotiation::write(const exchange& what, const codec_list& codecs,
                                       bool disabled, std::span<char> into) noexcept {
    const auto& local = what.local;
    const auto direction = what.we_offered ? what.said : what.outcome.direction;
    const auto rtcp_port = local.rtcp_port == 0 ? local.rtp_port + 1 : int{local.rtcp_port};
    const bool mux = what.we_offered ? local.rtcp_mux : what.outcome.rtcp_mux;
    const auto body = [&](std::uint64_t version) {
        writer out{into};
        out.origin("-", session_id_, version, local.address).line('s', "-");
        out.connection(local.address);
        out.line('t', {what.timing.data(), what.timing_size});
        for (std::size_t i = 0; i < what.slot_count; ++i) {
            const auto& line = what.slots[i];
            if (i != what.ours || disabled) {
                out.media(line.kind(), 0, line.transport()).format(line.format()).end_of_formats();
                continue;
            }
            out.media(line.kind(), local.rtp_port, line.transport());
            for (const auto& each : codecs) out.format(each.payload_type);
            out.end_of_formats();
            for (const auto& each : codecs) {
                out.rtpmap(each.payload_type, name_of(each.encoding), each.clock_rate);
                if (each.encoding == encoding::telephone_event) {
                    out.fmtp(each.payload_type, "0-15");
                }
            }
            out.attribute("ptime", static_cast<std::uint64_t>(sane_ptime(local.ptime).count()));
            if (mux) out.attribute("rtcp-mux");
            if (!mux && rtcp_port != local.rtp_port + 1) {
                out.attribute("rtcp", static_cast<std::uint64_t>(rtcp_port));
            }
            out.attribute(to_text(direction));
        }
        return out.size();
    };
    auto size = body(version_);
    if (!size) return size;
    // What follows o= says all that o= does but for the version, so it alone is compared.
    const std::string_view text{into.data(), *size};
    const auto hash = siphash({}, text.substr(text.find("\r\ns=")));
    if (has_written_ && hash != last_written_) {
        size = body(version_ + 1);
        if (!size) return size;
        ++version_;
    }
    last_written_ = hash;
    has_written_ = true;
    return size;
}

result<std::size_t> negotiation::write_offer(const local_media& local,
                                             std::span<char> into) noexcept {
    if (state_ == state::offered || state_ == state::have_remote_offer) {
        return error{.code = errc::wrong_state};
    }
    if (const auto ready = reachable(local, false); !ready) return ready.reason();
    exchange made;
    made.local = local;
    made.said = local.direction;
    if (has_stable_) {
        // RFC 3264 section 8: an m-line that was once there stays where it is for ever.
        made.slots = stable_.slots;
        made.slot_count = stable_.slot_count;
        made.ours = stable_.ours;
        keep_numbers(made.local);
    } else {
        made.slot_count = 1;
    }
    // Also where the peer refused, or put to sleep, a stream over a transport that we cannot speak.
    auto& line = made.slots[made.ours];
    if (!speaks(transport_of(line.transport()))) {
        static_cast<void>(line.assign("audio", "RTP/AVP", "0"));
    }
    const auto size = offer(made, false, into);
    if (size) local_ = local;
    return size;
}

result<std::size_t> negotiation::repeat(const local_media& local, std::span<char> into) noexcept {
    if (!has_stable_ || state_ != state::stable) return write_offer(local, into);
    auto made = stable_;
    if (!made.we_offered) {
        const auto& outcome = made.outcome;
        made.said = outcome.direction;
        made.local.rtcp_mux = outcome.rtcp_mux;
        made.local.codecs = {};
        made.local.codecs.push_back({outcome.receive_payload_type, outcome.law});
        made.local.dtmf = outcome.receive_telephone_event.has_value();
        if (made.local.dtmf) {
            made.local.codecs.push_back(
                {*outcome.receive_telephone_event, encoding::telephone_event});
        }
    }
    return offer(made, made.outcome.disabled, into);
}

result<std::size_t> negotiation::offer(exchange made, bool disabled,
                                       std::span<char> into) noexcept {
    made.we_offered = true;
    const auto codecs = offered_codecs(made.local);
    if (codecs.size() == 0) return error{.code = errc::not_supported, .field = 'a'};
    const auto size = write(made, codecs, disabled, into);
    if (!size) return size;
    pending_ = made;
    state_ = state::offered;
    return size;
}

void negotiation::keep_numbers(local_media& of) const noexcept {
    const auto& known = stable_.outcome;
    if (known.disabled) return;
    codec_list kept;
    for (auto each : of.codecs) {
        if (each.encoding == encoding::telephone_event) continue;
        if (each.encoding == known.law) each.payload_type = known.receive_payload_type;
        kept.push_back(each);
    }
    if (known.receive_telephone_event) {
        kept.push_back({*known.receive_telephone_event, encoding::telephone_event});
    } else if (stable_.event_number_taken) {
        of.dtmf = false;
    }
    of.codecs = kept;
}

result<agreed> negotiation::receive_answer(std::string_view text) noexcept {
    const bool again = state_ == state::stable && stable_.we_offered;
    if (state_ != state::offered && !again) return error{.code = errc::wrong_state};
    const auto& ours = again ? stable_ : pending_;
    description answer;
    if (const auto parsed = parse(text, answer); !parsed) return parsed.reason();
    if (answer.media_count() <= ours.ours) return error{.code = errc::mismatch, .field = 'm'};
    const auto media = answer.media(ours.ours);
    if (media.kind() != media_kind::audio) return about(errc::mismatch, media);
    auto outcome = without_stream();
    if (media.port() != 0) {
        const auto taken = take(media, ours);
        if (!taken) return taken.reason();
        outcome = *taken;
    }
    if (!again) stable_ = pending_;
    stable_.outcome = outcome;
    has_stable_ = true;
    state_ = state::stable;
    return outcome;
}

/// Whether this m-line can be our stream, and what it would then be.
result<agreed> negotiation::take(const media_view& media, const exchange& made) const noexcept {
    if (!speaks(media.transport())) return about(errc::not_supported, media);
    const auto codecs = offered_codecs(made.local);
    const auto* const offered = made.we_offered ? &codecs : nullptr;
    const auto whose = made.we_offered ? preference::offerer : preference_;
    const auto law = chosen_law(media, codecs, offered, whose);
    if (!law) return about(errc::not_supported, media);
    agreed outcome{.law = *law};
    if (const auto found = locate(media, made.local.rtcp_mux, outcome); !found) {
        return found.reason();
    }
    // RFC 3264 section 6: nothing can be sent there by who has the other family alone.
    const auto& ours_at = made.local.address;
    const bool known = !ours_at.is_wildcard() && !outcome.rtp.address.is_wildcard();
    if (known && ours_at.is_v4() != outcome.rtp.address.is_v4()) {
        auto why = about(errc::bad_address, media);
        why.detail = static_cast<std::uint16_t>(unreachable::other_family);
        return why;
    }
    // What we send is numbered by them. In an answer of ours we repeat their numbers, so both ways
    // are the same; in an offer of ours the numbers were our own.
    outcome.send_payload_type = listed(media, *law, offered).value_or(0);
    outcome.receive_payload_type =
        made.we_offered ? codecs.find(*law)->payload_type : outcome.send_payload_type;
    if (const auto* const event = codecs.find(encoding::telephone_event)) {
        outcome.send_telephone_event = listed(media, encoding::telephone_event, offered);
        outcome.receive_telephone_event = outcome.send_telephone_event;
        if (made.we_offered && outcome.send_telephone_event) {
            outcome.receive_telephone_event = event->payload_type;
        }
    }
    outcome.ptime = ptime_to_send(media, made.local.ptime);
    const auto theirs = direction_of(media);
    const auto ours = made.we_offered ? made.said : made.local.direction;
    outcome.direction = common(ours, reversed(theirs));
    outcome.held = sends(made.local.direction) && !receives(theirs);
    return outcome;
}

result<agreed> negotiation::receive_offer(std::string_view text) noexcept {
    if (state_ == state::offered) return error{.code = errc::wrong_state};
    description offer;
    if (const auto parsed = parse(text, offer); !parsed) return parsed.reason();
    exchange made;
    made.local = local_;
    made.slot_count = offer.media_count();
    std::optional<std::size_t> asleep; // An audio line with port 0, and
    error refused{.code = errc::not_supported, .field = 'm'};
    bool awake = false; // whether any line, of whatever kind, is not.
    bool refused_audio = false;
    bool taken = false;
    const auto consider = [&](std::size_t index) {
        const auto media = offer.media(index);
        if (taken || media.kind() != media_kind::audio) return;
        if (media.port() == 0) {
            if (!asleep) asleep = index;
            return;
        }
        const auto outcome = take(media, made);
        if (!outcome) {
            if (!refused_audio) refused = outcome.reason();
            refused_audio = true;
            return;
        }
        taken = true;
        made.ours = index;
        made.outcome = *outcome;
        made.theirs = direction_of(media);
        made.event_number_taken = lists_usual_event_number(media);
    };
    // The stream that runs is kept where it is, whatever else is offered beside it.
    if (has_stable_ && stable_.ours < made.slot_count) consider(stable_.ours);
    for (std::size_t i = 0; i < made.slot_count; ++i) {
        const auto media = offer.media(i);
        if (!made.slots[i].assign(media.kind_text(), media.transport_text(),
                                  media.format(0).text)) {
            return about(errc::limit_exceeded, media);
        }
        awake = awake || media.port() != 0;
        consider(i);
    }
    if (!taken) {
        // T.38 in the place of the audio, or a picture without it: an answer would have port 0 in
        // all lines, and leave a call that says nothing.
        if (awake || !asleep) return refused;
        made.ours = *asleep;
        made.outcome = without_stream();
    }
    const auto timing = offer.timing();
    const bool plain = timing.find_first_not_of("0123456789 ") == std::string_view::npos;
    if (plain && !timing.empty() && timing.size() <= made.timing.size()) {
        std::copy(timing.begin(), timing.end(), made.timing.begin());
        made.timing_size = timing.size();
    }
    pending_ = made;
    state_ = state::have_remote_offer;
    return made.outcome;
}

result<std::size_t> negotiation::write_answer(std::span<char> into) noexcept {
    const bool again = state_ == state::stable && !stable_.we_offered;
    if (state_ != state::have_remote_offer && !again) return error{.code = errc::wrong_state};
    auto made = again ? stable_ : pending_;
    if (!again) {
        made.local.address = local_.address;
        made.local.rtp_port = local_.rtp_port;
        made.local.rtcp_port = local_.rtcp_port;
        made.local.ptime = local_.ptime;
        made.local.direction = local_.direction;
    }
    if (const auto ready = reachable(made.local, made.outcome.disabled); !ready)
        return ready.reason();
    auto& outcome = made.outcome;
    codec_list codecs;
    if (!outcome.disabled) {
        outcome.direction = common(made.local.direction, reversed(made.theirs));
        outcome.held = sends(made.local.direction) && !receives(made.theirs);
        codecs.push_back({outcome.receive_payload_type, outcome.law, telephone_rate});
        if (outcome.receive_telephone_event) {
            codecs.push_back(
                {*outcome.receive_telephone_event, encoding::telephone_event, telephone_rate});
        }
    }
    const auto size = write(made, codecs, outcome.disabled, into);
    if (!size) return size;
    stable_ = made;
    has_stable_ = true;
    state_ = state::stable;
    return size;
}

void negotiation::abandon() noexcept {
    if (state_ == state::offered || state_ == state::have_remote_offer) {
        state_ = has_stable_ ? state::stable : state::none;
    }
}

} // namespace trunkline::sdp
