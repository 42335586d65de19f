// One thread's worth of network: the sockets, the timer and the name server of one machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <trunkline/core/export.hpp>
#include <trunkline/core/machine.hpp>
#include <trunkline/net/command.hpp>
#include <trunkline/net/listeners.hpp>
#include <trunkline/net/port_pool.hpp>
#include <trunkline/net/tls.hpp>
#include <trunkline/net/wire_tap.hpp>

namespace trunkline::net {

struct shard_config {
    std::shared_ptr<net::listeners> listeners{}; ///< Open already. None: media and names only.
    std::uint16_t index = 0;                     ///< Below listeners->shards().
    port_range media_ports{};                    ///< Of the process; each shard takes its share.
    wire_tap tap{};
    std::shared_ptr<tls_profiles> tls{}; ///< None: nobody is spoken to by TLS.
    std::size_t max_flows = 4096;        ///< Peers remembered at a time.
    std::size_t max_connections = 1024;  ///< Of streams, in and out.
    /// Of one address, or one IPv6 /64, to us: the largest carriers are seen with a dozen.
    std::size_t max_connections_of_one = 64;
    std::vector<std::string> dns_servers{}; ///< "192.0.2.53:53"; empty: as /etc/resolv.conf says.
    std::string hosts_path = "/etc/hosts";
};

struct shard_counters {
    std::uint64_t received = 0;         ///< Datagrams of signalling, and reads of its streams.
    std::uint64_t flows_evicted = 0;    ///< The table was full: the longest idle flow went.
    std::uint64_t handed_over = 0;      ///< To other shards,
    std::uint64_t handover_dropped = 0; ///< or not, because they do not keep up.
    std::uint64_t sends_dropped = 0;    ///< A signalling socket's buffer was full.
    std::uint64_t connections_accepted = 0;
    std::uint64_t connections_refused = 0; ///< Too many, of one peer or in all.
    std::uint64_t receive_errors = 0;      ///< Of signalling sockets.
    std::uint64_t media_received = 0;      ///< RTP and RTCP.
    std::uint64_t media_truncated = 0;     ///< Larger than any RTP packet is; not delivered.
    std::uint64_t media_barred = 0; ///< From whom the ports' last call spoke with; not delivered.
    std::uint64_t media_send_errors = 0; ///< Ignored: RTP repairs nothing.
};

/// Runs one machine. It is built on epoll, timerfd and eventfd directly and not on an io_context:
/// one descriptor then stands for all that a shard waits for, timers and names too, so that a loop
/// of one's own can run a shard by fd() and poll() (trunk_manager runs its shards itself, and hands
/// out neither); RTP sockets, which are most, cost no handler and no allocation a wake; and no
/// consumer is made to have Asio.
///
/// `post` and `stop` may be called from any thread. All else belongs to the thread that runs it.
class TRUNKLINE_EXPORT shard {
public:
    explicit shard(shard_config config);
    shard(const shard&) = delete;
    shard& operator=(const shard&) = delete;
    ~shard();

    /// `driven` outlives the shard.
    [[nodiscard]] std::error_code open(machine& driven);

    /// Until stop(). What a machine throws ends the process: there is nobody who could catch it.
    void run() noexcept;
    /// Ends run() from any thread, a callback too. Accepted commands are run and what they want
    /// sent is sent; then nothing is received, ticked or delivered any more.
    void stop() noexcept;

    /// For who has a loop already: readable whenever poll() has something to do.
    [[nodiscard]] int fd() const noexcept;
    /// Does what there is to do, but not for long, and never waits. False once stopped.
    bool poll() noexcept;

    /// Runs `what` on the shard and then sends what it appended. False when it never will, because
    /// the shard was stopped or max_commands wait already.
    [[nodiscard]] bool post(command what);
    static constexpr std::size_t max_commands = 65'536;

    [[nodiscard]] endpoint local(listener_id which) const;
    [[nodiscard]] std::size_t free_media_ports() const noexcept; ///< Pairs.
    [[nodiscard]] const shard_counters& counted() const noexcept;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace trunkline::net
