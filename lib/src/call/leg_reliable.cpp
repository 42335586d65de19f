// Reliable provisional responses and PRACK, RFC 3262, as callee and as caller.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <trunkline/call/capabilities.hpp>
#include <trunkline/call/leg.hpp>
#include <trunkline/call/session_body.hpp>
#include <trunkline/core/text.hpp>

namespace trunkline::calls {

namespace {

/// RAck, section 7.2: the response's number, the CSeq of its INVITE, and the method.
struct acknowledged_response {
    std::uint32_t rseq = 0;
    std::uint32_t cseq = 0;
    std::string_view method;
};

[[nodiscard]] std::uint32_t cut_number(std::string_view& rest) {
    std::uint32_t number = 0;
    const auto* const end = rest.data() + rest.size();
    const auto [at, failed] = std::from_chars(rest.data(), end, number);
    if (failed != std::errc{} || at == end || (*at != ' ' && *at != '\t')) {
        rest = {};
        return 0;
    }
    rest = trimmed({at, static_cast<std::size_t>(end - at)});
    return number;
}

[[nodiscard]] acknowledged_response read_rack(std::string_view value) {
    acknowledged_response read;
    value = trimmed(value);
    read.rseq = cut_number(value);
    read.cseq = cut_number(value);
    read.method = value;
    return read;
}

/// Section 7.1; 0 when it is not one.
[[nodiscard]] std::uint32_t read_rseq(std::string_view value) {
    std::uint32_t number = 0;
    const auto* const end = value.data() + value.size();
    const auto [at, failed] = std::from_chars(value.data(), end, number);
    return failed == std::errc{} && at == end ? number : 0;
}

} // namespace

/// As the trunk wants it and the INVITE allows it (section 3).
bool leg::answers_reliably() const {
    const auto& invite = **request_;
    switch (settings_->provisionals) {
    case reliability::off: return false;
    case reliability::supported: return invite.lists(sip::header::require, "100rel");
    case reliability::required:
        return invite.lists(sip::header::require, "100rel") ||
               invite.lists(sip::header::supported, "100rel");
    }
    return false;
}

/// Section 3: the next reliable response waits until the one before was acknowledged.
void leg::respond_provisionally(int status, std::string_view body, time_point now, outbox& out) {
    if (!last_provisional_.empty()) {
        next_provisional_ = std::max(next_provisional_, status);
        return;
    }
    respond(status, sip::reason_phrase(status), {}, body, now, out);
}

void leg::write_reliable(sip::writer& to) {
    // Section 3: it begins somewhere below 2**31, so that it never wraps.
    rseq_ =
        rseq_ == 0 ? 1 + static_cast<std::uint32_t>(around_.random.below(0x7fff'0000)) : rseq_ + 1;
    to.field(sip::header::require, "100rel").field(sip::header::rseq, rseq_);
}

void leg::keep_provisional(std::span<const std::byte> bytes, time_point now) {
    last_provisional_.assign(bytes.begin(), bytes.end());
    repeat_interval_ = around_.timers.t1;
    repeat_until_ = now + 64 * around_.timers.t1;
    around_.wheel.arm(repeat_timer_, now + repeat_interval_);
}

void leg::repeat_provisional(time_point now, outbox& out) {
    if (last_provisional_.empty()) {
        if (said_provisionally_ == 183) return send_progress(now, out); // With its answer.
        return respond_provisionally(said_provisionally_, {}, now, out);
    }
    if (now >= repeat_until_) {
        out.note(severity::warning, diagnostic::prack_missing, told_);
        return reject(504, sip::reason_phrase(504), {},
                      {.by = ended_by::timeout,
                       .sip_code = 504,
                       .reason = "no PRACK for our provisional response",
                       .failure = call_failure::unacknowledged},
                      now, out);
    }
    const auto room = out.reserve(path_.flow, last_provisional_.size(), owner_);
    std::ranges::copy(last_provisional_, room.begin());
    static_cast<void>(out.commit(last_provisional_.size()));
    repeat_interval_ *= 2; // Section 3: unlike a 2xx, without a most.
    around_.wheel.arm(repeat_timer_, std::min(now + repeat_interval_, repeat_until_));
}

void leg::stop_repeating() noexcept {
    last_provisional_.clear();
    next_provisional_ = 0;
    around_.wheel.disarm(repeat_timer_);
}

/// RFC 3261 section 13.3.1.1: proxies on the way give up on whoever is silent for three minutes.
void leg::remind_of_ringing(time_point now) {
    around_.wheel.arm(repeat_timer_, now + std::chrono::minutes{1});
}

void leg::prack_received(const sip::message_view& request, sip::transaction_id id, flow_id flow,
                         const endpoint& source, time_point now, outbox& out) {
    const auto answer = [&](int status, std::string_view body, std::string_view fields = {}) {
        reply(request, id, flow, source, status, fields, body, now, out);
    };
    const auto which = read_rack(request.value(sip::header::rack));
    const bool ours = phase_ == phase::incoming && !last_provisional_.empty() &&
                      which.rseq == rseq_ && which.cseq == (*request_)->cseq().number &&
                      which.method == "INVITE";
    if (!ours) return answer(481, {});
    tell_parts(request, told_, out);
    const auto described = session_of(request).sdp;
    const int next = next_provisional_;
    prove(now);
    stop_repeating();
    remind_of_ringing(now);
    if (negotiation_.current_state() == sdp::negotiation::state::offered) {
        const auto agreed = receive_answer(described);
        if (agreed)
            agree(*agreed, now);
        else
            negotiation_.abandon();
        described_reliably_ = agreed.has_value();
        answer(200, {});
        if (misdirected_ != target_fault::none) {
            const ending how{.sip_code = 488,
                             .reason = std::string{words(misdirected_)},
                             .failure = call_failure::unusable_answer};
            return reject(488, sip::reason_phrase(488), {}, how, now, out);
        }
    } else if (!described.empty()) {
        // Section 5: once the first offer has its answer, PRACK may bring another offer.
        std::array<char, 2048> body{};
        negotiation_.set_local(local_media());
        const auto offered = receive_offer(described);
        const auto size =
            offered ? negotiation_.write_answer(body) : result<std::size_t>{offered.reason()};
        if (size)
            answer(200, {body.data(), *size});
        else
            answer(488, {}, warning_field(size.reason()));
        if (const auto agreed = negotiation_.current(); size && agreed) agree(*agreed, now);
    } else {
        answer(200, {});
    }
    if (wish_ == wish::answer && (media_state_ == media_state::open || !with_media_)) {
        wish_ = wish::none;
        return send_answer(now, out);
    }
    if (next == 183) return send_progress(now, out);
    if (next != 0) respond_provisionally(next, {}, now, out);
}

/// False when it is a repetition, or came before its turn: then nobody is told of it (section 4).
bool leg::take_reliable(const sip::message_view& response, time_point now, outbox& out) {
    auto* from = early_dialog(response);
    if (!response.lists(sip::header::require, "100rel")) return true;
    const auto number = read_rseq(response.value(sip::header::rseq));
    if (from == nullptr || number == 0) return true; // Not reliable, whatever it says.
    if (from->rseq != 0 && number != from->rseq + 1) return false;
    asking what{.what = sip::method::prack, .tag = std::string{response.to().tag()}};
    what.fields = "RAck: " + std::to_string(number) + ' ' + std::to_string(response.cseq().number) +
                  " INVITE\r\n";
    if (ask(std::move(what), now, out) != 0) from->rseq = number;
    return true;
}

} // namespace trunkline::calls
