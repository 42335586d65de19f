#include <trunkline/audio/decimation.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include <trunkline/core/assert.hpp>

namespace trunkline::audio {

/// A sinc under a Blackman window. The window's own width decides how steep the filter is; 32 new
/// samples to either side put the 74 dB edge of a cutoff at 0.46 just below 0.5 of the new rate.
decimator::decimator(unsigned ratio) : ratio_{ratio} {
    TRUNKLINE_ASSERT(ratio > 0);
    constexpr std::size_t reach = 32; // In samples of the new rate.
    constexpr double cutoff = 0.46;   // Of the new rate.
    const auto middle = reach * ratio_;
    filter_.resize(2 * middle + 1);
    for (std::size_t i = 0; i < filter_.size(); ++i) {
        const auto from_middle = static_cast<double>(i) - static_cast<double>(middle);
        const auto turn = 2 * std::numbers::pi * cutoff * from_middle / static_cast<double>(ratio);
        const auto sinc = i == middle ? 1.0 : std::sin(turn) / turn;
        const auto phase = std::numbers::pi * (from_middle / static_cast<double>(middle) + 1);
        const auto window = 0.42 - 0.5 * std::cos(phase) + 0.08 * std::cos(2 * phase);
        filter_[i] = static_cast<float>(sinc * window);
    }
    const auto sum = std::accumulate(filter_.begin(), filter_.end(), 0.0F);
    for (auto& coefficient : filter_) coefficient /= sum;
}

/// Computes only the samples that stay, which is all that a polyphase filter is about.
void decimator::apply(std::span<const std::int16_t> samples,
                      std::span<std::int16_t> into) const noexcept {
    TRUNKLINE_ASSERT(into.size() == size_after(samples.size()));
    if (ratio_ == 1) {
        std::ranges::copy(samples, into.begin());
        return;
    }
    const auto middle = filter_.size() / 2;
    for (std::size_t n = 0; n < into.size(); ++n) {
        const auto at = n * ratio_; // The filter's middle lies on this sample.
        const auto first = at > middle ? at - middle : 0;
        const auto end = std::min(samples.size(), at + middle + 1);
        float sum = 0;
        for (std::size_t i = first; i < end; ++i) {
            sum += filter_[i + middle - at] * static_cast<float>(samples[i]);
        }
        into[n] = static_cast<std::int16_t>(std::lround(std::clamp(sum, -32'768.0F, 32'767.0F)));
    }
}

} // namespace trunkline::audio
