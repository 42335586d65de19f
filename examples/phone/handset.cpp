#include "handset.hpp"

#include <algorithm>
#include <cstdio>

namespace phone {

using namespace trunkline;

namespace {

// Two hours. A call that somebody forgot does not fill the memory.
constexpr std::size_t longest_recording = std::size_t{2} * 3'600 * 8'000;

void complain(const char* about, const error& why) {
    std::fprintf(stderr, "phone: %s: %s\n", about, std::string{message(why.code)}.c_str());
}

} // namespace

void handset::on_ringing(call&) {
    std::fprintf(stderr, "ringing\n");
}

void handset::on_answered(call& call) {
    std::fprintf(stderr, "answered\n");
    if (!wanted_.digits.empty()) {
        if (const auto pressed = call.send_digits(wanted_.digits); !pressed) {
            complain("the digits were not sent", pressed.reason());
        }
    }
    if (!speech_.empty()) speak(call);
    if (wanted_.hang_up_after_drain) call.hang_up_after_drain();
    if (events_.answered) events_.answered(call);
}

/// The silence before it is part of the utterance, so that no clock but the call's own is needed.
void handset::speak(call& call) {
    const auto opened = call.say();
    if (!opened) return complain("nothing is said", opened.reason());
    saying_ = *opened;
    if (wanted_.say_after) {
        silence_before_ = static_cast<std::size_t>(wanted_.say_after->count()) * 8;
        const samples silence(silence_before_);
        const auto taken = saying_->write(silence);
        if (!taken) return complain("nothing is said", taken.reason());
        silence_before_ = *taken;
    }
    const auto taken = saying_->write(speech_);
    if (!taken) return complain("nothing is said", taken.reason());
    if (*taken < speech_.size()) std::fprintf(stderr, "phone: only two minutes of it are said\n");
    if (const auto done = saying_->finish(); !done) complain("the end is not said", done.reason());
}

void handset::on_audio(call&, const audio_frame& frame) {
    count_what_was_said();
    if (wanted_.record.empty()) return;
    const auto room = longest_recording - talk_.heard.size();
    const auto taken = frame.samples.first(std::min(room, frame.samples.size()));
    talk_.heard.insert(talk_.heard.end(), taken.begin(), taken.end());
}

/// Asked again and again, because at the end of the call the utterance may be gone already.
void handset::count_what_was_said() {
    if (!saying_) return;
    if (const auto sent = saying_->sent_up_to()) {
        talk_.said = *sent - std::min(*sent, silence_before_);
    } else {
        saying_.reset();
    }
}

void handset::on_digit(call&, char digit) {
    std::fprintf(stderr, "digit %c\n", digit);
    talk_.digits += digit;
}

void handset::on_ended(call&, const call_record& record) {
    count_what_was_said();
    if (events_.ended) events_.ended(record, talk_);
}

} // namespace phone
