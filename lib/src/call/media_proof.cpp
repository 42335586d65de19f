// What media may be sent to a peer: where SDP may lead it, and how long before the peer has shown
// that it reads what we send. A forged INVITE would else make us send to anybody.
#include <trunkline/call/leg.hpp>

#include <array>

namespace trunkline::calls {

namespace {

constexpr duration unquestioned = std::chrono::seconds{2};

} // namespace

void leg::watch_proof(time_point now) {
    if (proved_ || unproved_told_ || proof_timer_.armed()) return;
    around_.wheel.arm(proof_timer_, now + unquestioned);
}

void leg::prove(time_point now) {
    if (proved_) return;
    proved_ = true;
    around_.wheel.disarm(proof_timer_);
    if (!unproved_told_) return;
    permit_media(true, now);
    tell(notice::what::proved);
}

void leg::permit_media(bool permitted, time_point now) {
    if (!media_ || told_end_) return;
    media_->permit_sending(permitted, now);
    rearm_media();
}

error leg::misdirected(const sdp::agreed& what) const noexcept {
    if (what.disabled) return {};
    const std::array ours{path_.media_at, path_.media_advertised};
    for (const auto& target : {what.rtp, what.rtcp}) {
        const auto fault = fault_of(target, path_.peer.address, around_.own_services, ours);
        if (fault == target_fault::none) continue;
        return {.code = errc::bad_address, .detail = static_cast<std::uint16_t>(fault)};
    }
    return {};
}

/// An offer that would send media where none may go is refused as a whole.
result<sdp::agreed> leg::receive_offer(std::string_view body) {
    auto offered = negotiation_.receive_offer(body);
    if (!offered) return offered;
    const auto why = misdirected(*offered);
    if (why == error{}) return offered;
    negotiation_.abandon();
    return why;
}

/// An answer like that cannot be refused any more: it ends the call where it ends the negotiation.
result<sdp::agreed> leg::receive_answer(std::string_view body) {
    auto answered = negotiation_.receive_answer(body);
    if (!answered) return answered;
    const auto why = misdirected(*answered);
    misdirected_ = static_cast<target_fault>(why.detail);
    if (why == error{}) return answered;
    return why;
}

void leg::end_misdirected(time_point now, outbox& out) {
    end({.sip_code = 488,
         .reason = std::string{words(misdirected_)},
         .failure = call_failure::unusable_answer},
        now, out);
    send_bye(now, out);
}

} // namespace trunkline::calls
