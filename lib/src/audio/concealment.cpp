#include <trunkline/audio/concealment.hpp>

#include <algorithm>
#include <cmath>

namespace trunkline::audio {
namespace {

constexpr std::size_t samples_a_ms = 8;

// Concealed speech keeps its level through the most common losses; the
// figures are a recogniser's, whom fading to nothing in 50 ms costs twice the errors in bursts.
constexpr std::size_t level_kept = 40 * samples_a_ms;
constexpr std::size_t noise_from = 120 * samples_a_ms;
constexpr std::size_t noise_alone = 320 * samples_a_ms;
constexpr float level_at_noise = 0.7F;

constexpr float share(std::size_t part, std::size_t whole) noexcept {
    return static_cast<float>(part) / static_cast<float>(whole);
}

std::int16_t to_sample(float value) noexcept {
    return static_cast<std::int16_t>(std::lround(std::clamp(value, -32'768.0F, 32'767.0F)));
}

double squared(double value) noexcept {
    return value * value;
}

/// Four sums instead of one, so that no addition waits for the one before. `size` is a multiple.
float dot_product(const float* a, const float* b, std::size_t size) noexcept {
    std::array<float, 4> sums{};
    for (std::size_t i = 0; i < size; i += sums.size()) {
        for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += a[i + k] * b[i + k];
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/// How loud the repetition is after `age` samples of it.
float repetition_level(std::size_t age) noexcept {
    if (age < level_kept) return 1;
    if (age < noise_from) {
        return 1 - (1 - level_at_noise) * share(age - level_kept, noise_from - level_kept);
    }
    if (age < noise_alone) {
        return level_at_noise * (1 - share(age - noise_from, noise_alone - noise_from));
    }
    return 0;
}

float noise_level(std::size_t age) noexcept {
    if (age < noise_from) return 0;
    return std::min(1.0F, share(age - noise_from, noise_alone - noise_from));
}

} // namespace

void concealment::received(std::span<std::int16_t> frame) noexcept {
    learn_background(frame);
    if (concealed_ > 0) {
        // Twice a join at the start of a loss: here both sides are known, and differ more.
        const auto join = std::min(frame.size(), 2 * join_);
        for (std::size_t i = 0; i < join; ++i) {
            const auto fresh = share(i + 1, join + 1);
            const auto stale = next_sample();
            frame[i] = to_sample(fresh * static_cast<float>(frame[i]) + (1 - fresh) * stale);
        }
        concealed_ = 0;
    }
    remember(frame);
}

void concealment::conceal(std::span<std::int16_t> into) noexcept {
    if (concealed_ == 0) begin();
    for (auto& sample : into) sample = to_sample(next_sample());
    remember(into);
}

/// Makes the loop: the last period alone, because the ones before it resemble less what was lost
/// (by half a decibel over our sentences). Its end is blended into what came before its start, so
/// that it can follow itself.
void concealment::begin() noexcept {
    loop_size_ = find_period();
    join_ = loop_size_ / 4;
    const auto start = past_.size() - loop_size_;
    std::copy(past_.begin() + static_cast<std::ptrdiff_t>(start), past_.end(), loop_.begin());
    for (std::size_t i = 0; i < join_; ++i) {
        const auto blend = share(i + 1, join_);
        auto& sample = loop_[loop_size_ - join_ + i];
        sample = (1 - blend) * sample + blend * past_[start - join_ + i];
    }
    step_ = past_.back() - loop_[loop_size_ - 1];
}

/// The lag at which the last frame looks most like what came before it.
std::size_t concealment::find_period() const noexcept {
    const float* const recent = past_.data() + (past_.size() - compared);
    std::size_t best = shortest_period;
    float best_likeness = 0;
    double energy = 1; // Of silence, any lag is as good as another.
    for (std::size_t i = 0; i < compared; ++i) energy += squared(*(recent - shortest_period + i));
    for (std::size_t lag = shortest_period; lag <= longest_period; ++lag) {
        const float* const earlier = recent - lag;
        const auto product = dot_product(recent, earlier, compared);
        const auto likeness = product / static_cast<float>(std::sqrt(energy));
        // Of two periods and one, which look alike, the shorter is the pitch.
        if (likeness > best_likeness * 1.02F) {
            best_likeness = likeness;
            best = lag;
        }
        energy += squared(*(earlier - 1)) - squared(earlier[compared - 1]); // One further back.
    }
    return best;
}

float concealment::next_sample() noexcept {
    const auto age = concealed_++;
    auto repeated = loop_[age % loop_size_];
    if (age < join_) repeated += step_ * (1 - share(age + 1, join_ + 1));
    return repeated * repetition_level(age) + next_noise() * noise_level(age);
}

/// White noise through a gentle low-pass: a quiet line hums more than it hisses.
float concealment::next_noise() noexcept {
    noise_ = noise_ * 1'664'525U + 1'013'904'223U;
    const auto white = static_cast<float>(noise_ >> 8) / 8'388'608.0F - 1; // -1 to 1, RMS 0.577
    smoothed_noise_ += 0.5F * (white - smoothed_noise_);                   // RMS 0.333
    return smoothed_noise_ * 3 * std::max(background_, 0.0F);
}

void concealment::remember(std::span<const std::int16_t> samples) noexcept {
    const auto added = std::min(samples.size(), past_.size());
    const auto newest = samples.last(added);
    std::copy(past_.begin() + static_cast<std::ptrdiff_t>(added), past_.end(), past_.begin());
    std::transform(newest.begin(), newest.end(), past_.end() - static_cast<std::ptrdiff_t>(added),
                   [](std::int16_t sample) { return static_cast<float>(sample); });
}

/// The quietest frame heard, forgotten at 3 dB in about two seconds so that a line may grow
/// noisier.
void concealment::learn_background(std::span<const std::int16_t> frame) noexcept {
    if (frame.empty()) return;
    float energy = 0;
    for (const auto sample : frame) {
        energy += static_cast<float>(sample) * static_cast<float>(sample);
    }
    const auto level = std::sqrt(energy / static_cast<float>(frame.size()));
    background_ = background_ < 0 ? level : std::min(level, background_ * 1.0035F + 0.01F);
}

} // namespace trunkline::audio
