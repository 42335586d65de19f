#include "interruptible.hpp"

#include <algorithm>

namespace softswitch {
namespace {

// Words begin more quietly than a detector needs: so much from before it noticed is kept.
constexpr std::size_t kept_before = 2'400;
// Of somebody who goes on and on, a minute is said back.
constexpr std::size_t longest_sentence = 480'000;

std::string milliseconds(std::size_t samples) {
    return std::to_string(samples / 8) + " ms";
}

} // namespace

void interruptible::on_answered(trunkline::call& call) {
    say(call, *greeting_);
}

void interruptible::on_audio(trunkline::call& call, const trunkline::audio_frame& frame) {
    if (repeated_) return;
    const auto change = detector_.hear(frame.samples);
    sentence_.insert(sentence_.end(), frame.samples.begin(), frame.samples.end());
    if (change == speech_detector::change::began) fall_silent(call);
    if (!detector_.speaking() && change == speech_detector::change::none) {
        const auto old = sentence_.size() - std::min(sentence_.size(), kept_before);
        sentence_.erase(sentence_.begin(), sentence_.begin() + static_cast<std::ptrdiff_t>(old));
    }
    if (change == speech_detector::change::ended || sentence_.size() >= longest_sentence) {
        repeat(call);
    }
}

/// All that was queued and not yet sent is dropped: the caller hears nothing more of it than what
/// is on its way already.
void interruptible::fall_silent(trunkline::call& call) {
    const auto dropped = call.clear();
    if (!dropped) return;
    std::size_t sent = 0;
    std::size_t unsent = 0;
    for (const auto& one : *dropped) {
        sent += one.sent;
        unsent += one.unsent;
    }
    log_(call, dropped->empty() ? "the caller speaks; nothing was being said"
                                : "the caller interrupts: sent " + milliseconds(sent) +
                                      ", not sent " + milliseconds(unsent));
}

void interruptible::repeat(trunkline::call& call) {
    repeated_ = true;
    log_(call, "the caller has finished: saying " + milliseconds(sentence_.size()) + " back");
    say(call, sentence_);
    call.hang_up_after_drain();
}

void interruptible::say(trunkline::call& call, std::span<const std::int16_t> what) {
    auto speech = call.say();
    if (!speech || !speech->write(what) || !speech->finish()) {
        log_(call, "nothing can be said; hanging up");
        call.hang_up();
    }
}

} // namespace softswitch
