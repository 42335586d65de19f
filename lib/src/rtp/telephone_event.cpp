#include <trunkline/rtp/telephone_event.hpp>

#include <algorithm>
#include <string_view>

#include "wire.hpp"

namespace trunkline::rtp {

namespace {

constexpr std::string_view digits = "0123456789*#ABCD"; // Table 3, by event code.
constexpr std::uint32_t longest = 0xffff;               // What the duration field can hold.
constexpr std::uint32_t end_packets = 3;

} // namespace

result<telephone_event> telephone_event::parse(std::span<const std::byte> payload) noexcept {
    if (payload.size() < size) {
        return error{.code = errc::need_more, .offset = static_cast<std::uint32_t>(payload.size())};
    }
    const auto flags = read_8(payload, 1);
    return telephone_event{.event = read_8(payload, 0),
                           .end = (flags & 0x80) != 0,
                           .volume = static_cast<std::uint8_t>(flags & 0x3f),
                           .duration = read_16(payload, 2)};
}

std::size_t telephone_event::write(std::span<std::byte> into) const noexcept {
    if (into.size() < size) return 0;
    write_8(into, 0, event);
    write_8(into, 1, (end ? 0x80U : 0U) | (volume & 0x3fU));
    write_16(into, 2, duration);
    return size;
}

std::optional<std::uint8_t> to_event(char digit) noexcept {
    const auto found = digits.find(digit);
    if (found == std::string_view::npos) return std::nullopt;
    return static_cast<std::uint8_t>(found);
}

std::optional<char> to_digit(std::uint8_t event) noexcept {
    if (event >= digits.size()) return std::nullopt;
    return digits[event];
}

digit_changes telephone_event_receiver::receive(const header& packet,
                                                const telephone_event& payload,
                                                time_point now) noexcept {
    digit_changes told = tick(now);
    const auto digit = to_digit(payload.event);
    if (!digit) return told;
    if (auto* known = find(packet, payload, now)) {
        extend(*known, packet, payload, now);
        if (payload.end && known == &newest()) close(told);
        return told;
    }
    close(told);
    ++begun_;
    auto& made = newest();
    made = {.ssrc = packet.ssrc,
            .event = payload.event,
            .digit = *digit,
            .ended = payload.end,
            .first = packet.timestamp,
            .last = packet.timestamp,
            .duration = payload.duration,
            .heard = now,
            .down = now - duration_of(payload.duration, config_.clock_rate)};
    open_ = true;
    told.add({digit_change::kind::started, made.digit, length_of(made)});
    if (payload.end) close(told);
    return told;
}

digit_changes telephone_event_receiver::tick(time_point now) noexcept {
    digit_changes told;
    if (const auto due = next_deadline(); due && *due <= now) close(told);
    return told;
}

std::optional<time_point> telephone_event_receiver::next_deadline() const noexcept {
    if (!open_) return std::nullopt;
    return newest().heard + config_.silence;
}

/// The press that a packet belongs to; none when it begins another.
telephone_event_receiver::press* telephone_event_receiver::find(const header& packet,
                                                                const telephone_event& payload,
                                                                time_point now) noexcept {
    press* latest = nullptr;
    const auto kept = std::min(begun_, presses_.size());
    for (std::size_t i = 0; i < kept; ++i) {
        auto& one = presses_[(begun_ - 1 - i) % presses_.size()];
        if (one.ssrc != packet.ssrc || one.event != payload.event) continue;
        const bool named = packet.timestamp - one.first >= 0 && packet.timestamp - one.last <= 0;
        if (named && remembers(one, now)) return &one;
        if (latest == nullptr) latest = &one;
    }
    return latest != nullptr && continues(*latest, packet, payload, now) ? latest : nullptr;
}

/// Section 2.5.1.3: a press that is longer than the duration field goes on under the timestamp at
/// which its first segment ended, without a marker. Some senders do so after every packet.
bool telephone_event_receiver::is_next_segment(const press& one, const header& packet,
                                               const telephone_event& payload) const noexcept {
    if (one.ended || packet.marker) return false;
    const auto ahead = packet.timestamp - one.last;
    if (ahead == static_cast<std::int64_t>(longest)) return true;
    return one.duration > 0 && ahead == one.duration && payload.duration <= one.duration;
}

/// By arrival: the key went down when the last press was over.
bool telephone_event_receiver::begins_later(const press& one, const telephone_event& payload,
                                            time_point now) const noexcept {
    const auto down = now - duration_of(payload.duration, config_.clock_rate);
    return down >= one.down + length_of(one);
}

/// Of a packet whose timestamp is no name of `one`, or no more.
bool telephone_event_receiver::continues(const press& one, const header& packet,
                                         const telephone_event& payload,
                                         time_point now) const noexcept {
    const auto ahead = packet.timestamp - one.last;
    // RTP time that stands, or that was set back, tells nothing.
    const bool grows = !one.ended && payload.duration > one.duration;
    if (ahead <= 0) return (ahead == 0 && grows) || !begins_later(one, payload, now);
    // Durations that are all 0 tell nothing either: what comes without a pause belongs together.
    const bool told_nothing = payload.duration == 0 && one.duration == 0 && !packet.marker;
    if (told_nothing && (!one.ended || payload.end) && now - one.heard < config_.silence) {
        return true;
    }
    if (one.ended && ahead >= one.duration) return false;
    if (is_next_segment(one, packet, payload)) return true;
    // Where the timestamp stood it was the start, and nothing starts before that press was over.
    const bool overlaps = !one.moving && ahead < one.duration;
    // Where it moves it is the time of the packet, give or take what rounding does to it.
    const auto rounding = static_cast<std::int64_t>(config_.clock_rate / 100);
    const bool moves = ahead - payload.duration < rounding;
    if (!overlaps && !moves) return false;
    // A clock that hardly moves from press to press is none.
    return remembers(one, now) || grows || !begins_later(one, payload, now);
}

void telephone_event_receiver::extend(press& one, const header& packet,
                                      const telephone_event& payload, time_point now) noexcept {
    const auto ahead = packet.timestamp - one.last;
    if (ahead < 0 && packet.timestamp - one.first >= 0) return; // Reordered, and told before.
    if (ahead == 0) {
        // Half of what the field can hold is no reordering: it has wrapped.
        const bool wrapped = !one.ended && payload.duration + 0x8000U < one.duration;
        if (wrapped) one.before += static_cast<std::int64_t>(longest) + 1;
        // Reordered packets must not make it shorter again.
        one.duration = wrapped ? payload.duration : std::max(one.duration, payload.duration);
    } else {
        const bool segment = is_next_segment(one, packet, payload);
        const bool anew = segment || (payload.duration <= one.duration && !payload.end);
        if (anew) {
            one.before += std::clamp<std::int64_t>(ahead, 0, segment ? longest : one.duration);
            one.duration = payload.duration;
        } else {
            one.duration = std::max(one.duration, payload.duration);
        }
        one.moving = one.moving || (!segment && !one.ended);
        one.last = packet.timestamp;
        if (ahead < 0) one.first = packet.timestamp;
    }
    one.ended = one.ended || payload.end;
    one.heard = now;
    one.down = std::min(one.down, now - length_of(one));
}

void telephone_event_receiver::close(digit_changes& into) noexcept {
    if (!open_) return;
    open_ = false;
    into.add({digit_change::kind::ended, newest().digit, length_of(newest())});
}

duration telephone_event_receiver::length_of(const press& one) const noexcept {
    return duration_of(one.before + one.duration, config_.clock_rate);
}

result<void> telephone_event_sender::start(char digit_to_send, rtp::timestamp at, time_point now,
                                           duration length) noexcept {
    const auto event = to_event(digit_to_send);
    if (!event) return error{.code = errc::not_supported};
    if (busy() || now < ready_at_) return error{.code = errc::wrong_state};
    const auto units = units_of(length, config_.clock_rate);
    if (units <= 0 || units > static_cast<std::int64_t>(longest)) {
        return error{.code = errc::limit_exceeded};
    }
    current_ =
        digit{.event = *event, .start = at, .units = static_cast<std::uint32_t>(units), .due = now};
    ready_at_ = now + length + config_.gap;
    return {};
}

std::optional<telephone_event_sender::packet>
telephone_event_sender::take(time_point now) noexcept {
    if (!current_ || now < current_->due) return std::nullopt;
    auto& sending = *current_;
    // Like audio, a packet tells of the interval that begins with it.
    const auto step = units_of(config_.interval, config_.clock_rate);
    const auto told = std::min<std::int64_t>(step * (sending.sent + 1), sending.units);
    const bool end = told == sending.units;
    packet made{.timestamp = sending.start, .marker = sending.sent == 0};
    const telephone_event payload{sending.event, end, config_.volume,
                                  static_cast<std::uint16_t>(told)};
    static_cast<void>(payload.write(made.payload)); // It fits by its type.
    ++sending.sent;
    sending.due += config_.interval;
    if (end && ++sending.ends == end_packets) {
        ready_at_ = std::max(ready_at_, sending.due);
        current_.reset();
    }
    return made;
}

std::optional<time_point> telephone_event_sender::next_deadline() const noexcept {
    if (!current_) return std::nullopt;
    return current_->due;
}

} // namespace trunkline::rtp
