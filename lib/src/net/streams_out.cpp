// What connections are asked for, and what leaves by them.
#include <chrono>
#include <utility>
#include <variant>

#include <trunkline/net/clock.hpp>

#include "streams.hpp"

namespace trunkline::net {

using namespace std::chrono_literals;

namespace {

// Longer than any gateway is given; whoever asked may have less patience.
constexpr duration connect_patience = 10s;

// A peer that closed its half may wait for the answer to an INVITE: Timer B.
constexpr duration half_closed_for = 32s;
// What was written leaves within this, or the peer does not read.
constexpr duration closing_for = 2s;

// A queue that was this long once is not kept for a peer that reads again.
constexpr std::size_t kept_queue = 65'536;

} // namespace

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
        to->late = to->late || to->phase == phase::half_closed;
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
    const auto fails = [&](cause why, std::string_view words = {}) {
        host_.answers.push_back(inputs::flow_down{{}, why, wanted.asked, words});
    };
    if (wanted.to.port == 0 || wanted.to.address.is_wildcard()) {
        return fails(cause::connect_failed);
    }
    std::shared_ptr<const tls_context> context;
    if (wanted.transport == transport::tls) {
        if (profiles_) context = profiles_->client(wanted.secure.profile);
        if (!context) return fails(cause::insecure, "no certificates are configured for it");
    }
    for (auto& one : connections_) {
        // Whoever was verified under another name, or by other rules, is not who is meant.
        if (!one.place.ours || one.info.transport != wanted.transport ||
            one.info.peer != wanted.to || one.context != context ||
            (context && one.name != wanted.secure.name)) {
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
    auto* made = open_slot({.peer = wanted.to.address, .taken = true, .ours = true, .heard = at});
    if (made == nullptr) return fails(cause::table_full);
    made->info = {wanted.transport, from, {local.value_or(address{}), port}, wanted.to};
    made->asked.push_back(wanted.asked);
    made->context = std::move(context);
    made->name = wanted.secure.name;
    if (const auto failed = connect_stream(local, wanted.to, made->socket)) {
        return fail(*made, connect_cause(failed.value()), failed.message());
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

void streams::act_on(const effects::regard& wanted) {
    auto* found = find(wanted.flow);
    if (found == nullptr) return;
    found->place.standing = wanted.as;
    // A connection that is known or used may be silent.
    if (found->phase == phase::open && !found->place.stranger()) wheel_.disarm(found->deadline);
}

void streams::linger(connection& gone, phase how, time_point at) {
    gone.phase = how;
    gone.place.going = true;
    wheel_.arm(gone.deadline, at + (how == phase::closing ? closing_for : half_closed_for));
    if (how == phase::closing) return flush(gone);
    watch(gone);
}

} // namespace trunkline::net
