// The jitter buffer: packets as the network brings them in, in order out.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <trunkline/core/export.hpp>
#include <trunkline/core/time.hpp>
#include <trunkline/rtp/packet.hpp>
#include <trunkline/rtp/transit_window.hpp>

namespace trunkline::rtp {

enum class release : std::uint8_t {
    /// At once, but for packets behind a gap, which wait a little for what is missing. For
    /// listeners
    /// without a clock, such as recognisers: no packet that comes in time is ever dropped.
    as_arrived,
    /// Each at its own moment: its timestamp, the fastest transit, and a delay that follows the
    /// slowest 1 % of the last 500. For listeners with a clock: bridges, recordings.
    playout,
};

enum class put_result : std::uint8_t {
    taken,
    reset,     ///< Taken, as the first of a new timeline: another SSRC, or a jump.
    late,      ///< Its turn is over: it was declared lost. Dropped.
    duplicate, ///< Dropped.
    full,      ///< As many as there is room for are waiting. Dropped.
    too_large, ///< More payload than a place holds. Dropped.
};

struct jitter_buffer_counters {
    std::uint64_t taken = 0;
    std::uint64_t released = 0;
    std::uint64_t lost = 0; ///< Declared lost, though some may have come late.
    std::uint64_t late = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t resets = 0;
    std::uint64_t full = 0;
    std::uint64_t too_large = 0;
};

/// What is taken is released, in order, whatever happens; what is missing in between is told of as
/// lost, once each. A reset starts a new timeline behind the old one: what the old one still held
/// comes out first. Fixed memory, no allocation after construction; its pages are only touched as
/// deep as packets have ever piled up.
class TRUNKLINE_EXPORT jitter_buffer {
public:
    static constexpr std::size_t capacity = 128;     ///< Packets. 2.5 s of 20 ms.
    static constexpr std::size_t max_payload = 1600; ///< 200 ms of G.711: RFC 3551 section 4.2.

    struct config {
        rtp::release release = rtp::release::as_arrived;
        std::uint32_t clock_rate = 8000;
        /// as_arrived: how long a packet waits for those before it.
        duration gap_timeout = std::chrono::milliseconds{60};
        /// playout: the delay over the fastest transit, at first and its bounds.
        duration initial_delay = std::chrono::milliseconds{40};
        duration min_delay = std::chrono::milliseconds{10};
        duration max_delay = std::chrono::milliseconds{200};
        /// playout: the delay grows at once, and shrinks by this much a packet: a twentieth of 20
        /// ms can be caught up without being heard.
        duration shrink_step = std::chrono::milliseconds{1};
    };

    struct item {
        enum class what : std::uint8_t { packet, lost };

        what kind = what::packet;
        bool restarted = false; ///< The first of a timeline: numbers are not comparable across it.
        bool marker = false;
        std::uint8_t payload_type = 0;
        std::uint32_t ssrc = 0;
        std::int64_t sequence = 0;  ///< Does not wrap within a timeline; the low 16 bits as sent.
        std::int64_t timestamp = 0; ///< The same with 32 bits. Of what is lost, a fair guess.
        time_point arrived{};       ///< Of what is lost, when that was known.
        std::span<const std::byte> payload; ///< Valid until the next put() or take().
    };

    explicit jitter_buffer(const config& values);

    put_result put(const packet_view& packet, time_point now) noexcept;
    /// The next item whose time has come. Call until there is none, after each put() and at
    /// next_deadline().
    std::optional<item> take(time_point now) noexcept;
    /// When take() will have something, as far as is known. Not later than now: it has.
    [[nodiscard]] std::optional<time_point> next_deadline() const noexcept { return next_at_; }

    [[nodiscard]] const jitter_buffer_counters& counters() const noexcept { return counters_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// playout: the delay over the fastest transit of late.
    [[nodiscard]] duration delay() const noexcept;

private:
    struct entry {
        std::int64_t position = 0; ///< Order among all packets of all timelines.
        std::int64_t sequence = 0;
        std::int64_t timestamp = 0;
        time_point arrived{};
        time_point media{}; ///< playout: when it would come if transit took as long as the first.
        std::uint32_t timeline = 0;
        std::uint32_t ssrc = 0;
        std::uint16_t size = 0;
        std::uint8_t payload_type = 0;
        std::uint8_t place = 0; ///< Which part of `payloads_` is its own.
        bool marker = false;
    };
    /// The last item that went out: what a gap is measured from.
    struct last_item {
        std::int64_t sequence = 0;
        std::int64_t timestamp = 0;
        time_point media{};
        bool packet = false;
    };
    struct step {
        std::int64_t units = 0;
        duration media{};
    };

    [[nodiscard]] bool starts_over(const header& what, time_point now) const noexcept;
    void start_over(const header& what, time_point now) noexcept;
    [[nodiscard]] bool late_once_too_often(const header& what) noexcept;
    [[nodiscard]] std::optional<put_result> already_known(std::int64_t position) const noexcept;
    put_result keep(const packet_view& packet, bool first, time_point now) noexcept;
    void observe(const header& what, bool first, time_point now) noexcept;

    [[nodiscard]] entry& held(std::size_t index) noexcept {
        return entries_[order_[(front_ + index) % capacity]];
    }
    [[nodiscard]] const entry& held(std::size_t index) const noexcept {
        return entries_[order_[(front_ + index) % capacity]];
    }
    [[nodiscard]] std::span<std::byte> payload_of(std::size_t place) const noexcept {
        return {payloads_.get() + place * max_payload, max_payload};
    }
    [[nodiscard]] time_point media_time(std::int64_t at) const noexcept;
    [[nodiscard]] std::optional<time_point> due() const noexcept;
    [[nodiscard]] step missing_step() const noexcept;
    void follow_target() noexcept;
    item release_lost(time_point now) noexcept;
    item release_front() noexcept;

    config config_;
    jitter_buffer_counters counters_;

    // Who waits: entries by place, and their places in order of position.
    std::array<entry, capacity> entries_{};
    std::array<std::uint8_t, capacity> order_{};
    std::array<std::uint8_t, capacity> free_{};
    std::unique_ptr<std::byte[]> payloads_;
    std::size_t front_ = 0;
    std::size_t size_ = 0;
    std::optional<time_point> next_at_;

    // The timeline that packets come in by.
    std::uint32_t timeline_ = 0; ///< 0: none yet.
    std::uint32_t ssrc_ = 0;
    extender<sequence> sequences_;
    extender<timestamp> timestamps_;
    std::int64_t base_ = 0;             ///< Position less sequence number.
    std::int64_t highest_position_ = 0; ///< Of all timelines.
    timestamp last_timestamp_;
    time_point last_arrived_{};
    std::optional<sequence> successor_of_late_;
    unsigned lates_in_a_row_ = 0;

    // The timeline that items go out by.
    std::uint32_t released_timeline_ = 0;
    std::int64_t next_ = 0;       ///< The position whose turn it is.
    std::uint64_t delivered_ = 0; ///< Bit n: position `next_ - 1 - n` was a packet, and not lost.
    last_item last_;
    step frame_; ///< From a packet to the next, as seen last.

    // playout only.
    std::unique_ptr<transit_window> transits_;
    std::int64_t origin_timestamp_ = 0;
    time_point origin_{};
    duration offset_{}; ///< From the media time of a packet to its release.
};

} // namespace trunkline::rtp
