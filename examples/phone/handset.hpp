// The agent: says a recording, keeps what it hears.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include <trunkline/trunk/agent.hpp>
#include <trunkline/trunk/call.hpp>

#include "options.hpp"
#include "wav_file.hpp"

namespace phone {

/// What was exchanged in a call.
struct conversation {
    samples heard{};
    std::size_t said = 0; ///< Samples of the recording that were sent.
    std::string digits{}; ///< That the other side pressed.
};

/// What a handset tells whoever owns it, on the call's shard.
struct handset_events {
    std::function<void(trunkline::call&)> answered{};
    std::function<void(const trunkline::call_record&, const conversation&)> ended{};
};

class handset : public trunkline::agent {
public:
    /// All three outlive the call.
    handset(const call_options& wanted, const samples& speech, const handset_events& events)
        : wanted_{wanted},
          speech_{speech},
          events_{events} {}

    void on_ringing(trunkline::call& call) override;
    void on_answered(trunkline::call& call) override;
    void on_audio(trunkline::call& call, const trunkline::audio_frame& frame) override;
    void on_digit(trunkline::call& call, char digit) override;
    void on_ended(trunkline::call& call, const trunkline::call_record& record) override;

private:
    void speak(trunkline::call& call);
    void count_what_was_said();

    const call_options& wanted_;
    const samples& speech_;
    const handset_events& events_;
    conversation talk_{};
    std::optional<trunkline::utterance> saying_{};
    std::size_t silence_before_ = 0; ///< Samples.
};

} // namespace phone
