// A hierarchical timer wheel of one millisecond: arming and cancelling cost the same however many
// timers live. Nodes are intrusive, so no timer allocates.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <trunkline/core/assert.hpp>
#include <trunkline/core/time.hpp>

namespace trunkline {

/// Lives inside the thing that it wakes. Not copied, not moved, disarmed before it dies.
struct timer_node {
    timer_node() = default;
    timer_node(const timer_node&) = delete;
    timer_node& operator=(const timer_node&) = delete;
    ~timer_node() { TRUNKLINE_ASSERT(!armed()); }

    [[nodiscard]] bool armed() const noexcept { return next_ != nullptr; }
    [[nodiscard]] time_point deadline() const noexcept { return deadline_; }

    void* owner = nullptr;  ///< Whom it wakes, as who armed it knows,
    std::uint16_t kind = 0; ///< and why.

private:
    friend class timer_wheel;
    timer_node* previous_ = nullptr;
    timer_node* next_ = nullptr;
    time_point deadline_{};
    std::uint64_t due_ = 0; ///< Milliseconds of protocol time, rounded up: never early.
    std::uint16_t list_ = 0;
};

class timer_wheel {
public:
    timer_wheel() noexcept {
        for (auto& head : heads_) head.previous_ = head.next_ = &head;
    }
    timer_wheel(const timer_wheel&) = delete;
    timer_wheel& operator=(const timer_wheel&) = delete;
    ~timer_wheel() {
        for (auto& head : heads_) {
            while (head.next_ != &head) unlink(*head.next_);
            head.previous_ = head.next_ = nullptr;
        }
    }

    /// Armed already, it moves.
    void arm(timer_node& node, time_point deadline) noexcept {
        disarm(node);
        node.deadline_ = deadline;
        const auto since = deadline.time_since_epoch().count();
        node.due_ = since <= 0 ? 0 : (static_cast<std::uint64_t>(since) + tick_ns - 1) / tick_ns;
        insert(node);
        ++armed_;
    }
    void disarm(timer_node& node) noexcept {
        if (!node.armed()) return;
        unlink(node);
        --armed_;
    }

    /// Calls `fire(node)` for every timer that is due, earliest millisecond first. The node is
    /// disarmed by then; `fire` may arm and disarm whatever it likes.
    template <class Fire>
    void advance(time_point now, Fire fire) {
        const auto since = now.time_since_epoch().count();
        const auto target = since <= 0 ? 0 : static_cast<std::uint64_t>(since) / tick_ns;
        while (current_ <= target) {
            if (armed_ == 0) {
                current_ = target + 1;
                return;
            }
            auto& head = heads_[current_ % slots];
            while (head.next_ != &head) {
                auto& node = *head.next_;
                unlink(node);
                --armed_;
                fire(node);
            }
            step(target);
        }
    }

    /// Never later than the earliest deadline; it may be earlier, by a slot of an upper level.
    [[nodiscard]] std::optional<time_point> next_deadline() const noexcept {
        if (armed_ == 0) return std::nullopt;
        for (std::size_t level = 0; level < levels; ++level) {
            const auto at = (current_ >> (bits * level)) % slots;
            // Level 0 still holds the slot of now; upper ones were emptied into lower ones.
            if (const auto found = next_set(level, level == 0 ? at : at + 1)) {
                const auto ahead = *found - at;
                const auto base = (current_ >> (bits * level)) + ahead;
                return time_of(base << (bits * level));
            }
        }
        return time_of(current_);
    }

    [[nodiscard]] std::size_t size() const noexcept { return armed_; }

private:
    static constexpr std::uint64_t tick_ns = 1'000'000;
    static constexpr std::size_t bits = 8;
    static constexpr std::size_t slots = 1U << bits;
    static constexpr std::size_t levels = 5; // 2**40 ms are 34 years.

    [[nodiscard]] static time_point time_of(std::uint64_t tick) noexcept {
        return time_point{std::chrono::nanoseconds{static_cast<std::int64_t>(tick * tick_ns)}};
    }

    void insert(timer_node& node) noexcept {
        const auto due = node.due_ < current_ ? current_ : node.due_;
        const auto differing = due ^ current_;
        std::size_t level = 0;
        while (level + 1 < levels && (differing >> (bits * (level + 1))) != 0) ++level;
        const auto list = level * slots + ((due >> (bits * level)) % slots);
        auto& head = heads_[list];
        node.previous_ = head.previous_;
        node.next_ = &head;
        head.previous_->next_ = &node;
        head.previous_ = &node;
        node.list_ = static_cast<std::uint16_t>(list);
        occupied_[list / 64] |= 1ULL << (list % 64);
    }
    void unlink(timer_node& node) noexcept {
        node.previous_->next_ = node.next_;
        node.next_->previous_ = node.previous_;
        node.previous_ = node.next_ = nullptr;
        const auto& head = heads_[node.list_];
        if (head.next_ == &head) occupied_[node.list_ / 64] &= ~(1ULL << (node.list_ % 64));
    }

    /// To the next millisecond at which anything can happen, but not past target + 1. What lies
    /// between is empty on every level, so only the slot that is entered has to be spread out.
    void step(std::uint64_t target) noexcept {
        auto next = target + 1;
        for (std::size_t level = 0; level < levels; ++level) {
            const auto at = (current_ >> (bits * level)) % slots;
            const auto found = at + 1 < slots ? next_set(level, at + 1) : std::nullopt;
            if (!found) continue;
            const auto base = ((current_ >> (bits * level)) + (*found - at)) << (bits * level);
            if (base < next) next = base;
            break;
        }
        const bool entered = next / slots != current_ / slots;
        current_ = next;
        if (entered) cascade();
    }
    void cascade() noexcept {
        for (std::size_t level = 1; level < levels; ++level) {
            const auto at = (current_ >> (bits * level)) % slots;
            auto& head = heads_[level * slots + at];
            // What returns to the same list would never end the loop: take the list off first.
            auto* node = head.next_;
            head.previous_->next_ = nullptr;
            head.previous_ = head.next_ = &head;
            occupied_[(level * slots + at) / 64] &= ~(1ULL << (at % 64));
            while (node != nullptr && node != &head) {
                auto* const following = node->next_;
                insert(*node);
                node = following;
            }
            if (at != 0) break;
        }
    }
    [[nodiscard]] std::optional<std::size_t> next_set(std::size_t level,
                                                      std::size_t from) const noexcept {
        for (auto word = from / 64; word < slots / 64; ++word) {
            auto mask = occupied_[level * (slots / 64) + word];
            if (word == from / 64) mask &= ~0ULL << (from % 64);
            if (mask != 0) return word * 64 + static_cast<std::size_t>(std::countr_zero(mask));
        }
        return std::nullopt;
    }

    std::array<timer_node, levels * slots> heads_;
    std::array<std::uint64_t, levels * slots / 64> occupied_{};
    std::uint64_t current_ = 0; ///< The next millisecond to look at.
    std::size_t armed_ = 0;
};

} // namespace trunkline
