// A network on a virtual clock: the engine of a trunk_manager, and carriers that speak literal
// text, without a socket and without waiting. For tests of agents, and for ours.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/core/entropy.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/pump.hpp>
#include <trunkline/core/time.hpp>
#include <trunkline/trunk/engine.hpp>

namespace trunkline::sim {

/// What happens to a datagram on its way.
struct weather {
    duration delay = std::chrono::milliseconds{20};
    duration jitter{};  ///< Added evenly, up to this; reorders.
    double loss = 0;    ///< 0 to 1.
    double doubled = 0; ///< 0 to 1.
};

class world;

/// An engine at one address, with the driver that a shard would be.
class TRUNKLINE_EXPORT host {
public:
    [[nodiscard]] trunks::engine& engine() noexcept { return *engine_; }
    /// Runs a command and settles what it wants.
    void run(const std::function<void(trunks::engine&, time_point, outbox&)>& command);
    void set_trunks(std::vector<trunk_config> configs);
    [[nodiscard]] const endpoint& at() const noexcept { return at_; }

private:
    friend class world;
    struct flow {
        endpoint peer{};
    };
    struct media {
        owner_id owner{};
        std::uint16_t port = 0;
        bool open = false;
    };
    host(world& around, const endpoint& at, trunks::engine_config config, std::uint64_t seed);
    void receive(const endpoint& from, const endpoint& to, std::vector<std::byte>& bytes);
    void settle();
    // What the pump asks of its driver.
    friend class trunkline::pump;
    void flush(const outbox& full, time_point now);
    void act(const effect& what, time_point now);
    void deliver(const effects::event& what, time_point now);
    void deliver(const effects::note& what);
    [[nodiscard]] const input* next_answer();
    void receive(const input& answer, time_point now);

    world& world_;
    endpoint at_;
    seeded_entropy random_;
    std::unique_ptr<trunks::engine> engine_;
    trunkline::pump pump_;
    std::vector<flow> flows_;
    std::vector<media> media_;
    std::deque<input> answers_;
    input answer_; ///< The one that is being received.
    std::uint16_t next_port_ = 16'384;
};

/// A carrier of literal text: hears each datagram, says what it likes.
class TRUNKLINE_EXPORT carrier {
public:
    using script = std::function<void(carrier&, std::string_view heard, const endpoint& from)>;

    void say(std::string_view text, const endpoint& to);
    [[nodiscard]] const endpoint& at() const noexcept { return at_; }
    std::vector<std::string> heard{};

private:
    friend class world;
    carrier(world& around, const endpoint& at, script what)
        : world_{around},
          at_{at},
          script_{std::move(what)} {}
    world& world_;
    endpoint at_;
    script script_;
};

class TRUNKLINE_EXPORT world {
public:
    /// The same seed, the same run.
    explicit world(std::uint64_t seed, weather how = {}) : random_{seed}, weather_{how} {}
    world(const world&) = delete;
    world& operator=(const world&) = delete;

    host& add_host(const endpoint& at, trunks::engine_config config = {});
    carrier& add_carrier(const endpoint& at, carrier::script what);

    /// Until `reached` or for `most` of virtual time; whether it was reached.
    bool run_until(const std::function<bool()>& reached, duration most);
    void run_for(duration time) {
        static_cast<void>(run_until([] { return false; }, time));
    }
    [[nodiscard]] time_point now() const noexcept { return now_; }

private:
    friend class host;
    friend class carrier;
    struct datagram {
        endpoint from{};
        endpoint to{};
        std::vector<std::byte> bytes{};
    };
    void send(const endpoint& from, const endpoint& to, std::span<const std::byte> bytes);
    void deliver(datagram what);

    seeded_entropy random_;
    weather weather_;
    time_point now_{std::chrono::hours{1}};
    std::multimap<time_point, datagram> under_way_;
    std::deque<std::unique_ptr<host>> hosts_;
    std::deque<std::unique_ptr<carrier>> carriers_;
};

} // namespace trunkline::sim
