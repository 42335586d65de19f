// The signalling of one shard: flows on shared UDP sockets, and their errors.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <trunkline/core/time.hpp>

#include "datagrams.hpp"
#include "flow_table.hpp"
#include "listeners_state.hpp"
#include "machine_host.hpp"
#include "poller.hpp"

namespace trunkline::net {

class signalling {
public:
    /// A turn of SIP, so that media never waits for more than this.
    static constexpr std::size_t messages_a_turn = 64;

    signalling(machine_host& host, listeners_state& shared, const shard_config& config,
               siphash_key key);

    /// Shard 0 watches the sockets, each with `mark` plus its index; the others, with `mark`, what
    /// shard 0 hands over.
    [[nodiscard]] std::error_code open(poller& in, std::uint64_t mark);

    /// What the poller said of one mark; receive() then serves all that are ready, in turns.
    void ready(std::size_t index, std::uint32_t events) noexcept;
    void receive(time_point at);
    void tick(time_point at);
    [[nodiscard]] std::optional<time_point> next_deadline() const noexcept;

    void send_all(const outbox& full);
    void act_on(const effects::connect& wanted, time_point at);
    void act_on(const effects::close& wanted);

private:
    struct entrance {
        bool readable = false;
        bool has_errors = false;
        duration pause{};
        std::optional<time_point> shut_until; ///< Receiving failed; not watched until then.
    };
    struct route {
        address to;
        address from;
        time_point until{};
    };

    [[nodiscard]] bool reads_sockets() const noexcept { return index_ == 0; }
    void receive_from(std::size_t index, std::size_t& used, time_point at);
    void receive_handed_over(time_point at);
    void take_errors(std::size_t index);
    void back_off(std::size_t index, time_point at);
    /// To the shard whose it is.
    void sort(std::span<std::byte> bytes, listener_id listener, const address& local,
              const endpoint& peer, time_point at);
    void accept(std::span<std::byte> bytes, listener_id listener, const address& local,
                const endpoint& peer, time_point at);
    void peer_failed(listener_id listener, const endpoint& peer, cause why);
    void listener_failed(listener_id listener);
    void tell_shards(const handover_record& what);
    void close(flow_table::flow& gone, cause why);
    [[nodiscard]] flow_table::flow& open_flow(listener_id listener, const address& local,
                                              const endpoint& peer);
    [[nodiscard]] bool find_local(const listeners_state::listener& from, const endpoint& to,
                                  time_point at, address& into);
    void send_queue(std::size_t index);

    machine_host& host_;
    listeners_state& shared_;
    const wire_tap& tap_;
    const std::uint16_t index_;
    siphash_key key_;
    flow_table flows_;
    poller* poller_ = nullptr;
    std::uint64_t mark_ = 0;
    std::optional<inbox> inbox_; ///< Of shard 0.
    std::vector<entrance> gates_;
    std::size_t first_gate_ = 0;
    bool handed_over_ = false;
    std::vector<std::vector<outgoing>> queues_; ///< One a listener.
    std::array<route, 64> routes_{};
};

} // namespace trunkline::net
