// A loss soon after another: what was made up for the first is what the second goes on from.
#include <trunkline/audio/concealment.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <span>
#include <vector>

#include <trunkline/audio/tone.hpp>

#include "support/print.hpp"

namespace trunkline::audio {
namespace {

TEST_CASE(
    "audio::concealment: with every second frame lost a tone stays nearer than silence would") {
    for (const double hz : {125.0, 160.0}) { // Their periods do not divide a frame.
        CAPTURE(hz);
        constexpr std::size_t frame = 160;
        std::vector<std::int16_t> original(4'800);
        tone_generator{tones::sine(hz, -10)}.next(original);
        auto hidden = original;
        concealment hide;
        for (std::size_t at = 0; at < hidden.size(); at += frame) {
            const auto now = std::span{hidden}.subspan(at, frame);
            if (at >= 4 * frame && at / frame % 2 == 0)
                hide.conceal(now);
            else
                hide.received(now);
        }
        int worst = 0;
        for (std::size_t i = 0; i < original.size(); ++i) {
            worst = std::max(worst, std::abs(original[i] - hidden[i]));
        }
        CHECK(worst < *std::ranges::max_element(original));
    }
}

} // namespace
} // namespace trunkline::audio
