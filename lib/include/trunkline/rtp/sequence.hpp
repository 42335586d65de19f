// Numbers that wrap: the sequence number and the timestamp of RTP, in the arithmetic of RFC 1982.
#pragma once

#include <chrono>
#include <cstdint>
#include <type_traits>

#include <trunkline/core/time.hpp>

namespace trunkline::rtp {

/// A number on a circle. Differences are signed and the shorter way round, so of two numbers the
/// one that is less than half a circle ahead is the later one. There is no operator<: it would not
/// be an order, and a container that believed it would break.
template <class Number>
struct serial {
    using difference = std::make_signed_t<Number>;

    Number value = 0;

    /// How far `to` is ahead of `from`; negative when it is behind.
    [[nodiscard]] friend constexpr difference operator-(serial to, serial from) noexcept {
        return static_cast<difference>(static_cast<Number>(to.value - from.value));
    }
    [[nodiscard]] friend constexpr serial operator+(serial from, std::int64_t steps) noexcept {
        return {static_cast<Number>(from.value + static_cast<Number>(steps))};
    }
    friend constexpr bool operator==(serial, serial) = default;
};

using sequence = serial<std::uint16_t>;
using timestamp = serial<std::uint32_t>;

template <class Number>
[[nodiscard]] constexpr bool precedes(serial<Number> a, serial<Number> b) noexcept {
    return b - a > 0;
}

/// Unrolls the circle: numbers become 64 bits wide and wrap no more. The first one seen keeps its
/// value; one that was reordered across it comes out negative.
template <class Serial>
class extender {
public:
    /// What `seen` is, being the nearest such number to the highest so far. Moves nothing.
    [[nodiscard]] constexpr std::int64_t extend(Serial seen) const noexcept {
        if (!started_) return static_cast<std::int64_t>(seen.value);
        return highest_ + (seen - at(highest_));
    }
    /// The same, and the highest moves up to it.
    constexpr std::int64_t advance(Serial seen) noexcept {
        const auto extended = extend(seen);
        if (!started_ || extended > highest_) highest_ = extended;
        started_ = true;
        return extended;
    }
    [[nodiscard]] constexpr bool started() const noexcept { return started_; }
    [[nodiscard]] constexpr std::int64_t highest() const noexcept { return highest_; }

private:
    static constexpr Serial at(std::int64_t extended) noexcept { return Serial{} + extended; }

    std::int64_t highest_ = 0;
    bool started_ = false;
};

/// How long `units` of a media clock last. Whole seconds are split off first: the plain product
/// overflows after 13 days of telephone audio.
[[nodiscard]] constexpr duration duration_of(std::int64_t units,
                                             std::uint32_t clock_rate) noexcept {
    constexpr std::int64_t second = 1'000'000'000;
    const auto rate = static_cast<std::int64_t>(clock_rate);
    return duration{units / rate * second + units % rate * second / rate};
}

/// How many units of a media clock go into `time`, rounded towards zero.
[[nodiscard]] constexpr std::int64_t units_of(duration time, std::uint32_t clock_rate) noexcept {
    constexpr std::int64_t second = 1'000'000'000;
    const auto rate = static_cast<std::int64_t>(clock_rate);
    return time.count() / second * rate + time.count() % second * rate / second;
}

} // namespace trunkline::rtp
