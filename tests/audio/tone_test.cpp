#include <trunkline/audio/tone.hpp>

#include <doctest/doctest.h>
#include <spandsp.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline::audio {
namespace {

using std::chrono::milliseconds;

std::vector<std::int16_t> sound(const tone& what, std::size_t size, unsigned rate = 8'000) {
    std::vector<std::int16_t> samples(size);
    tone_generator generator{what, rate};
    // In uneven pieces, because a caller may ask for any.
    for (std::size_t at = 0; at < size; at += 37) {
        generator.next(std::span{samples}.subspan(at, std::min<std::size_t>(37, size - at)));
    }
    return samples;
}

TEST_CASE("audio::tone_generator: a sine has the frequency and the level that was asked for") {
    for (const double hz : {100.0, 425.0, 1'000.0, 3'300.0}) {
        CAPTURE(hz);
        const auto samples = sound(tones::sine(hz, -13), 8'000);
        CHECK(level_at(hz, samples) == doctest::Approx(-13).epsilon(0.001));
        CHECK(level(samples) == doctest::Approx(-13).epsilon(0.001));
        CHECK(level_at(hz + 50, samples) < -60);
        for (std::size_t i = 0; i < 100; ++i) {
            const auto expected =
                32'767 * std::pow(10, (-13 - 3.14) / 20) *
                std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / 8'000);
            CHECK(std::abs(samples[i] - expected) < 0.51);
        }
    }
}

TEST_CASE("audio::tone_generator: a sine is as loud after ten minutes") {
    tone_generator generator{tones::sine(1'004, 0)};
    std::vector<std::int16_t> second(8'000);
    for (int n = 0; n < 600; ++n) generator.next(second);
    CHECK(level_at(1'004, second) == doctest::Approx(0).epsilon(0.001));
}

TEST_CASE("audio::tone_generator: ringback follows its cadence") {
    const auto samples = sound(tones::ringback_north_america(), 8'000 * 8);
    const std::span<const std::int16_t> all{samples};
    const auto second = [&](std::size_t n) { return all.subspan(n * 8'000, 8'000); };
    for (const std::size_t on : {0U, 1U, 6U, 7U}) {
        CHECK(level_at(440, second(on)) == doctest::Approx(-19).epsilon(0.001));
        CHECK(level_at(480, second(on)) == doctest::Approx(-19).epsilon(0.001));
    }
    for (const std::size_t off : {2U, 3U, 4U, 5U}) CHECK(level(second(off)) == -100);
}

TEST_CASE("audio::tone_generator: ends after so many times") {
    tone_generator generator{
        {.first_hz = 500, .on = milliseconds{10}, .off = milliseconds{10}, .times = 2}};
    std::vector<std::int16_t> samples(319);
    generator.next(samples);
    CHECK(!generator.ended());
    generator.next(std::span{samples}.first(1));
    CHECK(generator.ended());
    generator.next(samples);
    CHECK(level(samples) == -100);
}

TEST_CASE("audio::tone_generator: never leaves the range, and nothing lasts no time") {
    const auto loud = sound({.first_hz = 1'000, .second_hz = 1'200, .level_dbm0 = 20}, 800);
    CHECK(*std::ranges::max_element(loud) == 32'767);
    CHECK(*std::ranges::min_element(loud) == -32'768);
    CHECK(tone_generator{{.first_hz = 1'000, .on = milliseconds{0}}}.ended());
}

TEST_CASE("audio::tones: the keys of ITU-T Q.23, and no other character, have a tone") {
    CHECK(tones::dtmf('1')->first_hz == 697);
    CHECK(tones::dtmf('1')->second_hz == 1'209);
    CHECK(tones::dtmf('0')->first_hz == 941);
    CHECK(tones::dtmf('0')->second_hz == 1'336);
    CHECK(tones::dtmf('D')->second_hz == 1'633);
    for (const char other : {'a', 'E', ' ', '\0'}) CHECK(!tones::dtmf(other));
}

TEST_CASE("audio::tones: spandsp hears the digits that were dialled") {
    constexpr std::string_view dialled = "0123456789*#ABCD";
    auto* const receiver = dtmf_rx_init(nullptr, nullptr, nullptr);
    for (const char digit : dialled) {
        const auto samples = sound(*tones::dtmf(digit), 1'200);
        dtmf_rx(receiver, samples.data(), static_cast<int>(samples.size()));
    }
    char heard[64] = {};
    dtmf_rx_get(receiver, heard, 63);
    dtmf_rx_free(receiver);
    CHECK(std::string{heard} == dialled);
}

TEST_CASE("audio::level: of nothing and of silence is the floor") {
    CHECK(level({}) == -100);
    CHECK(level_at(1'000, {}) == -100);
    CHECK(level_at(1'000, std::vector<std::int16_t>(160)) == -100);
}

} // namespace
} // namespace trunkline::audio
