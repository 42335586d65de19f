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

port_pool::port_pool(const port_range& from, entropy& dice) : count_{pairs(from)} {
    line_.reserve(count_);
    const auto turn = count_ == 0 ? 0 : dice.below(count_);
    for (std::size_t i = 0; i < count_; ++i) {
        const auto pair = (i + turn) % count_;
        line_.push_back(static_cast<std::uint16_t>(first_even(from) + 2 * pair));
    }
}

std::optional<std::uint16_t> port_pool::take() noexcept {
    if (count_ == 0) return std::nullopt;
    const auto taken = line_[head_];
    head_ = (head_ + 1) % line_.size();
    --count_;
    return taken;
}

void port_pool::put_back(std::uint16_t port) noexcept {
    TRUNKLINE_ASSERT(count_ < line_.size());
    line_[(head_ + count_) % line_.size()] = port;
    ++count_;
}

} // namespace trunkline::net
