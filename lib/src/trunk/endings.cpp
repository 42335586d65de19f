// How calls end, and what their records keep of it.
#include <array>
#include <bit>
#include <string>
#include <utility>

#include <trunkline/trunk/engine.hpp>

namespace trunkline::trunks {

void engine::note_media(live_call& of, const calls::leg& from) {
    const auto* media = from.media();
    if (media == nullptr) return;
    auto& record = of.record;
    record.media = media->statistics();
    // Before an answer there is a stream and no codec yet.
    if (media->agreed().rtp.port != 0) {
        record.codec = media->law() == codec::law::alaw ? "PCMA" : "PCMU";
    }
    if (record.media.first_received) {
        record.first_heard = *record.media.first_received - record.started;
    }
    if (record.media.first_sent) record.first_said = *record.media.first_sent - record.started;
}

/// The agent is told when everything before it was: the call goes with that event.
void engine::end_call(live_call& of, calls::ending how, time_point now, outbox& out) {
    if (std::exchange(of.ended, true)) return;
    wheel_.disarm(of.ring_timer);
    wheel_.disarm(of.attempt_timer);
    give_back_channel(of);
    if (!of.token.empty()) of.trunk->channels->give_back_for(std::exchange(of.token, {}));
    of.record.lasted = now - of.record.started;
    of.record.ended_by = how.by;
    // A status that neither side has sent is nobody's.
    of.record.sip_code = how.by_wire ? how.sip_code : 0;
    of.record.by_wire = how.by_wire;
    of.record.failure = how.failure;
    of.record.reason = std::move(how.reason);
    of.record.carrier_words = std::move(how.carrier_words);
    if (of.record.media.foreign > 0) {
        const auto steady = of.record.media.refused_source.value_or(endpoint{});
        const auto [high, low] = std::bit_cast<std::array<std::int64_t, 2>>(steady.address.bytes);
        out.note(severity::warning, diagnostic::rtp_foreign, of.id.owner(),
                 {static_cast<std::int64_t>(of.record.media.foreign), high, low, steady.port});
    }
    out.note(severity::info, diagnostic::call_ended, of.id.owner(),
             {of.record.sip_code, static_cast<std::int64_t>(of.record.ended_by)});
    out.tell(of.id.owner(), static_cast<std::uint16_t>(calls::event::ended));
}

void engine::hang_up(live_call& of, ended_by by, int code, std::string_view reason) {
    auto& [self, outer, now, out] = *active_;
    if (auto* leg = leg_of(of)) return leg->hang_up(by, code, reason, now, out);
    end_call(of,
             {.by = by,
              .sip_code = code,
              .reason = std::string{reason},
              .failure = by == ended_by::agent ? call_failure::agent_failed : call_failure::none},
             now, out);
}

void engine::hang_up_all(std::string_view reason, time_point now, outbox& out) {
    const entry here{*this, now, out};
    calls_.each([&](live_call& each) {
        if (each.ended) return;
        if (auto* leg = leg_of(each))
            leg->hang_up(ended_by::application, 0, reason, now, out);
        else
            end_call(each, {.by = ended_by::application, .reason = std::string{reason}}, now, out);
    });
    settle(now, out);
}

} // namespace trunkline::trunks
