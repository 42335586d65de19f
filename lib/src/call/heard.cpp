#include <trunkline/call/heard.hpp>

#include <algorithm>
#include <utility>

namespace trunkline::calls {

std::span<std::int16_t> heard::room(std::size_t samples, outbox& out) {
    const auto bytes = out.make(samples * sizeof(std::int16_t));
    return {reinterpret_cast<std::int16_t*>(bytes.data()), samples};
}

void heard::tell(std::span<const std::int16_t> samples, frame_kind kind, owner_id owner,
                 outbox& out) {
    out.tell(owner, static_cast<std::uint16_t>(event::audio), std::as_bytes(samples),
             {static_cast<std::int64_t>(next_), static_cast<std::int64_t>(kind)});
    next_ += samples.size();
}

void heard::fill(frame_kind kind, std::size_t samples, owner_id owner, outbox& out) {
    (kind == frame_kind::concealed ? concealed_ : made_up_) += samples;
    while (samples > 0) {
        const auto part = std::min(samples, frame);
        const auto made = room(part, out);
        if (kind == frame_kind::silence)
            std::ranges::fill(made, std::int16_t{0});
        else
            concealment_.conceal(made);
        tell(made, kind, owner, out);
        samples -= part;
    }
}

/// Gateways send up to 200 ms at once (RFC 3551 section 4.2); agents are told of no more than 60.
void heard::decode(std::span<const std::byte> payload, codec::law law, owner_id owner,
                   outbox& out) {
    const auto most = payload.size() > longest_told ? frame : payload.size();
    while (!payload.empty()) {
        const auto part = payload.first(std::min(payload.size(), most));
        const auto made = room(part.size(), out);
        codec::decode(law, part, made);
        concealment_.received(made);
        tell(made, frame_kind::speech, owner, out);
        payload = payload.subspan(part.size());
    }
}

void heard::take(const rtp::jitter_buffer::item& item, std::optional<codec::law> law,
                 owner_id owner, time_point now, outbox& out) {
    using what = rtp::jitter_buffer::item::what;
    if (item.kind == what::lost) {
        if (!begun_ || rebase_) return;
        // As far as the timestamps say that there was something: numbers that leap while the clock
        // does not are no minute of loss, and what a stall was filled with is not told again.
        const auto usual = static_cast<std::int64_t>(usual_);
        const auto missing = item.timestamp + base_ + usual - static_cast<std::int64_t>(next_);
        const auto samples = std::clamp<std::int64_t>(missing, 0, usual);
        fill(frame_kind::concealed, static_cast<std::size_t>(samples), owner, out);
        return;
    }
    rebase_ = rebase_ || item.restarted;
    if (!law || item.payload.empty()) return;
    const auto expected = static_cast<std::int64_t>(next_);
    const bool anew = std::exchange(rebase_, false) || !begun_;
    if (anew) base_ = expected - item.timestamp;
    begun_ = true;
    // A pause that the timestamps tell of is part of the timeline; a leap or a step back is not.
    const auto ahead = item.timestamp + base_ - expected;
    if (ahead > 0 && ahead <= longest_pause) {
        fill(frame_kind::noise, static_cast<std::size_t>(ahead), owner, out);
    } else if (ahead != 0) {
        base_ -= ahead;
    }
    decode(item.payload, *law, owner, out);
    usual_ = item.payload.size();
    fill_at_ = now + rtp::duration_of(static_cast<std::int64_t>(usual_), 8'000) + patience;
}

void heard::tick(bool on_hold, owner_id owner, time_point now, outbox& out) {
    if (!fill_at_ || now < *fill_at_) return;
    fill(on_hold ? frame_kind::silence : frame_kind::noise, frame, owner, out);
    // Late by more than a frame, the clock starts again here: nobody needs a burst of silence.
    *fill_at_ += frame_time;
    if (*fill_at_ + patience + frame_time < now) fill_at_ = now + frame_time;
}

} // namespace trunkline::calls
