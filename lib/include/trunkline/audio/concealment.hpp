// Hides the loss of frames: the last pitch period goes on until there is audio again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <trunkline/core/export.hpp>

namespace trunkline::audio {

/// For 8 kHz PCM in frames of any length. Adds no delay: a received frame is changed only where it
/// follows a loss. A recogniser would rather hear a sound too long than a hole, so repetition keeps
/// its level for 40 ms, sinks slowly, and turns into the caller's own background noise between 120
/// and 320 ms.
class TRUNKLINE_EXPORT concealment {
public:
    /// Every frame that came, in order. Smooths the join when frames before it were concealed.
    void received(std::span<std::int16_t> frame) noexcept;
    /// Writes what stands in for a frame that did not come.
    void conceal(std::span<std::int16_t> into) noexcept;

    /// Samples concealed since the last frame that came.
    [[nodiscard]] std::size_t concealed() const noexcept { return concealed_; }

private:
    static constexpr std::size_t shortest_period = 40; ///< 200 Hz
    static constexpr std::size_t longest_period = 120; ///< 66 Hz
    static constexpr std::size_t compared = 160;       ///< One frame, more than any period.
    static constexpr std::size_t longest_join = longest_period / 4;
    static constexpr std::size_t remembered = compared + longest_period + longest_join;

    void begin() noexcept;
    [[nodiscard]] std::size_t find_period() const noexcept;
    [[nodiscard]] float next_sample() noexcept;
    [[nodiscard]] float next_noise() noexcept;
    void remember(std::span<const std::int16_t> samples) noexcept;
    void learn_background(std::span<const std::int16_t> frame) noexcept;

    std::array<float, remembered> past_{};     ///< Oldest first.
    std::array<float, longest_period> loop_{}; ///< What is repeated, smooth where it meets itself.
    std::size_t loop_size_ = 0;
    std::size_t join_ = 0; ///< Samples that a join takes.
    float step_ = 0;       ///< From what the loop expects before its start to what was there.
    std::size_t concealed_ = 0;
    float background_ = -1; ///< RMS; below 0 before anything was heard.
    std::uint32_t noise_ = 1;
    float smoothed_noise_ = 0;
};

} // namespace trunkline::audio
