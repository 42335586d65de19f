// What is not let in: who is turned away without state, who is answered, and what is told of it.
#include <array>
#include <cstring>
#include <utility>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/writer.hpp>
#include <trunkline/trunk/engine.hpp>

#include "called.hpp"

namespace trunkline::trunks {

namespace {

using sip::header;
using sip::method;

constexpr std::size_t room_for_response = 2048;

} // namespace

/// One short 403, without any state and without a word about who we are; then silence. No name
/// that a stranger wrote is ever looked up.
void engine::stranger(flow_id flow, const flow_info& from, time_point now, outbox& out) {
    using reception = admission::reception;
    const auto& request = *message_;
    if (request.method() == method::ack) return;
    const auto how = admission_.receive(from.peer.address, now);
    if (how == reception::ban) {
        std::array<std::int64_t, 2> halves{};
        std::memcpy(halves.data(), from.peer.address.bytes.data(), sizeof halves);
        out.note(severity::warning, diagnostic::source_banned, owner_id::none,
                 {halves[0], halves[1]});
    }
    if (how != reception::answer) return;
    int status = 0;
    if (config_.answer_strangers) {
        sip::writer to{out.reserve(flow, room_for_response + 65'536)};
        to.response_head(request, 403, "Forbidden", admission_.reply_to(request).tag(), from.peer)
            .no_body();
        // Never more bytes than came: nobody is to be flooded in a stranger's name.
        const bool fits =
            !to.failed() && to.size() < request.size() &&
            (from.transport != transport::udp || admission_.paces(from.peer.address, now));
        static_cast<void>(out.commit(fits ? to.size() : 0));
        if (fits) status = 403;
    }
    const diagnostic why = diagnostic::refused_unknown_source;
    if (request.method() != method::invite) {
        return out.note(severity::trace, why, owner_id::none, {status, status, 1});
    }
    record_refusal(nullptr, {status, why, {}, status}, admission::tally::stranger, from, now, out);
}

/// What is shed before anything is looked at, and why in this order. Whoever is in a call is never
/// shed: what bears a To tag, ACK, CANCEL, BYE and PRACK have passed, so that calls end when they
/// are to end, most of all when there are too many. A stranger was told so before: he has a bucket
/// of his own and takes nothing from a trunk. Then comes our own limit, so that what we cannot
/// serve costs no trunk its rate; then the trunk's rate, before all that needs a transaction or a
/// look into the body. Where a trunk has a password, a turn of its rate is taken when that was
/// right, and each source has its own number of guesses: no guesser costs a caller his turn.
engine::refusal engine::shed(const trunk& on, time_point now) {
    const bool begins = message_->method() == method::invite;
    if (transactions_.size() >= config_.max_transactions ||
        (begins && calls_.size() >= config_.max_calls)) {
        auto refused = over_rate();
        refused.why = diagnostic::refused_overload;
        return refused;
    }
    if (begins && !on.config.inbound_auth && !on.rate->admit(now)) return over_rate();
    return {};
}

engine::refusal engine::over_rate() const {
    const auto seconds = std::to_string(admission_.reply_to(*message_).retry_after);
    return {503, diagnostic::refused_rate, "Retry-After: " + seconds + "\r\n"};
}

void engine::refuse(const trunk& on, const refusal& how, flow_id flow, const flow_info& from,
                    time_point now, outbox& out) {
    const bool shed =
        how.why == diagnostic::refused_rate || how.why == diagnostic::refused_overload;
    if (how.status < 0) {
        return out.note(severity::trace, how.why, owner_id::none, {how.detail, 0, 1});
    }
    // Without a transaction: what is shed, whoever has not shown a password yet (RFC 3261 section
    // 26.3.2.4), a merged request, because the first one has the key by its Call-ID, and what would
    // be repeated to a source that has shown nothing.
    if (shed || how.why == diagnostic::refused_unauthorized ||
        how.why == diagnostic::refused_merged || transactions_.size() >= config_.max_transactions ||
        !has_shown(on, from, now)) {
        answer_statelessly(on, how, flow, from, now, out);
    } else {
        answer_once(on, how, flow, from, now, out);
    }
    // A 401 is how digest begins, and how it goes on when a nonce is old: no refusal yet.
    const bool challenge = how.status == 401 && how.detail != wrong_password;
    if (message_->method() != method::invite || challenge) {
        return out.note(severity::trace, how.why, owner_id::none, {how.detail, how.status, 1});
    }
    std::optional<admission::tally> kind;
    if (shed) kind = admission::tally::shed;
    if (how.why == diagnostic::refused_unauthorized) kind = admission::tally::unauthorized;
    record_refusal(&on, how, kind, from, now, out);
}

/// A transaction is for what our answer has to be the only one to: an INVITE, whose ACK is waited
/// for, and a request whose credentials are no good a second time, and came at the trunk's rate.
/// All others are answered anew each time.
void engine::answer_once(const trunk& on, const refusal& how, flow_id flow, const flow_info& from,
                         time_point now, outbox& out) {
    if (message_->method() != method::invite && !on.config.inbound_auth) {
        return answer_statelessly(on, how, flow, from, now, out);
    }
    const auto id =
        transactions_.accept(*message_, flow, from.transport != transport::udp, owner_id::none);
    answer(id, flow, from, how.status, how.fields, now, out);
}

/// What goes to a source that has shown nothing is no more than half as large again as what came
/// from there, so that no flood in its name is worth the sending.
bool engine::small_enough(std::size_t answer) const noexcept {
    return 2 * answer <= 3 * message_->size();
}

/// The same request again gets the same answer, for as long as its sender likes (RFC 3261 section
/// 8.2.7). To a source that has shown nothing there is one, with fewer fields where they make it
/// too large, or none.
void engine::answer_statelessly(const trunk& on, const refusal& how, flow_id flow,
                                const flow_info& from, time_point now, outbox& out) {
    // Where a password is wanted, an address alone is not enough to be challenged at any length.
    const bool shown = how.status == 401 ? from.transport != transport::udp ||
                                               passwords_.has_shown(from.peer.address, now) ||
                                               credentials_of(from, now).count != 0
                                         : has_shown(on, from, now);
    for (const std::string_view fields :
         {std::string_view{how.fields}, std::string_view{how.shorter}}) {
        // A challenge without its line is none.
        if (how.status == 401 && fields.empty()) return;
        sip::writer to{out.reserve(flow, room_for_response + fields.size() + 2 * message_->size())};
        to.response_head(*message_, how.status, sip::reason_phrase(how.status),
                         admission_.reply_to(*message_).tag(), from.peer);
        to.raw(fields).no_body();
        const bool fits = shown || small_enough(to.size());
        const bool goes = fits && (shown || admission_.paces(from.peer.address, now));
        static_cast<void>(out.commit(goes ? to.size() : 0));
        if (fits) return;
    }
}

/// What has no kind took a turn of its trunk's rate, and is told each time.
void engine::record_refusal(const trunk* on, const refusal& how,
                            std::optional<admission::tally> kind, const flow_info& from,
                            time_point now, outbox& out) {
    const auto told = kind ? admission_.tell(*kind, now) : 1;
    if (told == 0) return;
    out.note(severity::warning, how.why, owner_id::none,
             {how.detail, how.status, static_cast<std::int64_t>(told)});
    call_record record;
    record.call_id = message_->call_id();
    if (on != nullptr) record.trunk = on->config.name;
    record.source = to_text(from.peer);
    record.from = sip::shown_user(sip::subscriber(message_->from().uri));
    record.to = sip::shown_user(on != nullptr ? called_user(*message_, *on)
                                              : sip::subscriber(message_->request_uri()));
    record.started = now;
    record.ended_by = ended_by::local_error;
    record.sip_code = how.status;
    record.by_wire = how.status != 0;
    record.reason = how.words.empty() ? std::string{name(how.why)} : how.words;
    record.refused = how.why;
    records_.push_back(std::move(record));
    out.tell(owner_id::none, record_event);
}

} // namespace trunkline::trunks
