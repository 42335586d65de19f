// Signs of life within the dialog: UPDATE or re-INVITE of ours, as the session timer wants them.
#include <algorithm>
#include <array>
#include <utility>

#include <trunkline/call/capabilities.hpp>
#include <trunkline/call/leg.hpp>
#include <trunkline/call/session_body.hpp>

namespace trunkline::calls {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t room_for_request = 4096;

} // namespace

/// What the peer can do stands in its INVITE, in its 2xx and in every refresh.
void leg::note_peer(const sip::message_view& message) {
    if (message.has(sip::header::allow)) {
        peer_takes_update_ = message.lists(sip::header::allow, "UPDATE");
    }
}

void leg::watch_session() {
    if (const auto at = session_.next_deadline(); at && !told_end_)
        around_.wheel.arm(session_timer_, *at);
    else
        around_.wheel.disarm(session_timer_);
}

void leg::session_due(time_point now, outbox& out) {
    if (told_end_ || phase_ == phase::leaving || phase_ == phase::finished) return;
    switch (session_.check(now)) {
    case session_timer::due::nothing: break;
    case session_timer::due::refresh: refresh_session(now, out); break;
    case session_timer::due::expired:
        out.note(severity::warning, diagnostic::session_expired, told_);
        return hang_up(ended_by::timeout, 408, "nobody refreshed the session", now, out,
                       call_failure::session_lost);
    }
    watch_session();
}

void leg::refresh_session(time_point now, outbox& out) {
    // Somebody's INVITE is under way: that is a sign of life as well, or it ends the call.
    if (phase_ != phase::confirmed || !last_2xx_.empty() || reinviting() || rerouting_) {
        return refresh_later(now);
    }
    if (!peer_takes_update_) return send_reinvite(now, out);
    std::array<std::byte, 256> room{};
    sip::writer fields{room};
    write_contact(fields);
    fields.field(sip::header::supported, supported_options(*settings_));
    session_.write_request(fields);
    asking what{.what = sip::method::update, .tag = std::string{dialog_.remote_tag()}};
    what.fields = as_text(std::span{room}.first(fields.size()));
    if (ask(std::move(what), now, out) == 0) refresh_later(now);
}

void leg::refresh_later(time_point now, duration pause) {
    if (session_.running() && !told_end_) around_.wheel.arm(reinvite_timer_, now + pause);
}

void leg::refreshed(const sip::message_view& response, time_point now) {
    dialog_.refresh(response);
    note_peer(response);
    session_.accepted(response, now);
    around_.wheel.disarm(reinvite_timer_);
    watch_session();
    follow_target();
}

/// Section 12.2.1.2 of RFC 3261: 481 and 408 say that there is no call any more. All else says
/// something about this request alone, and the session lives on until it expires.
void leg::refresh_failed(int status, std::optional<std::uint32_t> retry_after, time_point now,
                         outbox& out) {
    if (told_end_ || phase_ != phase::confirmed) return;
    if (status == 481 || status == 408) {
        return hang_up(ended_by::timeout, status, "the far end knows nothing of the call", now, out,
                       call_failure::session_lost);
    }
    // It had said that it takes UPDATE. Who takes no re-INVITE either is not asked at once again.
    const bool unknown = status == 405 || status == 501;
    if (unknown && std::exchange(peer_takes_update_, false)) return refresh_session(now, out);
    refresh_later(now,
                  std::max<duration>(usual_pause, std::chrono::seconds{retry_after.value_or(0)}));
}

/// Says again what was agreed, so that nothing about the media changes.
void leg::send_reinvite(time_point now, outbox& out) {
    std::array<char, 2048> body{};
    const auto size = negotiation_.repeat(local_media(), body);
    if (!size) return refresh_later(now); // Theirs is under way, and may yet come to nothing.
    if (reinvite_) around_.transactions.disown(reinvite_);
    reinvite_ = around_.transactions.open(sip::method::invite, path_.flow, reliable(), owner_);
    reinvite_done_ = false;
    reinvite_cseq_ = dialog_.next_cseq();
    sip::writer to{out.reserve(path_.flow, room_for_request + dialog_.room() + *size, owner_)};
    dialog_.write_head(to, sip::method::invite, reinvite_cseq_,
                       around_.transactions.branch(reinvite_), via_transport(), path_.sent_by);
    write_contact(to);
    to.field(sip::header::allow, allowed_methods);
    to.field(sip::header::supported, "timer"); // Nobody is to ring reliably in mid-call.
    session_.write_request(to);
    write_credentials(to, "INVITE", dialog_.remote_target());
    to.body("application/sdp", {body.data(), *size});
    if (to.failed() || to.size() > limits::header_section) { // Routes that nobody would read.
        static_cast<void>(out.commit(0));
        around_.transactions.forget(std::exchange(reinvite_, {}));
        negotiation_.abandon();
        return refresh_later(now);
    }
    around_.transactions.sent(reinvite_, out.commit(to.size()), now);
}

void leg::reinvite_response(const sip::message_view& response, time_point now, outbox& out) {
    const auto status = response.status();
    if (status < 200) return;
    if (status < 300) {
        // The same 2xx again wants its ACK again, at the target that it names.
        dialog_.refresh(response);
        send_ack(dialog_, reinvite_cseq_, out);
        // Our BYE has crossed it: section 13.2.2.4 wants the ACK, and nothing else comes of it.
        if (std::exchange(reinvite_done_, true) || phase_ != phase::confirmed) return;
        tell_parts(response, told_, out);
        const auto agreed = receive_answer(session_of(response).sdp);
        if (agreed)
            agree(*agreed, now, dialog_.remote_tag());
        else
            negotiation_.abandon();
        if (misdirected_ != target_fault::none) return end_misdirected(now, out);
        reinvite_challenged_ = false;
        return refreshed(response, now);
    }
    negotiation_.abandon();
    around_.transactions.disown(std::exchange(reinvite_, {}));
    if (phase_ != phase::confirmed) return;
    const bool challenge = status == 401 || status == 407;
    if (challenge && !std::exchange(reinvite_challenged_, true)) credentials_.forget();
    const bool again =
        challenge ? take_challenge(response, out) : status == 422 && session_.raise(response);
    if (again) return send_reinvite(now, out);
    reinvite_challenged_ = false;
    if (status != 491) {
        return refresh_failed(status, response.seconds(sip::header::retry_after), now, out);
    }
    // Section 14.1: whoever made the Call-ID waits longer, so that the two do not meet again.
    const auto steps = direction_ == direction::outbound ? 210 + around_.random.below(191)
                                                         : around_.random.below(201);
    around_.wheel.arm(reinvite_timer_, now + steps * 10ms);
}

void leg::write_contact(sip::writer& to) const {
    to.name(sip::header::contact).raw("<sip:");
    if (!contact_user_.empty()) to.text(contact_user_).raw("@");
    to.text(path_.sent_by).raw(contact_parameters()).raw(">").line();
}

} // namespace trunkline::calls
