// Transfers, RFC 3515: a REFER of ours and what the peer tells of it, and one of the peer's.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <trunkline/call/leg.hpp>
#include <trunkline/core/text.hpp>
#include <trunkline/sip/parameters.hpp>

namespace trunkline::calls {

namespace {

using namespace std::chrono_literals;

/// A peer that agreed tells at once that it tries (section 2.4.4), or it never will.
constexpr auto first_notice_within = 32s;
/// And no telephone rings for longer than that.
constexpr auto last_notice_within = 180s;

/// "SIP/2.0 180 Ringing" of a message/sipfrag (RFC 3420); 0 when it is not one.
[[nodiscard]] int status_of(std::string_view fragment) {
    constexpr std::string_view version = "SIP/2.0 ";
    if (!iequals(fragment.substr(0, version.size()), version)) return 0;
    fragment.remove_prefix(version.size());
    int status = 0;
    const auto* const end = fragment.data() + std::min<std::size_t>(fragment.size(), 3);
    const auto [at, failed] = std::from_chars(fragment.data(), end, status);
    const bool whole = failed == std::errc{} && at == end && status >= 100 && status < 700;
    return whole ? status : 0;
}

/// The first word of Subscription-State and of Event; parameters are nobody's business here.
[[nodiscard]] std::string_view word_of(std::string_view value) {
    return trimmed(value.substr(0, value.find(';')));
}

} // namespace

result<void> leg::transfer(std::string_view target, time_point now, outbox& out) {
    if (phase_ != phase::confirmed || told_end_ || transfer_ != transfer_phase::none) {
        return error{.code = errc::wrong_state};
    }
    const auto uri = sip::uri_view::parse(target);
    if (!uri) return uri.reason();
    // What is taken of others is not written: "#" is for a tel URI alone (section 25.1).
    const auto bad = target.find_first_of(uri->is_sip() ? "<>\" \t#" : "<>\" \t");
    if (uri->scheme == sip::uri_view::scheme_kind::other || bad != std::string_view::npos) {
        return error{.code = errc::bad_token,
                     .offset = bad == std::string_view::npos ? 0 : static_cast<std::uint32_t>(bad)};
    }
    std::array<std::byte, 1'024> room{};
    sip::writer fields{room};
    write_contact(fields);
    fields.name(sip::header::refer_to).raw("<").text(target).raw(">").line();
    fields.name(sip::header::referred_by).raw("<sip:");
    if (!contact_user_.empty()) fields.text(contact_user_).raw("@");
    fields.text(path_.sent_by).raw(">").line();
    if (fields.failed()) return error{.code = errc::limit_exceeded};
    asking what{.what = sip::method::refer, .tag = std::string{dialog_.remote_tag()}};
    what.fields = as_text(std::span{room}.first(fields.size()));
    const auto cseq = ask(std::move(what), now, out);
    if (cseq == 0) return error{.code = errc::full};
    transfer_cseq_ = cseq;
    transfer_ = transfer_phase::asked;
    return {};
}

void leg::transfer_answered(int status, time_point now, outbox& out) {
    if (transfer_ == transfer_phase::none) return;
    // A NOTIFY may overtake the 202 (section 2.4.4).
    if (status >= 300) return tell_transfer(transfer_state::failed, status, out);
    if (transfer_ == transfer_phase::asked) tell_transfer(transfer_state::accepted, status, out);
    transfer_ = transfer_phase::subscribed;
    if (!transfer_timer_.armed()) around_.wheel.arm(transfer_timer_, now + first_notice_within);
}

void leg::tell_transfer(transfer_state state, int status, outbox& out) {
    const bool over = state != transfer_state::accepted && state != transfer_state::trying;
    if (over) {
        transfer_ = transfer_phase::none;
        around_.wheel.disarm(transfer_timer_);
    }
    if (told_end_) return;
    out.tell(told_, static_cast<std::uint16_t>(event::transfer), {},
             {static_cast<std::int64_t>(state), status});
}

void leg::notified(const sip::message_view& request, sip::transaction_id id, flow_id flow,
                   const endpoint& source, time_point now, outbox& out) {
    const auto answer = [&](int status, std::string_view fields = {}) {
        reply(request, id, flow, source, status, fields, {}, now, out);
    };
    if (!iequals(word_of(request.value(sip::header::event)), "refer")) {
        return answer(489, "Allow-Events: refer\r\n");
    }
    // Nobody is told of calls that we did not ask for, nor of the one that was asked for before.
    const auto about = request.value(sip::header::event);
    const auto parameters =
        sip::parameters_view::parse(about.substr(std::min(about.find(';'), about.size())));
    const auto named = parameters ? parameters->find("id") : std::nullopt;
    const bool another = named && *named != std::to_string(transfer_cseq_);
    if (transfer_ == transfer_phase::none || another) return answer(481);
    const auto status = status_of(request.body());
    const bool last =
        iequals(word_of(request.value(sip::header::subscription_state)), "terminated");
    if (status == 0 && !last) return answer(400);
    answer(200);
    if (status >= 200) {
        return tell_transfer(status < 300 ? transfer_state::succeeded : transfer_state::failed,
                             status, out);
    }
    if (last) return tell_transfer(transfer_state::unknown, status, out);
    transfer_ = transfer_phase::subscribed;
    around_.wheel.arm(transfer_timer_, now + last_notice_within);
    tell_transfer(transfer_state::trying, status, out);
}

/// Agreed to at once, for what becomes of it is told by NOTIFY: 603, too, when the agent does not
/// want it (section 2.4.4).
void leg::referred(const sip::message_view& request, sip::transaction_id id, flow_id flow,
                   const endpoint& source, time_point now, outbox& out) {
    const auto answer = [&](int status) {
        reply(request, id, flow, source, status, {}, {}, now, out);
    };
    // Of two the parser has made a 400 already (section 2.1).
    const auto target = sip::name_addr_view::parse(request.value(sip::header::refer_to));
    if (!target) return answer(400);
    if (phase_ == phase::leaving || told_end_) return answer(481);
    // Before the answer has its ACK the INVITE is pending. A 481 would end the call of a peer whose
    // ACK was lost on the way (RFC 3261 section 12.2.1.2).
    if (phase_ != phase::confirmed || referred_) return answer(491);
    answer(202);
    referred_ = true;
    referral_cseq_ = request.cseq().number;
    static_cast<void>(report_referral(100, now, out));
    const auto uri = target->uri.text;
    out.tell(told_, static_cast<std::uint16_t>(event::referred),
             out.keep(std::as_bytes(std::span{uri.data(), uri.size()})));
}

result<void> leg::report_referral(int status, time_point now, outbox& out) {
    if (!referred_ || phase_ != phase::confirmed) return error{.code = errc::wrong_state};
    if (status < 100 || status > 699) return error{.code = errc::bad_number};
    const bool last = status >= 200;
    const auto* state = last ? "terminated;reason=noresource" : "active;expires=180";
    if (!notify(status, state, now, out)) return error{.code = errc::full};
    referred_ = !last;
    if (last)
        around_.wheel.disarm(referral_timer_);
    else
        around_.wheel.arm(referral_timer_, now + last_notice_within);
    return {};
}

/// Nobody said in all that time what became of it: the peer is not to wait for ever.
void leg::referral_expired(time_point now, outbox& out) {
    if (!std::exchange(referred_, false) || phase_ != phase::confirmed) return;
    static_cast<void>(notify(408, "terminated;reason=timeout", now, out));
}

bool leg::notify(int status, std::string_view state, time_point now, outbox& out) {
    std::array<std::byte, 256> room{};
    sip::writer fields{room};
    write_contact(fields);
    // Section 2.4.6: from the second one on it has to be told which is meant.
    fields.name(sip::header::event).raw("refer;id=").number(referral_cseq_).line();
    fields.field(sip::header::subscription_state, state);
    asking what{.what = sip::method::notify,
                .tag = std::string{dialog_.remote_tag()},
                .type = "message/sipfrag;version=2.0"};
    what.fields = as_text(std::span{room}.first(fields.size()));
    what.body = "SIP/2.0 " + std::to_string(status) + ' ';
    what.body.append(sip::reason_phrase(status)).append("\r\n");
    return ask(std::move(what), now, out) != 0;
}

} // namespace trunkline::calls
