// Our side of a stream: the numbers that go into headers, and what sender reports tell of them.
#pragma once

#include <cstddef>
#include <cstdint>

#include <trunkline/core/entropy.hpp>
#include <trunkline/core/time.hpp>
#include <trunkline/rtp/packet.hpp>
#include <trunkline/rtp/rtcp.hpp>

namespace trunkline::rtp {

/// Sequence number and timestamp start anywhere (RFC 3550 section 5.1), so that known plain text
/// does not help against SRTP. The media timeline is the caller's: it says how far each frame moves
/// it.
class sender {
public:
    sender(std::uint32_t clock_rate, entropy& random)
        : clock_rate_{clock_rate},
          ssrc_{static_cast<std::uint32_t>(random.number())},
          sequence_{static_cast<std::uint16_t>(random.number())},
          timestamp_{static_cast<std::uint32_t>(random.number())} {}

    /// The header of the next packet, which carries `octets` of payload at the current timestamp.
    header next(std::uint8_t payload_type, bool marker, std::size_t octets,
                time_point now) noexcept {
        sent_timestamp_ = timestamp_;
        sent_at_ = now;
        return next_at(timestamp_, payload_type, marker, octets);
    }
    /// The same at a timestamp of its own: all packets of a telephone event bear that of its start.
    header next_at(rtp::timestamp at, std::uint8_t payload_type, bool marker,
                   std::size_t octets) noexcept {
        const header made{marker, payload_type, sequence_, at, ssrc_};
        sequence_ = sequence_ + 1;
        ++packets_;
        octets_ += octets;
        return made;
    }
    /// Time passes on the media timeline, whether a packet told of it or not.
    void advance(std::uint32_t units) noexcept { timestamp_ = timestamp_ + units; }

    [[nodiscard]] std::uint32_t ssrc() const noexcept { return ssrc_; }
    [[nodiscard]] rtp::sequence sequence() const noexcept { return sequence_; }
    [[nodiscard]] rtp::timestamp timestamp() const noexcept { return timestamp_; }
    [[nodiscard]] std::uint64_t packets() const noexcept { return packets_; }
    [[nodiscard]] std::uint64_t octets() const noexcept { return octets_; }

    /// What the media clock shows at `now`, reckoned from the last frame: the far end aligns
    /// streams by it, so it must be of the same moment as the NTP time beside it (section 6.4.1).
    [[nodiscard]] rtp::timestamp timestamp_at(time_point now) const noexcept {
        if (packets_ == 0) return timestamp_;
        return sent_timestamp_ + units_of(now - sent_at_, clock_rate_);
    }
    [[nodiscard]] sender_info info(std::uint64_t ntp, time_point now) const noexcept {
        return {ntp, timestamp_at(now), static_cast<std::uint32_t>(packets_),
                static_cast<std::uint32_t>(octets_)};
    }

private:
    std::uint32_t clock_rate_;
    std::uint32_t ssrc_;
    rtp::sequence sequence_;
    rtp::timestamp timestamp_;
    rtp::timestamp sent_timestamp_;
    time_point sent_at_{};
    std::uint64_t packets_ = 0;
    std::uint64_t octets_ = 0;
};

} // namespace trunkline::rtp
