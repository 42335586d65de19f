// A burst at its last sample, of a tone that is not at zero there.
#include <trunkline/audio/tone.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <vector>

#include "support/print.hpp"

namespace trunkline::audio {
namespace {

using std::chrono::milliseconds;

TEST_CASE(
    "audio::tone_generator: a burst has as many samples as its time, and begins at zero again") {
    // A quarter of a period and five whole ones in 10 ms: loudest where it ends.
    tone_generator generator{
        {.first_hz = 525, .level_dbm0 = -10, .on = milliseconds{10}, .off = milliseconds{5}}};
    std::vector<std::int16_t> samples(240);
    generator.next(samples);
    for (const std::size_t start : {0U, 120U}) {
        CHECK(samples[start] == 0);
        CHECK(samples[start + 1] > 1'000);
        CHECK(samples[start + 79] > 5'000);
        for (std::size_t i = 80; i < 120; ++i) CHECK(samples[start + i] == 0);
    }
}

} // namespace
} // namespace trunkline::audio
