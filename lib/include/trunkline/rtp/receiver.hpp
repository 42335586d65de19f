// What one hears of the far end, in numbers: RFC 3550 appendices A.1, A.3 and A.8.
#pragma once

#include <cstdint>
#include <optional>

#include <trunkline/core/export.hpp>
#include <trunkline/core/time.hpp>
#include <trunkline/rtp/packet.hpp>
#include <trunkline/rtp/rtcp.hpp>

namespace trunkline::rtp {

/// Verdict on one packet. Only the statistics depend on it: whether to play the packet is for
/// whoever knows where the stream should come from.
enum class reception : std::uint8_t {
    valid,
    reordered, ///< Valid, and a later one was here before.
    duplicate,
    probation, ///< The first of a new source, or the first beyond a jump. Its successor decides.
};

/// Over all sources that the far end has used so far.
struct reception_totals {
    std::uint64_t received = 0; ///< Without duplicates.
    std::uint64_t lost = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t reordered = 0;
    std::uint32_t sources = 0; ///< How many SSRCs proved valid.
};

/// Follows one source at a time. A packet of another SSRC, or one whose number is far from the last
/// (A.1), is on probation; when the next in sequence follows, the receiver starts over with it. So
/// a stray packet moves nothing and a restarted sender is lost for one packet, which then counts.
class TRUNKLINE_EXPORT receiver {
public:
    explicit receiver(std::uint32_t clock_rate) noexcept : clock_rate_{clock_rate} {}

    /// `restarted`: the sender has begun a new timeline with this packet, as the timestamps tell.
    /// A number that leaps with it is then no loss.
    reception receive(const header& what, time_point now, bool restarted = false) noexcept;

    /// Of the source that is followed, if it has sent since the last call. Begins a new interval
    /// for the fraction lost. `last_sr` and `delay_since_last_sr` are the session's to fill in.
    [[nodiscard]] std::optional<report_block> report() noexcept;

    [[nodiscard]] bool has_source() const noexcept { return active_; }
    [[nodiscard]] std::uint32_t ssrc() const noexcept { return ssrc_; }
    [[nodiscard]] std::uint32_t jitter() const noexcept; ///< In units of the media clock.
    [[nodiscard]] std::uint32_t extended_highest() const noexcept;
    [[nodiscard]] reception_totals totals() const noexcept;

private:
    struct candidate {
        header first;
        time_point arrived;
    };

    [[nodiscard]] std::int64_t ahead_of_highest(const header& what) const noexcept {
        return what.sequence - (sequence{} + highest_);
    }
    void start(const candidate& first) noexcept;
    reception judge(const header& what) noexcept;
    reception try_out(const header& what, time_point now) noexcept;
    void measure(const header& what, time_point now) noexcept;
    [[nodiscard]] std::int64_t expected() const noexcept { return highest_ - base_ + 1; }
    [[nodiscard]] std::uint64_t lost_now() const noexcept;

    std::uint32_t clock_rate_;
    bool active_ = false;
    std::optional<candidate> on_probation_;

    std::uint32_t ssrc_ = 0;
    std::int64_t base_ = 0;
    std::int64_t highest_ = 0;  ///< The sequence number, counting on where 16 bits would wrap.
    std::uint64_t seen_ = 0;    ///< Bit n: `highest_ - n` has come.
    std::int64_t arrivals_ = 0; ///< With duplicates, as A.3 wants it.
    std::int64_t unique_ = 0;   ///< Without.
    std::int64_t expected_prior_ = 0;
    std::int64_t arrivals_prior_ = 0;

    bool measured_ = false;
    std::uint32_t transit_ = 0; ///< Arrival less timestamp; only differences of it mean a thing.
    timestamp measured_at_;     ///< The timestamp that `transit_` was taken from.
    std::uint64_t jitter_sixteenths_ = 0;

    reception_totals past_; ///< Of the sources before, and what no source owns.
};

} // namespace trunkline::rtp
