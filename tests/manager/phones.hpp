// Managers on the loopback interface that call one another, and agents that say what they saw.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <trunkline/audio/tone.hpp>
#include <trunkline/trunkline.hpp>

#include "support/print.hpp"

namespace trunkline::support {

using namespace std::chrono_literals;

/// No test waits longer than it takes, and none fails because the machine is busy.
template <class Condition>
[[nodiscard]] bool until(Condition reached, std::chrono::seconds patience = 8s) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!reached()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::yield();
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

/// Whatever agents on other threads write down.
struct seen {
    std::mutex guard;
    std::vector<std::string> told;
    std::vector<call_record> records;
    std::vector<std::int16_t> heard;
    std::string digits;

    void tell(std::string what) {
        const std::lock_guard held{guard};
        told.push_back(std::move(what));
    }
    [[nodiscard]] std::size_t count(std::string_view what) {
        const std::lock_guard held{guard};
        return static_cast<std::size_t>(std::ranges::count(told, what));
    }
    [[nodiscard]] std::size_t ended() {
        const std::lock_guard held{guard};
        return records.size();
    }
    [[nodiscard]] call_record record(std::size_t which = 0) {
        const std::lock_guard held{guard};
        REQUIRE(records.size() > which);
        return records[which];
    }
    /// Of the last second.
    [[nodiscard]] double level_at(double hz) {
        const std::lock_guard held{guard};
        if (heard.size() < 8'000) return -100;
        return audio::level_at(hz, std::span{heard}.last(8'000));
    }
};

/// Says a tone of its own for as long as the call lasts, and listens.
class toner final : public agent {
public:
    toner(seen& into, double hz, std::function<void(call&)> answered = {})
        : seen_{&into},
          tone_{audio::tones::sine(hz)},
          answered_{std::move(answered)} {}

    void on_ringing(call&) override { seen_->tell("ringing"); }
    void on_answered(call& c) override {
        seen_->tell("answered");
        if (auto opened = c.say()) speech_ = *opened;
        feed(50);
        if (answered_) answered_(c);
    }
    void on_audio(call&, const audio_frame& frame) override {
        feed(1);
        const std::lock_guard held{seen_->guard};
        seen_->heard.insert(seen_->heard.end(), frame.samples.begin(), frame.samples.end());
    }
    void on_digit(call&, char digit) override {
        const std::lock_guard held{seen_->guard};
        seen_->digits += digit;
    }
    void on_ended(call&, const call_record& record) override {
        const std::lock_guard held{seen_->guard};
        seen_->records.push_back(record);
    }

private:
    void feed(int frames) {
        std::array<std::int16_t, 160> samples{};
        for (int i = 0; i < frames; ++i) {
            tone_.next(samples);
            static_cast<void>(speech_.write(samples));
        }
    }

    seen* seen_;
    audio::tone_generator tone_;
    std::function<void(call&)> answered_;
    utterance speech_;
};

[[nodiscard]] inline manager_config on_loopback(std::uint16_t shards = 1) {
    manager_config made;
    made.listen = {{.at = "udp:127.0.0.1:0"}};
    made.shards = shards;
    made.media_ports = {31'000, 39'999};
    return made;
}

/// The trunk of one manager that leads to another.
[[nodiscard]] inline trunk_config trunk_to(const trunk_manager& other, unsigned channels = 100) {
    trunk_config made;
    made.name = "other";
    made.gateways = {{"127.0.0.1", other.listening().port}};
    made.allow_from = {"127.0.0.1"};
    made.numbers = {{"*"}};
    made.channels = channels;
    made.caller_id = "100";
    return made;
}

/// A caller and a callee, both running.
struct pair_of_managers {
    seen calling;
    seen called;
    trunk_manager caller;
    trunk_manager callee;

    explicit pair_of_managers(manager_config callee_config, unsigned channels = 100)
        : caller{on_loopback()},
          callee{std::move(callee_config)} {
        auto far = trunk_to(callee);
        far.channels = 1000;
        REQUIRE(caller.add_trunk(far).has_value());
        REQUIRE(callee.add_trunk(trunk_to(caller, channels)).has_value());
        caller.start();
        callee.start();
    }
    /// A call of a tone by a trunk of the caller's.
    void dial_by(std::string trunk) {
        dial(std::make_unique<toner>(calling, 600), "1", std::move(trunk));
    }
    void dial(std::unique_ptr<agent> who, std::string to = "200", std::string trunk = {}) {
        dial_request made;
        made.to = std::move(to);
        made.trunk = std::move(trunk);
        made.agent = std::move(who);
        caller.dial(std::move(made));
    }
};

} // namespace trunkline::support
