// The channels of a trunk when several shards take of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include <trunkline/trunk/channels.hpp>

namespace trunkline {

class shared_channels final : public channels {
public:
    explicit shared_channels(unsigned most) noexcept : most_{most} {}

    /// Those that are taken stay taken, however many there are from now on.
    void set_most(unsigned most) noexcept { most_.store(most, std::memory_order_relaxed); }

    [[nodiscard]] bool take() noexcept override {
        return add(one, [](std::uint64_t both) { return both % one_unacknowledged; });
    }
    void give_back() noexcept override { both_.fetch_sub(one, std::memory_order_relaxed); }
    [[nodiscard]] bool take_unacknowledged() noexcept override {
        return add(one_unacknowledged, sum);
    }
    void give_back_unacknowledged() noexcept override {
        both_.fetch_sub(one_unacknowledged, std::memory_order_relaxed);
    }
    void acknowledged() noexcept override {
        both_.fetch_sub(one_unacknowledged - one, std::memory_order_relaxed);
    }
    [[nodiscard]] unsigned taken() const noexcept override {
        return static_cast<unsigned>(sum(both_.load(std::memory_order_relaxed)));
    }
    [[nodiscard]] bool take_for(std::string_view token, unsigned most) override {
        const std::lock_guard held{guard_};
        return tokens_.take(token, most);
    }
    void give_back_for(std::string_view token) noexcept override {
        const std::lock_guard held{guard_};
        tokens_.give_back(token);
    }

private:
    // Both counts are one number, so that no thread sees one of them without the other.
    static constexpr std::uint64_t one = 1;
    static constexpr std::uint64_t one_unacknowledged = std::uint64_t{1} << 32U;

    [[nodiscard]] static std::uint64_t sum(std::uint64_t both) noexcept {
        return both / one_unacknowledged + both % one_unacknowledged;
    }
    template <class Counted>
    [[nodiscard]] bool add(std::uint64_t what, Counted counted) noexcept {
        auto both = both_.load(std::memory_order_relaxed);
        while (counted(both) < most_.load(std::memory_order_relaxed)) {
            if (both_.compare_exchange_weak(both, both + what, std::memory_order_relaxed)) {
                return true;
            }
        }
        return false;
    }

    std::atomic<unsigned> most_;
    std::atomic<std::uint64_t> both_ = 0;
    std::mutex guard_;
    token_ledger tokens_;
};

} // namespace trunkline
