#include "streams.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>
#include <variant>

namespace trunkline::net {

using namespace std::chrono_literals;

namespace {

enum timer : std::uint16_t { gate_timer, connection_timer };

// What one turn reads, so that media never waits for more than this.
constexpr std::size_t reads_a_turn = 16;
constexpr int accepts_a_turn = 16;

// Without a free descriptor accepting fails at once and for a while: calls have to end first.
constexpr duration accept_pause = 250ms;

// A few round trips and some arithmetic; whoever takes longer wants to hold a place.
constexpr duration handshake_patience = 10s;

// A stranger who connects has something to say, and says it when the connection stands.
constexpr duration silent_stranger = 5s;

} // namespace

streams::streams(machine_host& host, listeners_state& shared, const shard_config& config)
    : host_{host},
      shared_{shared},
      tap_{config.tap},
      profiles_{config.tls},
      accepts_{config.index == 0},
      first_slot_{static_cast<std::uint32_t>(config.max_flows)},
      limits_{config.max_connections, config.max_connections_of_one} {}

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
            fail(*one, cause::broken);
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
        const auto& source = taken->peer.address;
        const auto standing =
            host_.driven->knows(source, at) ? flow_standing::known : flow_standing::stranger;
        const stream_place place{.peer = source, .taken = true, .standing = standing, .heard = at};
        auto* made = !secure || context ? open_slot(place) : nullptr;
        if (made == nullptr) {
            ++host_.counted.connections_refused;
            continue;
        }
        ++host_.counted.connections_accepted;
        made->info = {listener.transport, static_cast<listener_id>(index),
                      local_of(taken->socket.get()), taken->peer};
        made->socket = std::move(taken->socket);
        made->context = std::move(context);
        come_up(*made, at);
    }
}

/// A place for one more, which another one may have to leave; none where the newcomer is the one
/// that has to wait.
streams::connection* streams::open_slot(const stream_place& as) {
    const auto chosen = make_room(
        connections_, [](const connection& one) -> const stream_place& { return one.place; },
        limits_, as);
    if (!chosen.accepted) return nullptr;
    if (chosen.evicted != stream_decision::nothing) {
        ++host_.counted.flows_evicted;
        fail(connections_[chosen.evicted], cause::table_full);
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
    made.phase = phase::connecting;
    made.place = as;
    return &made;
}

/// An accepted connection stands; of one of ours it is now known whether it does.
void streams::come_up(connection& made, time_point at) {
    if (made.place.ours) {
        if (const int failed = connect_result(made.socket.get()); failed != 0) {
            return fail(made, connect_cause(failed), std::generic_category().message(failed));
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
    wheel_.arm(made.deadline, at + (made.place.stranger() ? silent_stranger : handshake_patience));
    if (made.place.ours) made.tls->begin();
    made.tls->take(made.waiting);
    flush(made);
}

void streams::secured(connection& made, time_point at) {
    made.phase = phase::open;
    wheel_.disarm(made.deadline);
    if (made.place.stranger()) wheel_.arm(made.deadline, at + silent_stranger);
    watch(made);
    if (!made.place.ours) return host_.receive(inputs::flow_up{made.id, made.info}, at);
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
    if (used >= reads_a_turn) return; // It is still there in the next one.
    int failed = 0;
    const auto into = from.tls ? std::span<std::byte>{secret_} : room(used);
    const auto bytes = read_stream(from.socket.get(), into, failed);
    if (failed != 0 && just_empty(failed)) return;
    if (from.phase == phase::closing) {
        if (bytes.empty()) release(from);
        return;
    }
    if (from.phase == phase::securing && (failed != 0 || bytes.empty())) {
        return fail(from, cause::insecure, "the peer hung up during the handshake");
    }
    if (failed != 0) {
        return fail(from, cause::broken, std::generic_category().message(failed));
    }
    if (bytes.empty()) {
        // Without a close_notify before it, too: SIP says where a message ends, and half of one is
        // never acted upon.
        tell_down(from, cause::closed);
        return linger(from, phase::half_closed, at);
    }
    ++host_.counted.received;
    from.place.heard = at;
    if (from.tls) return read_secret(from, bytes, used, at);
    ++used;
    heard(from, bytes, at);
}

void streams::heard(connection& from, std::span<std::byte> bytes, time_point at) {
    if (from.phase == phase::open) wheel_.disarm(from.deadline);
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
    // However small its records are, it takes the room of what was read and no more.
    std::size_t filled = 0;
    const auto hear = [&] {
        const auto whole = room(used++).first(std::exchange(filled, 0));
        heard(from, whole, at);
    };
    while (from.phase == phase::open) {
        const auto rest = room(used).subspan(filled);
        const auto plain = tls.read(rest);
        if (plain.empty()) break;
        filled += plain.size();
        if (plain.size() == rest.size()) hear();
    }
    if (filled != 0 && from.phase == phase::open) hear();
    const auto id = from.id;
    tls.take(from.waiting);
    // What TLS answers by itself waits as well, for a peer that asks and does not read.
    if (from.waiting.size() - from.sent > write_limit) return fail(from, cause::blocked);
    flush(from);
    if (find(id) == nullptr) return;
    if (tls.current() == state::failed) {
        // Since TLS 1.3 a client is up before its certificate was looked at: what it is refused for
        // comes as an alert after that.
        const std::string words{tls.reason()};
        fail(from, from.phase == phase::securing || tls.refused() ? cause::insecure : cause::broken,
             words);
    } else if (tls.current() == state::ended) {
        tell_down(from, cause::closed);
        linger(from, phase::half_closed, at);
    }
}

void streams::tick(time_point at) {
    wheel_.advance(at, [&](timer_node& due) {
        if (due.kind == connection_timer) {
            auto& one = *static_cast<connection*>(due.owner);
            if (one.phase == phase::connecting) {
                return fail(one, cause::connect_failed, "no connection came up in time");
            }
            if (one.phase == phase::securing) {
                return fail(one, cause::insecure, "the handshake took too long");
            }
            return one.phase == phase::open ? fail(one, cause::closed) : release(one);
        }
        for (std::size_t i = 0; i < gates_.size(); ++i) {
            if (&gates_[i]->shut != &due) continue;
            if (poller_->watch(shared_.opened[i].socket.get(), mark_ + i)) {
                wheel_.arm(due, at + accept_pause);
            }
        }
    });
}

void streams::tell_down(connection& gone, cause why, std::string_view words) {
    const auto kept = host_.keep(words);
    if (gone.phase == phase::open)
        host_.answers.push_back(inputs::flow_down{gone.id, why, token::none, kept});
    for (const auto asked : std::exchange(gone.asked, {})) {
        host_.answers.push_back(inputs::flow_down{{}, why, asked, kept});
    }
    // A peer that TLS turned away is the operator's to hear of: its calls do not come.
    if (!gone.place.ours && gone.phase == phase::securing && why == cause::insecure) {
        host_.answers.push_back(inputs::flow_down{{}, why, token::none, kept, gone.info.peer});
    }
}

void streams::fail(connection& gone, cause why, std::string_view words) {
    tell_down(gone, why, words);
    // It had closed all of it, and not its half: what was sent got nowhere.
    if (gone.phase == phase::half_closed && gone.late) {
        host_.answers.push_back(inputs::send_failed{gone.id, owner_id::none, cause::broken});
    }
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
    gone.place = {};
    gone.refused = gone.dirty = gone.late = false;
    gone.watched.reset();
    std::vector<std::byte>{}.swap(gone.waiting);
    gone.sent = 0;
    released_.push_back(slot);
}

streams::connection* streams::find(flow_id id) noexcept {
    if (id.slot < first_slot_ || id.slot - first_slot_ >= connections_.size()) return nullptr;
    auto& found = connections_[id.slot - first_slot_];
    return found.phase != phase::none && found.id == id ? &found : nullptr;
}

} // namespace trunkline::net
