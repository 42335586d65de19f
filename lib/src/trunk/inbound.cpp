// The inbound pipeline: which trunk a request belongs to, and the first thing that is wrong with
// it.
#include <algorithm>
#include <array>
#include <utility>

#include <trunkline/call/capabilities.hpp>
#include <trunkline/call/session_body.hpp>
#include <trunkline/core/text.hpp>
#include <trunkline/sip/writer.hpp>
#include <trunkline/trunk/engine.hpp>

#include "called.hpp"

namespace trunkline::trunks {

namespace {

using sip::header;
using sip::method;

constexpr std::string_view accept = "Accept: application/sdp\r\n";
constexpr std::size_t room_for_response = 2048;

/// A list of which nothing can be read asks for nothing (RFC 3261 section 8.2.2); an empty one says
/// that no body at all is taken (section 20.1).
[[nodiscard]] bool accepts_sdp(const sip::message_view& request) {
    if (!request.has(header::accept) || request.unreadable(header::accept)) return true;
    bool found = false;
    bool readable = request.value(header::accept).empty();
    request.each_element(header::accept, [&](std::string_view range) {
        const auto type = trimmed(range.substr(0, range.find(';')));
        const auto slash = type.find('/');
        const bool both = slash != std::string_view::npos && slash > 0 && slash + 1 < type.size();
        readable = readable || both;
        found = found || type == "*/*" || iequals(type, "application/*") ||
                iequals(type, "application/sdp");
    });
    return found || !readable;
}

/// Section 21.4.1: the phrase of a 400 says what is wrong.
[[nodiscard]] std::string what_is_wrong(const error& reason) {
    const auto which = static_cast<header>(reason.field);
    if (reason.field >= sip::header_count || which == header::other) return "Malformed Request";
    const auto* how = reason.code == errc::missing     ? "Missing "
                      : reason.code == errc::duplicate ? "Repeated "
                                                       : "Malformed ";
    return how + std::string{sip::name(which)} + " header field";
}

/// By its tag, or by its method. Of what no call has taken, nothing else is looked at: no password
/// is guessed by a BYE, and an INVITE of it begins nothing that would be sent again.
[[nodiscard]] bool is_within_a_call(const sip::message_view& request) {
    if (!request.to().tag().empty()) return true;
    switch (request.method()) {
    case method::cancel:
    case method::bye:
    case method::info:
    case method::update:
    case method::refer:
    case method::notify:
    case method::prack: return true;
    default: return false;
    }
}

/// Section 8.2.6.1: a 100 has the request's Timestamp. It is written at once, so that there is no
/// delay to tell. One that is no number of seconds is left out.
void write_timestamp(const sip::message_view& request, sip::writer& to) {
    for (const auto& field : request.fields()) {
        if (!iequals(field.name, "Timestamp")) continue;
        const auto value = trimmed(field.value);
        const auto dot = std::min(value.find('.'), value.size());
        const auto digits = [](std::string_view text) {
            return text.find_first_not_of("0123456789") == std::string_view::npos;
        };
        const bool number = dot > 0 && value.size() <= 32 && digits(value.substr(0, dot)) &&
                            digits(value.substr(std::min(dot + 1, value.size())));
        if (number) to.field("Timestamp", value);
        return;
    }
}

} // namespace

/// Anybody can write the source of a datagram, so no datagram speaks for a trunk that is configured
/// for connections, nor an open connection for one of TLS, unless one of its gateways says
/// otherwise.
bool engine::comes_by(const trunk& one, transport over) {
    const auto wanted = one.config.transport.value_or(transport::udp);
    if (wanted == transport::udp || over == wanted) return true;
    if (wanted == transport::tcp && over == transport::tls) return true;
    return std::ranges::any_of(
        one.gateways, [&](const gateway& each) { return each.transport.value_or(wanted) == over; });
}

bool engine::allows(const trunk& one, const address& source) {
    return std::ranges::any_of(one.allow_from,
                               [&](const cidr& net) { return net.contains(source); });
}

bool engine::known_to(const trunk& one, const address& source) const {
    return identifies(one.allow_from, source) || is_gateway_of(one, source);
}

/// Most who are no gateway of this trunk are none of any.
bool engine::is_gateway_of(const trunk& one, const address& source) const {
    return names_.lead_to(source) && std::ranges::any_of(one.gateways, [&](const gateway& each) {
               return names_.stands_for(gateway_name_view{each}, source);
           });
}

/// Several trunks may sit behind one carrier's address: the one whose registered Contact was called
/// is meant, else the one that has the number. By allow_from first, by what gateways resolve to
/// after that. A trunk that takes no calls is meant only when no other is.
///
/// A Contact's user part is no credential: proxies have seen it, and it stays the same. It chooses
/// among trunks that know the source, and lets nobody in whom no trunk knows.
std::shared_ptr<const trunk> engine::trunk_of(const flow_info& from) const {
    std::shared_ptr<const trunk> best;
    int best_rank = 0;
    for (const auto& one : *directory_) {
        if (!comes_by(*one, from.transport)) continue;
        const bool by_list = allows(*one, from.peer.address);
        if (!by_list && !is_gateway_of(*one, from.peer.address)) continue;
        const bool meant = message_->method() == method::invite && called(*one) != nullptr;
        const int rank = 1 + (by_list ? 1 : 0) + (meant ? 2 : 0) +
                         (meant && one->config.inbound ? 4 : 0) +
                         (by_contact(*message_, *one) ? 8 : 0);
        if (rank <= best_rank) continue;
        best = one;
        best_rank = rank;
    }
    return best;
}

/// The Request-URI, or P-Called-Party-ID for a Contact of ours, and To as fallback.
const did* engine::called(const trunk& on) const {
    if (const auto* found = on.find(called_user(*message_, on))) return found;
    return on.find(sip::subscriber(message_->to().uri));
}

void engine::receive_request(std::string_view bytes, flow_id flow, const flow_info& from,
                             time_point now, outbox& out) {
    using fate = sip::transaction_layer::fate;
    const auto got = transactions_.receive(*message_, flow, now, out);
    if (got.what == fate::absorbed) return;
    // A tag of ours leads to its call. A carrier's BYE need not come from where its INVITE came:
    // see dialog_peers. An ACK is taken from anywhere, for it has no answer that could ask for
    // more.
    if (const auto whose = sip::read_identity(message_->to().tag())) {
        auto* held =
            whose->shard == config_.shard ? legs_.find({whose->slot, whose->generation}) : nullptr;
        if (held != nullptr && held->machine.local_tag() == message_->to().tag() &&
            message_->method() != method::cancel) {
            if (message_->method() != method::ack &&
                !may_speak(*held, bytes, flow, from, now, out)) {
                return;
            }
            held->machine.receive_request(*message_, from, flow, now, out);
            if (message_->method() == method::ack) acknowledged(*held);
            return;
        }
    }
    if (message_->method() == method::ack) {
        // That of a stateless refusal has nothing left to stop.
        if (message_->to().tag() == admission_.reply_to(*message_).tag()) return;
        return out.note(severity::trace, diagnostic::ack_unmatched, owner_id::none);
    }
    // A CANCEL belongs to its INVITE, even when the trunk was removed while it rang (section 9.2).
    if (message_->method() == method::cancel) {
        if (const auto invite = transactions_.cancelled(*message_)) {
            return cancel(*invite, flow, from, now, out);
        }
    }
    const auto on = trunk_of(from);
    if (!on) return stranger(flow, from, now, out);
    if (is_within_a_call(*message_)) {
        out.note(severity::trace, diagnostic::request_unmatched, owner_id::none);
        return answer_statelessly(*on, {481}, flow, from, now, out);
    }
    auto wrong = shed(*on, now);
    if (wrong.status == 0) wrong = check(*on, from, got.what == fate::merged, now, out);
    if (wrong.status != 0) return refuse(*on, wrong, flow, from, now, out);
    if (message_->method() != method::options) return admit(on, flow, from, now, out);
    answer_once(*on, {.status = 200, .fields = calls::allow_field() + std::string{accept}}, flow,
                from, now, out);
}

/// What cannot be parsed is answered if it has somebody to be answered to, without any state: the
/// same bytes again get the same answer.
void engine::malformed(const error& reason, flow_id flow, const flow_info& from, time_point now,
                       outbox& out) {
    const auto on = trunk_of(from);
    if (!on) return stranger(flow, from, now, out);
    // A method that nobody knows is 501 even where the rest contradicts it (RFC 4475 3.1.2.18).
    const bool unknown = message_->method() == method::other && reason.code == errc::mismatch;
    const int status = reason.code == errc::bad_version ? 505 : unknown ? 501 : 400;
    sip::writer to{out.reserve(flow, room_for_response + 65'536)};
    const auto phrase =
        status == 400 ? what_is_wrong(reason) : std::string{sip::reason_phrase(status)};
    to.response_head(*message_, status, phrase, admission_.reply_to(*message_).tag(), from.peer);
    if (status == 501) to.raw(calls::allow_field());
    to.no_body();
    const bool may = has_shown(*on, from, now) ||
                     (small_enough(to.size()) && admission_.paces(from.peer.address, now));
    const int answered = to.failed() || !may ? 0 : status;
    static_cast<void>(out.commit(may ? to.size() : 0));
    const auto code = static_cast<std::int64_t>(reason.code);
    if (message_->method() != method::invite) return note_malformed(answered, reason, out);
    if (admission_.answered_before(admission_.reply_to(*message_), from.peer, now)) return;
    const auto why = status == 505 ? diagnostic::refused_version : diagnostic::refused_malformed;
    const auto field = static_cast<header>(reason.field);
    std::string words{message(reason.code)};
    words += reason.field < sip::header_count && field != header::other
                 ? ", in " + std::string{sip::name(field)}
                 : std::string{};
    words += ", at byte " + std::to_string(reason.offset);
    record_refusal(on.get(), {answered, why, {}, code, std::move(words)},
                   admission::tally::malformed, from, now, out);
}

void engine::note_malformed(int answered, const error& reason, outbox& out) {
    out.note(severity::warning, diagnostic::datagram_malformed, owner_id::none,
             {answered, static_cast<std::int64_t>(reason.code), reason.offset, reason.field});
}

/// Of a peer that we know it is told, for a phone that writes such a header writes it each time,
/// now and then.
void engine::note_ignored(const error& reason, const flow_info& from, time_point now, outbox& out) {
    const auto code = static_cast<std::int64_t>(reason.code);
    if (!trunk_of(from)) {
        return out.note(severity::trace, diagnostic::header_ignored, owner_id::none,
                        {reason.field, code, reason.offset, 1});
    }
    const auto told = admission_.tell(admission::tally::ignored, now);
    if (told == 0) return;
    const auto whose = sip::read_identity(message_->to().tag());
    auto* held =
        whose && message_->is_request() ? legs_.find({whose->slot, whose->generation}) : nullptr;
    out.note(severity::warning, diagnostic::header_ignored,
             held != nullptr ? held->call.owner() : owner_id::none,
             {reason.field, code, reason.offset, static_cast<std::int64_t>(told)});
}

/// The first failing check answers, in this order: 401, 501 or 405, 416, 482, 420, 415, 406, and
/// for an INVITE 403, 404, 503 (400 and 505 came before, 486 and 488 come after).
engine::refusal engine::check(const trunk& on, const flow_info& from, bool merged, time_point now,
                              outbox& out) {
    const auto& request = *message_;
    if (auto wrong = check_credentials(on, from, now, out); wrong.status != 0) return wrong;
    // Who has a password to show takes a turn of the trunk's rate when it was right.
    if (on.config.inbound_auth && request.method() == method::invite && !on.rate->admit(now)) {
        return over_rate();
    }
    switch (request.method()) {
    case method::invite:
    case method::options: break;
    case method::other: return {501, diagnostic::refused_method, calls::allow_field()};
    default: return {405, diagnostic::refused_method, calls::allow_field()};
    }
    if (request.request_uri().scheme == sip::uri_view::scheme_kind::other) {
        return {416, diagnostic::refused_uri_scheme, {}};
    }
    if (merged) return {482, diagnostic::refused_merged, {}};
    if (auto fields = calls::unsupported_fields(request, *on.settings); !fields.empty()) {
        return {420, diagnostic::refused_extension, std::move(fields)};
    }
    if (request.method() == method::invite) return check_invite(on);
    if (draining_) return {503, diagnostic::refused_draining, "Retry-After: 30\r\n"};
    return {};
}

engine::refusal engine::check_invite(const trunk& on) const {
    const auto& request = *message_;
    if (const auto refused = calls::session_of(request).refused; refused != 0) {
        const auto coding = request.value(header::content_encoding);
        const bool encoded = !coding.empty() && !iequals(coding, "identity");
        return {refused, diagnostic::refused_content_type,
                encoded ? "Accept-Encoding: identity\r\n" : std::string{accept}};
    }
    if (!accepts_sdp(request)) {
        return {406, diagnostic::refused_accept,
                "Warning: 399 trunkline \"only application/sdp is spoken here\"\r\n"};
    }
    if (calls::session_timer::too_small(request, on.settings->session)) {
        return {422, diagnostic::refused_session_interval,
                "Min-SE: " + std::to_string(on.settings->session.least.count()) + "\r\n"};
    }
    if (on.settings->provisionals == calls::reliability::required &&
        !request.lists(header::supported, "100rel") && !request.lists(header::require, "100rel")) {
        return {421, diagnostic::refused_unreliable, "Require: 100rel\r\n"};
    }
    if (!on.config.inbound) return {403, diagnostic::refused_trunk_disabled, {}};
    if (called(on) == nullptr) return {404, diagnostic::refused_number_unknown, {}};
    return {};
}

void engine::answer(sip::transaction_id id, flow_id flow, const flow_info& from, int status,
                    std::string_view fields, time_point now, outbox& out,
                    std::string_view local_tag) {
    const sip::identity_text fresh{{config_.shard, 0xffff'ffff, 0}, random_};
    const auto tag = local_tag.empty() ? fresh.view() : local_tag;
    sip::writer to{out.reserve(flow, room_for_response + fields.size() + 2 * message_->size())};
    to.response_head(*message_, status, sip::reason_phrase(status), tag, from.peer);
    to.raw(fields).no_body();
    transactions_.responded(id, status, out.commit(to.size()), now);
}

void engine::cancel(const sip::transaction_layer::received& invite, flow_id flow,
                    const flow_info& from, time_point now, outbox& out) {
    auto* held = legs_.find(slot_id::of(invite.owner));
    if (held != nullptr && held->peers.judge_cancel(from) != dialog_peers::verdict::peer) {
        return refuse_speaker(*held, flow, from, now, out);
    }
    // It comes too late, and changes nothing (section 9.2): that is told to whom a trunk knows.
    if (held == nullptr && !trunk_of(from)) return stranger(flow, from, now, out);
    const auto id =
        transactions_.accept(*message_, flow, from.transport != transport::udp, owner_id::none);
    // Section 9.2: the tag of the INVITE's own responses.
    const auto tag = held != nullptr ? held->machine.local_tag() : std::string_view{};
    answer(id, flow, from, 200, {}, now, out, tag);
    if (held == nullptr) return;
    held->machine.cancelled(message_->value(sip::header::reason), now, out);
}

/// Where all channels are taken, the call that waits for an ACK longest, for longer than its caller
/// can have needed, makes room: what it was answered went nowhere.
bool engine::take_channel(const trunk& on, time_point now) {
    if (on.channels->take_unacknowledged()) return true;
    constexpr duration patience = std::chrono::seconds{2};
    live_call* oldest = nullptr;
    calls_.each([&](live_call& each) {
        const auto& record = each.record;
        if (each.acknowledged || each.ended || each.trunk->channels != on.channels) return;
        if (!record.answered || record.started + *record.answered + patience > now) return;
        if (oldest == nullptr || record.started < oldest->record.started) oldest = &each;
    });
    if (oldest == nullptr) return false;
    hang_up(*oldest, ended_by::timeout, 408, "no ACK for our 200, and its channel was needed");
    settle(now, active_->out);
    return on.channels->take_unacknowledged();
}

/// A leg keeps its INVITE until the ACK of its answer has come.
void engine::acknowledged(const held_leg& by) {
    auto* of = calls_.find(by.call);
    if (of == nullptr || of->acknowledged || of->ended || by.machine.request() != nullptr) return;
    of->acknowledged = true;
    of->trunk->channels->acknowledged();
}

/// Everything about the request is right: now the trunk needs a channel and the offer a codec.
void engine::admit(std::shared_ptr<const trunk> on, flow_id flow, const flow_info& from,
                   time_point now, outbox& out) {
    if (!take_channel(*on, now)) {
        return refuse(*on, {486, diagnostic::refused_channels_full, {}}, flow, from, now, out);
    }
    const bool shown = has_shown(*on, from, now);
    auto& made = make_call(on, direction::inbound, now);
    made.channel_taken = true;
    made.acknowledged = false;
    const auto* number = called(*on);
    made.record.call_id = message_->call_id();
    made.record.from = sip::shown_user(sip::subscriber(message_->from().uri));
    made.record.to = sip::shown_user(called_user(*message_, *on));
    made.record.number = number->number;
    made.record.agent = number->agent.empty() ? on->config.default_agent : number->agent;
    made.fallback = number->fallback.empty() ? on->config.default_fallback : number->fallback;
    auto& held = make_leg(made, flow, out);
    // What a source that has shown nothing is refused with is not repeated, and nothing else is
    // sent before it: that source sends its INVITE again until there is an answer.
    const auto id = transactions_.accept(
        *message_, flow, from.transport != transport::udp || !shown, held.machine.owner());
    // At once, because a call that is decided about slowly must not be sent again.
    if (shown) {
        sip::writer to{out.reserve(flow, room_for_response + 2 * message_->size())};
        to.response_head(*message_, 100, sip::reason_phrase(100), {}, from.peer);
        write_timestamp(*message_, to);
        to.no_body();
        transactions_.responded(id, 100, out.commit(to.size()), now);
    }
    const auto taken = held.machine.incoming(*message_, id);
    if (on->config.inbound_auth) held.machine.prove(now); // It has answered our challenge.
    const auto turn_down = [&](int status, diagnostic why, std::string_view fields) {
        made.record.refused = why;
        out.note(severity::warning, why, made.id.owner());
        held.machine.reject(status, sip::reason_phrase(status), fields,
                            {.sip_code = status, .reason = std::string{name(why)}}, now, out);
    };
    if (!taken) {
        return turn_down(488, diagnostic::refused_offer, calls::warning_field(taken.reason()));
    }
    if (draining_) return turn_down(503, diagnostic::refused_draining, "Retry-After: 30\r\n");
    out.note(severity::info, diagnostic::call_started, made.id.owner());
    arm(made.ring_timer, ring_timer, made, now + on->config.ringing_timeout);
    out.tell(made.id.owner(), static_cast<std::uint16_t>(calls::event::incoming));
}

} // namespace trunkline::trunks
