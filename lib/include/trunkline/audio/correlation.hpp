// Whether one recording can be heard in another, and where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <trunkline/core/export.hpp>

namespace trunkline::audio {

struct likeness {
    double correlation = 0; ///< 1 the same but for loudness, 0 not to be found.
    std::ptrdiff_t lag = 0; ///< The sample of `heard` at which `reference` starts.
};

/// Normalised cross-correlation at the lag where it is highest, of two 8 kHz signals without their
/// DC. All of the reference has to be heard: of a half, 0.7 is left. What `heard` has before and
/// after costs nothing. A sentence that went through G.711 has 0.99, another sentence below 0.3.
[[nodiscard]] TRUNKLINE_EXPORT likeness best_likeness(std::span<const std::int16_t> reference,
                                                      std::span<const std::int16_t> heard);

} // namespace trunkline::audio
