#include <trunkline/call/source_latch.hpp>

#include <algorithm>
#include <chrono>

namespace trunkline::calls {

namespace {

using namespace std::chrono_literals;

/// RFC 3550 appendix A.1: a sequence that goes on is ahead of the last one by less than this.
constexpr unsigned max_dropout = 3'000;

[[nodiscard]] duration span_of_probation(duration ptime) noexcept {
    return std::max<duration>(500ms, 8 * ptime);
}

} // namespace

void source_latch::describe(const endpoint& described, time_point now) noexcept {
    if (is_described_ && described == described_) return;
    is_described_ = true;
    described_ = described;
    const bool substituted = is_substituted(described, signalling_.peer);
    fresh_ = !substituted;
    // A peer sends from its old place until it has our answer (RFC 3264 section 8.3.1).
    if (live_) {
        previous_ = live_;
        previous_until_ = now + patience;
    }
    // An address behind a NAT leads nowhere: the way that is known to work stays.
    if (symmetry_ == rtp_symmetry::off || !substituted || !adopted_) destination_ = described;
    live_.reset();
    live_pauses_ = false;
    for (auto& each : probation_) each.clear();
}

void source_latch::hold(bool held, time_point now) noexcept {
    if (held_ && !held) last_heard_ = now;
    held_ = held;
}

source_latch::verdict source_latch::receive(const packet& what, time_point now) {
    if (live_ && what.from == *live_) {
        note_heard(what, now);
        return verdict::heard;
    }
    const auto rank = rank_of(what.from, described_, signalling_, origins_);
    if (rank <= source_rank::described_address) heard_described_ = true;
    if (rank == source_rank::described && fresh_) return adopt(what, rank, now);
    if (previous_ && now > previous_until_) previous_.reset();
    if (previous_ && !live_ && what.from == *previous_) return verdict::heard;
    if (rank == source_rank::stranger && symmetry_ != rtp_symmetry::any) return refuse(what, now);
    ++foreign_;
    if (probation_.empty()) probation_.emplace_back();
    const bool passed = probation_.front().receive({what.from, rank, what.header, what.bytes, now},
                                                   span_of_probation(what.ptime));
    if (!passed) return live_ ? verdict::dropped : verdict::kept;
    if (!may_take_over(what, rank, now)) return verdict::dropped;
    foreign_ -= std::min<std::uint64_t>(foreign_, probation::enough);
    return adopt(what, rank, now);
}

bool source_latch::may_take_over(const packet& what, source_rank rank, time_point now) const {
    if (!live_ || continues(what)) return true;
    if (rank == source_rank::described && rank < live_rank_) return true;
    // A source that is silent is live no more: a media server that hands over without a word must
    // not leave the call deaf.
    return !held_ && !live_pauses_ && now - last_heard_ >= patience;
}

/// A NAT that renumbers in mid-call changes the port and nothing else.
bool source_latch::continues(const packet& what) const noexcept {
    const auto ahead = static_cast<std::uint16_t>(what.header.sequence.value - live_sequence_);
    return what.from.address == live_->address && what.header.ssrc == live_ssrc_ && ahead > 0 &&
           ahead < max_dropout;
}

source_latch::verdict source_latch::adopt(const packet& what, source_rank rank, time_point now) {
    live_ = what.from;
    live_rank_ = rank;
    adopted_ = true;
    previous_.reset();
    if (rank == source_rank::described) fresh_ = false;
    if (symmetry_ != rtp_symmetry::off) destination_ = what.from;
    note_heard(what, now);
    return verdict::adopted;
}

void source_latch::note_heard(const packet& what, time_point now) noexcept {
    live_ssrc_ = what.header.ssrc;
    live_sequence_ = what.header.sequence.value;
    live_pauses_ = what.comfort_noise;
    last_heard_ = now;
}

/// A stranger changes nothing, but its steady stream is worth a word to the operator.
source_latch::verdict source_latch::refuse(const packet& what, time_point now) noexcept {
    ++foreign_;
    const bool same = stranger_.from == what.from && stranger_.ssrc == what.header.ssrc &&
                      now - stranger_.since <= span_of_probation(what.ptime);
    if (!same) stranger_ = {what.from, what.header.ssrc, now, 0};
    if (++stranger_.packets == probation::enough && !refused_) refused_ = what.from;
    return verdict::dropped;
}

} // namespace trunkline::calls
