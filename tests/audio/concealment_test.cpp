#include <trunkline/audio/concealment.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <numbers>
#include <string>
#include <vector>

#include <trunkline/audio/tone.hpp>
#include <trunkline/audio/wav.hpp>
#include <trunkline/core/entropy.hpp>
#include <trunkline/core/text.hpp>

namespace trunkline::audio {
namespace {

using speech = std::vector<std::int16_t>;
constexpr std::size_t frame_size = 160;

/// A vowel: pulses at a pitch that glides from 110 to 140 Hz, through two formants.
speech vowel(std::size_t size) {
    speech samples(size);
    double phase = 0;
    struct resonance {
        double hz, width, y1 = 0, y2 = 0;
        double next(double x) {
            const auto radius = std::exp(-std::numbers::pi * width / 8'000);
            const auto y = x + 2 * radius * std::cos(2 * std::numbers::pi * hz / 8'000) * y1 -
                           radius * radius * y2;
            y2 = y1;
            return y1 = y;
        }
    };
    resonance first{700, 110};
    resonance second{1'200, 130};
    for (std::size_t i = 0; i < size; ++i) {
        phase += (110 + 30 * static_cast<double>(i) / static_cast<double>(size)) / 8'000;
        const bool pulse = phase >= 1;
        if (pulse) phase -= 1;
        samples[i] = static_cast<std::int16_t>(second.next(first.next(pulse ? 1'500 : 0)));
    }
    return samples;
}

speech asset(const char* name) {
    std::ifstream file{std::string{TRUNKLINE_SOURCE_DIR "/examples/assets/"} + name,
                       std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
    const auto wav = wav_view::parse(as_bytes(bytes));
    REQUIRE(wav);
    return *to_8khz(*wav);
}

/// Loses the frames that `lost` names.
template <class Lost>
speech through_loss(speech samples, Lost lost) {
    concealment hide;
    for (std::size_t at = 0; at + frame_size <= samples.size(); at += frame_size) {
        const auto frame = std::span{samples}.subspan(at, frame_size);
        if (lost(at / frame_size)) {
            hide.conceal(frame);
        } else {
            hide.received(frame);
        }
    }
    return samples;
}

template <class Lost>
speech with_silence(speech samples, Lost lost) {
    for (std::size_t at = 0; at + frame_size <= samples.size(); at += frame_size) {
        if (lost(at / frame_size)) {
            std::ranges::fill(std::span{samples}.subspan(at, frame_size), std::int16_t{0});
        }
    }
    return samples;
}

/// Mean distance of log levels in 18 bands, a fifth of an octave or so apart, of the lost frames.
template <class Lost>
double spectral_distance(const speech& original, const speech& heard, Lost lost) {
    double sum = 0;
    int compared = 0;
    for (std::size_t at = 0; at + frame_size <= original.size(); at += frame_size) {
        const auto was = std::span{original}.subspan(at, frame_size);
        if (!lost(at / frame_size) || level(was) < -40) continue;
        const auto is = std::span{heard}.subspan(at, frame_size);
        for (double hz = 200; hz < 3'600; hz *= 1.18) {
            sum += std::abs(std::max(-60.0, level_at(hz, was)) - std::max(-60.0, level_at(hz, is)));
            ++compared;
        }
    }
    REQUIRE(compared > 0);
    return sum / compared;
}

int largest_step(std::span<const std::int16_t> samples) {
    int largest = 0;
    for (std::size_t i = 1; i < samples.size(); ++i) {
        largest = std::max(largest, std::abs(samples[i] - samples[i - 1]));
    }
    return largest;
}

TEST_CASE("audio::concealment: changes nothing where nothing is lost") {
    const auto original = vowel(3'200);
    CHECK(through_loss(original, [](std::size_t) { return false; }) == original);
}

TEST_CASE(
    "audio::concealment: a vowel goes on, nearer to itself than to silence, without a click") {
    const auto original = vowel(16'000);
    for (const std::size_t burst : {1U, 2U, 3U, 5U}) {
        CAPTURE(burst);
        const auto lost = [burst](std::size_t frame) { return frame > 3 && frame % 12 < burst; };
        const auto hidden = through_loss(original, lost);
        const auto silenced = with_silence(original, lost);
        CHECK(spectral_distance(original, hidden, lost) <
              spectral_distance(original, silenced, lost) / 4);
        CHECK(largest_step(hidden) <= largest_step(original) * 5 / 4);
        double error = 0;
        double energy = 0;
        for (std::size_t i = 0; i < original.size(); ++i) {
            if (!lost(i / frame_size)) continue;
            error += std::pow(original[i] - hidden[i], 2);
            energy += std::pow(original[i], 2);
        }
        if (burst == 1) CHECK(error < energy / 2);
    }
}

TEST_CASE("audio::concealment: a steady tone is continued in phase") {
    speech original(4'800);
    tone_generator{tones::sine(200, -10)}.next(original);
    const auto hidden = through_loss(original, [](std::size_t frame) { return frame % 5 == 4; });
    int worst = 0;
    for (std::size_t i = 0; i < original.size(); ++i) {
        worst = std::max(worst, std::abs(original[i] - hidden[i]));
    }
    CHECK(worst < 100); // Of an amplitude of 7,000.
}

TEST_CASE("audio::concealment: real sentences stay closer to themselves than silence would be") {
    for (const char* const name : {"greeting.wav", "caller.wav", "other.wav"}) {
        const auto original = asset(name);
        for (const std::uint64_t percent : {5U, 10U, 20U}) {
            CAPTURE(std::string{name});
            CAPTURE(percent);
            seeded_entropy entropy{percent};
            std::vector<bool> pattern(original.size() / frame_size + 1);
            for (std::size_t i = 0; i < pattern.size(); ++i)
                pattern[i] = entropy.below(100) < percent;
            const auto lost = [&](std::size_t frame) { return pattern[frame]; };
            const auto hidden = through_loss(original, lost);
            const auto distance = spectral_distance(original, hidden, lost);
            CHECK(distance <
                  spectral_distance(original, with_silence(original, lost), lost) * 2 / 3);
            CHECK(largest_step(hidden) <= largest_step(original) * 3 / 2);
        }
    }
}

TEST_CASE("audio::concealment: keeps its level for 100 ms, then becomes the noise of the line") {
    seeded_entropy entropy{3};
    concealment hide;
    speech frame(frame_size);
    const auto line_noise = [&] {
        for (auto& sample : frame) sample = static_cast<std::int16_t>(entropy.below(81)) - 40;
    };
    for (int n = 0; n < 10; ++n) {
        line_noise();
        hide.received(frame);
    }
    const auto background = level(frame);
    const auto voiced = vowel(3'200);
    for (std::size_t at = 0; at < voiced.size(); at += frame_size) {
        std::copy_n(voiced.begin() + static_cast<std::ptrdiff_t>(at), frame_size, frame.begin());
        hide.received(frame);
    }
    const auto voice = level(std::span{voiced}.last(640));
    for (int n = 0; n < 5; ++n) hide.conceal(frame);
    CHECK(level(frame) > voice - 4);
    for (int n = 5; n < 20; ++n) hide.conceal(frame);
    CHECK(level(frame) > background - 4);
    CHECK(level(frame) < background + 4);
    CHECK(hide.concealed() == 20 * frame_size);
    // And it stays so, however long the loss.
    for (int n = 0; n < 1'000; ++n) hide.conceal(frame);
    CHECK(level(frame) < background + 4);
    line_noise();
    hide.received(frame);
    CHECK(hide.concealed() == 0);
}

TEST_CASE("audio::concealment: takes a loss before the first frame, and frames of any length") {
    concealment hide;
    speech frame(frame_size, 99);
    hide.conceal(frame);
    CHECK(level(frame) == -100);
    hide.received({});
    hide.conceal({});
    speech longer = vowel(1'000);
    hide.received(std::span{longer}.first(1));
    hide.received(std::span{longer}.subspan(1, 79));
    hide.received(std::span{longer}.subspan(80));
    speech out(2'000);
    hide.conceal(out);
    CHECK(level(std::span{out}.first(160)) > -20);
}

TEST_CASE("audio::concealment: the loudest signals do not overflow") {
    concealment hide;
    speech frame(frame_size);
    for (std::size_t n = 0; n < 40; ++n) {
        for (std::size_t i = 0; i < frame.size(); ++i) {
            frame[i] =
                (n * frame.size() + i) % 97 < 48 ? std::int16_t{32'767} : std::int16_t{-32'768};
        }
        if (n % 3 == 2) {
            hide.conceal(frame);
        } else {
            hide.received(frame);
        }
        CHECK(level(frame) > 0);
    }
}

} // namespace
} // namespace trunkline::audio
