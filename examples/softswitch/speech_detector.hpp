// Whether somebody is speaking, by loudness alone: enough for a line without noise, and no more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <trunkline/audio/tone.hpp>

namespace softswitch {

class speech_detector {
public:
    static constexpr double threshold_dbm0 = -38; ///< Speech is above -30, a quiet room below -50.
    static constexpr std::size_t begins_after = 480; ///< Samples: a click is shorter.
    static constexpr std::size_t ends_after = 3'200; ///< Samples: a pause between words is shorter.

    enum class change : std::uint8_t { none, began, ended };

    [[nodiscard]] change hear(std::span<const std::int16_t> frame) noexcept {
        const bool loud = trunkline::audio::level(frame) > threshold_dbm0;
        if (loud == speaking_) {
            contrary_ = 0;
            return change::none;
        }
        contrary_ += frame.size();
        if (contrary_ < (speaking_ ? ends_after : begins_after)) return change::none;
        contrary_ = 0;
        speaking_ = !speaking_;
        return speaking_ ? change::began : change::ended;
    }
    [[nodiscard]] bool speaking() const noexcept { return speaking_; }

private:
    bool speaking_ = false;
    std::size_t contrary_ = 0; ///< Samples that said otherwise, one after the other.
};

} // namespace softswitch
