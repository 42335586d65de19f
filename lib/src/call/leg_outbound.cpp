// The caller's side of an INVITE.
#include <algorithm>
#include <array>

#include <trunkline/call/capabilities.hpp>
#include <trunkline/call/leg.hpp>
#include <trunkline/call/session_body.hpp>

namespace trunkline::calls {

namespace {

constexpr std::size_t room_for_request = 4096;

/// What the carrier says in its own words: reason phrase, Reason, Warning and X-...-Error headers.
[[nodiscard]] std::string words_of(const sip::message_view& response) {
    std::string words{response.reason().substr(0, 256)};
    for (const auto which : {sip::header::reason, sip::header::warning}) {
        response.each(which, [&](std::string_view value) {
            if (words.size() + value.size() < 512) words.append("; ").append(value);
        });
    }
    for (const auto& field : response.fields()) {
        const bool theirs = field.id == sip::header::other && field.name.size() > 2 &&
                            (field.name[0] == 'X' || field.name[0] == 'x') &&
                            field.name.find("Error") != std::string_view::npos;
        if (theirs && words.size() + field.value.size() < 512) {
            words.append("; ").append(field.name).append(": ").append(field.value);
        }
    }
    return words;
}

/// Where a 3xx says that the callee is: URIs as they stand (RFC 3261 section 21.3).
[[nodiscard]] std::vector<std::string> targets_of(const sip::message_view& response) {
    constexpr std::size_t most = 8; // A record is for people.
    std::vector<std::string> found;
    response.each_element(sip::header::contact, [&](std::string_view value) {
        if (found.size() == most) return;
        if (const auto one = sip::name_addr_view::parse(value)) {
            found.emplace_back(one->uri.text.substr(0, 256));
        } else {
            found.emplace_back(value.substr(0, 256));
        }
    });
    return found;
}

} // namespace

void leg::invite(invitation what, time_point, outbox& out) {
    invitation_ = std::move(what);
    contact_user_ = invitation_.contact_user;
    phase_ = phase::inviting;
    // A Call-ID of ours bears our place, as tags and branches do, with letters of its own.
    const auto place = sip::read_identity(local_tag_.view()).value_or(sip::identity{});
    call_id_ = sip::identity_text{place, around_.random}.view();
    open_media(out);
}

void leg::send_invite(time_point now, outbox& out) {
    std::array<char, 2048> body{};
    const auto size = negotiation_.write_offer(local_media(), body);
    if (!size) {
        end({.sip_code = 500,
             .reason = "no offer could be written",
             .failure = call_failure::no_media},
            now, out);
        return finish();
    }
    invite_flow_ = path_.flow;
    invite_ = around_.transactions.open(sip::method::invite, path_.flow, reliable(), owner_);
    sip::writer to{out.reserve(path_.flow, room_for_request + *size, owner_)};
    to.request_line("INVITE", invitation_.request_uri);
    to.name(sip::header::via).raw("SIP/2.0/").raw(via_transport()).raw(" ").text(path_.sent_by);
    to.raw(";branch=").raw(around_.transactions.branch(invite_)).raw(";rport").line();
    to.field(sip::header::max_forwards, 70);
    to.name(sip::header::from).text(invitation_.from).raw(";tag=").raw(local_tag_.view()).line();
    to.field(sip::header::to, invitation_.to);
    to.field(sip::header::call_id, call_id_);
    to.name(sip::header::cseq).number(invite_cseq_).raw(" INVITE").line();
    write_contact(to);
    to.field(sip::header::allow, allowed_methods);
    to.field(sip::header::supported, supported_options(*settings_));
    if (settings_->provisionals == reliability::required) to.field(sip::header::require, "100rel");
    session_.write_request(to);
    if (!settings_->user_agent.empty()) to.field(sip::header::user_agent, settings_->user_agent);
    write_credentials(to, "INVITE", invitation_.request_uri);
    for (const auto& [name, value] : invitation_.headers) to.field(name, value);
    to.body("application/sdp", {body.data(), *size});
    if (to.size() > limits::udp_request && std::exchange(large_by_stream_, false)) {
        static_cast<void>(out.commit(0));
        around_.transactions.forget(std::exchange(invite_, {}));
        negotiation_.abandon();
        invite_waits_ = true;
        return tell(notice::what::large);
    }
    const auto bytes = out.commit(to.size());
    if (bytes.empty()) {
        around_.transactions.forget(invite_);
        invite_ = {};
        end({.sip_code = 500,
             .reason = "a header of the INVITE cannot be sent",
             .failure = call_failure::not_dialable},
            now, out);
        return finish();
    }
    around_.transactions.sent(invite_, bytes, now);
}

void leg::receive_response(const sip::message_view& response, sip::transaction_id id,
                           time_point now, outbox& out) {
    if (id == invite_) return invite_response(response, now, out);
    if (id == reinvite_) return reinvite_response(response, now, out);
    if (response.status() < 200) return;
    if (const auto asked = std::ranges::find(asking_, id, &asking::id); asked != asking_.end()) {
        auto what = std::move(*asked);
        asking_.erase(asked);
        return asked_answered(std::move(what), response, now, out);
    }
    if (id != bye_) return;
    // A carrier may challenge BYE too; the first challenge is answered, the call is over anyway.
    const bool challenge = response.status() == 401 || response.status() == 407;
    if (challenge && !std::exchange(bye_challenged_, true)) {
        // A nonce that served the INVITE may be spent: a challenge of BYE blames no password yet.
        credentials_.forget();
    }
    if (challenge && take_challenge(response, out)) return send_bye(now, out);
    finish();
}

void leg::invite_response(const sip::message_view& response, time_point now, outbox& out) {
    const auto status = response.status();
    if (status < 200) return provisional(response, now, out);
    final_seen_ = true;
    if (status < 300) return accepted(response, now, out);
    if (phase_ == phase::leaving) return finish();
    if (phase_ != phase::inviting) return;
    refused(response, now, out);
}

void leg::provisional(const sip::message_view& response, time_point now, outbox& out) {
    provisional_seen_ = true;
    if (cancel_wanted_) {
        cancel_wanted_ = false;
        return around_.transactions.cancel(invite_, now, out, bye_reason_);
    }
    if (phase_ != phase::inviting || response.status() == 100) return;
    if (!take_reliable(response, now, out)) return;
    tell_parts(response, told_, out);
    const auto status = response.status();
    // Several forks may answer; the last one is heard, as RFC 3960 section 3.2 suggests. A 199 ends
    // an early dialog, and describes nothing (RFC 6228 section 4).
    bool heard = false;
    const auto answer = session_of(response).sdp;
    if (!answer.empty() && status != 199) {
        if (const auto agreed = receive_answer(answer)) {
            agree(*agreed, now, response.to().tag());
            if (auto* from = early_dialog(response)) from->described = answer;
            heard = true;
        }
    }
    if (status == 180)
        tell(notice::what::ringing, {.sip_code = status});
    else if (!heard || status != 183)
        tell(notice::what::progress, {.sip_code = status});
    if (heard) tell(notice::what::early_media, {.sip_code = status});
}

void leg::accepted(const sip::message_view& response, time_point now, outbox& out) {
    if (has_dialog_) {
        // The same 2xx again wants its ACK again; that of another fork wants to be left.
        if (response.to().tag() != dialog_.remote_tag()) return leave_fork(response, now, out);
        if (!ack_waits_) send_ack(dialog_, invite_cseq_, out);
        return;
    }
    if (phase_ == phase::finished) return leave_fork(response, now, out);
    std::string described{session_of(response).sdp};
    if (auto* rang = early_dialog(response)) { // Its PRACKs have had their CSeqs.
        // It may have answered already, and another fork after it.
        if (described.empty()) described = std::move(rang->described);
        dialog_ = std::move(rang->dialog);
        dialog_.confirm(response);
    } else {
        dialog_ = sip::dialog::as_caller(response);
    }
    early_.clear();
    has_dialog_ = true;
    note_peer(response);
    const bool unwanted = phase_ == phase::leaving;
    phase_ = phase::confirmed;
    follow_target();
    if (rerouting_)
        ack_waits_ = true;
    else
        send_ack(dialog_, invite_cseq_, out);
    // Our CANCEL crossed their 200: section 9.1 leaves BYE.
    if (unwanted) return send_bye(now, out);
    tell_parts(response, told_, out);
    // Section 12.1.2: without its route set there is no dialog that a request could be sent in; the
    // BYE tries the way that the INVITE took.
    if (response.unreadable(sip::header::record_route)) {
        end({ended_by::carrier, 0, "the 200 has a Record-Route that cannot be read",
             words_of(response)},
            now, out);
        return send_bye(now, out);
    }
    // Where this fork has said nothing, what another said has to do: some change their tag for the
    // 200.
    std::string_view why = "the 200 brought no usable answer";
    if (!described.empty()) {
        const auto agreed = receive_answer(described);
        if (agreed)
            agree(*agreed, now, response.to().tag());
        else
            why = words_of_answer(agreed.reason(), why);
    }
    if (misdirected_ != target_fault::none) return end_misdirected(now, out);
    if (media_) media_->answered();
    if (!negotiation_.current()) {
        end({.by = ended_by::carrier,
             .sip_code = 488,
             .reason = std::string{why},
             .carrier_words = words_of(response),
             .failure = call_failure::unusable_answer},
            now, out);
        return send_bye(now, out);
    }
    answered_ = true;
    session_.accepted(response, now);
    watch_session();
    tell(notice::what::answered, {.sip_code = response.status()});
}

void leg::refused(const sip::message_view& response, time_point now, outbox& out) {
    const auto status = response.status();
    const bool challenge = status == 401 || status == 407;
    if (challenge ? take_challenge(response, out) : status == 422 && session_.raise(response)) {
        ++invite_cseq_;
        early_.clear();
        provisional_seen_ = final_seen_ = false;
        negotiation_.abandon();
        around_.transactions.disown(std::exchange(invite_, {}));
        return send_invite(now, out);
    }
    told_end_ = true;
    release_media(now, out);
    const bool callee = status == 486 || status == 603 || status == 600;
    ending how{.by = callee ? ended_by::callee : ended_by::carrier,
               .sip_code = status,
               .reason = std::string{sip::reason_phrase(status)},
               .carrier_words = words_of(response),
               .by_wire = true};
    if (status / 100 == 3) how.targets = targets_of(response);
    around_.notices.push_back({.kind = notice::what::refused,
                               .owner = owner_,
                               .end = std::move(how),
                               .retry_after = response.seconds(sip::header::retry_after)});
    finish();
}

void leg::send_ack(const sip::dialog& where, std::uint32_t cseq, outbox& out) {
    const sip::identity_text letters{{}, around_.random};
    std::string branch{sip::magic_cookie};
    branch += letters.view();
    sip::writer to{out.reserve(path_.flow, room_for_request + where.room(), owner_)};
    where.write_head(to, sip::method::ack, cseq, branch, via_transport(), path_.sent_by);
    if (path_.trusted) credentials_.write_ack(to);
    to.no_body();
    static_cast<void>(out.commit(to.size()));
}

void leg::leave_fork(const sip::message_view& response, time_point now, outbox& out) {
    around_.other_forks.leave(response, {invite_flow_, path_.over, path_.sent_by},
                              around_.transactions, around_.random, now, out);
}

} // namespace trunkline::calls
