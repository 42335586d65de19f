// Requests within the dialog, theirs and ours.
#include <algorithm>
#include <array>

#include <trunkline/call/capabilities.hpp>
#include <trunkline/call/leg.hpp>
#include <trunkline/call/session_body.hpp>
#include <trunkline/core/text.hpp>

namespace trunkline::calls {

namespace {

constexpr std::size_t room_for_message = 4096;

/// A digit as such, or by its code in RFC 4733: 10 is '*', 11 is '#', 12 to 15 are 'A' to 'D'.
[[nodiscard]] char digit_named(std::string_view text) {
    if (text.size() == 1) {
        const char one =
            text[0] >= 'a' && text[0] <= 'd' ? static_cast<char>(text[0] - 32) : text[0];
        return rtp::to_event(one) ? one : '\0';
    }
    if (text.size() != 2 || text[0] != '1' || text[1] < '0' || text[1] > '5') return 0;
    return rtp::to_digit(static_cast<std::uint8_t>(10 + text[1] - '0')).value_or('\0');
}

/// "Signal=5" of application/dtmf-relay, "d=5" of Nortel's digits, or the single character of
/// application/dtmf. There is no standard for these: a type has been seen with each body, and names
/// in any case.
[[nodiscard]] char digit_of(std::string_view body) {
    body = trimmed(body);
    while (!body.empty()) {
        const auto end = body.find_first_of("\r\n");
        const auto line = body.substr(0, end);
        const auto equals = line.find('=');
        if (equals == std::string_view::npos) return digit_named(trimmed(line));
        const auto name = trimmed(line.substr(0, equals));
        if (iequals(name, "signal") || iequals(name, "d")) {
            return digit_named(trimmed(line.substr(equals + 1)));
        }
        if (end == std::string_view::npos) break;
        body = trimmed(body.substr(end));
    }
    return 0;
}

} // namespace

const sip::dialog* leg::dialog_of(const sip::message_view& request) {
    if (phase_ == phase::finished) return nullptr;
    const auto* within = dialog_with(request.from().tag());
    return within != nullptr && within->matches(request, true) ? within : nullptr;
}

void leg::receive_request(const sip::message_view& request, const flow_info& from, flow_id flow,
                          time_point now, outbox& out) {
    if (request.method() == sip::method::ack) {
        if (has_dialog_ && dialog_.matches(request, true)) acknowledged(request, now, out);
        return;
    }
    auto* within = dialog_with(request.from().tag());
    if (within == nullptr || !within->matches(request, true) || phase_ == phase::finished) {
        return reply_statelessly(request, flow, from.peer, 481, out);
    }
    if (floods(request.method(), now)) {
        return reply_statelessly(request, flow, from.peer, 500, out);
    }
    prove(now); // It bears our tag.
    const auto id = around_.transactions.accept(request, flow, from.transport != transport::udp,
                                                owner_id::none);
    const auto answer = [&](int status, std::string_view fields = {}) {
        reply(request, id, flow, from.peer, status, fields, {}, now, out);
    };
    // Section 12.2.2: an older request than the last one is out of order.
    if (!within->take_cseq(request.cseq().number)) return answer(500, "Retry-After: 1\r\n");
    if (const auto fields = unsupported_fields(request, *settings_); !fields.empty()) {
        return answer(420, fields);
    }
    const bool described = request.method() == sip::method::invite ||
                           request.method() == sip::method::update ||
                           request.method() == sip::method::prack;
    if (described) {
        const auto refused = session_of(request).refused;
        if (refused == 415) {
            return answer(415, "Accept: application/sdp\r\nAccept-Encoding: identity\r\n");
        }
        if (refused != 0) return answer(refused);
    }
    const auto& source = from.peer;
    switch (request.method()) {
    case sip::method::bye:
        if (!has_dialog_) return answer(481); // No callee may, before the answer (section 15).
        answer(200);
        return bye_received(request, now, out);
    case sip::method::invite:
        if (!has_dialog_) return answer(481);
        return reinvited(request, *within, id, flow, source, now, out);
    case sip::method::update: return reinvited(request, *within, id, flow, source, now, out);
    case sip::method::prack: return prack_received(request, id, flow, source, now, out);
    case sip::method::refer: return referred(request, id, flow, source, now, out);
    case sip::method::notify: return notified(request, id, flow, source, now, out);
    case sip::method::info: answer(200); return info_received(request, now, out);
    case sip::method::options: return answer(200, capability_fields(*settings_));
    default: return answer(request.method() == sip::method::other ? 501 : 405, allow_field());
    }
}

/// Within a call nothing is shed (that is for what begins one), but no peer fills our tables: what
/// a real one sends in the time that a transaction lives is a tenth of this, digits by INFO
/// included.
bool leg::floods(sip::method what, time_point now) {
    constexpr unsigned most = 512;
    if (now >= flood_until_) {
        flood_until_ = now + 64 * around_.timers.t1;
        requests_lately_ = 0;
    }
    const bool vital = what == sip::method::bye || what == sip::method::prack;
    return ++requests_lately_ > most && !vital;
}

void leg::reply_statelessly(const sip::message_view& request, flow_id flow, const endpoint& source,
                            int status, outbox& out) {
    sip::writer to{out.reserve(flow, room_for_message + 2 * request.size(), owner_)};
    to.response_head(request, status, sip::reason_phrase(status), local_tag_.view(), source);
    if (status == 500) to.raw("Retry-After: 10\r\n");
    to.no_body();
    static_cast<void>(out.commit(to.size()));
}

void leg::reply(const sip::message_view& request, sip::transaction_id id, flow_id flow,
                const endpoint& source, int status, std::string_view fields, std::string_view body,
                time_point now, outbox& out) {
    sip::writer to{out.reserve(flow, room_for_message + 2 * request.size(), owner_)};
    to.response_head(request, status, sip::reason_phrase(status), local_tag_.view(), source);
    // A target refresh is answered with our own target (RFC 3261 section 12.2.2, RFC 3311 table 1).
    const bool refresh = request.method() == sip::method::invite ||
                         request.method() == sip::method::update ||
                         request.method() == sip::method::refer;
    if (refresh && status < 300) write_contact(to);
    to.raw(fields).body("application/sdp", body);
    const auto bytes = out.commit(to.size());
    around_.transactions.responded(id, status, bytes, now);
    if (request.method() == sip::method::invite && status >= 200 && status < 300) {
        keep_2xx(bytes, request.cseq().number, flow, now);
    }
}

void leg::bye_received(const sip::message_view& request, time_point now, outbox& out) {
    std::string words{request.value(sip::header::reason)};
    const auto by = direction_ == direction::inbound ? ended_by::caller : ended_by::callee;
    if (phase_ == phase::incoming) {
        // A BYE in the early dialog: the INVITE still wants its final response (section 15.1.2).
        return reject(
            487, sip::reason_phrase(487), {},
            {.by = by, .sip_code = 487, .reason = "BYE before the answer", .carrier_words = words},
            now, out);
    }
    last_2xx_.clear();
    // They have to refuse it now (section 15.1.2), and go on until that has its ACK.
    if (reinviting()) around_.transactions.abandon(std::exchange(reinvite_, {}), now);
    end({.by = by,
         .sip_code = 200,
         .reason = "BYE",
         .carrier_words = std::move(words),
         .by_wire = true},
        now, out);
    finish();
}

/// A re-INVITE or an UPDATE: hold, a moved address, another codec, or only a sign of life.
void leg::reinvited(const sip::message_view& request, sip::dialog& within, sip::transaction_id id,
                    flow_id flow, const endpoint& source, time_point now, outbox& out) {
    const bool invite = request.method() == sip::method::invite;
    const auto answer = [&](int status, std::string_view fields, std::string_view body) {
        reply(request, id, flow, source, status, fields, body, now, out);
    };
    if (phase_ == phase::leaving) return answer(481, {}, {});
    if (session_timer::too_small(request, settings_->session)) {
        const auto least = settings_->session.least.count();
        return answer(422, "Min-SE: " + std::to_string(least) + "\r\n", {});
    }
    // Ours is under way (RFC 3261 section 14.2).
    if (invite && reinviting()) return answer(491, {}, {});
    if (busy_negotiating(request)) {
        // Spread over ten seconds, so that the two sides do not meet again.
        std::array<char, 24> retry{};
        const auto seconds = static_cast<char>('0' + around_.random.below(10));
        const std::string_view field = "Retry-After: ";
        auto* at = std::copy(field.begin(), field.end(), retry.data());
        *at++ = seconds;
        *at++ = '\r';
        *at++ = '\n';
        return answer(500, {retry.data(), at}, {});
    }
    // Only what is accepted refreshes the target (RFC 6141 section 4.9).
    const auto accept = [&](std::string_view text) {
        // Before the answer there is no session yet that could expire.
        if (answered_) {
            session_.requested(request, now);
            around_.wheel.disarm(reinvite_timer_);
        }
        std::array<std::byte, 512> room{};
        sip::writer fields{room};
        fields.raw(allow_field());
        fields.field(sip::header::supported, supported_options(*settings_));
        session_.write_response(fields);
        answer(200, as_text(std::span{room}.first(fields.size())), text);
        note_peer(request);
        watch_session();
        within.refresh(request);
        // Responses to the INVITE go where it came from (RFC 3261 section 18.2.2): only requests
        // follow the target, and the callee has none before its 2xx.
        if (has_dialog_ && phase_ != phase::incoming) follow_target();
    };
    std::array<char, 2048> body{};
    tell_parts(request, told_, out);
    const auto offer = session_of(request).sdp;
    if (offer.empty()) {
        if (!invite) return accept({});
        const auto size = negotiation_.write_offer(local_media(), body);
        if (!size) return answer(491, {}, {});
        return accept({body.data(), *size});
    }
    negotiation_.set_local(local_media());
    const auto offered = receive_offer(offer);
    if (!offered) {
        const auto& why = offered.reason();
        if (why.code == errc::wrong_state) return answer(491, {}, {});
        return answer(488, warning_field(why), {});
    }
    const auto size = negotiation_.write_answer(body);
    if (!size) {
        negotiation_.abandon();
        return answer(500, {}, {});
    }
    accept({body.data(), *size});
    if (const auto agreed = negotiation_.current()) agree(*agreed, now, within.remote_tag());
}

/// What came before is still unanswered, or unacknowledged: a second INVITE waits for the first
/// (section 14.2), and so does the offer of an UPDATE (RFC 3311 section 5.2).
bool leg::busy_negotiating(const sip::message_view& request) const {
    if (request.method() == sip::method::invite) {
        return phase_ == phase::incoming || !last_2xx_.empty();
    }
    // Before the 200 it may come once the INVITE's own offer has a reliable answer.
    const bool settled = described_reliably_ && last_provisional_.empty();
    // One negotiation serves all forks that ring: none of them may take it over by an offer.
    const bool offers = !session_of(request).sdp.empty();
    if (phase_ == phase::inviting && early_.size() > 1) return offers;
    return phase_ == phase::incoming && offers && !settled;
}

void leg::info_received(const sip::message_view& request, time_point now, outbox& out) {
    const auto type = request.content_type();
    if (!iequals(type, "application/dtmf-relay") && !iequals(type, "application/dtmf") &&
        !iequals(type, "application/vnd.nortelnetworks.digits")) {
        return;
    }
    const char digit = digit_of(request.body());
    if (digit == 0 || told_end_) return;
    if (media_) return media_->hear_info(digit, now, out);
    out.tell(told_, static_cast<std::uint16_t>(event::digit), {}, {digit, 0});
}

void leg::send_bye(time_point now, outbox& out) {
    phase_ = phase::leaving;
    last_2xx_.clear();
    disarm_all();
    // Whatever becomes of it, nobody waits longer than a transaction may last.
    around_.wheel.arm(guard_timer_, now + 65 * around_.timers.t1);
    if (rerouting_) {
        bye_waits_ = true;
        return;
    }
    // A re-INVITE of ours is cancelled and outlives what is dropped here: its failure has its ACK
    // from the layer (section 17.1.1.3), a 2xx that crosses the BYE has it from us.
    const auto left = reinviting() ? std::exchange(reinvite_, {}) : sip::transaction_id{};
    reinvite_cancelled_ = static_cast<bool>(left);
    if (left) around_.transactions.cancel(left, now, out);
    drop_requests();
    reinvite_ = left;
    if (bye_) around_.transactions.disown(bye_);
    bye_ = around_.transactions.open(sip::method::bye, path_.flow, reliable(), owner_);
    sip::writer to{out.reserve(path_.flow, room_for_message + dialog_.room(), owner_)};
    dialog_.write_head(to, sip::method::bye, dialog_.next_cseq(), around_.transactions.branch(bye_),
                       via_transport(), path_.sent_by);
    write_credentials(to, "BYE", dialog_.remote_target());
    to.raw(bye_reason_).no_body();
    around_.transactions.sent(bye_, out.commit(to.size()), now);
}

/// What waits goes by the new connection, or by what there is when there is none.
bool leg::reopen() {
    if (!reliable() || !has_dialog_) return false;
    if (!std::exchange(rerouting_, true)) {
        const auto to = direction_ == direction::outbound ? path_.peer : way_back();
        around_.notices.push_back({.kind = notice::what::reroute, .owner = owner_, .target = to});
    }
    return true;
}

/// What the trunk's account says is for its gateways alone: whoever else a Contact leads to could
/// have it digest any nonce (CVE-2021-41158).
void leg::write_credentials(sip::writer& to, std::string_view method, std::string_view uri) {
    if (!path_.trusted) return;
    credentials_.write(to, method, uri, *settings_, around_.random);
}

bool leg::take_challenge(const sip::message_view& response, outbox& out) {
    const auto found = path_.trusted ? credentials_.take(response, *settings_)
                                     : credentials::verdict::not_a_gateway;
    if (found == credentials::verdict::answered) return true;
    out.note(severity::warning, diagnostic::challenge_ignored, told_,
             {static_cast<std::int64_t>(found)});
    return false;
}

/// Where requests of the dialog go (section 12.2.1.1). A private address from a public peer is
/// behind a NAT that only the flow knows the way through, and a name is left to the flow as well.
void leg::follow_target() {
    const auto hop = sip::uri_view::parse(dialog_.next_hop());
    if (!hop || !hop->is_sip()) return;
    const auto literal = address::parse(hop->host);
    if (!literal || literal->is_wildcard()) return;
    const endpoint target{*literal, hop->port_or_default()};
    if (target == path_.peer) return;
    const bool hidden = literal->is_private() || literal->is_loopback();
    if (hidden && !path_.peer.address.is_private() && !path_.peer.address.is_loopback()) return;
    if (path_.over != transport::udp) return; // A connection is kept for the dialog.
    rerouting_ = true;
    around_.notices.push_back({.kind = notice::what::reroute, .owner = owner_, .target = target});
}

endpoint leg::way_back() const {
    const std::uint16_t by_default = path_.over == transport::tls ? 5061 : 5060;
    if (request_) {
        const auto& via = (*request_)->top_via();
        return {source_.address, via.has_port ? via.port : by_default};
    }
    const endpoint known{path_.peer.address, by_default};
    const auto hop = sip::uri_view::parse(has_dialog_ ? dialog_.next_hop() : std::string_view{});
    if (!hop || !hop->is_sip()) return known;
    const auto literal = address::parse(hop->host);
    if (!literal || literal->is_wildcard()) return known;
    const bool hidden = literal->is_private() || literal->is_loopback();
    if (hidden && !path_.peer.address.is_private() && !path_.peer.address.is_loopback()) {
        return known;
    }
    return {*literal, hop->has_port ? hop->port : by_default};
}

void leg::set_path(signalling_path path, time_point now, outbox& out) {
    if (phase_ == phase::finished) return; // It came too late for what waited.
    // A flow that went takes responses and what is under way with it; a target that moved does not.
    if (!rerouting_) {
        if (flow_2xx_ == path_.flow) flow_2xx_ = path.flow;
        if (invite_flow_ == path_.flow) invite_flow_ = path.flow;
        for (const auto id : {invite_, bye_, reinvite_}) around_.transactions.move(id, path.flow);
        for (const auto& one : asking_) around_.transactions.move(one.id, path.flow);
    }
    path_ = std::move(path);
    rerouting_ = false;
    if (std::exchange(ack_waits_, false)) send_ack(dialog_, invite_cseq_, out);
    if (std::exchange(bye_waits_, false)) send_bye(now, out);
    if (std::exchange(invite_waits_, false) && phase_ == phase::inviting) send_invite(now, out);
}

} // namespace trunkline::calls
