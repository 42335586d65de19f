// From 48 or 16 kHz down to 8: a low-pass, and every n-th sample of what is left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <trunkline/core/export.hpp>

namespace trunkline::audio {

/// Decimates by a whole number. Frequencies above half the new rate are 60 dB down, those below 42
/// % of it are as they were, and nothing is delayed. Made for files: it designs its filter each
/// time.
class TRUNKLINE_EXPORT decimator {
public:
    explicit decimator(unsigned ratio);

    [[nodiscard]] std::size_t size_after(std::size_t samples) const noexcept {
        return samples / ratio_ + (samples % ratio_ != 0 ? 1 : 0);
    }
    /// Precondition: into.size() == size_after(samples.size()). The signal is taken to be silent
    /// before its start and after its end.
    void apply(std::span<const std::int16_t> samples, std::span<std::int16_t> into) const noexcept;

private:
    std::size_t ratio_;
    std::vector<float> filter_; ///< Of odd length, symmetric about its middle.
};

} // namespace trunkline::audio
