#include "streams.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>
#include <variant>

#include <trunkline/net/clock.hpp>

namespace trunkline::net {

using namespace std::chrono_literals;

namespace {

enum timer : std::uint16_t { gate_timer, connection_timer };

// What one turn reads, so that media never waits for more than this.
constexpr std::size_t reads_a_turn = 16;
constexpr int accepts_a_turn = 16;

// Without a free descriptor accepting fails at once and for a while: calls have to end first.
constexpr duration accept_pause = 250ms;

// Longer than any gateway is given; whoever asked may have less patience.
constexpr duration connect_patience = 10s;

// A few round trips and some arithmetic; whoever takes longer wants to hold a place.
constexpr duration handshake_patience = 10s;

// A peer that closed its half may wait for the answer to an INVITE: Timer B.
constexpr duration half_closed_for = 32s;
// What was written leaves within this, or the peer does not read.
constexpr duration closing_for = 2s;

// A queue that was this long once is not kept for a peer that reads again.
constexpr std::size_t kept_queue = 65'536;

/// Whoever has one address of an IPv6 subnet has them all.
[[nodiscard]] bool same_neighbourhood(const address& a, const address& b) noexcept {
    const auto length = a.is_v4() ? a.bytes.size() : a.bytes.size() / 2;
    return a.is_v4() == b.is_v4() &&
           std::equal(a.bytes.begin(), a.bytes.begin() + length, b.bytes.begin());
}

[[nodiscard]] cause failed_to_connect(int why) noexcept {
    return cause_of(why) == cause::unreachable && why != ECONNREFUSED ? cause::unreachable
                                                                      : cause::connect_failed;
}

} // namespace

streams::streams(machine_host& host, listeners_state& shared, const shard_config& config)
    : host_{host},
      shared_{shared},
      tap_{config.tap},
      profiles_{config.tls},
      accepts_{config.index == 0},
      first_slot_{static_cast<std::uint32_t>(config.max_flows)},
      most_{config.max_connections},
      most_of_one_{config.max_connections_of_one} {}

streams::~streams() {
    for (auto& each : connections_) wheel_.disarm(each.deadline);
    for (auto& each : gates_) wheel_.disarm(each->shut);
}

std::error_code streams::open(poller& in, std::uint64_t mark) {
    poller_ = &in;
    mark_ = mark;
    for (std::size_t i = 0; i < shared_.opened.size(); ++i) {
        auto& made = *gates_.emplace_back(std::make_unique<gate>());
        made.shut.kind = gate_timer;
        made.shut.owner = &made;
        if (!accepts_ || shared_.opened[i].transport == transport::udp) continue;
        if (const auto failed = in.watch(shared_.opened[i].socket.get(), mark + i)) return failed;
    }
    return {};
}

void streams::ready(std::uint32_t detail, std::uint32_t events) {
    if (detail < gates_.size()) {
        gates_[detail]->readable = true;
        return;
    }
    // By id: before it is its turn the slot may be another's.
    const auto index = detail - gates_.size();
    if (index < connections_.size()) ready_.push_back({connections_[index].id, events});
}

void streams::receive(time_point at) {
    free_.insert(free_.end(), released_.begin(), released_.end());
    released_.clear();
    for (std::size_t i = 0; i < gates_.size(); ++i) {
        if (std::exchange(gates_[i]->readable, false)) accept_from(i, at);
    }
    std::size_t used = 0;
    for (const auto& [id, events] : ready_) {
        auto* one = find(id);
        if (one == nullptr) continue;
        if (one->phase == phase::connecting) {
            come_up(*one, at);
        } else if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
            flush(*one);
        }
        one = find(id);
        if (one == nullptr || one->phase == phase::connecting) continue;
        // A peer that is gone altogether takes nothing any more, either.
        if (one->phase == phase::half_closed && (events & (EPOLLERR | EPOLLHUP)) != 0) {
            release(*one);
        } else if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) {
            read(*one, used, at);
        }
    }
    ready_.clear();
}

void streams::accept_from(std::size_t index, time_point at) {
    const auto& listener = shared_.opened[index];
    for (int count = 0; count < accepts_a_turn; ++count) {
        int failed = 0;
        auto taken = accept_stream(listener.socket.get(), failed);
        if (!taken) {
            if (!out_of_descriptors(failed)) return;
            poller_->forget(listener.socket.get());
            return wheel_.arm(gates_[index]->shut, at + accept_pause);
        }
        std::shared_ptr<const tls_context> context;
        const bool secure = listener.transport == transport::tls;
        if (secure && profiles_) context = profiles_->server();
        const bool wanted = (!secure || context) && !too_many_from(taken->peer.address);
        auto* made = wanted ? open_slot(at) : nullptr;
        if (made == nullptr) {
            ++host_.counted.connections_refused;
            continue;
        }
        ++host_.counted.connections_accepted;
        made->info = {listener.transport, static_cast<listener_id>(index),
                      local_of(taken->socket.get()), taken->peer};
        made->socket = std::move(taken->socket);
        made->ours = false;
        made->context = std::move(context);
        come_up(*made, at);
    }
}

/// A stranger has to be turned away before his connections are more than a carrier needs.
bool streams::too_many_from(const address& peer) const noexcept {
    const auto theirs = std::ranges::count_if(connections_, [&](const connection& one) {
        return one.phase != phase::none && !one.ours &&
               same_neighbourhood(one.info.peer.address, peer);
    });
    return static_cast<std::size_t>(theirs) >= most_of_one_;
}

/// When all are taken, the one that somebody opened to us and that was silent for the longest has
/// to go: those that we asked for lead to gateways.
streams::connection* streams::open_slot(time_point at) {
    if (alive_ == most_) {
        connection* idlest = nullptr;
        for (auto& one : connections_) {
            if (one.phase == phase::none || one.ours) continue;
            if (idlest == nullptr || one.heard < idlest->heard) idlest = &one;
        }
        if (idlest == nullptr) return nullptr;
        ++host_.counted.flows_evicted;
        fail(*idlest, cause::table_full);
    }
    if (free_.empty()) {
        auto& fresh = connections_.emplace_back();
        const auto index = static_cast<std::uint32_t>(connections_.size() - 1);
        fresh.id = {first_slot_ + index, 1};
        fresh.deadline.owner = &fresh;
        fresh.deadline.kind = connection_timer;
        free_.push_back(index);
    }
    auto& made = connections_[free_.back()];
    free_.pop_back();
    ++alive_;
    made.phase = phase::connecting;
    made.heard = at;
    return &made;
}

/// An accepted connection stands; of one of ours it is now known whether it does.
void streams::come_up(connection& made, time_point at) {
    if (made.ours) {
        if (const int failed = connect_result(made.socket.get()); failed != 0) {
            return fail(made, failed_to_connect(failed));
        }
        if (made.info.listener == no_listener) {
            made.info.local = local_of(made.socket.get());
        } else {
            made.info.local.address = local_of(made.socket.get()).address;
        }
    }
    wheel_.disarm(made.deadline);
    if (!made.context) return secured(made, at);
    made.phase = phase::securing;
    made.tls = std::make_unique<tls_session>(made.context, made.name);
    wheel_.arm(made.deadline, at + handshake_patience);
    if (made.ours) made.tls->begin();
    made.tls->take(made.waiting);
    flush(made);
}

void streams::secured(connection& made, time_point at) {
    made.phase = phase::open;
    wheel_.disarm(made.deadline);
    watch(made);
    if (!made.ours) return host_.receive(inputs::flow_up{made.id, made.info}, at);
    for (const auto asked : std::exchange(made.asked, {})) {
        host_.receive(inputs::flow_up{made.id, made.info, asked}, at);
    }
}

std::span<std::byte> streams::room(std::size_t index) {
    while (rooms_.size() <= index) {
        rooms_.push_back(std::make_unique<std::array<std::byte, 16'384>>());
    }
    return *rooms_[index];
}

void streams::read(connection& from, std::size_t& used, time_point at) {
    if (used == reads_a_turn) return; // It is still there in the next one.
    int failed = 0;
    const auto into = from.tls ? std::span<std::byte>{secret_} : room(used);
    const auto bytes = read_stream(from.socket.get(), into, failed);
    if (failed != 0 && just_empty(failed)) return;
    if (from.phase == phase::closing) {
        if (bytes.empty()) release(from);
        return;
    }
    if (from.phase == phase::securing && (failed != 0 || bytes.empty())) {
        return fail(from, cause::insecure);
    }
    if (failed != 0) return fail(from, cause::broken);
    if (bytes.empty()) {
        // Without a close_notify before it, too: SIP says where a message ends, and half of one is
        // never acted upon.
        tell_down(from, cause::closed);
        return linger(from, phase::half_closed, at);
    }
    ++host_.counted.received;
    from.heard = at;
    if (from.tls) return read_secret(from, bytes, used, at);
    ++used;
    heard(from, bytes, at);
}

void streams::heard(connection& from, std::span<std::byte> bytes, time_point at) {
    if (tap_) tap_({at, false, from.id, from.info, owner_id::none, bytes});
    host_.receive(inputs::packet{from.id, bytes}, at);
}

void streams::read_secret(connection& from, std::span<const std::byte> secret, std::size_t& used,
                          time_point at) {
    using state = tls_session::state;
    auto& tls = *from.tls;
    tls.receive(secret);
    if (from.phase == phase::securing && tls.current() == state::open) secured(from, at);
    // All of it: what is decrypted already makes no socket readable.
    while (from.phase == phase::open) {
        const auto plain = tls.read(room(used));
        if (plain.empty()) break;
        ++used;
        heard(from, plain, at);
    }
    const auto id = from.id;
    tls.take(from.waiting);
    flush(from);
    if (find(id) == nullptr) return;
    if (tls.current() == state::failed) {
        fail(from, from.phase == phase::securing ? cause::insecure : cause::broken);
    } else if (tls.current() == state::ended) {
        tell_down(from, cause::closed);
        linger(from, phase::half_closed, at);
    }
}

void streams::send_all(const outbox& full) {
    if (connections_.empty()) return;
    const auto at = now();
    for (const auto& what : full) {
        const auto* wanted = std::get_if<effects::send>(&what);
        if (wanted == nullptr || wanted->flow.slot < first_slot_) continue;
        const auto fails = [&](cause why) {
            host_.answers.push_back(inputs::send_failed{wanted->flow, wanted->owner, why});
        };
        auto* to = find(wanted->flow);
        if (to == nullptr || (to->phase != phase::open && to->phase != phase::half_closed)) {
            fails(cause::closed);
            continue;
        }
        // Whole messages only: half of one would be the end of the stream for its peer.
        if (to->waiting.size() - to->sent + wanted->bytes.size() > write_limit) {
            to->refused = true;
            ++host_.counted.sends_dropped;
            fails(cause::blocked);
            continue;
        }
        if (tap_) tap_({at, true, to->id, to->info, wanted->owner, wanted->bytes});
        if (!to->tls) {
            to->waiting.insert(to->waiting.end(), wanted->bytes.begin(), wanted->bytes.end());
        } else if (to->tls->write(wanted->bytes)) {
            to->tls->take(to->waiting);
        } else {
            fails(cause::broken);
            continue;
        }
        if (!std::exchange(to->dirty, true)) dirty_.push_back(to->id);
    }
    for (const auto id : dirty_) {
        auto* to = find(id);
        if (to == nullptr) continue;
        to->dirty = false;
        flush(*to);
    }
    dirty_.clear();
}

void streams::flush(connection& to) {
    while (to.sent < to.waiting.size()) {
        int failed = 0;
        to.sent += write_stream(to.socket.get(), std::span{to.waiting}.subspan(to.sent), failed);
        if (failed == 0) continue;
        if (!just_empty(failed)) return fail(to, cause::broken);
        break;
    }
    if (to.sent == to.waiting.size()) {
        to.waiting.clear();
        to.sent = 0;
        if (to.waiting.capacity() > kept_queue) std::vector<std::byte>{}.swap(to.waiting);
        if (to.phase == phase::closing) end_stream(to.socket.get());
    } else if (to.sent > write_limit / 2) {
        to.waiting.erase(to.waiting.begin(),
                         to.waiting.begin() + static_cast<std::ptrdiff_t>(to.sent));
        to.sent = 0;
    }
    if (to.refused && to.waiting.size() - to.sent <= write_limit / 2) {
        to.refused = false;
        host_.answers.push_back(inputs::writable{to.id});
    }
    watch(to);
}

void streams::watch(connection& which) noexcept {
    std::uint32_t wanted = which.phase == phase::half_closed ? 0 : std::uint32_t{EPOLLIN};
    if (which.phase == phase::connecting || which.sent < which.waiting.size()) wanted |= EPOLLOUT;
    if (which.watched == wanted) return;
    const auto mark = mark_ + gates_.size() + (which.id.slot - first_slot_);
    if (which.watched)
        poller_->change(which.socket.get(), mark, wanted);
    else
        static_cast<void>(poller_->watch(which.socket.get(), mark, wanted));
    which.watched = wanted;
}

void streams::act_on(const effects::connect& wanted, time_point at) {
    const auto fails = [&](cause why) {
        host_.answers.push_back(inputs::flow_down{{}, why, wanted.asked});
    };
    if (wanted.to.port == 0 || wanted.to.address.is_wildcard()) {
        return fails(cause::connect_failed);
    }
    std::shared_ptr<const tls_context> context;
    if (wanted.transport == transport::tls) {
        if (profiles_) context = profiles_->client(wanted.secure.profile);
        if (!context) return fails(cause::insecure);
    }
    for (auto& one : connections_) {
        // Whoever was verified under another name, or by other rules, is not who is meant.
        if (!one.ours || one.info.transport != wanted.transport || one.info.peer != wanted.to ||
            one.context != context || (context && one.name != wanted.secure.name)) {
            continue;
        }
        if (one.phase == phase::connecting || one.phase == phase::securing)
            return one.asked.push_back(wanted.asked);
        if (one.phase != phase::open) continue;
        return host_.answers.push_back(inputs::flow_up{one.id, one.info, wanted.asked});
    }
    const auto from = shared_.find(wanted.transport, wanted.to, wanted.from);
    std::optional<address> local;
    std::uint16_t port = 0;
    if (from != no_listener) {
        const auto& listener = shared_.opened[static_cast<std::size_t>(from)];
        if (!listener.wildcard) local = listener.local.address;
        port = listener.local.port;
    }
    auto* made = open_slot(at);
    if (made == nullptr) return fails(cause::table_full);
    made->ours = true;
    made->info = {wanted.transport, from, {local.value_or(address{}), port}, wanted.to};
    made->asked.push_back(wanted.asked);
    made->context = std::move(context);
    made->name = wanted.secure.name;
    if (const auto failed = connect_stream(local, wanted.to, made->socket)) {
        return fail(*made, failed_to_connect(failed.value()));
    }
    watch(*made);
    wheel_.arm(made->deadline, at + connect_patience);
}

void streams::act_on(const effects::close& wanted, time_point at) {
    auto* found = find(wanted.flow);
    if (found == nullptr || found->phase == phase::closing) return;
    if (found->tls) {
        found->tls->close();
        found->tls->take(found->waiting);
    }
    tell_down(*found, cause::closed);
    linger(*found, phase::closing, at);
}

void streams::linger(connection& gone, phase how, time_point at) {
    gone.phase = how;
    wheel_.arm(gone.deadline, at + (how == phase::closing ? closing_for : half_closed_for));
    if (how == phase::closing) return flush(gone);
    watch(gone);
}

void streams::tick(time_point at) {
    wheel_.advance(at, [&](timer_node& due) {
        if (due.kind == connection_timer) {
            auto& one = *static_cast<connection*>(due.owner);
            if (one.phase == phase::connecting) return fail(one, cause::connect_failed);
            return one.phase == phase::securing ? fail(one, cause::insecure) : release(one);
        }
        for (std::size_t i = 0; i < gates_.size(); ++i) {
            if (&gates_[i]->shut != &due) continue;
            if (poller_->watch(shared_.opened[i].socket.get(), mark_ + i)) {
                wheel_.arm(due, at + accept_pause);
            }
        }
    });
}

void streams::tell_down(connection& gone, cause why) {
    if (gone.phase == phase::open) host_.answers.push_back(inputs::flow_down{gone.id, why});
    for (const auto asked : std::exchange(gone.asked, {})) {
        host_.answers.push_back(inputs::flow_down{{}, why, asked});
    }
}

void streams::fail(connection& gone, cause why) {
    tell_down(gone, why);
    release(gone);
}

void streams::release(connection& gone) noexcept {
    wheel_.disarm(gone.deadline);
    const auto slot = gone.id.slot - first_slot_;
    auto generation = gone.id.generation + 1;
    if (generation == 0) generation = 1;
    gone.id = {gone.id.slot, generation};
    gone.socket = descriptor{};
    gone.tls.reset();
    gone.context.reset();
    gone.name.clear();
    gone.phase = phase::none;
    gone.ours = gone.refused = gone.dirty = false;
    gone.watched.reset();
    std::vector<std::byte>{}.swap(gone.waiting);
    gone.sent = 0;
    --alive_;
    released_.push_back(slot);
}

streams::connection* streams::find(flow_id id) noexcept {
    if (id.slot < first_slot_ || id.slot - first_slot_ >= connections_.size()) return nullptr;
    auto& found = connections_[id.slot - first_slot_];
    return found.phase != phase::none && found.id == id ? &found : nullptr;
}

} // namespace trunkline::net
