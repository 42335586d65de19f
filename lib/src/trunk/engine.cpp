#include <trunkline/trunk/engine.hpp>

#include <algorithm>
#include <utility>
#include <variant>

#include <trunkline/core/text.hpp>

namespace trunkline::trunks {

engine::entry::entry(engine& of, time_point at, outbox& into) noexcept
    : engine_{of},
      outer_{std::exchange(of.active_, this)},
      now{at},
      out{into} {}

engine::entry::~entry() {
    engine_.active_ = outer_;
}

engine::engine(engine_config config, entropy& random)
    : config_{std::move(config)},
      random_{random},
      transactions_{config_.timers, wheel_, random, config_.shard},
      around_{transactions_, wheel_, random, config_.timers, notices_, config_.wall_clock_offset},
      digest_{config_.digest_key},
      admission_{random},
      passwords_{random},
      names_{wheel_, random},
      peer_names_{wheel_, random},
      directory_{std::make_shared<const directory>()},
      message_{std::make_unique<sip::message_view>()} {
    waiting_timer_.kind = waiting_timer;
    around_.own_services = config_.own_services;
    transactions_.set_flow_rules(
        {.same_host = [this](flow_id known, flow_id other) { return same_host(known, other); },
         .answers = [this](flow_id known, flow_id other) { return may_answer(known, other); }});
}

engine::~engine() {
    calls_.each([this](live_call& gone) {
        wheel_.disarm(gone.ring_timer);
        wheel_.disarm(gone.attempt_timer);
        give_back_channel(gone);
        if (!gone.token.empty()) gone.trunk->channels->give_back_for(gone.token);
    });
    wheel_.disarm(waiting_timer_);
    for (auto& each : flows_) {
        if (each.stream) wheel_.disarm(each.stream->timer);
    }
}

std::optional<time_point> engine::next_deadline() const {
    return wheel_.next_deadline();
}

void engine::receive(const input& what, time_point now, outbox& out) {
    const entry here{*this, now, out};
    if (const auto* media = std::get_if<inputs::media_packet>(&what)) {
        if (auto* held = legs_.find(slot_id::of(media->owner))) {
            held->machine.receive_media(*media, now, out);
        }
        return;
    }
    if (const auto* packet = std::get_if<inputs::packet>(&what)) {
        receive_packet(*packet, now, out);
    } else if (const auto* up = std::get_if<inputs::flow_up>(&what)) {
        flow_up(*up, now, out);
    } else if (const auto* down = std::get_if<inputs::flow_down>(&what)) {
        if (!forgotten(*down)) flow_down(*down, now, out);
        move_legs(down->flow, now, out);
        close_stream(down->flow);
    } else if (const auto* failed = std::get_if<inputs::send_failed>(&what)) {
        const auto* of = legs_.find(slot_id::of(failed->owner));
        out.note(severity::warning, diagnostic::transport_failed,
                 of ? of->call.owner() : owner_id::none, {static_cast<std::int64_t>(failed->why)});
        flow_down({failed->flow, failed->why}, now, out);
    } else if (const auto* answer = std::get_if<inputs::resolved>(&what)) {
        if (names_.receive(*answer, now, out))
            names_settled(now, out);
        else if (peer_names_.receive(*answer, now, out))
            take_held(now, out);
    } else if (const auto* opened = std::get_if<inputs::media_opened>(&what)) {
        auto* held = legs_.find(slot_id::of(owner_id{static_cast<std::uint64_t>(opened->asked)}));
        if (held)
            held->machine.media_opened(*opened, now, out);
        else
            out.close_media(opened->media);
    } else if (const auto* refused = std::get_if<inputs::media_failed>(&what)) {
        auto* held = legs_.find(slot_id::of(owner_id{static_cast<std::uint64_t>(refused->asked)}));
        if (held) held->machine.media_failed(*refused, now, out);
    }
    settle(now, out);
}

void engine::receive_packet(const inputs::packet& packet, time_point now, outbox& out) {
    const auto* from = info_of(packet.flow);
    if (from == nullptr) return;
    if (from->transport != transport::udp) {
        auto* stream = flows_[packet.flow.slot].stream.get();
        if (stream != nullptr) receive_stream(*stream, packet.bytes, now, out);
        return;
    }
    receive_message({reinterpret_cast<char*>(packet.bytes.data()), packet.bytes.size()},
                    packet.flow, *from, now, out);
}

void engine::receive_message(std::span<char> text, flow_id flow, const flow_info& from,
                             time_point now, outbox& out) {
    // Section 18.1.1 and RFC 5626: a line break is a keep-alive, and a datagram of it says nothing.
    const auto parsed = message_->parse(text, from.transport != transport::udp);
    if (!parsed) {
        if (message_->answerable()) return malformed(parsed.reason(), flow, from, now, out);
        const bool begins = message_->method() != sip::method::other || !message_->is_request();
        if (begins && trunk_of(from)) return note_malformed(0, parsed.reason(), out);
        return out.note(severity::trace, diagnostic::datagram_noise, owner_id::none,
                        {static_cast<std::int64_t>(text.size())});
    }
    if (const auto ignored = message_->ignored()) note_ignored(*ignored, from, now, out);
    if (!message_->is_request()) return receive_response(flow, now, out);
    receive_request({text.data(), message_->size()}, flow, from, now, out);
}

void engine::receive_response(flow_id flow, time_point now, outbox& out) {
    const auto got = transactions_.receive(*message_, flow, now, out);
    if (got.what == sip::transaction_layer::fate::unmatched) {
        return out.note(severity::trace, diagnostic::response_unmatched, owner_id::none,
                        {message_->status()});
    }
    if (got.what != sip::transaction_layer::fate::response) return;
    if (auto* held = legs_.find(slot_id::of(got.owner))) {
        const auto* from = info_of(flow);
        if (from != nullptr && message_->cseq().method == "INVITE" && !held->machine.answered()) {
            held->peers.answered_from(from->peer.address);
        }
        held->machine.receive_response(*message_, got.id, now, out);
    } else if (auto* with = registration_of(got.owner)) {
        with->receive_response(*message_, got.id, now, out);
        registration_moved(*with, now, out);
    } else if (message_->cseq().method == "INVITE" && message_->status() / 100 == 2) {
        // A fork that answers when the call is over.
        const auto* info = info_of(flow);
        if (info == nullptr) return;
        around_.other_forks.leave(*message_, {flow, info->transport, message_->top_via().sent_by},
                                  transactions_, random_, now, out);
    }
}

void engine::transaction_over(const sip::transaction_layer::ended& what, time_point now,
                              outbox& out) {
    if (what.what == sip::transaction_layer::ended::why::nothing) return;
    if (auto* held = legs_.find(slot_id::of(what.owner))) {
        held->machine.transaction_ended(what, now, out);
    } else if (auto* with = registration_of(what.owner)) {
        with->transaction_ended(what, now, out);
        registration_moved(*with, now, out);
    }
}

void engine::tick(time_point now, outbox& out) {
    const entry here{*this, now, out};
    wheel_.advance(now, [&](timer_node& node) { fire(node, now, out); });
    settle(now, out);
}

void engine::fire(timer_node& node, time_point now, outbox& out) {
    switch (node.kind) {
    case sip::transaction_layer::timer_kind:
        return transaction_over(transactions_.fire(node, now, out), now, out);
    case gateway_names::timer_kind:
        names_.fire(now, out);
        peer_names_.fire(now, out);
        take_held(now, out);
        return names_settled(now, out); // A lookup may have taken too long.
    case registration::timer_kind: {
        auto& with = *static_cast<registration*>(node.owner);
        with.fire(now, out);
        return registration_moved(with, now, out);
    }
    case ring_timer: {
        auto& of = *static_cast<live_call*>(node.owner);
        if (auto* leg = leg_of(of)) {
            if (of.record.direction == direction::inbound) {
                leg->reject(480, sip::reason_phrase(480), {},
                            {.by = ended_by::timeout,
                             .sip_code = 480,
                             .reason = "nobody decided about the call",
                             .failure = call_failure::not_answered},
                            now, out);
            } else {
                leg->hang_up(ended_by::timeout, 408, "no answer", now, out,
                             call_failure::not_answered);
            }
        } else {
            end_call(of,
                     {.by = ended_by::timeout,
                      .reason = "no gateway was reached in time",
                      .failure = call_failure::gateway_silent},
                     now, out);
        }
        return;
    }
    case stream_timer: return stream_due(*static_cast<stream*>(node.owner), now, out);
    case waiting_timer: return waited_long_enough(now, out);
    case attempt_timer: {
        auto& of = *static_cast<live_call*>(node.owner);
        auto* leg = leg_of(of);
        // Any provisional response means that somebody is there: ringing_timeout goes on.
        if (leg != nullptr && leg->provisional_seen()) return;
        const calls::ending how{.by = ended_by::timeout,
                                .sip_code = 408,
                                .reason = "no answer from the gateway",
                                .failure = call_failure::gateway_silent};
        if (leg != nullptr) {
            // Detached first, so that its end is not taken for the call's.
            of.leg.reset();
            leg->hang_up(ended_by::timeout, 408, how.reason, now, out);
        }
        return attempt_failed(of, how, now, out);
    }
    case turn_timer: return next_attempt(*static_cast<live_call*>(node.owner), now, out);
    default: break;
    }
    auto& leg = *static_cast<calls::leg*>(node.owner);
    leg.fire(static_cast<calls::leg::timer>(node.kind), now, out);
}

/// What legs told in this entry is acted on when none of them is on the stack any more.
void engine::settle(time_point now, outbox& out) {
    while (!notices_.empty()) {
        taken_.clear();
        taken_.swap(notices_);
        for (auto& one : taken_) take_notice(one, now, out);
    }
}

void engine::take_notice(calls::notice& what, time_point now, outbox& out) {
    using kind = calls::notice::what;
    auto* held = legs_.find(slot_id::of(what.owner));
    if (held == nullptr) return;
    auto* of = calls_.find(held->call);
    const bool current = of != nullptr && of->leg && *of->leg == slot_id::of(what.owner);
    if (what.kind == kind::unproved) {
        held->counts_as_unproved = held->trunk->unproved->take();
        if (held->counts_as_unproved) return;
        out.note(severity::warning, diagnostic::media_unproved, what.owner);
        return held->machine.permit_media(false, now);
    }
    if (what.kind == kind::proved) return leave_ledger(*held);
    if (what.kind == kind::finished) {
        leave(held->on, now, out);
        leave_ledger(*held);
        return legs_.erase(slot_id::of(what.owner));
    }
    if (what.kind == kind::reroute) {
        const auto* info = info_of(held->machine.path().flow);
        return connect({.call = held->call, .leg = slot_id::of(what.owner)},
                       {held->machine.path().over, info ? info->listener : listener_id{},
                        what.target, held->secure},
                       held->trunk->config.gateway_timeout, now, out);
    }
    if (what.kind == kind::large) return send_large(slot_id::of(what.owner), *held, now, out);
    if (!current || of->ended) return;
    const auto since = now - of->record.started;
    const auto tell = [&](calls::event code) {
        out.tell(of->id.owner(), static_cast<std::uint16_t>(code));
    };
    switch (what.kind) {
    case kind::ringing:
        if (!of->record.ringing) of->record.ringing = since;
        note_progress(*of, what.end.sip_code, since);
        return tell(calls::event::ringing);
    case kind::progress:
        note_progress(*of, what.end.sip_code, since);
        return out.tell(of->id.owner(), static_cast<std::uint16_t>(calls::event::progress), {},
                        {what.end.sip_code, 0});
    case kind::early_media:
        note_progress(*of, what.end.sip_code, since);
        of->early_media = true;
        return tell(calls::event::early_media);
    case kind::answered:
        of->record.answered = since;
        wheel_.disarm(of->ring_timer);
        wheel_.disarm(of->attempt_timer);
        out.note(severity::info, diagnostic::call_answered, of->id.owner());
        if (of->record.direction == direction::outbound) {
            of->record.attempts.push_back({.gateway = of->record.gateway,
                                           .sip_code = what.end.sip_code,
                                           .reason = "answered",
                                           .took = now - of->attempt_started});
        }
        return tell(calls::event::answered);
    case kind::refused:
        note_media(*of, held->machine);
        if (what.end.sip_code == 503 && what.retry_after) {
            let_rest(held->machine.path().peer, *what.retry_after, now);
        }
        of->leg.reset();
        return attempt_failed(*of, what.end, now, out);
    case kind::ended:
        note_media(*of, held->machine);
        of->leg.reset();
        if (of->record.direction == direction::outbound && !of->record.answered) {
            note_attempt(*of, what.end, now);
        }
        return end_call(*of, std::move(what.end), now, out);
    case kind::reroute:
    case kind::large:
    case kind::unproved:
    case kind::proved:
    case kind::finished: return;
    }
}

void engine::leave_ledger(held_leg& gone) {
    if (std::exchange(gone.counts_as_unproved, false)) gone.trunk->unproved->give_back();
}

void engine::give_back_channel(live_call& of) {
    if (!std::exchange(of.channel_taken, false)) return;
    if (of.acknowledged)
        of.trunk->channels->give_back();
    else
        of.trunk->channels->give_back_unacknowledged();
}

void engine::erase_call(live_call& gone) {
    wheel_.disarm(gone.ring_timer);
    wheel_.disarm(gone.attempt_timer);
    calls_.erase(gone.id);
}

calls::leg* engine::leg_of(const live_call& call) {
    if (!call.leg) return nullptr;
    auto* held = legs_.find(*call.leg);
    return held ? &held->machine : nullptr;
}

calls::leg* engine::commanded(const live_call& call) {
    auto* leg = leg_of(call);
    return leg != nullptr && !leg->over() ? leg : nullptr;
}

live_call& engine::make_call(std::shared_ptr<const trunk> on, direction which, time_point now) {
    const auto id = calls_.next();
    auto& made = calls_.emplace();
    made.id = id;
    made.trunk = std::move(on);
    made.facade.engine_ = this;
    made.facade.self_ = &made;
    made.record.id = static_cast<std::uint64_t>(config_.shard) << 56U |
                     (static_cast<std::uint64_t>(id.generation) & 0xff'ffffU) << 32U | id.slot;
    made.record.direction = which;
    made.record.started = now;
    if (made.trunk) made.record.trunk = made.trunk->config.name;
    made.ring_timer.owner = made.attempt_timer.owner = &made;
    return made;
}

void engine::arm(timer_node& node, timer kind, live_call& of, time_point when) {
    node.owner = &of;
    node.kind = kind;
    wheel_.arm(node, when);
}

void engine::set_directory(std::shared_ptr<const directory> trunks, time_point now, outbox& out) {
    const entry here{*this, now, out};
    directory_ = std::move(trunks);
    std::vector<gateway_name> names;
    for (const auto& one : *directory_) {
        for (const auto& gateway : one->gateways) names.push_back(gateway_name::of(gateway));
    }
    names_.keep(names, now, out);
    keep_registrations(now, out);
}

void engine::run(const std::function<void(engine&)>& task, time_point now, outbox& out) {
    const entry here{*this, now, out};
    task(*this);
    settle(now, out);
}

} // namespace trunkline::trunks
