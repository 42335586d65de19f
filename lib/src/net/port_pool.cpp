#include <trunkline/net/port_pool.hpp>

#include <algorithm>

#include <trunkline/core/assert.hpp>

namespace trunkline::net {

namespace {

[[nodiscard]] std::uint32_t first_even(const port_range& range) {
    // Port 0 is no port: binding to it would draw another one.
    return std::max<std::uint32_t>(2, (range.first + 1U) / 2 * 2);
}

[[nodiscard]] std::uint32_t pairs(const port_range& range) {
    const auto even = first_even(range);
    return even > range.last ? 0 : (range.last + 1U - even) / 2;
}

} // namespace

port_range port_range::share(std::uint16_t index, std::uint16_t count) const noexcept {
    TRUNKLINE_ASSERT(index < count);
    const auto all = pairs(*this);
    const auto start = first_even(*this) + 2 * (all * index / count);
    const auto end = first_even(*this) + 2 * (all * (index + 1U) / count);
    if (start == end) return {1, 0};
    return {static_cast<std::uint16_t>(start), static_cast<std::uint16_t>(end - 1)};
}

port_pool::port_pool(const port_range& from, entropy& dice)
    : dice_{&dice},
      lowest_{static_cast<std::uint16_t>(first_even(from))},
      size_{pairs(from)},
      resting_{size_} {
    rested_.reserve(size_);
    for (std::size_t i = 0; i < size_; ++i) {
        rested_.push_back({static_cast<std::uint16_t>(lowest_ + 2 * i), time_point::min()});
    }
}

std::optional<std::uint16_t> port_pool::take(time_point at) {
    while (resting_.size() != 0 && resting_.front().freed + rest <= at) {
        rested_.push_back(resting_.front());
        resting_.pop();
    }
    if (free() == 0) return std::nullopt;
    if (rested_.empty()) {
        const auto port = resting_.front().port;
        resting_.pop();
        return port;
    }
    const bool scarce = free() * 10 < size_;
    auto& drawn = rested_[scarce ? freed_first() : dice_->below(rested_.size())];
    const auto port = drawn.port;
    drawn = rested_.back();
    rested_.pop_back();
    return port;
}

void port_pool::put_back(std::uint16_t port, time_point at) {
    TRUNKLINE_ASSERT(free() < size_);
    resting_.push({port, at});
}

std::size_t port_pool::freed_first() const noexcept {
    const auto found = std::ranges::min_element(rested_, {}, &pair::freed);
    return static_cast<std::size_t>(found - rested_.begin());
}

} // namespace trunkline::net
