// The channels of a trunk when several shards take of them.
#pragma once

#include <atomic>

#include <trunkline/trunk/channels.hpp>

namespace trunkline {

class shared_channels final : public channels {
public:
    explicit shared_channels(unsigned most) noexcept : most_{most} {}

    /// Those that are taken stay taken, however many there are from now on.
    void set_most(unsigned most) noexcept { most_.store(most, std::memory_order_relaxed); }

    [[nodiscard]] bool take() noexcept override {
        auto taken = taken_.load(std::memory_order_relaxed);
        while (taken < most_.load(std::memory_order_relaxed)) {
            if (taken_.compare_exchange_weak(taken, taken + 1, std::memory_order_relaxed)) {
                return true;
            }
        }
        return false;
    }
    void give_back() noexcept override { taken_.fetch_sub(1, std::memory_order_relaxed); }
    [[nodiscard]] unsigned taken() const noexcept override {
        return taken_.load(std::memory_order_relaxed);
    }

private:
    std::atomic<unsigned> most_;
    std::atomic<unsigned> taken_ = 0;
};

} // namespace trunkline
