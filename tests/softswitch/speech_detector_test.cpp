#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include <trunkline/audio/tone.hpp>
#include <trunkline/audio/wav.hpp>
#include <trunkline/core/text.hpp>

#include "speech_detector.hpp"

namespace softswitch {
namespace {

using change = speech_detector::change;
using samples = std::vector<std::int16_t>;

samples tone(double level_dbm0, std::size_t count) {
    samples made(count);
    trunkline::audio::tone_generator{trunkline::audio::tones::sine(440, level_dbm0)}.next(made);
    return made;
}

/// At which sample something changed, for every change.
std::vector<std::size_t> changes(speech_detector& detector, const samples& heard) {
    std::vector<std::size_t> found;
    for (std::size_t at = 0; at + 160 <= heard.size(); at += 160) {
        if (detector.hear(std::span{heard}.subspan(at, 160)) != change::none) found.push_back(at);
    }
    return found;
}

TEST_CASE("softswitch::speech_detector: silence and a quiet room are nobody speaking") {
    speech_detector detector;
    CHECK(changes(detector, samples(16'000)).empty());
    CHECK(changes(detector, tone(-50, 16'000)).empty());
    CHECK(!detector.speaking());
}

TEST_CASE("softswitch::speech_detector: a click is not speech") {
    speech_detector detector;
    auto click = tone(-10, 320);
    click.resize(8'000);
    CHECK(changes(detector, click).empty());
}

TEST_CASE(
    "softswitch::speech_detector: speech begins after 60 ms and ends after 400 ms of silence") {
    speech_detector detector;
    auto heard = tone(-20, 4'000);
    heard.resize(12'000);
    CHECK(changes(detector, heard) == std::vector<std::size_t>{320, 4'000 + 3'040});
    CHECK(!detector.speaking());
}

TEST_CASE("softswitch::speech_detector: a sentence is one piece, its pauses included") {
    for (const auto* const name : {"caller.wav", "other.wav", "greeting.wav"}) {
        INFO(name);
        std::ifstream file{std::string{TRUNKLINE_SOURCE_DIR "/examples/assets/"} + name,
                           std::ios::binary};
        const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
        const auto wav = trunkline::audio::wav_view::parse(trunkline::as_bytes(bytes));
        REQUIRE(wav);
        auto heard = trunkline::audio::to_8khz(*wav);
        REQUIRE(heard);
        const auto spoken = heard->size();
        heard->resize(spoken + 8'000);
        speech_detector detector;
        const auto found = changes(detector, *heard);
        // The greeting is two sentences and may be heard as such.
        REQUIRE(found.size() >= 2);
        if (std::string{name} != "greeting.wav") CHECK(found.size() == 2);
        CHECK(found.front() < 2'400);
        CHECK(found.back() > spoken);
    }
}

} // namespace
} // namespace softswitch
