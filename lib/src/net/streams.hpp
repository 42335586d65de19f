// The connections of one shard: accepted, asked for, written to without ever waiting.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <trunkline/core/time.hpp>
#include <trunkline/core/timer_wheel.hpp>

#include "listeners_state.hpp"
#include "machine_host.hpp"
#include "poller.hpp"
#include "stream_places.hpp"
#include "stream_socket.hpp"
#include "tls_session.hpp"

namespace trunkline::net {

/// Their slots begin where those of datagrams end. Bytes go up as they come; where a message ends
/// is not asked here. A connection that we opened serves everybody who asks for its peer again.
class streams {
public:
    /// What a peer that does not read may hold of our memory; then sends fail as blocked.
    static constexpr std::size_t write_limit = 262'144;

    streams(machine_host& host, listeners_state& shared, const shard_config& config);
    streams(const streams&) = delete;
    streams& operator=(const streams&) = delete;
    ~streams();

    /// Shard 0 accepts. Listeners are watched by `mark` plus their index, connections by what
    /// follows.
    [[nodiscard]] std::error_code open(poller& in, std::uint64_t mark);

    void ready(std::uint32_t detail, std::uint32_t events);
    void receive(time_point at);
    void tick(time_point at);
    [[nodiscard]] std::optional<time_point> next_deadline() const noexcept {
        return wheel_.next_deadline();
    }

    void send_all(const outbox& full);
    void act_on(const effects::connect& wanted, time_point at);
    void act_on(const effects::close& wanted, time_point at);
    void act_on(const effects::regard& wanted);

private:
    enum class phase : std::uint8_t {
        none, ///< The slot is free.
        connecting,
        securing, ///< TLS shakes hands.
        open,
        half_closed, ///< The peer sends no more, and may still read.
        closing,     ///< By us: what was sent leaves, what comes is dropped.
    };
    struct connection {
        flow_id id;
        flow_info info;
        descriptor socket;
        streams::phase phase = streams::phase::none;
        stream_place place{}; ///< What it is worth where places are full.
        bool refused = false; ///< A send failed as blocked: the machine is told when it may go on.
        bool late = false;    ///< Something was sent since the peer closed its half.
        bool dirty = false;   ///< Has something to send that was not offered to the socket yet.
        std::optional<std::uint32_t> watched; ///< What the poller waits for.
        std::unique_ptr<tls_session> tls{};
        std::shared_ptr<const tls_context> context{}; ///< Another one, or
        std::string name{};                           ///< another name, is another peer.
        std::vector<token> asked;                     ///< Who waits for it to come up.
        std::vector<std::byte> waiting;
        std::size_t sent = 0; ///< Of what is waiting.
        timer_node deadline;  ///< Of connecting, of a first byte, and of going.
    };
    struct ready_event {
        flow_id id;
        std::uint32_t events;
    };
    struct gate {
        bool readable = false;
        timer_node shut; ///< No descriptor was left: not watched until then.
    };

    [[nodiscard]] connection* find(flow_id id) noexcept;
    [[nodiscard]] connection* open_slot(const stream_place& as);
    void accept_from(std::size_t index, time_point at);
    void come_up(connection& made, time_point at);
    void secured(connection& made, time_point at);
    void read(connection& from, std::size_t& used, time_point at);
    void read_secret(connection& from, std::span<const std::byte> secret, std::size_t& used,
                     time_point at);
    void heard(connection& from, std::span<std::byte> bytes, time_point at);
    void flush(connection& to);
    void watch(connection& which) noexcept;
    /// No packet comes from it any more, and the machine knows.
    /// `words` say more than the cause does, where anything is known.
    void tell_down(connection& gone, cause why, std::string_view words = {});
    void fail(connection& gone, cause why, std::string_view words = {});
    /// Gives its peer a moment to read what was sent.
    void linger(connection& gone, phase how, time_point at);
    void release(connection& gone) noexcept;
    [[nodiscard]] std::span<std::byte> room(std::size_t index);

    machine_host& host_;
    listeners_state& shared_;
    const wire_tap& tap_;
    std::shared_ptr<tls_profiles> profiles_;
    const bool accepts_;
    const std::uint32_t first_slot_;
    const stream_limits limits_;
    poller* poller_ = nullptr;
    std::uint64_t mark_ = 0;
    timer_wheel wheel_;
    std::vector<std::unique_ptr<gate>> gates_;
    std::deque<connection> connections_;
    std::vector<std::uint32_t> free_;
    std::vector<std::uint32_t> released_; ///< Free once the machine has heard that they went.
    std::vector<ready_event> ready_;
    std::vector<flow_id> dirty_;
    std::array<std::byte, 16'384> secret_{};
    /// What was read in a turn: it has to live until all was delivered.
    std::vector<std::unique_ptr<std::array<std::byte, 16'384>>> rooms_;
};

} // namespace trunkline::net
