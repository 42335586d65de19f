// Connections: messages cut out of them, signs of life, and how long nobody may say nothing.
#include <algorithm>
#include <utility>

#include <trunkline/core/limits.hpp>
#include <trunkline/core/text.hpp>
#include <trunkline/trunk/engine.hpp>

namespace trunkline::trunks {

namespace {

constexpr std::string_view ping = "\r\n\r\n";
constexpr std::string_view pong = "\r\n";

// So long a gateway that refused a connection gets large requests by UDP at once.
constexpr duration refusal_kept = std::chrono::minutes{10};

/// Values of the note stream_dropped.
enum drop : std::int64_t { by_stranger = 1, half_message, unused, silent };

void say(std::string_view what, flow_id to, outbox& out) {
    std::ranges::copy(as_bytes(what), out.reserve(to, what.size()).begin());
    static_cast<void>(out.commit(what.size()));
}

} // namespace

bool engine::knows(const address& source, time_point now) const {
    return passwords_.has_shown(source, now) ||
           std::ranges::any_of(*directory_,
                               [&](const auto& one) { return known_to(*one, source); });
}

/// What its connection is worth to a driver that has no place left.
void engine::regard(flow_id flow, outbox& out) {
    const auto& of = flows_[flow.slot];
    if (!of.stream || of.stream->gone) return;
    const auto idle = of.stream->known ? flow_standing::known : flow_standing::stranger;
    out.regard(flow, of.legs > 0 ? flow_standing::in_use : idle);
}

void engine::open_stream(flow_id flow, bool ours, time_point now, outbox& out) {
    auto& of = flows_[flow.slot];
    if (of.stream) return;
    of.stream = std::make_unique<stream>();
    auto& made = *of.stream;
    made.flow = flow;
    made.ours = ours;
    made.known = ours || knows(of.info.peer.address, now);
    made.opened = made.heard = made.spoke = now;
    made.timer.owner = &made;
    made.timer.kind = stream_timer;
    wheel_.arm(made.timer, now + (made.known ? stream::ping_interval : stream::stranger_patience));
    if (made.known && !ours) regard(flow, out);
}

void engine::close_stream(flow_id flow) {
    if (info_of(flow) == nullptr || !flows_[flow.slot].stream) return;
    wheel_.disarm(flows_[flow.slot].stream->timer);
    flows_[flow.slot].stream.reset();
}

void engine::receive_stream(stream& from, std::span<std::byte> bytes, time_point now, outbox& out) {
    if (from.gone) return;
    const auto flow = from.flow;
    const auto& info = flows_[flow.slot].info;
    if (from.pinged && as_text(bytes) == pong) from.answers_pings = true;
    from.pinged.reset();
    from.heard = now;
    from.framer.feed(bytes);
    bool whole = false;
    for (;;) {
        const auto next = from.framer.next();
        if (next.kind == sip::framer::kind::need_more) break;
        if (next.kind == sip::framer::kind::broken) {
            // Section 18.3: where the next message begins is not known any more, and whoever sent
            // this one is told so.
            refuse_broken(next.bytes, flow, info, now, out);
            out.note(severity::warning, diagnostic::stream_broken, owner_id::none,
                     {static_cast<std::int64_t>(next.reason.code), next.reason.offset});
            from.gone = true;
            return out.close(flow);
        }
        whole = true;
        if (next.kind == sip::framer::kind::ping) {
            say(pong, flow, out);
            continue;
        }
        receive_message(next.bytes, flow, info, now, out);
        from.spoke = now;
        if (!from.known && knows(info.peer.address, now)) {
            from.known = true;
            regard(flow, out);
        }
    }
    // A line break that answered a ping may yet turn out to be half of one, and waits as such.
    const bool partial = from.framer.pending() >= ping.size();
    if (!from.known && from.framer.pending() > limits::stranger_stream) {
        return drop_stream(from, by_stranger, out);
    }
    // What comes byte by byte gets no more time by it.
    if (!partial) {
        from.partial_since.reset();
    } else if (whole || !from.partial_since) {
        from.partial_since = now;
        const auto due = now + stream::message_patience;
        if (due < from.timer.deadline()) wheel_.arm(from.timer, due);
    }
}

/// What is no message by its framing is none either where its header section alone could be read as
/// one.
void engine::refuse_broken(std::span<char> section, flow_id flow, const flow_info& from,
                           time_point now, outbox& out) {
    if (section.empty()) return;
    const auto parsed = message_->parse(section, true);
    if (!parsed && message_->answerable()) malformed(parsed.reason(), flow, from, now, out);
}

void engine::drop_stream(stream& gone, std::int64_t why, outbox& out) {
    gone.gone = true;
    out.note(severity::trace, diagnostic::stream_dropped, owner_id::none, {why});
    out.close(gone.flow);
}

void engine::stream_due(stream& of, time_point now, outbox& out) {
    const bool used = flows_[of.flow.slot].legs > 0;
    const auto is_due = [&](std::optional<time_point> since, duration patience) {
        return since && *since + patience <= now;
    };
    if (is_due(of.partial_since, stream::message_patience)) {
        return drop_stream(of, half_message, out);
    }
    if (!of.known && !used && is_due(of.opened, stream::stranger_patience)) {
        return drop_stream(of, by_stranger, out);
    }
    if (!used && is_due(of.spoke, stream::idle_patience) && !registered_by(of.flow, now)) {
        return drop_stream(of, unused, out);
    }
    if (is_due(of.pinged, stream::pong_patience)) {
        if (of.answers_pings) return drop_stream(of, silent, out);
        of.pinged.reset(); // It never did: perhaps it does not speak them.
        of.heard = now;
    }
    if (!of.pinged && is_due(of.heard, stream::ping_interval)) {
        say(ping, of.flow, out);
        of.pinged = now;
    }
    auto next = of.pinged ? *of.pinged + stream::pong_patience : of.heard + stream::ping_interval;
    if (of.partial_since) next = std::min(next, *of.partial_since + stream::message_patience);
    if (!of.known && !used) next = std::min(next, of.opened + stream::stranger_patience);
    wheel_.arm(of.timer, next);
}

bool engine::registered_by(flow_id flow, time_point now) {
    bool found = false;
    registrations_.each(
        [&](const registration& each) { found = found || each.goes_by(flow, now); });
    return found;
}

void engine::connect(waiting_flow who, const way& by, duration patience, time_point now,
                     outbox& out) {
    who.asked = next_token_++;
    who.until = now + patience;
    const auto asked = token{who.asked};
    waiting_.push_back(who);
    // Sending by UDP connects to nothing: it is answered at once.
    if (by.over != transport::udp) arm_waiting();
    out.connect(asked, by.over, by.from, by.to, by.secure);
}

void engine::arm_waiting() {
    std::optional<time_point> next;
    for (const auto& one : waiting_) next = earliest(next, one.until);
    if (next)
        wheel_.arm(waiting_timer_, *next);
    else
        wheel_.disarm(waiting_timer_);
}

/// Whoever asked goes on without the connection; when it comes up after all, it is there for the
/// next one.
void engine::waited_long_enough(time_point now, outbox& out) {
    std::vector<std::uint64_t> over;
    for (const auto& one : waiting_) {
        if (one.until && *one.until <= now) over.push_back(one.asked);
    }
    for (const auto asked : over) {
        flow_down({{}, cause::connect_failed, token{asked}, "no connection came up in time"}, now,
                  out);
    }
    arm_waiting();
}

/// Section 18.1.1: an INVITE too large for UDP tries a connection, and UDP again when there is
/// none soon.
void engine::send_large(slot_id which, held_leg& held, time_point now, outbox& out) {
    constexpr duration patience = std::chrono::seconds{1};
    connect({.call = held.call, .leg = which, .large = true},
            {.over = transport::tcp, .to = held.machine.path().peer}, patience, now, out);
}

bool engine::takes_streams(const endpoint& gateway, time_point now) const {
    const bool listens = std::ranges::any_of(
        config_.listeners, [](const auto& one) { return one.over == transport::tcp; });
    const auto refused = refused_streams_.find(gateway);
    return listens && (refused == refused_streams_.end() || refused->second <= now);
}

void engine::stream_refused(const endpoint& gateway, time_point now) {
    std::erase_if(refused_streams_, [now](const auto& one) { return one.second <= now; });
    refused_streams_[gateway] = now + refusal_kept;
}

} // namespace trunkline::trunks
