#include <trunkline/audio/tone.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>
#include <string_view>

#include <trunkline/core/assert.hpp>

namespace trunkline::audio {
namespace {

using std::chrono::milliseconds;

constexpr double full_scale_dbm0 = 3.14; // G.711 for A-law; mu-law's 3.17 is no audible matter.
constexpr double full_scale = 32'767;
constexpr double silence_dbm0 = -100;

/// Of a sine with this amplitude.
double to_dbm0(double amplitude) noexcept {
    if (amplitude <= 0) return silence_dbm0;
    return std::max(silence_dbm0, full_scale_dbm0 + 20 * std::log10(amplitude / full_scale));
}

std::uint64_t samples_in(duration length, unsigned rate) noexcept {
    if (length <= duration::zero()) return 0;
    constexpr duration longest = std::chrono::hours{24 * 365};
    const auto seconds = std::chrono::duration<double>{std::min(length, longest)}.count();
    return static_cast<std::uint64_t>(std::llround(seconds * rate));
}

} // namespace

namespace tones {

tone sine(double hz, double level_dbm0) noexcept {
    return {.first_hz = hz, .level_dbm0 = level_dbm0};
}

tone ringback_north_america() noexcept {
    return {440, 480, -19, milliseconds{2'000}, milliseconds{4'000}};
}

tone ringback_europe() noexcept {
    return {425, 0, -10, milliseconds{1'000}, milliseconds{4'000}};
}

tone busy_north_america() noexcept {
    return {480, 620, -24, milliseconds{500}, milliseconds{500}};
}

tone busy_europe() noexcept {
    return {425, 0, -10, milliseconds{500}, milliseconds{500}};
}

std::optional<tone> dtmf(char digit, duration on, duration off) noexcept {
    constexpr std::string_view keys = "123A456B789C*0#D"; // As they lie on the telephone.
    constexpr std::array<double, 4> rows{697, 770, 852, 941};
    constexpr std::array<double, 4> columns{1'209, 1'336, 1'477, 1'633};
    const auto key = keys.find(digit);
    if (key == std::string_view::npos) return std::nullopt;
    return tone{rows[key / 4], columns[key % 4], -8, on, off, 1};
}

} // namespace tones

void tone_generator::oscillator::start(double hz, unsigned rate) noexcept {
    const auto angle = 2 * std::numbers::pi * hz / rate;
    x = 1;
    y = 0;
    turn_x = std::cos(angle);
    turn_y = std::sin(angle);
}

double tone_generator::oscillator::next() noexcept {
    const auto sample = y;
    const auto turned = x * turn_x - y * turn_y;
    y = x * turn_y + y * turn_x;
    x = turned;
    return sample;
}

tone_generator::tone_generator(const tone& what, unsigned rate) noexcept
    : what_{what},
      rate_{rate},
      amplitude_{full_scale * std::pow(10, (what.level_dbm0 - full_scale_dbm0) / 20)},
      on_{samples_in(what.on, rate)},
      cycle_{on_ + samples_in(what.off, rate)},
      times_left_{what.times.value_or(std::numeric_limits<unsigned>::max())} {
    TRUNKLINE_ASSERT(rate > 0);
    if (cycle_ == 0) times_left_ = 0;
}

void tone_generator::next(std::span<std::int16_t> into) noexcept {
    for (auto& sample : into) {
        sample = 0;
        if (ended()) continue;
        if (at_ == 0) { // Every burst begins at zero: no click.
            first_.start(what_.first_hz, rate_);
            second_.start(what_.second_hz, rate_);
        }
        if (at_ < on_) {
            const auto value = amplitude_ * (first_.next() + second_.next());
            sample = static_cast<std::int16_t>(std::lround(std::clamp(value, -32'768.0, 32'767.0)));
        }
        if (++at_ < cycle_) continue;
        at_ = 0;
        if (what_.times) --times_left_;
    }
}

double level_at(double hz, std::span<const std::int16_t> samples, unsigned rate) noexcept {
    TRUNKLINE_ASSERT(rate > 0);
    if (samples.empty()) return silence_dbm0;
    const auto coefficient = 2 * std::cos(2 * std::numbers::pi * hz / rate);
    double newest = 0;
    double older = 0;
    for (const auto sample : samples) {
        const auto next = sample + coefficient * newest - older;
        older = newest;
        newest = next;
    }
    const auto power = newest * newest + older * older - coefficient * newest * older;
    return to_dbm0(2 * std::sqrt(std::max(power, 0.0)) / static_cast<double>(samples.size()));
}

double level(std::span<const std::int16_t> samples) noexcept {
    if (samples.empty()) return silence_dbm0;
    double energy = 0;
    for (const double sample : samples) energy += sample * sample;
    return to_dbm0(std::sqrt(2 * energy / static_cast<double>(samples.size())));
}

} // namespace trunkline::audio
