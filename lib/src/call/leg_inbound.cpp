// The callee's side of an INVITE.
#include <algorithm>
#include <array>

#include <trunkline/call/capabilities.hpp>
#include <trunkline/call/leg.hpp>

#include <trunkline/call/session_body.hpp>
#include <utility>

namespace trunkline::calls {

namespace {

constexpr std::size_t room_for_response = 4096;

} // namespace

result<void> leg::incoming(const sip::message_view& invite, sip::transaction_id transaction) {
    invite_ = transaction;
    phase_ = phase::incoming;
    call_id_ = invite.call_id();
    contact_user_ = invite.request_uri().user;
    source_ = path_.peer;
    dialog_ = sip::dialog::as_callee(invite, local_tag_.view());
    has_dialog_ = true;
    request_.emplace(invite);
    const auto offer = session_of(invite).sdp;
    late_offer_ = offer.empty();
    note_peer(invite);
    bool top = true;
    invite.each_element(sip::header::via, [&](std::string_view via) {
        // The topmost was read with the message.
        const auto read = std::exchange(top, false) ? result<sip::via_view>{invite.top_via()}
                                                    : sip::via_view::parse(via);
        if (!read) return;
        const auto received = address::parse(read->parameters.find("received").value_or(""));
        if (received) sources_.add_received(*received);
    });
    negotiation_.set_local(local_media());
    if (late_offer_) return {};
    const auto offered = receive_offer(offer);
    if (!offered) return offered.reason();
    return {};
}

void leg::respond(int status, std::string_view reason, std::string_view fields,
                  std::string_view body, time_point now, outbox& out) {
    const auto& invite = **request_;
    // The request's Vias, Record-Routes and From come back, so there is always room for them.
    sip::writer to{out.reserve(path_.flow, room_for_response + 2 * invite.size(), owner_)};
    to.response_head(invite, status, reason, local_tag_.view(), source_);
    if (status < 300) {
        invite.each(sip::header::record_route,
                    [&](std::string_view route) { to.field(sip::header::record_route, route); });
        write_contact(to);
        to.field(sip::header::allow, allowed_methods);
        to.field(sip::header::supported, supported_options(*settings_));
    }
    const bool reliably = status > 100 && status < 200 && answers_reliably();
    if (reliably) write_reliable(to);
    if (status >= 200 && status < 300) session_.write_response(to);
    to.raw(fields).body("application/sdp", body);
    const auto bytes = out.commit(to.size());
    around_.transactions.responded(invite_, status, bytes, now);
    if (status < 200) said_provisionally_ = status;
    if (reliably) return keep_provisional(bytes, now);
    if (status < 200) return remind_of_ringing(now);
    stop_repeating();
    if (status < 300) keep_2xx(bytes, invite.cseq().number, path_.flow, now);
}

result<void> leg::ringing(time_point now, outbox& out) {
    if (phase_ != phase::incoming) return error{.code = errc::wrong_state};
    respond_provisionally(180, {}, now, out);
    return {};
}

result<void> leg::progress(time_point now, outbox& out) {
    // Only a reliable 183 may make the offer that the INVITE left to us (RFC 3261 section 13.2.1).
    if (phase_ != phase::incoming || (late_offer_ && !answers_reliably())) {
        return error{.code = errc::wrong_state};
    }
    if (media_state_ == media_state::open) {
        send_progress(now, out);
    } else {
        wish_ = std::max(wish_, wish::progress);
        open_media(out);
    }
    return {};
}

result<void> leg::answer(bool with_media, time_point now, outbox& out) {
    if (phase_ != phase::incoming || wish_ == wish::answer) return error{.code = errc::wrong_state};
    with_media_ = with_media;
    wish_ = wish::none;
    if (!with_media || media_state_ == media_state::open) {
        send_answer(now, out);
    } else {
        wish_ = wish::answer;
        open_media(out);
    }
    return {};
}

void leg::send_progress(time_point now, outbox& out) {
    if (phase_ != phase::incoming) return;
    if (!last_provisional_.empty() || described_reliably_) {
        return respond_provisionally(183, {}, now, out);
    }
    std::array<char, 2048> body{};
    negotiation_.set_local(local_media());
    const auto size = late_offer_ ? negotiation_.write_offer(local_media(), body)
                                  : negotiation_.write_answer(body);
    if (!size) return;
    respond_provisionally(183, {body.data(), *size}, now, out);
    // Its PRACK is still to come, but an answer that was sent is an answer.
    described_reliably_ = !late_offer_ && answers_reliably();
    if (const auto agreed = negotiation_.current()) agree(*agreed, now);
}

void leg::send_answer(time_point now, outbox& out) {
    if (!last_provisional_.empty()) { // RFC 3262 section 3: the 2xx waits for the PRACK.
        wish_ = wish::answer;
        return;
    }
    std::array<char, 2048> body{};
    negotiation_.set_local(local_media());
    // Section 5: what a reliable 183 said and its PRACK has acknowledged is not said again.
    const auto size = described_reliably_ ? result<std::size_t>{0}
                      : late_offer_       ? negotiation_.write_offer(local_media(), body)
                                          : negotiation_.write_answer(body);
    if (!size) {
        const ending how{.sip_code = 500,
                         .reason = "no answer could be written",
                         .failure = call_failure::no_media};
        return reject(500, sip::reason_phrase(500), {}, how, now, out);
    }
    session_.requested(**request_, now);
    respond(200, sip::reason_phrase(200), {}, {body.data(), *size}, now, out);
    phase_ = phase::accepting;
    answered_ = true;
    watch_session();
    if (!late_offer_) {
        if (const auto agreed = negotiation_.current()) agree(*agreed, now);
    }
    tell(notice::what::answered);
}

void leg::reject(int status, std::string_view reason, std::string_view fields, const ending& how,
                 time_point now, outbox& out) {
    if (phase_ != phase::incoming) return;
    respond(status, reason, fields, {}, now, out);
    phase_ = phase::leaving;
    auto told = how;
    told.by_wire = true;
    end(std::move(told), now, out);
    // The transaction repeats the response and takes the ACK; nothing here waits for it.
    around_.transactions.disown(invite_);
    finish();
}

void leg::cancelled(std::string_view reason, time_point now, outbox& out) {
    reject(487, sip::reason_phrase(487), {},
           {.by = ended_by::caller,
            .sip_code = 487,
            .reason = "cancelled by the caller",
            .carrier_words = std::string{reason.substr(0, 512)}},
           now, out);
}

/// Section 13.3.1.4: the 2xx is repeated until its ACK comes, over every transport.
void leg::keep_2xx(std::span<const std::byte> bytes, std::uint32_t cseq, flow_id flow,
                   time_point now) {
    cseq_2xx_ = cseq;
    flow_2xx_ = flow;
    last_2xx_.assign(bytes.begin(), bytes.end());
    repeat_interval_ = around_.timers.t1;
    repeat_until_ = now + 64 * around_.timers.t1;
    around_.wheel.arm(repeat_timer_, now + repeat_interval_);
}

void leg::repeat_2xx(time_point now, outbox& out) {
    if (last_2xx_.empty()) return;
    if (now >= repeat_until_) {
        last_2xx_.clear();
        out.note(severity::warning, diagnostic::ack_missing, told_);
        end({.by = ended_by::timeout,
             .sip_code = 408,
             .reason = "no ACK for our 200",
             .failure = call_failure::unacknowledged},
            now, out);
        return send_bye(now, out);
    }
    const auto room = out.reserve(flow_2xx_, last_2xx_.size(), owner_);
    std::ranges::copy(last_2xx_, room.begin());
    static_cast<void>(out.commit(last_2xx_.size()));
    repeat_interval_ = std::min(repeat_interval_ * 2, around_.timers.t2);
    around_.wheel.arm(repeat_timer_, std::min(now + repeat_interval_, repeat_until_));
}

/// Section 13.2.2.4: an ACK has the CSeq of its INVITE. Late ones of an earlier INVITE come when a
/// 2xx was repeated; they say nothing about the 2xx that waits now.
void leg::acknowledged(const sip::message_view& ack, time_point now, outbox& out) {
    if (last_2xx_.empty() || ack.cseq().number != cseq_2xx_) return;
    prove(now);
    last_2xx_.clear();
    around_.wheel.disarm(repeat_timer_);
    if (!told_end_) tell_parts(ack, told_, out);
    std::string_view why = "the ACK brought no usable answer";
    if (negotiation_.current_state() == sdp::negotiation::state::offered) {
        const auto agreed = receive_answer(session_of(ack).sdp);
        if (agreed) {
            agree(*agreed, now);
        } else { // Else no offer could ever be made or taken again.
            negotiation_.abandon();
            why = words_of_answer(agreed.reason(), why);
            if (misdirected_ != target_fault::none && phase_ == phase::confirmed) {
                return end_misdirected(now, out);
            }
        }
    }
    if (phase_ != phase::accepting) return;
    phase_ = phase::confirmed;
    request_.reset();
    follow_target();
    if (bye_when_acked_) return send_bye(now, out);
    if (misdirected_ != target_fault::none) return end_misdirected(now, out);
    if (late_offer_ && !negotiation_.current()) {
        end({.by = ended_by::carrier,
             .sip_code = 488,
             .reason = std::string{why},
             .failure = call_failure::unusable_answer},
            now, out);
        send_bye(now, out);
    }
}

} // namespace trunkline::calls
