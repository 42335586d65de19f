// Which event is sent next: order within a call, many calls side by side, retries that grow rarer.
// No clock and no network: whoever sends says what time it is and how it went.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

namespace softswitch {

using delivery_time = std::chrono::steady_clock::time_point;

struct delivery {
    std::string call{}; ///< Deliveries of one call are made one after the other.
    std::string id{};
    std::string body{};
    delivery_time posted{};
    unsigned tries = 0; ///< That failed.
};

struct delivery_pace {
    unsigned tries = 8;
    std::chrono::milliseconds first{1'000};  ///< Between the first try and the second,
    std::chrono::milliseconds most{300'000}; ///< and never more than that: what is asked, too.
    std::chrono::milliseconds lifetime{3'600'000}; ///< No try later than that.
};

/// How long to wait after that many failed tries: two and a half times longer each time, and up to
/// half as much again by `chance`, from 0 to 1, so that receivers who come back are not met by all
/// at once. Longer when the receiver asked for it (Retry-After, RFC 9110 section 10.2.3).
[[nodiscard]] std::chrono::milliseconds retry_delay(const delivery_pace& of, unsigned failed,
                                                    std::chrono::milliseconds asked, double chance);

class delivery_queue {
public:
    explicit delivery_queue(const delivery_pace& pace) : pace_{pace} {}

    void add(delivery what);
    /// The next one whose time has come, which is then under way until finish() or retry(); null
    /// when there is none. It stays where it is until then.
    [[nodiscard]] delivery* next(delivery_time now);
    /// Delivered, or never to be.
    void finish(delivery& which);
    /// It failed. False when that was once too often: then it is gone, and the call's next one is
    /// due.
    [[nodiscard]] bool retry(delivery& which, delivery_time now, std::chrono::milliseconds asked,
                             double chance);

    [[nodiscard]] std::optional<delivery_time> next_due() const;
    [[nodiscard]] std::size_t size() const noexcept { return size_; } ///< Those under way, too.

private:
    using lane = std::deque<delivery>; ///< Of one call. The first is under way, or due some time.
    using turn = std::pair<delivery_time, std::uint64_t>;

    void schedule(lane& which, delivery_time due);

    delivery_pace pace_;
    std::unordered_map<std::string, lane> lanes_;
    std::set<std::pair<turn, lane*>> due_; ///< By time, then in the order in which they became due.
    std::uint64_t turns_ = 0;
    std::size_t size_ = 0;
};

} // namespace softswitch
