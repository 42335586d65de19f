// How long the last packets were under way, for the delay of a jitter buffer.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include <trunkline/core/assert.hpp>

namespace trunkline::rtp {

/// The last 500 transit times (ten seconds of 20 ms), oldest first and sorted. Both by plain
/// arrays: moving 1 KiB once a packet costs less than any cleverer structure's cache misses.
class transit_window {
public:
    static constexpr std::size_t capacity = 500;

    /// In microseconds, from an origin that only the caller knows.
    void add(std::int32_t transit) noexcept {
        auto* const begin = sorted_.data();
        auto* end = begin + size_;
        if (size_ == capacity) {
            auto* const oldest = std::lower_bound(begin, end, arrived_[oldest_]);
            end = std::move(oldest + 1, end, oldest);
            --size_;
        }
        auto* const place = std::upper_bound(begin, end, transit);
        std::move_backward(place, end, end + 1);
        *place = transit;
        ++size_;
        arrived_[oldest_] = transit;
        oldest_ = (oldest_ + 1) % capacity;
    }
    void clear() noexcept { size_ = oldest_ = 0; }

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    /// Precondition of both: !empty().
    [[nodiscard]] std::int32_t minimum() const noexcept {
        TRUNKLINE_ASSERT(!empty());
        return sorted_[0];
    }
    /// At most 1 in 100 took longer.
    [[nodiscard]] std::int32_t percentile_99() const noexcept {
        TRUNKLINE_ASSERT(!empty());
        return sorted_[(size_ * 99 - 1) / 100];
    }

private:
    std::array<std::int32_t, capacity> arrived_{};
    std::array<std::int32_t, capacity> sorted_{};
    std::size_t size_ = 0;
    std::size_t oldest_ = 0; ///< Where the next one goes: over the oldest, once it is full.
};

} // namespace trunkline::rtp
