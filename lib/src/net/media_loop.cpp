#include "media_loop.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <variant>

namespace trunkline::net {

namespace {

// A second of 20 ms packets: what a stalled loop may be late by. More would be of no use to anyone.
constexpr int rtp_buffer = 64 * 1024;
constexpr int rtcp_buffer = 16 * 1024;

/// Which socket an event is of. A generation of 31 bits outlives any event.
struct mark {
    media_id id;
    bool rtcp;
};
[[nodiscard]] std::uint64_t pack(const mark& what) noexcept {
    return static_cast<std::uint64_t>(what.id.generation) << 32 | what.id.slot << 1 |
           (what.rtcp ? 1U : 0U);
}
[[nodiscard]] mark unpack(std::uint64_t what) noexcept {
    const auto low = static_cast<std::uint32_t>(what);
    return {{low >> 1, static_cast<std::uint32_t>(what >> 32)}, (low & 1) != 0};
}

} // namespace

media_loop::media_loop(machine_host& host, const port_range& ports, entropy& dice)
    : host_{host},
      ports_{ports, dice},
      remotes_(ports_.size()) {}

void media_loop::wake() noexcept {
    next_ = 0;
    count_ = poller_.wait(events_, false).size();
}

bool media_loop::receive(time_point at) {
    std::size_t used = 0;
    while (next_ < count_ && used < inbox_.slots()) {
        const auto [id, rtcp] = unpack(events_[next_++].data.u64);
        const auto* found = pairs_.find(id);
        if (found == nullptr) continue; // Closed by what an earlier packet has led to.
        const auto most = std::min(packets_a_socket, inbox_.slots() - used);
        int stopped_by = 0;
        const auto socket = found->sockets[rtcp ? 1 : 0].get();
        const auto owner = found->owner;
        auto& known = remotes(*found);
        const auto count = inbox_.receive(socket, used, most, stopped_by);
        for (const auto end = used + count; used < end; ++used) {
            if (inbox_.truncated(used)) {
                ++host_.counted.media_truncated;
                continue;
            }
            ++host_.counted.media_received;
            if (!known.heard(rtcp, inbox_.peer(used), at)) {
                ++host_.counted.media_barred;
                continue;
            }
            host_.receive(
                inputs::media_packet{id, owner, inbox_.peer(used), rtcp, inbox_.bytes(used)}, at);
        }
    }
    return next_ < count_;
}

void media_loop::send_all(const outbox& full) noexcept {
    for (const auto& what : full) {
        const auto* wanted = std::get_if<effects::send_media>(&what);
        if (wanted == nullptr) continue;
        const auto* found = pairs_.find(wanted->media);
        if (found == nullptr) continue; // The call has ended in the meantime.
        const auto socket = found->sockets[wanted->rtcp ? 1 : 0].get();
        remotes(*found).sent(wanted->rtcp, wanted->to);
        if (send_one(socket, wanted->to, wanted->bytes) != 0) ++host_.counted.media_send_errors;
    }
}

/// Ports may be taken by others of this host, so what the pool offers is tried, not trusted.
void media_loop::act_on(const effects::open_media& wanted, time_point at) {
    const auto tries = std::min<std::size_t>(bind_attempts, ports_.free());
    for (std::size_t i = 0; i < tries; ++i) {
        const auto port = *ports_.take(at);
        const auto id = pairs_.next();
        pair made{{}, port, wanted.owner};
        const auto failed = bind(port, wanted.at, id, made.sockets);
        if (failed == 0) {
            pairs_.emplace(std::move(made));
            host_.answers.push_back(
                inputs::media_opened{wanted.asked, id, port, static_cast<std::uint16_t>(port + 1)});
            return;
        }
        ports_.put_back(port, at);
        if (failed == EADDRINUSE) continue;
        const bool full = failed == EMFILE || failed == ENFILE || failed == ENOBUFS;
        host_.answers.push_back(
            inputs::media_failed{wanted.asked, full ? cause::table_full : cause::broken});
        return;
    }
    host_.answers.push_back(inputs::media_failed{wanted.asked, cause::table_full});
}

int media_loop::bind(std::uint16_t port, const address& at, media_id id,
                     std::array<descriptor, 2>& into) {
    for (const bool rtcp : {false, true}) {
        const auto number = static_cast<std::uint16_t>(port + (rtcp ? 1 : 0));
        auto& socket = into[rtcp ? 1 : 0];
        const udp_options options{.kind = traffic::media,
                                  .receive_buffer = rtcp ? rtcp_buffer : rtp_buffer};
        if (const auto failed = open_udp({at, number}, options, socket)) return failed.value();
        if (const auto failed = poller_.watch(socket.get(), pack({id, rtcp}))) {
            return failed.value();
        }
    }
    return 0;
}

void media_loop::act_on(const effects::close_media& wanted, time_point at) {
    const auto* found = pairs_.find(wanted.media);
    if (found == nullptr) return;
    remotes(*found).freed(at);
    ports_.put_back(found->port, at);
    pairs_.erase(wanted.media); // A closed socket leaves the poller by itself.
}

} // namespace trunkline::net
