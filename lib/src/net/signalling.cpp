#include "signalling.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <variant>

#include <trunkline/core/text.hpp>
#include <trunkline/net/clock.hpp>

namespace trunkline::net {

using namespace std::chrono_literals;

namespace {

constexpr duration first_pause = 1ms;
constexpr duration longest_pause = 250ms;

// As long as a routing table may be wrong about where we are after an interface went.
constexpr duration route_kept = 5s;

// An error that came by ICMP waits in the socket and fails whichever call comes next: once for each
// error that waits, so a call is tried again some times before the failure is taken for its own.
constexpr int innocent_failures = 8;

} // namespace

signalling::signalling(machine_host& host, listeners_state& shared, const shard_config& config,
                       siphash_key key)
    : host_{host},
      shared_{shared},
      tap_{config.tap},
      index_{config.index},
      key_{key},
      flows_{key, config.max_flows},
      gates_(shared.opened.size()),
      queues_(shared.opened.size()) {}

std::error_code signalling::open(poller& in, std::uint64_t mark) {
    poller_ = &in;
    mark_ = mark;
    if (!reads_sockets()) return in.watch(shared_.to_shard[index_].fd(), mark);
    if (shared_.opened.empty()) return {};
    inbox_.emplace(messages_a_turn, 65'536, true); // No UDP payload is larger.
    for (std::size_t i = 0; i < shared_.opened.size(); ++i) {
        if (shared_.opened[i].transport != transport::udp) continue;
        if (const auto failed = in.watch(shared_.opened[i].socket.get(), mark + i)) return failed;
    }
    return {};
}

void signalling::ready(std::size_t index, std::uint32_t events) noexcept {
    if (!reads_sockets()) {
        handed_over_ = true;
        return;
    }
    gates_[index].readable = (events & EPOLLIN) != 0;
    gates_[index].has_errors = (events & EPOLLERR) != 0;
}

void signalling::receive(time_point at) {
    if (!reads_sockets()) {
        if (std::exchange(handed_over_, false)) receive_handed_over(at);
        return;
    }
    std::size_t used = 0;
    // Each turn begins with another listener, lest the first one be so busy that no other is heard.
    for (std::size_t i = 0; i < gates_.size(); ++i) {
        const auto index = (first_gate_ + i) % gates_.size();
        auto& gate = gates_[index];
        if (std::exchange(gate.has_errors, false)) take_errors(index);
        if (std::exchange(gate.readable, false)) receive_from(index, used, at);
    }
    if (!gates_.empty()) first_gate_ = (first_gate_ + 1) % gates_.size();
}

void signalling::receive_from(std::size_t index, std::size_t& used, time_point at) {
    const auto& listener = shared_.opened[index];
    int stopped_by = 0;
    std::size_t count = 0;
    for (int attempt = 0; attempt < innocent_failures && used < inbox_->slots(); ++attempt) {
        count = inbox_->receive(listener.socket.get(), used, inbox_->slots() - used, stopped_by);
        if (count > 0 || !about_a_peer(stopped_by)) break;
        take_errors(index);
    }
    host_.counted.received += count;
    for (const auto end = used + count; used < end; ++used) {
        const auto local = listener.wildcard ? inbox_->local(used).value_or(listener.local.address)
                                             : listener.local.address;
        sort(inbox_->bytes(used), static_cast<listener_id>(index), local, inbox_->peer(used), at);
    }
    if (stopped_by != 0 && !just_empty(stopped_by)) {
        back_off(index, at);
    } else {
        gates_[index].pause = {};
    }
}

/// Receiving failed: perhaps the interface is gone. Wait a little, each time longer, and when that
/// has not helped tell every flow.
void signalling::back_off(std::size_t index, time_point at) {
    auto& gate = gates_[index];
    ++host_.counted.receive_errors;
    gate.pause = std::clamp(gate.pause * 2, first_pause, longest_pause);
    if (gate.pause == longest_pause) {
        const auto listener = static_cast<listener_id>(index);
        tell_shards({.kind = handed::listener_failed, .listener = listener});
        listener_failed(listener);
    }
    gate.shut_until = at + gate.pause;
    poller_->forget(shared_.opened[index].socket.get());
}

void signalling::tick(time_point at) {
    for (std::size_t i = 0; i < gates_.size(); ++i) {
        auto& gate = gates_[i];
        if (!gate.shut_until || *gate.shut_until > at) continue;
        gate.shut_until.reset();
        if (poller_->watch(shared_.opened[i].socket.get(), mark_ + i)) back_off(i, at);
    }
}

std::optional<time_point> signalling::next_deadline() const noexcept {
    std::optional<time_point> next;
    for (const auto& gate : gates_) next = earliest(next, gate.shut_until);
    return next;
}

void signalling::take_errors(std::size_t index) {
    const auto listener = static_cast<listener_id>(index);
    const auto socket = shared_.opened[index].socket.get();
    for (std::size_t taken = 0; taken < messages_a_turn; ++taken) {
        const auto error = take_error(socket);
        if (!error) break;
        const auto why = cause_of(error->failed);
        tell_shards(
            {.kind = handed::peer_failed, .why = why, .listener = listener, .peer = error->peer});
        peer_failed(listener, error->peer, why);
    }
    // The last one also waits in the socket itself, for whichever call comes next.
    int ignored = 0;
    socklen_t size = sizeof ignored;
    static_cast<void>(::getsockopt(socket, SOL_SOCKET, SO_ERROR, &ignored, &size));
}

void signalling::tell_shards(const handover_record& what) {
    for (std::size_t i = 1; i < shared_.to_shard.size(); ++i) {
        if (!shared_.to_shard[i].push(what, {})) ++host_.counted.handover_dropped;
    }
}

void signalling::sort(std::span<std::byte> bytes, listener_id listener, const address& local,
                      const endpoint& peer, time_point at) {
    if (shared_.shards > 1 && shared_.owner_of) {
        const auto owner = shared_.owner_of(bytes);
        if (owner > 0 && owner < shared_.shards) {
            const handover_record what{.listener = listener, .local = local, .peer = peer};
            const bool pushed = shared_.to_shard[static_cast<std::size_t>(owner)].push(what, bytes);
            ++(pushed ? host_.counted.handed_over : host_.counted.handover_dropped);
            return;
        }
    }
    accept(bytes, listener, local, peer, at);
}

void signalling::receive_handed_over(time_point at) {
    auto& from = shared_.to_shard[index_];
    from.turn();
    for (std::size_t count = 0; count < messages_a_turn; ++count) {
        const auto next = from.next();
        if (!next) return;
        const auto& [what, datagram] = *next;
        switch (what.kind) {
        case handed::datagram:
            ++host_.counted.received;
            accept(datagram, what.listener, what.local, what.peer, at);
            break;
        case handed::peer_failed: peer_failed(what.listener, what.peer, what.why); break;
        case handed::listener_failed: listener_failed(what.listener); break;
        }
    }
    if (!from.done()) from.remind();
}

void signalling::accept(std::span<std::byte> bytes, listener_id listener, const address& local,
                        const endpoint& peer, time_point at) {
    auto* flow = flows_.find(listener, local, peer);
    if (flow == nullptr) {
        if (flows_.full()) {
            auto& idlest = flows_.idlest();
            const inputs::flow_down gone{idlest.id, cause::table_full};
            flows_.close(idlest);
            ++host_.counted.flows_evicted;
            host_.receive(gone, at);
        }
        flow = &open_flow(listener, local, peer);
        host_.receive(inputs::flow_up{flow->id, flow->info}, at);
    } else {
        flows_.touch(*flow);
    }
    if (tap_) tap_({at, false, flow->id, flow->info, owner_id::none, bytes});
    host_.receive(inputs::packet{flow->id, bytes}, at);
}

void signalling::peer_failed(listener_id listener, const endpoint& peer, cause why) {
    flows_.each_to(listener, peer, [&](flow_table::flow& found) {
        host_.answers.push_back(inputs::send_failed{found.id, owner_id::none, why});
    });
}

void signalling::listener_failed(listener_id listener) {
    flows_.each_of(listener, [&](flow_table::flow& found) { close(found, cause::broken); });
}

void signalling::close(flow_table::flow& gone, cause why) {
    host_.answers.push_back(inputs::flow_down{gone.id, why});
    flows_.close(gone);
}

flow_table::flow& signalling::open_flow(listener_id listener, const address& local,
                                        const endpoint& peer) {
    const auto port = shared_.opened[static_cast<std::size_t>(listener)].local.port;
    return flows_.open({transport::udp, listener, {local, port}, peer});
}

void signalling::send_all(const outbox& full) {
    const auto at = tap_ ? now() : time_point{};
    for (const auto& what : full) {
        const auto* wanted = std::get_if<effects::send>(&what);
        if (wanted == nullptr || wanted->flow.slot >= flows_.size()) continue;
        auto* flow = flows_.find(wanted->flow);
        if (flow == nullptr) {
            host_.answers.push_back(
                inputs::send_failed{wanted->flow, wanted->owner, cause::closed});
            continue;
        }
        flows_.touch(*flow);
        if (tap_) tap_({at, true, flow->id, flow->info, wanted->owner, wanted->bytes});
        queues_[static_cast<std::size_t>(flow->info.listener)].push_back({*wanted, &flow->info});
    }
    for (std::size_t i = 0; i < queues_.size(); ++i) send_queue(i);
}

void signalling::send_queue(std::size_t index) {
    auto& queue = queues_[index];
    const auto& listener = shared_.opened[index];
    int attempts = 0;
    for (std::size_t sent = 0; sent < queue.size();) {
        int failed = 0;
        const auto rest = std::span{queue}.subspan(sent);
        const auto count = send_batch(listener.socket.get(), listener.wildcard, rest, failed);
        sent += count;
        if (count > 0) attempts = 0;
        if (failed == 0) continue;
        if (just_empty(failed)) { // A full buffer loses packets as any router on the way would.
            host_.counted.sends_dropped += queue.size() - sent;
            break;
        }
        if (about_a_peer(failed) && failed != EMSGSIZE && ++attempts < innocent_failures) continue;
        attempts = 0;
        const auto& refused = queue[sent++].what;
        host_.answers.push_back(inputs::send_failed{refused.flow, refused.owner, cause_of(failed)});
    }
    queue.clear();
}

void signalling::act_on(const effects::connect& wanted, time_point at) {
    const auto fail = [&](cause why) {
        host_.answers.push_back(inputs::flow_down{{}, why, wanted.asked});
    };
    if (wanted.to.port == 0 || wanted.to.address.is_wildcard()) return fail(cause::connect_failed);
    const auto from = shared_.find(transport::udp, wanted.to, wanted.from);
    if (from == no_listener) return fail(cause::connect_failed);
    address local;
    if (!find_local(shared_.opened[static_cast<std::size_t>(from)], wanted.to, at, local)) {
        return fail(cause::unreachable);
    }
    auto* flow = flows_.find(from, local, wanted.to);
    if (flow == nullptr) {
        if (flows_.full()) {
            close(flows_.idlest(), cause::table_full);
            ++host_.counted.flows_evicted;
        }
        flow = &open_flow(from, local, wanted.to);
    }
    flows_.keep(*flow);
    host_.answers.push_back(inputs::flow_up{flow->id, flow->info, wanted.asked});
}

void signalling::act_on(const effects::close& wanted) {
    if (auto* found = flows_.find(wanted.flow)) close(*found, cause::closed);
}

bool signalling::find_local(const listeners_state::listener& from, const endpoint& to,
                            time_point at, address& into) {
    if (!from.wildcard) {
        into = from.local.address;
        return true;
    }
    const auto* text = reinterpret_cast<const char*>(to.address.bytes.data());
    auto& known = routes_[siphash(key_, {text, to.address.bytes.size()}) % routes_.size()];
    if (known.to != to.address || known.until <= at) {
        address found;
        if (routed_local(to, found)) return false;
        known = {to.address, found, at + route_kept};
    }
    into = known.from;
    return true;
}

} // namespace trunkline::net
