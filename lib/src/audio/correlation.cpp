#include <trunkline/audio/correlation.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <numbers>
#include <utility>
#include <vector>

#include <trunkline/audio/decimation.hpp>

namespace trunkline::audio {
namespace {

using spectrum = std::vector<std::complex<double>>;

/// In place, of a size that is a power of two. The inverse transform is not scaled.
void transform(spectrum& values, bool inverse) {
    const auto size = values.size();
    for (std::size_t i = 1, mirrored = 0; i < size; ++i) {
        auto bit = size / 2;
        for (; (mirrored & bit) != 0; bit /= 2) mirrored ^= bit;
        mirrored ^= bit;
        if (i < mirrored) std::swap(values[i], values[mirrored]);
    }
    std::vector<std::complex<double>> turns(size / 2);
    const auto angle = (inverse ? 2 : -2) * std::numbers::pi / static_cast<double>(size);
    for (std::size_t i = 0; i < turns.size(); ++i) {
        turns[i] = std::polar(1.0, angle * static_cast<double>(i));
    }
    for (std::size_t half = 1; half < size; half *= 2) {
        const auto stride = size / (2 * half);
        for (std::size_t start = 0; start < size; start += 2 * half) {
            for (std::size_t i = 0; i < half; ++i) {
                auto& a = values[start + i];
                auto& b = values[start + half + i];
                const auto& turn = turns[i * stride];
                // Written out, because operator* looks for infinities at every step.
                const std::complex<double> turned{b.real() * turn.real() - b.imag() * turn.imag(),
                                                  b.real() * turn.imag() + b.imag() * turn.real()};
                b = a - turned;
                a += turned;
            }
        }
    }
}

std::vector<double> without_dc(std::span<const std::int16_t> samples) {
    double sum = 0;
    for (const double sample : samples) sum += sample;
    const auto mean = sum / static_cast<double>(samples.size());
    std::vector<double> centred(samples.size());
    std::transform(samples.begin(), samples.end(), centred.begin(),
                   [mean](std::int16_t sample) { return sample - mean; });
    return centred;
}

/// One signal against the other at any lag, each normalisation in one step.
class comparison {
public:
    comparison(std::vector<double> reference, std::vector<double> heard)
        : reference_{std::move(reference)},
          heard_{std::move(heard)},
          energy_up_to_(heard_.size() + 1) {
        for (const auto sample : reference_) energy_ += sample * sample;
        for (std::size_t i = 0; i < heard_.size(); ++i) {
            energy_up_to_[i + 1] = energy_up_to_[i] + heard_[i] * heard_[i];
        }
    }

    [[nodiscard]] std::ptrdiff_t first_lag() const noexcept { return 1 - std::ssize(reference_); }
    [[nodiscard]] std::ptrdiff_t last_lag() const noexcept { return std::ssize(heard_) - 1; }

    /// A part of `heard` that is far below the rest of it is not speech: without a floor, noise
    /// would be compared as if it were.
    [[nodiscard]] double normalised(double product, std::ptrdiff_t lag) const noexcept {
        const auto start = std::clamp<std::ptrdiff_t>(lag, 0, std::ssize(heard_));
        const auto end =
            std::clamp<std::ptrdiff_t>(lag + std::ssize(reference_), 0, std::ssize(heard_));
        const auto floor = energy_up_to_.back() * 1e-6;
        const auto energy = energy_up_to_[static_cast<std::size_t>(end)] -
                            energy_up_to_[static_cast<std::size_t>(start)];
        const auto both = energy_ * std::max(energy, floor);
        return both > 0 ? product / std::sqrt(both) : 0;
    }

    [[nodiscard]] likeness at(std::ptrdiff_t lag) const noexcept {
        double product = 0;
        const auto start = std::max<std::ptrdiff_t>(lag, 0);
        const auto end = std::min(std::ssize(heard_), lag + std::ssize(reference_));
        for (auto i = start; i < end; ++i) {
            product +=
                heard_[static_cast<std::size_t>(i)] * reference_[static_cast<std::size_t>(i - lag)];
        }
        return {normalised(product, lag), lag};
    }

    /// All lags at once, by way of the spectra: correlating is multiplying there.
    [[nodiscard]] likeness best() const {
        const auto size = std::bit_ceil(reference_.size() + heard_.size());
        spectrum a(size);
        spectrum b(size);
        std::copy(reference_.begin(), reference_.end(), a.begin());
        std::copy(heard_.begin(), heard_.end(), b.begin());
        transform(a, false);
        transform(b, false);
        for (std::size_t i = 0; i < size; ++i) b[i] *= std::conj(a[i]);
        transform(b, true);
        likeness best;
        for (auto lag = first_lag(); lag <= last_lag(); ++lag) {
            const auto wrapped = lag < 0 ? lag + static_cast<std::ptrdiff_t>(size) : lag;
            const auto product =
                b[static_cast<std::size_t>(wrapped)].real() / static_cast<double>(size);
            const auto found = normalised(product, lag);
            if (found > best.correlation) best = {found, lag};
        }
        return best;
    }

private:
    std::vector<double> reference_;
    std::vector<double> heard_;
    double energy_ = 0;
    std::vector<double> energy_up_to_; ///< Of the first i samples of heard_.
};

std::vector<std::int16_t> decimated(std::span<const std::int16_t> samples, const decimator& down) {
    std::vector<std::int16_t> fewer(down.size_after(samples.size()));
    down.apply(samples, fewer);
    return fewer;
}

} // namespace

/// First finds about where, in the band below 1 kHz in which speech has most of its energy, then
/// looks at every lag around it in the full band.
likeness best_likeness(std::span<const std::int16_t> reference,
                       std::span<const std::int16_t> heard) {
    if (reference.empty() || heard.empty()) return {};
    constexpr unsigned ratio = 4;
    const decimator down{ratio};
    const auto low = without_dc(decimated(reference, down));
    const auto about = comparison{low, without_dc(decimated(heard, down))}.best();
    const comparison full{without_dc(reference), without_dc(heard)};
    likeness best;
    for (auto lag = (about.lag - 2) * ratio; lag <= (about.lag + 2) * ratio; ++lag) {
        if (lag < full.first_lag() || lag > full.last_lag()) continue;
        const auto found = full.at(lag);
        if (found.correlation > best.correlation) best = found;
    }
    return best;
}

} // namespace trunkline::audio
