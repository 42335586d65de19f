// Flows: the paths that legs take, what we are called on them, and what becomes of legs when they
// go.
#include <algorithm>
#include <string>
#include <utility>

#include <trunkline/trunk/engine.hpp>

namespace trunkline::trunks {

const flow_info* engine::info_of(flow_id flow) const {
    if (flow.slot >= flows_.size() || flows_[flow.slot].generation != flow.generation) {
        return nullptr;
    }
    return &flows_[flow.slot].info;
}

/// What we are called by whoever is at the far end of a flow: the trunk's own words, the
/// listener's, or the address that packets to it really leave from.
calls::signalling_path engine::path_of(flow_id flow, const trunk& on) const {
    calls::signalling_path path;
    const auto* info = info_of(flow);
    if (info == nullptr) return path;
    path.flow = flow;
    path.over = info->transport;
    path.peer = info->peer;
    // The peer of an open connection has shown who it is when that began.
    path.trusted = std::ranges::any_of(on.gateways, [&](const gateway& one) {
        return names_.stands_for(gateway_name::of(one), info->peer.address);
    });
    const auto index = static_cast<std::size_t>(info->listener);
    const auto told = index < config_.listeners.size() ? config_.listeners[index] : advertised{};
    auto host = on.config.signalling.advertise;
    if (host.empty()) host = told.host;
    auto port = told.port != 0 ? told.port : info->local.port;
    // "203.0.113.7:5080" names a port of its own.
    if (const auto own = endpoint::parse(host)) {
        host = to_text(own->address);
        port = own->port;
    }
    if (host.empty()) host = to_text(info->local.address);
    const auto literal = address::parse(host);
    if (literal && !literal->is_v4() && !host.starts_with('[')) host = '[' + host + ']';
    path.sent_by = host + ':' + std::to_string(port);
    path.media_at = on.media_at.value_or(config_.media_at.value_or(info->local.address));
    auto advertise = on.media_advertise ? on.media_advertise : config_.media_advertise;
    if (!advertise && literal && !on.media_at && !config_.media_at) advertise = *literal;
    path.media_advertised =
        advertise.value_or(path.media_at.is_wildcard() ? info->local.address : path.media_at);
    return path;
}

/// The name that a certificate has to be for lives as long as the trunk does, and so do the rules.
tls_target engine::secure_for(const live_call& of) {
    const auto& on = *of.trunk;
    std::string_view name = on.config.tls.server_name;
    const bool gateway = name.empty() && !on.gateways.empty();
    if (gateway && of.candidates.empty()) name = on.gateways.front().host;
    if (gateway && !of.candidates.empty()) {
        const auto& host = of.candidates[of.next_candidate].name.host;
        const auto found = std::ranges::find(on.gateways, host, &trunkline::gateway::host);
        if (found != on.gateways.end()) name = found->host;
    }
    return {on.tls.profile, name};
}

bool engine::trunk_origins::expects_media(const address& source) const {
    return identifies(trunk->media_from, source) || identifies(trunk->allow_from, source) ||
           of->is_gateway_of(*trunk, source);
}

engine::held_leg& engine::make_leg(live_call& of, flow_id flow, outbox& out) {
    const auto id = legs_.next();
    const sip::identity who{config_.shard, id.slot, id.generation};
    auto& made = legs_.emplace(around_, who, id.owner(), of.record.direction, of.trunk->settings,
                               path_of(flow, *of.trunk), of.id.owner(), of.id);
    made.on = flow;
    made.trunk = of.trunk;
    made.origins.of = this;
    made.origins.trunk = of.trunk.get();
    made.machine.expect_media_of(made.origins);
    made.secure = secure_for(of);
    made.peers = {made.machine.path().peer.address, made.machine.path().over};
    join(flow, out);
    of.leg = id;
    of.record.source = to_text(made.machine.path().peer);
    return made;
}

void engine::flow_up(const inputs::flow_up& up, time_point now, outbox& out) {
    if (flows_.size() <= up.flow.slot) flows_.resize(up.flow.slot + 1);
    auto& known = flows_[up.flow.slot];
    if (known.generation != up.flow.generation) {
        if (known.stream) wheel_.disarm(known.stream->timer);
        known = {up.flow.generation, 0, {}, {}};
    }
    known.info = up.info;
    const auto asked = static_cast<std::uint64_t>(up.asked);
    if (up.info.transport != transport::udp) open_stream(up.flow, asked != 0, now, out);
    if (auto* with = registration_of(owner_id{asked})) {
        with->flow_up(path_of(up.flow, with->of()), now, out);
        return registration_moved(*with, now, out);
    }
    const auto waiting = std::ranges::find(waiting_, asked, &waiting_flow::asked);
    if (asked == 0 || waiting == waiting_.end()) return;
    const auto who = *waiting;
    waiting_.erase(waiting);
    if (waiting_timer_.armed()) arm_waiting();
    if (who.leg) {
        auto* held = legs_.find(*who.leg);
        if (!held) return;
        auto path = path_of(up.flow, *held->trunk);
        leave(std::exchange(held->on, up.flow), now, out);
        join(up.flow, out);
        held->machine.set_path(std::move(path), now, out);
    } else if (auto* of = calls_.find(who.call)) {
        attempt_flow(*of, up.flow, now, out);
    }
}

/// Forged senders make a driver forget flows as fast as they come. What waits for an answer on one
/// is a leg's, which moves with all that is under way, or a registration's, whose flow goes last
/// and whose answer may still come by another. A connection that goes takes answers with it.
bool engine::forgotten(const inputs::flow_down& what) const {
    const auto* info = info_of(what.flow);
    return what.why == cause::table_full && what.asked == token::none && info != nullptr &&
           (info->transport == transport::udp || flows_[what.flow.slot].legs == 0);
}

/// A connection that a peer began and that never came up: TLS came to nothing, most often. Of a
/// trunk's source it is a warning; strangers fill no log.
void engine::never_up(const inputs::flow_down& what, time_point now, outbox& out) {
    const bool known = knows(what.peer.address, now);
    std::string text{to_text(what.peer)};
    if (!what.words.empty()) text.append(": ").append(what.words);
    out.note(known ? severity::warning : severity::trace, diagnostic::connection_refused,
             owner_id::none, {static_cast<std::int64_t>(what.why)}, text);
}

void engine::flow_down(const inputs::flow_down& what, time_point now, outbox& out) {
    const auto asked = static_cast<std::uint64_t>(what.asked);
    const flow_id none{};
    if (asked == 0 && what.flow == none && what.peer.port != 0) return never_up(what, now, out);
    if (auto* with = registration_of(owner_id{asked})) {
        with->flow_down(calls::not_reached(what.why, what.words).reason, now, out);
        return registration_moved(*with, now, out);
    }
    const auto waiting = std::ranges::find(waiting_, asked, &waiting_flow::asked);
    if (asked != 0 && waiting != waiting_.end()) {
        const auto who = *waiting;
        waiting_.erase(waiting);
        if (waiting_timer_.armed()) arm_waiting();
        if (who.leg) {
            auto* moving = legs_.find(*who.leg);
            if (who.large && moving) stream_refused(moving->machine.path().peer, now);
            // Where the dialog moved to cannot be reached: what was known still may be.
            if (auto* held = legs_.find(*who.leg)) {
                held->machine.set_path(held->machine.path(), now, out);
            }
        } else if (auto* of = calls_.find(who.call)) {
            attempt_failed(*of, calls::not_reached(what.why, what.words), now, out);
        }
        return;
    }
    failed_.clear();
    transactions_.flow_failed(what.flow, now, failed_);
    for (auto& one : failed_) {
        one.down = what.why;
        one.words = what.words;
        transaction_over(one, now, out);
    }
}

void engine::join(flow_id flow, outbox& out) {
    if (info_of(flow) == nullptr) return;
    if (flows_[flow.slot].legs++ == 0) regard(flow, out);
}

void engine::leave(flow_id flow, time_point now, outbox& out) {
    if (info_of(flow) == nullptr) return;
    auto& left = flows_[flow.slot];
    --left.legs;
    if (left.stream) left.stream->spoke = now;
    if (left.legs == 0) regard(flow, out);
}

/// A driver forgets the flow that was idle for the longest when too many peers speak, and a call is
/// idle from its ACK to its BYE. Its peer is still where it was: it gets a flow anew. Most flows
/// that go were strangers' and cost nothing here.
void engine::move_legs(flow_id from, time_point now, outbox& out) {
    const auto* info = info_of(from);
    if (info == nullptr || flows_[from.slot].legs == 0) return;
    const auto* stream = flows_[from.slot].stream.get();
    // Who hangs up at once on whoever connects is not asked again as fast as he can.
    constexpr duration stood = std::chrono::seconds{1};
    if (stream != nullptr && stream->ours && now - stream->opened < stood) return;
    legs_.each([&](held_leg& each) {
        if (each.on != from) return;
        const bool theirs = stream != nullptr && !stream->ours;
        const auto to = theirs ? each.machine.way_back() : each.machine.path().peer;
        connect({.call = each.call, .leg = slot_id::of(each.machine.owner())},
                {info->transport, info->listener, to, each.secure},
                each.trunk->config.gateway_timeout, now, out);
    });
}

} // namespace trunkline::trunks
