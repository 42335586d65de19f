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
    const name is{packet.ssrc, packet.timestamp, payload.event};
    if (!digit || std::find(over_.begin(), over_.end(), is) != over_.end()) return told;
    if (open_ && is_next_segment(is) && !packet.marker) {
        // The digit goes on under a new name, and what is still under way bears the old one.
        note_over(open_->is);
        open_->before += static_cast<std::int64_t>(longest);
        open_->duration = 0;
        open_->is = is;
    }
    if (!open_ || open_->is != is) {
        close(told);
        open_ = open_event{.is = is, .digit = *digit, .duration = payload.duration, .heard = now};
        told.add(change(digit_change::kind::started));
    }
    // Reordered packets must not make it shorter again.
    open_->duration = std::max(open_->duration, payload.duration);
    open_->heard = now;
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
    return open_->heard + config_.silence;
}

bool telephone_event_receiver::is_next_segment(const name& is) const noexcept {
    return is.ssrc == open_->is.ssrc && is.event == open_->is.event &&
           is.timestamp == open_->is.timestamp + static_cast<std::int64_t>(longest);
}

void telephone_event_receiver::note_over(const name& is) noexcept {
    over_[overs_++ % over_.size()] = is;
}

void telephone_event_receiver::close(digit_changes& into) noexcept {
    if (!open_) return;
    into.add(change(digit_change::kind::ended));
    note_over(open_->is);
    open_.reset();
}

digit_change telephone_event_receiver::change(digit_change::kind what) const noexcept {
    const auto units = open_->before + open_->duration;
    return {what, open_->digit, duration_of(units, config_.clock_rate)};
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
