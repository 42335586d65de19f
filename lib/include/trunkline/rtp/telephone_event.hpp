// DTMF as named events, RFC 4733.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <trunkline/core/assert.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/result.hpp>
#include <trunkline/core/time.hpp>
#include <trunkline/rtp/packet.hpp>

namespace trunkline::rtp {

/// The payload, section 2.3.
struct TRUNKLINE_EXPORT telephone_event {
    static constexpr std::size_t size = 4;

    std::uint8_t event = 0;
    bool end = false;
    std::uint8_t volume = 0;    ///< Power in dBm0 without its sign, 0 to 63.
    std::uint16_t duration = 0; ///< In timestamp units, since the timestamp.

    /// Reserved bits are ignored, as are bytes behind the four.
    [[nodiscard]] static result<telephone_event> parse(std::span<const std::byte> payload) noexcept;
    /// Writes the four bytes; 0 when they do not fit.
    [[nodiscard]] std::size_t write(std::span<std::byte> into) const noexcept;

    friend constexpr bool operator==(const telephone_event&, const telephone_event&) = default;
};

/// '0' to '9', '*', '#', 'A' to 'D'; nothing for other characters.
[[nodiscard]] TRUNKLINE_EXPORT std::optional<std::uint8_t> to_event(char digit) noexcept;
/// The reverse; nothing for events that are no digit, such as the hook flash (16).
[[nodiscard]] TRUNKLINE_EXPORT std::optional<char> to_digit(std::uint8_t event) noexcept;

/// A digit went down or came up.
struct digit_change {
    enum class kind : std::uint8_t { started, ended };

    kind what = kind::started;
    char digit = 0;
    trunkline::duration length{}; ///< So far; of an end, in all.

    friend constexpr bool operator==(const digit_change&, const digit_change&) = default;
};

/// What one packet or one tick told: at most the end of one digit, the start and the end of the
/// next.
class digit_changes {
public:
    constexpr void add(const digit_change& change) noexcept {
        TRUNKLINE_ASSERT(size_ < changes_.size());
        changes_[size_++] = change;
    }
    [[nodiscard]] constexpr const digit_change* begin() const noexcept { return changes_.data(); }
    [[nodiscard]] constexpr const digit_change* end() const noexcept { return begin() + size_; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }

private:
    std::array<digit_change, 3> changes_{};
    std::size_t size_ = 0;
};

/// Every press is told of once at its start and once at its end, whatever is lost of it but the
/// whole. By the RFC all packets of a press bear its first timestamp; of two timestamps the second
/// is another press where the first was ended by its end bit and the second begins no earlier than
/// that end. Many senders move the timestamp with every packet, or never: there the same digit is
/// the same press if it went down (its time less its duration) before the last one ended, in RTP
/// time where that advances and by arrival where it does not. The marker is not trusted, for
/// carriers lose it. A press ends by its end packet, by the start of another, or by silence.
class TRUNKLINE_EXPORT telephone_event_receiver {
public:
    struct config {
        std::uint32_t clock_rate = 8000;
        duration silence = std::chrono::milliseconds{150}; ///< Seven packets in a row were lost.
        /// How long a timestamp names the same press after its last packet: some senders' clocks
        /// stand still, and their next press bears the old name.
        duration memory = std::chrono::milliseconds{500};
    };

    explicit telephone_event_receiver(const config& values) noexcept : config_{values} {}

    digit_changes receive(const header& packet, const telephone_event& payload,
                          time_point now) noexcept;
    /// Call when `next_deadline()` has passed. Calling it early is harmless and does nothing.
    digit_changes tick(time_point now) noexcept;
    [[nodiscard]] std::optional<time_point> next_deadline() const noexcept;

private:
    struct press {
        std::uint32_t ssrc = 0;
        std::uint8_t event = 0;
        char digit = 0;
        bool ended = false;  ///< By its end bit, not by silence.
        bool moving = false; ///< Its timestamp went on before it ended.
        rtp::timestamp first;
        rtp::timestamp last;
        std::int64_t before = 0;    ///< Units in the segments that are over, section 2.5.1.3.
        std::uint16_t duration = 0; ///< As told under `last`.
        time_point heard{};         ///< When its last packet came.
        time_point down{};          ///< The earliest that any packet's arrival and duration tell.
    };

    [[nodiscard]] press* find(const header& packet, const telephone_event& payload,
                              time_point now) noexcept;
    [[nodiscard]] bool remembers(const press& one, time_point now) const noexcept {
        return now - one.heard <= config_.memory;
    }
    [[nodiscard]] bool is_next_segment(const press& one, const header& packet,
                                       const telephone_event& payload) const noexcept;
    [[nodiscard]] bool begins_later(const press& one, const telephone_event& payload,
                                    time_point now) const noexcept;
    [[nodiscard]] bool continues(const press& one, const header& packet,
                                 const telephone_event& payload, time_point now) const noexcept;
    void extend(press& one, const header& packet, const telephone_event& payload,
                time_point now) noexcept;
    [[nodiscard]] press& newest() noexcept { return presses_[(begun_ - 1) % presses_.size()]; }
    [[nodiscard]] const press& newest() const noexcept {
        return presses_[(begun_ - 1) % presses_.size()];
    }
    [[nodiscard]] duration length_of(const press& one) const noexcept;
    void close(digit_changes& into) noexcept;

    config config_;
    /// The last presses: their retransmitted ends may come after the next has begun.
    std::array<press, 8> presses_{};
    std::size_t begun_ = 0; ///< Presses so far.
    bool open_ = false;     ///< The newest is not over yet.
};

/// Sends one digit at a time, in place of audio: one packet every `interval` from the start on, and
/// the last three times (section 2.5.1.4).
class TRUNKLINE_EXPORT telephone_event_sender {
public:
    struct config {
        std::uint32_t clock_rate = 8000;
        duration interval = std::chrono::milliseconds{20};
        duration gap = std::chrono::milliseconds{40}; ///< Q.24: at least that long between digits.
        std::uint8_t volume = 10;
    };
    /// What to send now, under the header that rtp::sender::next_at() makes of it.
    struct packet {
        rtp::timestamp timestamp;
        bool marker = false;
        std::array<std::byte, telephone_event::size> payload{};
    };

    /// Precondition: the interval is at least one unit of the clock, or no digit would ever end.
    explicit telephone_event_sender(const config& values) noexcept : config_{values} {
        TRUNKLINE_ASSERT(units_of(values.interval, values.clock_rate) > 0);
    }

    /// Begins at `at` on the media timeline, which is `now`. not_supported: no digit. wrong_state:
    /// not before ready_at(). limit_exceeded: the duration field ends before `length` does, or
    /// `length` is not positive.
    result<void> start(char digit, rtp::timestamp at, time_point now,
                       duration length = std::chrono::milliseconds{100}) noexcept;
    /// The packet that is due, if one is. Call until there is none.
    std::optional<packet> take(time_point now) noexcept;
    [[nodiscard]] std::optional<time_point> next_deadline() const noexcept;

    [[nodiscard]] bool busy() const noexcept { return current_.has_value(); }
    /// When the next digit may start, as far as is known now.
    [[nodiscard]] time_point ready_at() const noexcept { return ready_at_; }

private:
    struct digit {
        std::uint8_t event = 0;
        rtp::timestamp start;
        std::uint32_t units = 0; ///< In all.
        std::uint32_t sent = 0;  ///< Packets so far.
        std::uint32_t ends = 0;  ///< Of these, with the end bit.
        time_point due{};
    };
    config config_;
    std::optional<digit> current_;
    time_point ready_at_ = time_point::min();
};

} // namespace trunkline::rtp
