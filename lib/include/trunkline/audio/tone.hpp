// Tones: the ones a telephone network speaks in, made sample by sample, and the meter for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <trunkline/core/export.hpp>
#include <trunkline/core/time.hpp>

namespace trunkline::audio {

/// One or two sines, and when they sound. Levels are those of G.711: a sine at 3.14 dBm0 just fills
/// the range.
struct tone {
    double first_hz = 0;
    double second_hz = 0;               ///< 0 when there is but one.
    double level_dbm0 = -10;            ///< Of each of them.
    duration on = duration::max();      ///< Sounds as long,
    duration off = duration::zero();    ///< then is silent as long,
    std::optional<unsigned> times = {}; ///< as often; for ever when not said.
};

/// ITU-T E.180 supplement 2 has one for each country; these are the two that most follow.
namespace tones {
[[nodiscard]] TRUNKLINE_EXPORT tone sine(double hz, double level_dbm0 = -10) noexcept;
[[nodiscard]] TRUNKLINE_EXPORT tone ringback_north_america() noexcept;
[[nodiscard]] TRUNKLINE_EXPORT tone ringback_europe() noexcept;
[[nodiscard]] TRUNKLINE_EXPORT tone busy_north_america() noexcept;
[[nodiscard]] TRUNKLINE_EXPORT tone busy_europe() noexcept;
/// ITU-T Q.23: 0 to 9, *, #, A to D; nothing for any other character.
[[nodiscard]] TRUNKLINE_EXPORT std::optional<tone>
dtmf(char digit, duration on = std::chrono::milliseconds{100},
     duration off = std::chrono::milliseconds{50}) noexcept;
} // namespace tones

class TRUNKLINE_EXPORT tone_generator {
public:
    explicit tone_generator(const tone& what, unsigned rate = 8'000) noexcept;

    /// Writes the next into.size() samples: silence between and after the tones.
    void next(std::span<std::int16_t> into) noexcept;
    [[nodiscard]] bool ended() const noexcept { return times_left_ == 0; }

private:
    /// A pointer that turns a little each sample: a sine without calling one.
    struct oscillator {
        double x = 1, y = 0;
        double turn_x = 1, turn_y = 0;

        void start(double hz, unsigned rate) noexcept;
        double next() noexcept;
    };

    tone what_;
    unsigned rate_;
    double amplitude_;
    std::uint64_t on_; ///< In samples, like all below.
    std::uint64_t cycle_;
    std::uint64_t at_ = 0; ///< Within the cycle.
    std::uint64_t times_left_;
    oscillator first_;
    oscillator second_;
};

/// The level in dBm0 of the sine of `hz` in the samples, by Goertzel's algorithm. Its window is
/// rectangular: a frequency counts fully when the span holds whole periods of it, and tones closer
/// than rate / samples.size() are not told apart.
[[nodiscard]] TRUNKLINE_EXPORT double level_at(double hz, std::span<const std::int16_t> samples,
                                               unsigned rate = 8'000) noexcept;
/// The level in dBm0 of all of it. Silence is -100.
[[nodiscard]] TRUNKLINE_EXPORT double level(std::span<const std::int16_t> samples) noexcept;

} // namespace trunkline::audio
