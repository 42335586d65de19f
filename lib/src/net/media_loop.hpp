// All RTP and RTCP sockets of a shard, behind one descriptor. Nothing here takes the SIP path.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <trunkline/core/slab.hpp>
#include <trunkline/core/time.hpp>
#include <trunkline/net/port_pool.hpp>

#include "datagrams.hpp"
#include "former_remotes.hpp"
#include "machine_host.hpp"
#include "poller.hpp"

namespace trunkline::net {

class media_loop {
public:
    static constexpr std::size_t packets_a_socket = 16; ///< Of one wake.
    static constexpr std::size_t packet_size = 2048;    ///< No path of this world carries more.
    static constexpr int bind_attempts = 64;

    media_loop(machine_host& host, const port_range& ports, entropy& dice);

    [[nodiscard]] std::error_code open() { return poller_.open(); }
    /// Readable when any of the sockets is.
    [[nodiscard]] int fd() const noexcept { return poller_.fd(); }

    void wake() noexcept; ///< Asks which sockets are readable.
    /// Feeds the machine until all of them were served or the buffers are full, and says whether
    /// more are to be served. What it has fed must be settled before it is called again.
    bool receive(time_point at);

    void send_all(const outbox& full) noexcept;
    void act_on(const effects::open_media& wanted, time_point at);
    void act_on(const effects::close_media& wanted, time_point at);

    [[nodiscard]] std::size_t free_ports() const noexcept { return ports_.free(); }

private:
    struct pair {
        std::array<descriptor, 2> sockets; ///< RTP and RTCP.
        std::uint16_t port;
        owner_id owner;
    };

    [[nodiscard]] former_remotes& remotes(const pair& of) noexcept {
        return remotes_[ports_.index(of.port)];
    }
    [[nodiscard]] int bind(std::uint16_t port, const address& at, media_id id,
                           std::array<descriptor, 2>& into);

    machine_host& host_;
    poller poller_;
    port_pool ports_;
    std::vector<former_remotes> remotes_; ///< By index of the pool: they outlive a call.
    slab<pair, media_id> pairs_;
    inbox inbox_{64, packet_size, false};
    std::array<epoll_event, 256> events_{};
    std::size_t next_ = 0;  ///< The first event that was not served yet,
    std::size_t count_ = 0; ///< of so many.
};

} // namespace trunkline::net
