// Which ports the next call's RTP and RTCP get: any pair that has rested, and none can foretell
// which.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <trunkline/core/entropy.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/time.hpp>

namespace trunkline::net {

/// Both ends included. RTP takes the even ports, RTCP the odd one above each (RFC 3550 11).
struct TRUNKLINE_EXPORT port_range {
    std::uint16_t first = 16'384;
    std::uint16_t last = 32'767;

    /// The part of it that is shard `index`'s: no two shards ever try for the same port.
    [[nodiscard]] port_range share(std::uint16_t index, std::uint16_t count) const noexcept;

    friend constexpr bool operator==(const port_range&, const port_range&) = default;
};

/// A pair is drawn among those that have rested: packets that are sprayed at ports in their order
/// do not meet the next call. A pair that was freed rests as long as a peer may go on whose BYE was
/// lost (32 s, timer F of RFC 3261 17.1.2.2): late packets of an ended call find their port closed,
/// not a new call on it. When under a tenth is free, or all that is free still rests, the pair that
/// was freed first is given.
class TRUNKLINE_EXPORT port_pool {
public:
    static constexpr duration rest = std::chrono::seconds{32};

    /// `dice` is asked by every take().
    port_pool(const port_range& from, entropy& dice);

    /// An even port; it and the next one are the caller's until put_back().
    [[nodiscard]] std::optional<std::uint16_t> take(time_point at);
    /// It rests from now on. Precondition: `port` came from take(), and `at` never goes back.
    void put_back(std::uint16_t port, time_point at);

    [[nodiscard]] std::size_t free() const noexcept { return rested_.size() + resting_.size(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Which of the size() pairs `port` begins, from 0.
    [[nodiscard]] std::size_t index(std::uint16_t port) const noexcept {
        return (port - lowest_) / 2U;
    }

private:
    struct pair {
        std::uint16_t port;
        time_point freed;
    };
    class line { ///< First in, first out, of room for all pairs.
    public:
        explicit line(std::size_t room) : ring_(room) {}
        [[nodiscard]] std::size_t size() const noexcept { return count_; }
        [[nodiscard]] const pair& front() const noexcept { return ring_[head_]; }
        void push(const pair& last) noexcept { ring_[(head_ + count_++) % ring_.size()] = last; }
        void pop() noexcept {
            head_ = (head_ + 1) % ring_.size();
            --count_;
        }

    private:
        std::vector<pair> ring_;
        std::size_t head_ = 0;
        std::size_t count_ = 0;
    };

    [[nodiscard]] std::size_t freed_first() const noexcept; ///< Of the rested.

    entropy* dice_;
    std::uint16_t lowest_;
    std::size_t size_;
    std::vector<pair> rested_; ///< In no order.
    line resting_;
};

} // namespace trunkline::net
