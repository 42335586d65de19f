// One shard of a manager: an engine, what it draws on, and how it comes to rest.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>

#include <trunkline/core/machine.hpp>
#include <trunkline/net/clock.hpp>
#include <trunkline/net/shard.hpp>
#include <trunkline/net/system_entropy.hpp>
#include <trunkline/trunk/engine.hpp>

namespace trunkline {

/// The engine as its driver sees it, with the clock of a drain on top.
class host final : public machine {
public:
    /// `on_rest` is called once, on the shard, when a drain has left nothing to do here. The shard
    /// runs on until it is stopped: shard 0 reads the sockets of those that are still busy, and
    /// whoever calls meanwhile is still told 503.
    host(net::shard_config where, trunks::engine_config what, std::function<void()> on_rest)
        : engine_{std::move(what), entropy_},
          shard_{std::move(where)},
          on_rest_{std::move(on_rest)} {}

    [[nodiscard]] net::shard& shard() noexcept { return shard_; }
    [[nodiscard]] trunks::engine& engine() noexcept { return engine_; }
    [[nodiscard]] std::size_t calls() const noexcept {
        return calls_.load(std::memory_order_relaxed);
    }

    /// On the shard.
    void drain(std::chrono::milliseconds deadline, time_point now, outbox& out) {
        engine_.drain();
        engine_.leave_registrars(now, out);
        draining_ = true;
        drain_at_ = now + deadline;
        rest();
    }

    void receive(const input& what, time_point now, outbox& out) override {
        engine_.receive(what, now, out);
        rest();
    }
    void tick(time_point now, outbox& out) override {
        engine_.tick(now, out);
        if (drain_at_ && now >= *drain_at_) {
            // Time is up: BYE to everybody, and a moment for the answers.
            if (std::exchange(hung_up_, true)) {
                drain_at_.reset();
                return come_to_rest();
            }
            engine_.hang_up_all("shutting down", now, out);
            drain_at_ = now + std::chrono::seconds{2};
        }
        rest();
    }
    [[nodiscard]] std::optional<time_point> next_deadline() const override {
        return earliest(engine_.next_deadline(), drain_at_);
    }
    void deliver(const effects::event& what, time_point now, outbox& out) override {
        const auto before = net::now();
        engine_.deliver(what, now, out);
        // Every other call of the shard has waited for that long.
        if (const auto took = net::now() - before; took > callback_budget) {
            const auto level = took > audible ? severity::warning : severity::trace;
            out.note(level, diagnostic::callback_slow, what.owner,
                     {std::chrono::duration_cast<std::chrono::microseconds>(took).count()});
        }
        rest();
    }
    void deliver(const effects::note& what) override { engine_.deliver(what); }
    [[nodiscard]] bool knows(const address& source, time_point now) const override {
        return engine_.knows(source, now);
    }

private:
    static constexpr duration callback_budget = std::chrono::microseconds{50};
    static constexpr duration audible = std::chrono::milliseconds{5};

    void rest() {
        calls_.store(engine_.calls(), std::memory_order_relaxed);
        if (draining_ && engine_.idle()) come_to_rest();
    }
    void come_to_rest() {
        if (!std::exchange(at_rest_, true)) on_rest_();
    }

    net::system_entropy entropy_;
    trunks::engine engine_;
    net::shard shard_;
    std::atomic<std::size_t> calls_ = 0;
    std::function<void()> on_rest_;
    bool draining_ = false;
    bool at_rest_ = false;
    bool hung_up_ = false;
    std::optional<time_point> drain_at_;
};

} // namespace trunkline
