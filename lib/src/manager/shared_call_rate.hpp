// The rate of a trunk when several shards begin its calls.
#pragma once

#include <atomic>

#include <trunkline/trunk/call_rate.hpp>

namespace trunkline {

class shared_call_rate final : public call_rate {
public:
    explicit shared_call_rate(unsigned per_second) noexcept : per_second_{per_second} {}

    void set_per_second(unsigned count) noexcept {
        per_second_.store(count, std::memory_order_relaxed);
    }

    [[nodiscard]] bool admit(time_point now) noexcept override {
        return take(in_, inbound(per_second_.load(std::memory_order_relaxed)), now, {}).has_value();
    }
    [[nodiscard]] std::optional<time_point> turn(time_point now,
                                                 duration patience) noexcept override {
        return take(out_, outbound(per_second_.load(std::memory_order_relaxed)), now, patience);
    }

private:
    [[nodiscard]] static std::optional<time_point> take(std::atomic<token_bucket>& from,
                                                        const token_rate& rate, time_point now,
                                                        duration patience) noexcept {
        static_assert(std::atomic<token_bucket>::is_always_lock_free);
        auto bucket = from.load(std::memory_order_relaxed);
        while (const auto got = bucket.peek(rate, now, patience)) {
            if (from.compare_exchange_weak(bucket, {got->full_at}, std::memory_order_relaxed)) {
                return got->turn;
            }
        }
        return std::nullopt;
    }

    std::atomic<unsigned> per_second_;
    std::atomic<token_bucket> in_{};
    std::atomic<token_bucket> out_{};
};

} // namespace trunkline
