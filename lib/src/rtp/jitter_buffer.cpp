#include <trunkline/rtp/jitter_buffer.hpp>

#include <algorithm>
#include <limits>

#include <trunkline/core/assert.hpp>

namespace trunkline::rtp {

namespace {

constexpr std::int64_t max_dropout = 3000; // RFC 3550 A.1: further ahead is another stream.
constexpr std::int64_t max_misorder = 100; // And further behind may be one.
constexpr duration max_jump = std::chrono::seconds{5};
constexpr duration max_drift = std::chrono::seconds{1000}; // Transits are kept in 32 bits.
constexpr unsigned max_lates =
    25; // Half a second in a row: the timeline is wrong, not the packets.

[[nodiscard]] constexpr std::int32_t to_microseconds(duration time) noexcept {
    const auto bounded = std::clamp(time, -2 * max_drift, 2 * max_drift);
    return static_cast<std::int32_t>(bounded.count() / 1000);
}

[[nodiscard]] constexpr duration from_microseconds(std::int32_t count) noexcept {
    return std::chrono::microseconds{count};
}

} // namespace

jitter_buffer::jitter_buffer(const config& values)
    : config_{values},
      payloads_{std::make_unique_for_overwrite<std::byte[]>(capacity * max_payload)} {
    TRUNKLINE_ASSERT(values.clock_rate > 0 && values.min_delay <= values.max_delay);
    // The lowest places are on top, so that a buffer that is never deep stays small.
    for (std::size_t i = 0; i < capacity; ++i) {
        free_[i] = static_cast<std::uint8_t>(capacity - 1 - i);
    }
    if (values.release == release::playout) {
        transits_ = std::make_unique<transit_window>();
        offset_ = std::clamp(values.initial_delay, values.min_delay, values.max_delay);
    }
}

put_result jitter_buffer::put(const packet_view& packet, time_point now) noexcept {
    if (packet.payload.size() > max_payload) {
        ++counters_.too_large;
        return put_result::too_large;
    }
    const auto& what = packet.header;
    bool first = starts_over(what, now);
    if (!first) {
        const auto known = already_known(base_ + sequences_.extend(what.sequence));
        first = known && late_once_too_often(what);
        if (known == put_result::duplicate && !first) {
            ++counters_.duplicates;
            return put_result::duplicate;
        }
        if (known == put_result::late && !first) {
            ++counters_.late;
            observe(what, false, now); // That it was late is what the delay has to learn from.
            next_at_ = due();
            return put_result::late;
        }
    }
    if (size_ == capacity) {
        ++counters_.full;
        return put_result::full;
    }
    if (first) start_over(what, now);
    const auto outcome = keep(packet, first, now);
    next_at_ = due();
    return outcome;
}

bool jitter_buffer::starts_over(const header& what, time_point now) const noexcept {
    if (timeline_ == 0 || what.ssrc != ssrc_) return true;
    const auto ahead = sequences_.extend(what.sequence) - sequences_.highest();
    if (ahead > max_dropout || ahead < -max_dropout) return true;
    // A repeated timestamp is a telephone event, which may last as long as a finger does.
    if (what.timestamp == last_timestamp_) return false;
    // Silence moves both clocks alike, however long it is; a jump moves one.
    const auto media = duration_of(what.timestamp - last_timestamp_, config_.clock_rate);
    const auto jump = (now - last_arrived_) - media;
    if (jump > max_jump || jump < -max_jump) return true;
    if (!transits_) return false;
    const auto drift = now - media_time(timestamps_.extend(what.timestamp));
    return drift > max_drift || drift < -max_drift;
}

/// The new timeline's positions lie behind all old ones, with room between: its first packets, too,
/// may come out of order.
void jitter_buffer::start_over(const header& what, time_point now) noexcept {
    if (timeline_ != 0) ++counters_.resets;
    ++timeline_;
    ssrc_ = what.ssrc;
    sequences_ = {};
    timestamps_ = {};
    base_ = highest_position_ + 2 * max_dropout - sequences_.advance(what.sequence);
    last_timestamp_ = what.timestamp;
    last_arrived_ = now;
    successor_of_late_.reset();
    lates_in_a_row_ = 0;
    origin_timestamp_ = timestamps_.advance(what.timestamp);
    origin_ = now;
    if (!transits_) return;
    // The path is likely the same: keep the delay. Who waits still goes when it was to go.
    const auto kept = std::clamp(delay(), config_.min_delay, config_.max_delay);
    const auto shift = offset_ - kept;
    for (std::size_t i = 0; i < size_; ++i) held(i).media += shift;
    last_.media += shift;
    offset_ = kept;
    transits_->clear();
}

/// A sender that restarted a little behind would have all its packets late, or taken for ones that
/// came, until it caught up. Two in sequence that are far behind, or whose time is ahead of all
/// that came while their numbers are behind, or many late ones in a row, are taken for that.
bool jitter_buffer::late_once_too_often(const header& what) noexcept {
    const auto number = sequences_.extend(what.sequence);
    const bool late = already_known(base_ + number) == put_result::late;
    const bool far = late && number < sequences_.highest() - max_misorder;
    const bool ahead = timestamps_.extend(what.timestamp) > timestamps_.highest();
    if ((far || ahead) && successor_of_late_ == what.sequence) return true;
    if (late || ahead) successor_of_late_.reset();
    if (far || ahead) successor_of_late_ = what.sequence + 1;
    return late && ++lates_in_a_row_ > max_lates;
}

std::optional<put_result> jitter_buffer::already_known(std::int64_t position) const noexcept {
    for (std::size_t i = size_; i > 0 && held(i - 1).position >= position; --i) {
        if (held(i - 1).position == position) return put_result::duplicate;
    }
    // Until the first of a timeline went out, anything may yet go before it.
    if (released_timeline_ != timeline_ || position >= next_) return std::nullopt;
    const auto back = next_ - 1 - position;
    const bool delivered = back < 64 && (delivered_ >> back & 1U) != 0;
    return delivered ? put_result::duplicate : put_result::late;
}

put_result jitter_buffer::keep(const packet_view& packet, bool first, time_point now) noexcept {
    const auto& what = packet.header;
    observe(what, first, now);
    lates_in_a_row_ = 0;
    const auto place = free_[capacity - 1 - size_];
    const auto number = sequences_.advance(what.sequence);
    entry& made = entries_[place];
    made = {.position = base_ + number,
            .sequence = number,
            .timestamp = timestamps_.advance(what.timestamp),
            .arrived = now,
            .timeline = timeline_,
            .ssrc = what.ssrc,
            .size = static_cast<std::uint16_t>(packet.payload.size()),
            .payload_type = what.payload_type,
            .place = place,
            .marker = what.marker};
    if (transits_) made.media = media_time(made.timestamp);
    std::copy(packet.payload.begin(), packet.payload.end(), payload_of(place).begin());

    std::size_t at = size_++;
    for (; at > 0 && held(at - 1).position > made.position; --at) {
        order_[(front_ + at) % capacity] = order_[(front_ + at - 1) % capacity];
    }
    order_[(front_ + at) % capacity] = place;
    highest_position_ = std::max(highest_position_, made.position);
    ++counters_.taken;
    return first && timeline_ > 1 ? put_result::reset : put_result::taken;
}

void jitter_buffer::observe(const header& what, bool first, time_point now) noexcept {
    // Of the packets of a telephone event only the first tells when its timestamp was.
    if (what.timestamp == last_timestamp_ && !first) return;
    last_timestamp_ = what.timestamp;
    last_arrived_ = now;
    if (!transits_) return;
    transits_->add(to_microseconds(now - media_time(timestamps_.extend(what.timestamp))));
    const auto fastest = from_microseconds(transits_->minimum());
    const auto slowest = from_microseconds(transits_->percentile_99());
    offset_ = std::max(offset_, std::max(slowest, fastest + config_.min_delay));
    offset_ = std::min(offset_, fastest + config_.max_delay);
}

time_point jitter_buffer::media_time(std::int64_t at) const noexcept {
    return origin_ + duration_of(at - origin_timestamp_, config_.clock_rate);
}

duration jitter_buffer::delay() const noexcept {
    if (!transits_ || transits_->empty()) return offset_;
    return offset_ - from_microseconds(transits_->minimum());
}

/// When the next item may go.
std::optional<time_point> jitter_buffer::due() const noexcept {
    if (size_ == 0) return std::nullopt;
    const auto& head = held(0);
    const bool whole = head.timeline != released_timeline_ || head.position == next_;
    if (transits_) return (whole ? head.media : last_.media + missing_step().media) + offset_;
    // Behind a timeline that is over nothing more can come.
    if (whole || head.timeline != timeline_) return head.arrived;
    // Not the head's own arrival, which may have closed part of the gap just now: nobody waits
    // longer than the timeout.
    auto earliest = head.arrived;
    for (std::size_t i = 1; i < size_ && held(i).timeline == head.timeline; ++i) {
        earliest = std::min(earliest, held(i).arrived);
    }
    return earliest + config_.gap_timeout;
}

/// How far the next missing packet is from the last item: an even share of the way to the head, or
/// one frame, if that is less, for there may be a silence in between as well.
jitter_buffer::step jitter_buffer::missing_step() const noexcept {
    const auto& head = held(0);
    const auto shares = head.position - next_ + 1;
    step even{(head.timestamp - last_.timestamp) / shares, (head.media - last_.media) / shares};
    return frame_.units > 0 && frame_.units < even.units ? frame_ : even;
}

std::optional<jitter_buffer::item> jitter_buffer::take(time_point now) noexcept {
    if (!next_at_ || now < *next_at_) return std::nullopt;
    const auto& head = held(0);
    const bool missing = head.timeline == released_timeline_ && head.position != next_;
    const auto made = missing ? release_lost(now) : release_front();
    next_at_ = due();
    return made;
}

jitter_buffer::item jitter_buffer::release_lost(time_point now) noexcept {
    const auto moved = missing_step();
    last_ = {last_.sequence + 1, last_.timestamp + moved.units, last_.media + moved.media, false};
    ++next_;
    delivered_ <<= 1;
    ++counters_.lost;
    return {.kind = item::what::lost,
            .ssrc = held(0).ssrc,
            .sequence = last_.sequence,
            .timestamp = last_.timestamp,
            .arrived = now,
            .payload = {}};
}

jitter_buffer::item jitter_buffer::release_front() noexcept {
    const auto& head = held(0);
    const bool restarted = head.timeline != released_timeline_;
    if (restarted) {
        released_timeline_ = head.timeline;
        delivered_ = 0;
        frame_ = {};
    } else if (last_.packet && head.timestamp > last_.timestamp) {
        frame_ = {head.timestamp - last_.timestamp, head.media - last_.media};
    }
    next_ = head.position + 1;
    delivered_ = delivered_ << 1 | 1U;
    last_ = {head.sequence, head.timestamp, head.media, true};
    ++counters_.released;
    front_ = (front_ + 1) % capacity;
    --size_;
    free_[capacity - 1 - size_] = head.place;
    follow_target();
    return {.kind = item::what::packet,
            .restarted = restarted,
            .marker = head.marker,
            .payload_type = head.payload_type,
            .ssrc = head.ssrc,
            .sequence = head.sequence,
            .timestamp = head.timestamp,
            .arrived = head.arrived,
            .payload = payload_of(head.place).first(head.size)};
}

/// Towards a shorter delay by one step; the way up is observe()'s.
void jitter_buffer::follow_target() noexcept {
    if (!transits_ || transits_->empty()) return;
    const auto fastest = from_microseconds(transits_->minimum());
    const auto target =
        std::max(from_microseconds(transits_->percentile_99()), fastest + config_.min_delay);
    if (offset_ > target) offset_ -= std::min(config_.shrink_step, offset_ - target);
}

} // namespace trunkline::rtp
