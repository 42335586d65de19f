// One RTP session with one far end: both directions and the reports that cross between them.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <trunkline/core/entropy.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/result.hpp>
#include <trunkline/core/time.hpp>
#include <trunkline/rtp/packet.hpp>
#include <trunkline/rtp/receiver.hpp>
#include <trunkline/rtp/rtcp.hpp>
#include <trunkline/rtp/sender.hpp>

namespace trunkline::rtp {

/// What the far end last said of what it hears from us.
struct far_end_report {
    double fraction_lost = 0; ///< 0 to 1, in its last interval.
    std::int32_t lost = 0;    ///< Since it began to listen; duplicates make it negative.
    duration jitter{};

    friend constexpr bool operator==(const far_end_report&, const far_end_report&) = default;
};

struct session_statistics {
    std::uint64_t sent_packets = 0;
    std::uint64_t sent_octets = 0; ///< Of payload.
    std::uint64_t received = 0;    ///< Without duplicates.
    std::uint64_t lost = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t reordered = 0;
    std::uint32_t sources = 0; ///< How many SSRCs the far end has used.
    duration jitter{};
    std::optional<far_end_report> far_end;
    std::optional<duration> round_trip;
};

enum class rtcp_news : std::uint8_t {
    report,
    bye, ///< The source that we hear has left.
};

/// A call has two parties, so the rules of section 6.2 for sharing bandwidth come down to one
/// interval, randomised; and an SSRC of the far end equal to ours is no collision that matters (a
/// reflector for tests sends ours back).
class TRUNKLINE_EXPORT session {
public:
    struct config {
        std::uint32_t clock_rate = 8000;
        duration report_interval = std::chrono::seconds{5}; ///< Zero: no reports.
        /// What protocol time has to gain to be time since 1970: the core reads no clock.
        duration wall_clock_offset{};
    };

    /// `random` outlives the session.
    session(const config& values, entropy& random);

    /// `restarted`: see rtp::receiver.
    reception receive(const packet_view& packet, time_point now, bool restarted = false);
    /// A datagram of RTCP. Reports on other sources than ours and from others than ours are
    /// ignored.
    result<rtcp_news> receive_rtcp(std::span<const std::byte> bytes, time_point now) noexcept;

    /// The header of the next packet to send; see rtp::sender.
    header send(std::uint8_t payload_type, bool marker, std::size_t octets, time_point now);
    header send_at(rtp::timestamp at, std::uint8_t payload_type, bool marker, std::size_t octets,
                   time_point now);
    void advance(std::uint32_t units) noexcept { sender_.advance(units); }

    /// When write_report() is due. Nothing, until the first packet has gone either way, after a
    /// BYE, and where reports are off.
    [[nodiscard]] std::optional<time_point> next_report() const noexcept { return next_report_; }
    /// A compound packet: SR or RR, and the canonical name. Begins the next interval. 0 when `into`
    /// is too short; `report_size` is always enough.
    std::size_t write_report(std::span<std::byte> into, time_point now);
    /// The same with a BYE behind it. No report is due afterwards.
    std::size_t write_bye(std::span<std::byte> into, time_point now);
    static constexpr std::size_t report_size = 128;

    [[nodiscard]] session_statistics statistics() const noexcept;
    [[nodiscard]] std::uint32_t ssrc() const noexcept { return sender_.ssrc(); }
    [[nodiscard]] std::string_view cname() const noexcept { return {cname_.data(), cname_.size()}; }
    [[nodiscard]] const rtp::sender& sending() const noexcept { return sender_; }
    [[nodiscard]] const rtp::receiver& receiving() const noexcept { return receiver_; }

private:
    struct heard_sr {
        std::uint32_t ssrc = 0;
        std::uint32_t middle = 0; ///< Of its NTP time.
        time_point at{};
    };

    void arm(time_point now);
    void hear(const sender_report_view& report, time_point now) noexcept;
    void hear(const report_blocks_view& reports, time_point now) noexcept;
    void measure_round_trip(const report_block& block, time_point now) noexcept;
    [[nodiscard]] std::uint64_t ntp(time_point now) const noexcept;
    std::size_t write(std::span<std::byte> into, time_point now, bool leaving);

    config config_;
    entropy* random_;
    rtp::sender sender_;
    rtp::receiver receiver_;
    std::array<char, 20> cname_{}; ///< 100 random bits: RFC 7022 section 4.2 asks for 96.
    std::optional<time_point> next_report_;
    bool left_ = false;
    std::uint64_t packets_prior_ = 0; ///< Sent before the last report.
    unsigned quiet_intervals_ = 2;    ///< Reports since we last sent a packet.
    std::optional<heard_sr> last_sr_;
    /// The middle NTP times of our last sender reports. A round trip is measured by one of these or
    /// not at all: some gateways return a number of their own making.
    std::array<std::uint32_t, 4> sent_sr_{};
    std::size_t sent_srs_ = 0;
    std::optional<far_end_report> far_end_;
    std::optional<duration> round_trip_;
};

} // namespace trunkline::rtp
