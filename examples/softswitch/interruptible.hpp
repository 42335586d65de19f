// An agent with manners: it speaks, falls silent when the caller interrupts, and shows that it has
// listened by saying the caller's sentence back.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <trunkline/trunk/agent.hpp>
#include <trunkline/trunk/call.hpp>

#include "speech_detector.hpp"

namespace softswitch {

class interruptible : public trunkline::agent {
public:
    /// `log` gets a line for each turn: "sent 1240 ms, not sent 1760 ms".
    interruptible(std::shared_ptr<const std::vector<std::int16_t>> greeting,
                  std::function<void(const trunkline::call&, const std::string&)> log)
        : greeting_{std::move(greeting)},
          log_{std::move(log)} {}

    void on_answered(trunkline::call& call) override;
    void on_audio(trunkline::call& call, const trunkline::audio_frame& frame) override;

private:
    void fall_silent(trunkline::call& call);
    void repeat(trunkline::call& call);
    void say(trunkline::call& call, std::span<const std::int16_t> what);

    std::shared_ptr<const std::vector<std::int16_t>> greeting_;
    std::function<void(const trunkline::call&, const std::string&)> log_;
    speech_detector detector_{};
    std::vector<std::int16_t> sentence_{}; ///< The caller's, with what led up to it.
    bool repeated_ = false;
};

} // namespace softswitch
