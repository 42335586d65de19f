// Callbacks: what the engine tells applications and agents, when every send was flushed.
#include <algorithm>
#include <span>
#include <utility>

#include <trunkline/core/text.hpp>
#include <trunkline/trunk/engine.hpp>

namespace trunkline::trunks {

/// Whatever an application throws stays here: other calls of the shard have no part in it.
void engine::deliver(const effects::note& what) {
    if (!config_.on_note) return;
    // Below, a call is known by its slot; outside, by the id of its record.
    auto told = what;
    if (const auto* of = calls_.find(slot_id::of(what.owner))) told.owner = owner_id{of->record.id};
    try {
        config_.on_note(told);
    } catch (...) { // Nobody is left to tell: a note about it would come here again.
    }
}

void engine::deliver(const effects::event& what, time_point now, outbox& out) {
    const entry here{*this, now, out};
    if (what.code == record_event) {
        const auto record = std::move(records_.front());
        records_.pop_front();
        tell_record(record, what.owner);
    } else if (what.code == login_event) {
        const auto refused = std::move(logins_.front());
        logins_.pop_front();
        tell_login(refused);
    } else if (what.code == registration::event_code) {
        tell_registration();
    } else if (auto* to = calls_.find(slot_id::of(what.owner))) {
        deliver_to(*to, what);
    }
    settle(now, out);
}

void engine::tell_record(const call_record& record, owner_id owner) {
    if (!config_.on_record) return;
    try {
        config_.on_record(record);
    } catch (...) {
        active_->out.note(severity::failure, diagnostic::agent_failed, owner);
    }
}

void engine::tell_login(const login_refusal& refused) {
    if (!config_.on_login_refused) return;
    try {
        config_.on_login_refused(refused);
    } catch (...) {
        active_->out.note(severity::failure, diagnostic::agent_failed, owner_id::none);
    }
}

/// An agent that throws loses its call, and nothing else.
template <class Callback>
void engine::guarded(live_call& of, Callback callback) {
    const auto id = of.id;
    try {
        callback();
        return;
    } catch (...) { // What it is does not matter: the agent has lost its call.
    }
    active_->out.note(severity::failure, diagnostic::agent_failed, id.owner());
    auto* failed = calls_.find(id);
    if (failed == nullptr || failed->ended) return;
    hang_up(*failed, ended_by::agent, 500, "the agent failed");
}

void engine::with_call(std::uint64_t id, const std::function<void(call&)>& what,
                       const std::function<void()>& gone) {
    auto* found = calls_.at(static_cast<std::uint32_t>(id));
    if (found != nullptr && found->record.id == id && !found->ended) {
        return guarded(*found, [&] { what(found->facade); });
    }
    if (!gone) return;
    try {
        gone();
    } catch (...) {
        active_->out.note(severity::failure, diagnostic::agent_failed, owner_id{id});
    }
}

void engine::deliver_to(live_call& to, const effects::event& what) {
    const auto code = static_cast<calls::event>(what.code);
    if (code == calls::event::ended) return deliver_end(to);
    if (code == calls::event::incoming) return deliver_incoming(to);
    if (code == calls::event::drained) {
        if (to.who) guarded(to, [&] { to.who->on_drained(to.facade); });
        auto* leg = to.hang_up_when_drained && !to.ended ? leg_of(to) : nullptr;
        if (leg && leg->media() && leg->media()->speech().empty()) to.facade.hang_up();
        return;
    }
    if (!to.who) return;
    auto& who = *to.who;
    auto& facade = to.facade;
    switch (code) {
    case calls::event::initiated: return guarded(to, [&] { who.on_initiated(facade); });
    case calls::event::ringing: return guarded(to, [&] { who.on_ringing(facade); });
    case calls::event::progress:
        return guarded(to, [&] { who.on_progress(facade, static_cast<int>(what.values[0])); });
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
    case calls::event::transfer: {
        const transfer_progress told{static_cast<transfer_state>(what.values[0]),
                                     static_cast<int>(what.values[1])};
        return guarded(to, [&] { who.on_transfer(facade, told); });
    }
    case calls::event::referred:
        return guarded(to, [&] { who.on_referred(facade, as_text(what.bytes)); });
    case calls::event::body_part: {
        const auto text = as_text(what.bytes);
        const auto line = std::min(text.find('\n'), text.size());
        return guarded(to, [&] {
            who.on_body_part(facade, text.substr(0, line),
                             text.substr(std::min(line + 1, text.size())));
        });
    }
    case calls::event::drained:
    case calls::event::incoming:
    case calls::event::utterance_played:
    case calls::event::ended: return;
    }
}

void engine::deliver_incoming(live_call& to) {
    // A CANCEL may have come in the same turn.
    if (to.ended) return;
    if (config_.on_incoming) return guarded(to, [&] { config_.on_incoming(to.facade); });
    auto* leg = leg_of(to);
    if (leg == nullptr) return;
    to.record.refused = diagnostic::refused_no_agent;
    active_->out.note(severity::warning, diagnostic::refused_no_agent, to.id.owner());
    leg->reject(404, sip::reason_phrase(404), {}, {.sip_code = 404, .reason = "no agent"},
                active_->now, active_->out);
}

void engine::deliver_mark(live_call& to, const effects::event& what) {
    const auto tag = static_cast<std::uint64_t>(what.values[0]);
    if (tag < to.first_mark || tag - to.first_mark >= to.marks.size()) return;
    const auto name = std::exchange(to.marks[static_cast<std::size_t>(tag - to.first_mark)], {});
    // Marks come in the order of their utterances, which may have been written in turn.
    while (!to.marks.empty() && !to.marks.front()) {
        to.marks.pop_front();
        ++to.first_mark;
    }
    if (!name) return;
    guarded(to, [&] { to.who->on_mark(to.facade, *name, what.values[1] == 1); });
}

/// The record first, then the agent: of what will never be sent, and of the end. Then there is
/// neither.
void engine::deliver_end(live_call& to) {
    tell_record(to.record, to.id.owner());
    while (to.who && !to.marks.empty()) {
        const auto name = std::move(to.marks.front());
        to.marks.pop_front();
        ++to.first_mark;
        if (name) guarded(to, [&] { to.who->on_mark(to.facade, *name, false); });
    }
    if (to.who) guarded(to, [&] { to.who->on_ended(to.facade, to.record); });
    // The agent's destructor may still name its call.
    const auto who = std::move(to.who);
    erase_call(to);
}

} // namespace trunkline::trunks
