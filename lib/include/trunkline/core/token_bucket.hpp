// How often something may happen: a rate with a burst, in one moment of memory.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include <trunkline/core/time.hpp>

namespace trunkline {

/// One token each `interval`, and at most `burst` of them saved up, which is at least 1.
struct token_rate {
    duration interval{};
    unsigned burst = 1;

    [[nodiscard]] static constexpr token_rate per_second(unsigned count, unsigned burst) noexcept {
        return {duration{std::chrono::seconds{1}} / count, burst};
    }
};

/// The bucket is kept as the moment at which it is full again: nothing has to be refilled, one that
/// was never used is full, and a table of thousands costs eight bytes each.
struct token_bucket {
    time_point full_at{};

    struct taken {
        time_point turn;    ///< When the token is there: now, or later.
        time_point full_at; ///< Of the bucket without it.
    };
    /// What taking one means; nothing when it were not there within `patience`. Changes nothing, so
    /// that threads may agree on the outcome by compare and exchange.
    [[nodiscard]] constexpr std::optional<taken> peek(const token_rate& rate, time_point now,
                                                      duration patience = {}) const noexcept {
        const auto saved = rate.interval * (rate.burst - 1);
        const auto turn = std::max(now, full_at - saved);
        if (turn - now > patience) return std::nullopt;
        return taken{turn, std::max(now, full_at) + rate.interval};
    }
    [[nodiscard]] constexpr bool take(const token_rate& rate, time_point now) noexcept {
        const auto got = peek(rate, now);
        if (got) full_at = got->full_at;
        return got.has_value();
    }
};

} // namespace trunkline
