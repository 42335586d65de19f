#include <trunkline/call/leg.hpp>

#include <algorithm>
#include <array>

#include <trunkline/sip/via_transport.hpp>

namespace trunkline::calls {

namespace {

[[nodiscard]] std::uint16_t kind(leg::timer which) noexcept {
    return static_cast<std::uint16_t>(which);
}

} // namespace

leg::leg(environment& around, const sip::identity& who, owner_id owner, direction which,
         std::shared_ptr<const leg_settings> settings, signalling_path path, owner_id told)
    : around_{around},
      owner_{owner},
      told_{told == owner_id::none ? owner : told},
      direction_{which},
      settings_{std::move(settings)},
      path_{std::move(path)},
      local_tag_{who, around.random},
      negotiation_{around.random.number(), sdp::preference::ours},
      session_{settings_->session} {
    const auto wake = [this](timer_node& node, timer why) {
        node.owner = this;
        node.kind = kind(why);
    };
    wake(repeat_timer_, timer::repeat);
    wake(media_timer_, timer::media);
    wake(guard_timer_, timer::guard);
    wake(session_timer_, timer::session);
    wake(transfer_timer_, timer::transfer);
    wake(reinvite_timer_, timer::reinvite);
    wake(referral_timer_, timer::referral);
    wake(proof_timer_, timer::proof);
    sources_.peer = path_.peer.address;
    // A connection needs packets of both sides, and a response bears the branch of our INVITE.
    proved_ = reliable() || which == direction::outbound;
}

leg::~leg() {
    disarm_all();
    drop_requests();
    // An INVITE without a final response has no timer that would ever end it.
    const bool open_ended =
        phase_ == phase::incoming || (direction_ == direction::outbound && !final_seen_);
    if (invite_ && open_ended)
        around_.transactions.forget(invite_);
    else if (invite_)
        around_.transactions.disown(invite_);
    if (bye_) around_.transactions.disown(bye_);
}

std::string_view leg::via_transport() const noexcept {
    return sip::in_via(path_.over);
}

/// Else requests of the peer's would come by UDP, which may not be listened on.
std::string_view leg::contact_parameters() const noexcept {
    switch (path_.over) {
    case transport::udp: return "";
    case transport::tcp: return ";transport=tcp";
    case transport::tls: return ";transport=tls";
    }
    return "";
}

void leg::disarm_all() noexcept {
    for (auto* node : {&repeat_timer_, &media_timer_, &guard_timer_, &session_timer_,
                       &transfer_timer_, &reinvite_timer_, &referral_timer_, &proof_timer_}) {
        around_.wheel.disarm(*node);
    }
}

void leg::tell(notice::what kind, ending end) {
    around_.notices.push_back({.kind = kind, .owner = owner_, .end = std::move(end)});
}

/// Tells of the end once; whatever is still under way goes on without anybody listening.
void leg::end(ending how, time_point now, outbox& out) {
    if (told_end_) return;
    // Whoever waits for a transfer hears of it before the call is gone.
    if (transfer_ != transfer_phase::none) tell_transfer(transfer_state::unknown, 0, out);
    told_end_ = true;
    release_media(now, out);
    tell(notice::what::ended, std::move(how));
}

void leg::finish() {
    if (phase_ == phase::finished) return;
    phase_ = phase::leaving;
    // Whoever erases us now would leave nobody to close the pair that comes.
    finish_waits_ = media_state_ == media_state::opening;
    if (finish_waits_) return around_.wheel.disarm(guard_timer_);
    phase_ = phase::finished;
    disarm_all();
    drop_requests();
    tell(notice::what::finished);
}

void leg::release_media(time_point now, outbox& out) {
    around_.wheel.disarm(proof_timer_);
    if (media_) {
        media_->stop(now, out);
        around_.wheel.disarm(media_timer_);
    }
    if (media_state_ == media_state::open) out.close_media(media_id_);
    // A pair that is still being opened is closed when it comes: see media_opened().
    if (media_state_ != media_state::opening) media_state_ = media_state::refused;
}

void leg::open_media(outbox& out) {
    if (media_state_ != media_state::none) return;
    media_state_ = media_state::opening;
    out.open_media(token{static_cast<std::uint64_t>(owner_)}, owner_, path_.media_at);
}

void leg::media_opened(const inputs::media_opened& what, time_point now, outbox& out) {
    media_id_ = what.media;
    if (told_end_ || phase_ == phase::finished || media_state_ != media_state::opening) {
        out.close_media(what.media);
        media_state_ = media_state::refused;
        if (finish_waits_) finish();
        return;
    }
    media_state_ = media_state::open;
    rtp_port_ = what.rtp_port;
    rtcp_port_ = what.rtcp_port;
    media_.emplace(what.media, told_,
                   media_stream::config{.delivery = settings_->delivery,
                                        .symmetry = settings_->symmetry,
                                        .signalling = sources_,
                                        .origins = origins_,
                                        .wall_clock_offset = around_.wall_clock_offset},
                   around_.random);
    if (direction_ == direction::outbound) return send_invite(now, out);
    media_->answered(); // An INVITE that came has one dialog.
    const auto wanted = std::exchange(wish_, wish::none);
    if (wanted == wish::progress) send_progress(now, out);
    if (wanted == wish::answer) send_answer(now, out);
}

void leg::media_failed(const inputs::media_failed& what, time_point now, outbox& out) {
    media_state_ = media_state::refused;
    if (finish_waits_) finish();
    if (told_end_) return;
    out.note(severity::failure, diagnostic::media_refused, told_,
             {static_cast<std::int64_t>(what.why)});
    const ending how{.sip_code = 503, .reason = "no media port", .failure = call_failure::no_media};
    if (direction_ == direction::inbound) {
        reject(503, "Service Unavailable", "Retry-After: 5\r\n", how, now, out);
    } else {
        end(how, now, out);
        finish();
    }
}

sdp::local_media leg::local_media() const {
    sdp::local_media local;
    local.codecs = settings_->codecs;
    local.dtmf = settings_->dtmf;
    local.address = path_.media_advertised;
    if (media_state_ == media_state::open) {
        local.rtp_port = rtp_port_;
        local.rtcp_port = rtcp_port_;
    } else {
        // The discard port: there is a stream, and nothing flows in it.
        local.rtp_port = 9;
        local.direction = sdp::direction::inactive;
    }
    return local;
}

void leg::agree(const sdp::agreed& what, time_point now, std::string_view tag) {
    // An ACK or an UPDATE may still bring an answer when the call is over on our side.
    if (!media_ || told_end_) return;
    media_->agree(what, now, std::hash<std::string_view>{}(tag));
    watch_proof(now);
    rearm_media();
}

void leg::rearm_media() {
    if (!media_) return;
    // A stream that was stopped is ticked no more: its deadlines would stay due for ever.
    if (told_end_) return around_.wheel.disarm(media_timer_);
    if (const auto deadline = media_->next_deadline())
        around_.wheel.arm(media_timer_, *deadline);
    else
        around_.wheel.disarm(media_timer_);
}

void leg::receive_media(const inputs::media_packet& packet, time_point now, outbox& out) {
    if (!media_ || told_end_) return;
    media_->receive(packet, now, out);
    if (!proved_ && media_->proved()) prove(now);
    rearm_media();
}

void leg::fire(timer which, time_point now, outbox& out) {
    switch (which) {
    case timer::repeat:
        return phase_ == phase::incoming ? repeat_provisional(now, out) : repeat_2xx(now, out);
    case timer::media:
        if (media_ && !told_end_) media_->tick(now, out);
        return rearm_media();
    case timer::guard: return finish();
    case timer::session: return session_due(now, out);
    case timer::transfer: return tell_transfer(transfer_state::unknown, 0, out);
    case timer::reinvite: return refresh_session(now, out);
    case timer::referral: return referral_expired(now, out);
    case timer::proof: unproved_told_ = true; return tell(notice::what::unproved);
    }
}

namespace {

/// What became of a connection or a datagram, where its driver has no better words.
[[nodiscard]] std::string_view words_of(cause what) noexcept {
    switch (what) {
    case cause::closed: return "the connection was closed before an answer";
    case cause::table_full: return "no more connections are taken";
    case cause::too_big: return "the request is too large";
    case cause::unreachable: return "an ICMP error came, or there is no route";
    case cause::blocked: return "it does not read";
    case cause::connect_failed: return "it takes no connection";
    case cause::broken: return "the connection broke";
    case cause::insecure: return "TLS came to nothing";
    }
    return {};
}

} // namespace

ending not_reached(cause why, std::string_view words) {
    const bool tls = why == cause::insecure;
    ending made{.sip_code = 503, .failure = tls ? call_failure::tls : call_failure::not_reached};
    made.reason = tls ? "TLS with the gateway failed: " : "the gateway cannot be reached: ";
    made.reason += words.empty() ? words_of(why) : words;
    return made;
}

namespace {

/// RFC 3326: the status that it would have been, or 16, normal call clearing of Q.850.
[[nodiscard]] std::string reason_line(int code, std::string_view words) {
    std::string line{"Reason: "};
    line += code == 0 ? "Q.850;cause=16" : "SIP;cause=" + std::to_string(code);
    line += ";text=\"";
    constexpr std::size_t most = 200; // What people read; a datagram has to hold it.
    for (const char c : words.substr(0, most)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) continue; // No words of an agent break the message.
        if (c == '"' || c == '\\') line += '\\';
        line += c;
    }
    return line + "\"\r\n";
}

} // namespace

void leg::hang_up(ended_by by, int code, std::string_view reason, time_point now, outbox& out,
                  call_failure why) {
    if (by == ended_by::agent) why = call_failure::agent_failed;
    ending how{.by = by, .sip_code = code, .reason = std::string{reason}, .failure = why};
    switch (phase_) {
    case phase::incoming: {
        const int status = by == ended_by::agent ? 500 : 480;
        how.sip_code = status;
        return reject(status, sip::reason_phrase(status), {}, how, now, out);
    }
    case phase::inviting:
        end(std::move(how), now, out);
        if (!invite_) return finish();
        phase_ = phase::leaving;
        bye_reason_ = reason_line(code, reason);
        // Section 9.1: a CANCEL waits for a provisional response; without any, Timer B ends it.
        if (provisional_seen_)
            around_.transactions.cancel(invite_, now, out, bye_reason_);
        else
            cancel_wanted_ = true;
        around_.wheel.arm(guard_timer_, now + 2 * 64 * around_.timers.t1);
        return;
    case phase::accepting:
        end(std::move(how), now, out);
        // Section 15.1.1: the callee may not send BYE before the ACK came.
        bye_when_acked_ = true;
        bye_reason_ = reason_line(code, reason);
        return;
    case phase::confirmed:
        end(std::move(how), now, out);
        bye_reason_ = reason_line(code, reason);
        return send_bye(now, out);
    case phase::idle: end(std::move(how), now, out); return finish();
    case phase::leaving:
    case phase::finished: return;
    }
}

void leg::transaction_ended(const sip::transaction_layer::ended& what, time_point now,
                            outbox& out) {
    using why = sip::transaction_layer::ended::why;
    if (what.what == why::nothing) return;
    if (what.id == bye_) {
        // A connection that was closed meanwhile says nothing of its peer, which still has the
        // call.
        bye_waits_ = what.what == why::transport && !std::exchange(bye_again_, true) && reopen();
        return bye_waits_ ? void() : finish();
    }
    if (what.what == why::transport) static_cast<void>(reopen());
    const int status = what.what == why::timeout ? 408 : 503;
    if (what.id == reinvite_) {
        if (reinvite_done_) return;
        negotiation_.abandon();
        reinvite_ = {};
        return refresh_failed(status, {}, now, out);
    }
    if (const auto asked = std::ranges::find(asking_, what.id, &asking::id);
        asked != asking_.end()) {
        const auto method = asked->what;
        asking_.erase(asked);
        return asked_failed(method, status, {}, now, out);
    }
    if (what.id != invite_) return;
    if (direction_ == direction::inbound) {
        // No ACK for a failure of ours: whoever called is gone.
        if (phase_ == phase::leaving) finish();
        return;
    }
    if (phase_ == phase::leaving) return finish();
    if (phase_ != phase::inviting) return;
    told_end_ = true;
    release_media(now, out);
    tell(notice::what::refused, what.what == why::timeout
                                    ? ending{.by = ended_by::timeout,
                                             .sip_code = 408,
                                             .reason = "no answer from the gateway",
                                             .failure = call_failure::gateway_silent}
                                    : not_reached(what.down, what.words));
    finish();
}

} // namespace trunkline::calls
