// The whole of it: trunks, shards, sockets. What an application owns one of.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <trunkline/core/address.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/outbox.hpp>
#include <trunkline/net/listeners.hpp>
#include <trunkline/net/port_pool.hpp>
#include <trunkline/net/tls.hpp>
#include <trunkline/net/wire_tap.hpp>
#include <trunkline/trunk/call.hpp>
#include <trunkline/trunk/config.hpp>
#include <trunkline/trunk/login_refusal.hpp>
#include <trunkline/trunk/registration_status.hpp>

namespace trunkline {

/// "udp:0.0.0.0:5060", or with tcp or tls. Port 0 takes any; trunk_manager::listening() says which.
struct listen {
    std::string at = "udp:0.0.0.0:5060";
    std::string advertise{}; ///< Host or host:port that the world reaches it by.
};

enum class unknown_source : std::uint8_t { answer, drop };

struct manager_config {
    std::vector<trunkline::listen> listen{{}};
    /// Called on the call's shard. Decide now, or keep the handle and decide later.
    std::function<void(incoming_call&)> on_incoming{};
    /// One for each call and each refused INVITE, on the shard.
    std::function<void(const call_record&)> on_record{};
    std::function<void(const effects::note&)> on_note{};
    /// Whenever a trunk that registers is better or worse off than before, on one of the shards.
    std::function<void(const registration_status&)> on_registration{};
    /// For each wrong answer to a challenge of a trunk's inbound_auth, on the shard it came to.
    std::function<void(const login_refusal&)> on_login_refused{};
    net::wire_tap tap{};
    /// Of connections to us by TLS; trunks without a certificate of their own show this one, too.
    /// With `verify` whoever connects has to show one that `ca` vouches for.
    net::tls_settings tls{.verify = false};
    /// Threads. 1: every callback on the thread in run(). Over TCP and TLS it is 1.
    std::uint16_t shards = 1;
    addresses media{};
    /// Where else this process serves something, such as REST. SDP that names such an endpoint, or
    /// one that is listened on, is refused: media must not be led into our own services.
    std::vector<endpoint> own_services{};
    net::port_range media_ports{};
    std::size_t max_calls = 10'000; ///< Of each shard; over it, 503.
    trunkline::unknown_source unknown_source = trunkline::unknown_source::answer;
    std::string user_agent{};
    std::vector<std::string> dns_servers{}; ///< "192.0.2.53:53"; empty: as /etc/resolv.conf says.
};

/// Unless said otherwise, every member may be called from any thread.
class TRUNKLINE_EXPORT trunk_manager {
public:
    /// Binds. Throws std::system_error with the address in its words when that fails, and
    /// std::invalid_argument for an address that is none.
    explicit trunk_manager(manager_config config);
    trunk_manager(const trunk_manager&) = delete;
    trunk_manager& operator=(const trunk_manager&) = delete;
    ~trunk_manager();

    /// What add_trunk() would have against it, but for a name that another one has.
    [[nodiscard]] static result<void, config_error> check(const trunk_config& config);
    /// Takes effect on running shards; calls in progress keep the trunk they began with.
    [[nodiscard]] result<trunk_id, config_error> add_trunk(trunk_config config);
    /// In one step: no call meets the time between. Its calls in progress count against the new
    /// number of channels. The rule "known" is broken when there is no such trunk.
    [[nodiscard]] result<void, config_error> replace_trunk(trunk_id which, trunk_config config);
    bool remove_trunk(trunk_id which);

    /// Never fails at once: what goes wrong is told to the agent by on_ended.
    void dial(dial_request what);

    /// Blocks until stop(); shard 0 runs here, others on threads of their own.
    void run();
    void start(); ///< All shards on threads of their own.
    void stop();  ///< Legal in a callback. Calls are not ended by BYE: see drain().
    /// Registrations are taken back. From now on INVITE and OPTIONS get 503 with Retry-After. When
    /// no call is left, or after `deadline` and BYE to those that are, run() returns.
    void drain(std::chrono::milliseconds deadline);

    [[nodiscard]] endpoint listening(std::size_t listener = 0) const;
    [[nodiscard]] std::size_t calls() const; ///< Alive now.
    /// Nanoseconds since 1970 of a moment in protocol time.
    [[nodiscard]] static std::int64_t to_unix(time_point when);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace trunkline
