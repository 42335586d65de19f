// Callbacks: what the engine tells applications and agents, when every send was flushed.
#include <exception>
#include <span>
#include <utility>

#include <trunkline/trunk/engine.hpp>

namespace trunkline::trunks {

void engine::deliver(const effects::note& what) {
    if (config_.on_note) config_.on_note(what);
}

void engine::deliver(const effects::event& what, time_point now, outbox& out) {
    const entry here{*this, now, out};
    if (what.code == record_event) {
        const auto record = std::move(records_.front());
        records_.pop_front();
        if (config_.on_record) config_.on_record(record);
    } else if (auto* to = calls_.find(slot_id::of(what.owner))) {
        deliver_to(*to, what);
    }
    settle(now, out);
}

/// An agent that throws loses its call, and nothing else.
template <class Callback>
void engine::guarded(live_call& of, Callback callback) {
    const auto id = of.id;
    try {
        callback();
        return;
    } catch (const std::exception&) {
    } catch (...) {
    }
    active_->out.note(severity::failure, diagnostic::agent_failed, id.owner());
    auto* failed = calls_.find(id);
    if (failed == nullptr || failed->ended) return;
    if (auto* leg = leg_of(*failed)) {
        leg->hang_up(ended_by::agent, 500, "the agent failed", active_->now, active_->out);
    }
}

void engine::deliver_to(live_call& to, const effects::event& what) {
    const auto code = static_cast<calls::event>(what.code);
    if (code == calls::event::ended) return deliver_end(to);
    if (code == calls::event::incoming) {
        // A CANCEL may have come in the same turn.
        if (to.ended) return;
        if (!config_.on_incoming) {
            if (auto* leg = leg_of(to)) {
                to.record.refused = diagnostic::refused_no_agent;
                leg->reject(404, sip::reason_phrase(404), {},
                            {ended_by::local_error, 404, "no agent", {}}, active_->now,
                            active_->out);
            }
            return;
        }
        return guarded(to, [&] { config_.on_incoming(to.facade); });
    }
    if (!to.who) return;
    auto& who = *to.who;
    auto& facade = to.facade;
    switch (code) {
    case calls::event::ringing: return guarded(to, [&] { who.on_ringing(facade); });
    case calls::event::early_media: return guarded(to, [&] { who.on_early_media(facade); });
    case calls::event::answered: return guarded(to, [&] { who.on_answered(facade); });
    case calls::event::audio: {
        const std::span<const std::int16_t> samples{
            reinterpret_cast<const std::int16_t*>(what.bytes.data()),
            what.bytes.size() / sizeof(std::int16_t)};
        const audio_frame frame{samples, static_cast<std::uint64_t>(what.values[0]),
                                static_cast<frame_kind>(what.values[1])};
        return guarded(to, [&] { who.on_audio(facade, frame); });
    }
    case calls::event::digit:
        return guarded(to, [&] { who.on_digit(facade, static_cast<char>(what.values[0])); });
    case calls::event::mark: return deliver_mark(to, what);
    case calls::event::drained:
        guarded(to, [&] { who.on_drained(facade); });
        if (to.hang_up_when_drained && !to.ended) {
            auto* leg = leg_of(to);
            if (leg && leg->media() && leg->media()->speech().empty()) facade.hang_up();
        }
        return;
    case calls::event::incoming:
    case calls::event::utterance_played:
    case calls::event::ended: return;
    }
}

void engine::deliver_mark(live_call& to, const effects::event& what) {
    const auto tag = static_cast<std::uint64_t>(what.values[0]);
    if (tag < to.first_mark || tag - to.first_mark >= to.marks.size()) return;
    const auto name = std::move(to.marks[static_cast<std::size_t>(tag - to.first_mark)]);
    // Marks come in the order of their utterances, which may have been written in turn.
    to.marks[static_cast<std::size_t>(tag - to.first_mark)].clear();
    while (!to.marks.empty() && to.marks.front().empty() && to.first_mark <= tag) {
        to.marks.pop_front();
        ++to.first_mark;
    }
    guarded(to, [&] { to.who->on_mark(to.facade, name, what.values[1] == 1); });
}

/// The record first, then the agent, and then there is neither.
void engine::deliver_end(live_call& to) {
    const auto id = to.id;
    if (config_.on_record) {
        try {
            config_.on_record(to.record);
        } catch (...) {
            active_->out.note(severity::failure, diagnostic::agent_failed, id.owner());
        }
    }
    if (to.who) guarded(to, [&] { to.who->on_ended(to.facade, to.record); });
    // The agent's destructor may still name its call.
    const auto who = std::move(to.who);
    erase_call(to);
}

} // namespace trunkline::trunks
