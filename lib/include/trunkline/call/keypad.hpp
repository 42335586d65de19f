// Digits that a peer tells twice: by RTP (RFC 4733) and by INFO.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

#include <trunkline/core/time.hpp>

namespace trunkline::calls {

/// Some gateways send each press both ways, and say in no header that they do. RTP is the better
/// of the two, for it has a clock: once it told of a digit, INFO is not heard any more. An INFO
/// that came shortly before the first digit by RTP was heard already, and that digit is its press.
class keypad {
public:
    /// True when this press has not been heard yet.
    [[nodiscard]] bool by_info(char digit, time_point now) noexcept {
        if (by_rtp_) return false;
        infos_[next_++ % infos_.size()] = {digit, now};
        return true;
    }
    [[nodiscard]] bool by_rtp(char digit, time_point now) noexcept {
        by_rtp_ = true;
        const auto same = std::ranges::find_if(
            infos_, [&](const info& one) { return one.digit == digit && now - one.at <= window; });
        if (same == infos_.end()) return true;
        *same = {};
        return false;
    }

private:
    static constexpr duration window = std::chrono::milliseconds{500};

    struct info {
        char digit = 0; ///< 0: none, or its press was heard by RTP as well.
        time_point at{};
    };
    /// More than fingers press within the window.
    std::array<info, 8> infos_{};
    std::size_t next_ = 0;
    bool by_rtp_ = false;
};

} // namespace trunkline::calls
