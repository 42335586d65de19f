#include <trunkline/rtp/receiver.hpp>

#include <algorithm>
#include <limits>

namespace trunkline::rtp {

namespace {

constexpr std::int64_t max_dropout = 3000; // A.1: a minute of loss is a restart.
constexpr std::int64_t max_misorder = 100; // A.1: two seconds behind is one, too.

} // namespace

reception receiver::receive(const header& what, time_point now, bool restarted) noexcept {
    if (active_ && what.ssrc == ssrc_) {
        const auto ahead = ahead_of_highest(what);
        // A number far away is on probation in any case.
        if (restarted && ahead != 1 && ahead <= max_dropout && ahead >= -max_misorder) {
            start({what, now});
            on_probation_.reset();
            return reception::valid;
        }
        const auto verdict = judge(what);
        if (verdict == reception::valid || verdict == reception::reordered) measure(what, now);
        if (verdict != reception::probation) {
            on_probation_.reset();
            return verdict;
        }
    }
    return try_out(what, now);
}

/// Of a packet of the source that is followed; `probation` when its number is a jump.
reception receiver::judge(const header& what) noexcept {
    const auto ahead = ahead_of_highest(what);
    if (ahead > max_dropout || ahead < -max_misorder) return reception::probation;
    ++arrivals_;
    if (ahead > 0) {
        seen_ = ahead < 64 ? seen_ << ahead | 1U : 1U;
        highest_ += ahead;
        ++unique_;
        return reception::valid;
    }
    // Beyond 64 back nobody remembers, and a duplicate that late is rarer than a reordered packet.
    const auto bit = ahead > -64 ? std::uint64_t{1} << -ahead : 0U;
    if ((seen_ & bit) != 0) {
        ++past_.duplicates;
        return reception::duplicate;
    }
    seen_ |= bit;
    // What came before the first one was never expected; expect it now, or losses would go below 0.
    base_ = std::min(base_, highest_ + ahead);
    ++unique_;
    ++past_.reordered;
    return reception::reordered;
}

reception receiver::try_out(const header& what, time_point now) noexcept {
    const bool successor = on_probation_ && on_probation_->first.ssrc == what.ssrc &&
                           what.sequence == on_probation_->first.sequence + 1;
    if (!successor) {
        on_probation_ = candidate{what, now};
        return reception::probation;
    }
    start(*on_probation_);
    on_probation_.reset();
    const auto verdict = judge(what);
    measure(what, now);
    return verdict;
}

/// A.1's init_seq(), one packet earlier: the one on probation was received as well.
void receiver::start(const candidate& first) noexcept {
    if (active_) {
        past_.received += static_cast<std::uint64_t>(unique_);
        past_.lost += lost_now();
    }
    if (!active_ || first.first.ssrc != ssrc_) ++past_.sources;
    active_ = true;
    ssrc_ = first.first.ssrc;
    base_ = highest_ = first.first.sequence.value;
    seen_ = 1;
    arrivals_ = unique_ = 1;
    expected_prior_ = arrivals_prior_ = 0;
    measured_ = false;
    jitter_sixteenths_ = 0;
    measure(first.first, first.arrived);
}

/// A.8. A repeated timestamp is a telephone event in progress (RFC 4733) and says nothing of the
/// network; nor does a step of seconds, which is a sender that set its clock.
void receiver::measure(const header& what, time_point now) noexcept {
    if (measured_ && what.timestamp == measured_at_) return;
    const auto arrival = static_cast<std::uint32_t>(units_of(now.time_since_epoch(), clock_rate_));
    const auto transit = arrival - what.timestamp.value;
    const std::int64_t change = timestamp{transit} - timestamp{transit_};
    const auto distance = static_cast<std::uint64_t>(change < 0 ? -change : change);
    if (measured_ && distance <= std::uint64_t{5} * clock_rate_) {
        jitter_sixteenths_ += distance - ((jitter_sixteenths_ + 8) >> 4);
    }
    measured_ = true;
    measured_at_ = what.timestamp;
    transit_ = transit;
}

std::uint64_t receiver::lost_now() const noexcept {
    return active_ ? static_cast<std::uint64_t>(std::max<std::int64_t>(expected() - unique_, 0))
                   : 0;
}

std::optional<report_block> receiver::report() noexcept {
    if (!active_ || arrivals_ == arrivals_prior_) return std::nullopt;
    const auto expected_interval = expected() - expected_prior_;
    const auto lost_interval = expected_interval - (arrivals_ - arrivals_prior_);
    expected_prior_ = expected();
    arrivals_prior_ = arrivals_;
    const bool any = expected_interval > 0 && lost_interval > 0;
    const auto fraction = any ? std::min<std::int64_t>(lost_interval * 256 / expected_interval, 255)
                              : std::int64_t{0};
    constexpr std::int64_t most = 0x7f'ffff;
    const auto lost = std::clamp(expected() - arrivals_, -most - 1, most);
    return report_block{.ssrc = ssrc_,
                        .fraction_lost = static_cast<std::uint8_t>(fraction),
                        .cumulative_lost = static_cast<std::int32_t>(lost),
                        .extended_highest = extended_highest(),
                        .jitter = jitter()};
}

std::uint32_t receiver::jitter() const noexcept {
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(std::min(jitter_sixteenths_ >> 4, most));
}

std::uint32_t receiver::extended_highest() const noexcept {
    return static_cast<std::uint32_t>(highest_);
}

reception_totals receiver::totals() const noexcept {
    auto all = past_;
    all.received += static_cast<std::uint64_t>(unique_);
    all.lost += lost_now();
    return all;
}

} // namespace trunkline::rtp
