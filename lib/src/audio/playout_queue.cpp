#include <trunkline/audio/playout_queue.hpp>

#include <algorithm>

#include <trunkline/core/assert.hpp>

namespace trunkline::audio {
namespace {

// Every waiting mark and every living utterance will happen once, so each has its place kept, and
// low_water and drained have one each. The rest is for a reader who is late.
constexpr std::size_t max_happened =
    2 * (playout_queue::max_marks + playout_queue::max_utterances) + 2;

constexpr std::uint64_t number_of(utterance_id id) noexcept {
    return static_cast<std::uint64_t>(id);
}

} // namespace

result<utterance_id> playout_queue::open() {
    if (utterances_.size() == max_utterances || !can_tell_one_more()) {
        return error{.code = errc::full};
    }
    const auto id = static_cast<utterance_id>(next_id_++);
    utterances_.push_back({.id = id});
    return id;
}

/// Only whole utterances leave, the oldest first, so a living one is found by its number. What is
/// older than any clearing still remembered is gone: nobody knows any more how it ended.
result<std::size_t> playout_queue::index_of(utterance_id what) const noexcept {
    const auto number = number_of(what);
    if (number == 0 || number >= next_id_) return error{.code = errc::gone};
    const auto first = next_id_ - utterances_.size();
    if (number >= first) return static_cast<std::size_t>(number - first);
    for (const auto& ids : cleared_) {
        if (number >= number_of(ids.first) && number < number_of(ids.end)) {
            return error{.code = errc::cleared};
        }
    }
    const bool forgetful = clearings_ > cleared_.size();
    const auto& oldest = cleared_[clearings_ % cleared_.size()];
    const bool forgotten = forgetful && number < number_of(oldest.first);
    return error{.code = forgotten ? errc::gone : errc::wrong_state};
}

result<std::size_t> playout_queue::writable(utterance_id what) const noexcept {
    const auto index = index_of(what);
    if (index && utterances_[*index].finished) return error{.code = errc::wrong_state};
    return index;
}

result<std::size_t> playout_queue::write(utterance_id to, std::span<const std::int16_t> pcm) {
    const auto index = writable(to);
    if (!index) return index.reason();
    return append(utterances_[*index], pcm.size(),
                  [&](std::size_t from, std::span<std::byte> room) {
                      codec::encode(law_, pcm.subspan(from, room.size()), room);
                  });
}

result<std::size_t> playout_queue::write_encoded(utterance_id to,
                                                 std::span<const std::byte> audio) {
    const auto index = writable(to);
    if (!index) return index.reason();
    return append(utterances_[*index], audio.size(),
                  [&](std::size_t from, std::span<std::byte> room) {
                      std::ranges::copy(audio.subspan(from, room.size()), room.begin());
                  });
}

template <class Encode>
std::size_t playout_queue::append(utterance& to, std::size_t count, Encode encode) {
    const auto taken = std::min(count, capacity - queued_);
    for (std::size_t done = 0; done < taken;) {
        if (to.last == no_chunk || to.filled == chunks_[to.last]->bytes.size()) {
            const auto added = new_chunk();
            if (to.last == no_chunk) {
                to.first = added;
                to.read = 0;
            } else {
                chunks_[to.last]->next = added;
            }
            to.last = added;
            to.filled = 0;
        }
        const auto room = std::span{chunks_[to.last]->bytes}.subspan(to.filled);
        const auto part = room.first(std::min(room.size(), taken - done));
        encode(done, part);
        to.filled += static_cast<std::uint32_t>(part.size());
        done += part.size();
    }
    to.written += taken;
    queued_ += taken;
    if (queued_ >= water_.high) wants_more_ = false;
    return taken;
}

result<void> playout_queue::mark(utterance_id in, std::uint64_t tag) {
    const auto index = writable(in);
    if (!index) return index.reason();
    if (marks_.size() == max_marks || !can_tell_one_more()) return error{.code = errc::full};
    marks_.push_back({.in = in, .at = utterances_[*index].written, .tag = tag});
    advance();
    return {};
}

result<void> playout_queue::finish(utterance_id what) {
    const auto index = writable(what);
    if (!index) return index.reason();
    utterances_[*index].finished = true;
    advance();
    return {};
}

playout_queue::clearing playout_queue::clear() {
    clearing report;
    if (utterances_.empty()) return report;
    cleared_[clearings_++ % cleared_.size()] = {utterances_.front().id,
                                                static_cast<utterance_id>(next_id_)};
    for (const auto& gone : utterances_) {
        report.utterances[report.count++] = {gone.id, gone.sent, gone.written - gone.sent};
        for (auto each = gone.first; each != no_chunk;) {
            const auto next = chunks_[each]->next;
            release(each);
            each = next;
        }
    }
    utterances_.clear();
    for (const auto& dropped : marks_) tell(mark_dropped{dropped.tag});
    marks_.clear();
    queued_ = 0;
    wants_more_ = true;
    return report;
}

bool playout_queue::next_frame(std::span<std::byte> into) {
    if (paused_) return false;
    std::size_t filled = 0;
    while (filled < into.size() && !utterances_.empty()) {
        auto& front = utterances_.front();
        const auto took = take(front, into.subspan(filled));
        filled += took;
        if (filled == into.size()) break;
        if (!front.finished) {
            run_dry(front, took > 0);
            break;
        }
        advance(); // Takes the finished front away, so that the next one follows without a gap.
    }
    if (filled == 0) return false;
    std::ranges::fill(into.subspan(filled), codec::silence(law_));
    advance();
    return true;
}

std::size_t playout_queue::take(utterance& from, std::span<std::byte> into) {
    const auto taken = std::min(into.size(), from.written - from.sent);
    for (std::size_t done = 0; done < taken;) {
        const auto& first = *chunks_[from.first];
        const auto end = from.first == from.last ? from.filled : first.bytes.size();
        const auto part = std::min(taken - done, end - from.read);
        std::ranges::copy(std::span{first.bytes}.subspan(from.read, part),
                          into.subspan(done).begin());
        done += part;
        from.read += static_cast<std::uint32_t>(part);
        if (from.read < end) continue;
        const auto next = first.next;
        release(from.first);
        from.first = next;
        from.read = 0;
        if (next == no_chunk) from.last = no_chunk;
    }
    from.sent += taken;
    queued_ -= taken;
    if (taken > 0) from.dry = false;
    if (queued_ <= water_.low) {
        wants_more_ = true;
        if (queued_ + taken > water_.low) tell_latest(low_water{});
    }
    return taken;
}

/// An utterance that has not begun is awaited, not late; one that is late is counted once.
void playout_queue::run_dry(utterance& front, bool in_mid_frame) noexcept {
    if (front.sent == 0 || (front.dry && !in_mid_frame)) return;
    front.dry = true;
    ++underruns_;
}

/// Tells the marks that playing has reached, and lets go of what was finished and sent.
void playout_queue::advance() {
    while (!utterances_.empty()) {
        const auto& front = utterances_.front();
        std::erase_if(marks_, [&](const waiting_mark& each) {
            const bool reached = each.in == front.id && each.at <= front.sent;
            if (reached) tell(mark_played{each.tag});
            return reached;
        });
        if (!front.finished || front.sent < front.written) return;
        tell(utterance_played{front.id, front.sent});
        utterances_.erase(utterances_.begin());
        if (utterances_.empty()) tell_latest(drained{});
    }
}

std::optional<happened> playout_queue::next_happened() {
    if (told_ == happened_.size()) return std::nullopt;
    const auto next = happened_[told_++];
    if (told_ == happened_.size()) {
        happened_.clear();
        told_ = 0;
    }
    return next;
}

bool playout_queue::can_tell_one_more() const noexcept {
    const auto unread = happened_.size() - told_;
    return unread + marks_.size() + utterances_.size() + 2 < max_happened;
}

void playout_queue::tell(const happened& what) {
    if (told_ > 0) { // Else a reader who never quite catches up would let it grow.
        happened_.erase(happened_.begin(), happened_.begin() + static_cast<std::ptrdiff_t>(told_));
        told_ = 0;
    }
    happened_.push_back(what);
    TRUNKLINE_ASSERT(happened_.size() <= max_happened);
}

void playout_queue::tell_latest(const happened& what) {
    const auto unread = happened_.begin() + static_cast<std::ptrdiff_t>(told_);
    happened_.erase(std::remove(unread, happened_.end(), what), happened_.end());
    tell(what);
}

void playout_queue::set_law(codec::law law) {
    if (law == law_) return;
    std::array<std::byte, 256> transcoded{};
    for (std::size_t code = 0; code < transcoded.size(); ++code) {
        const auto sample = codec::decode(law_, static_cast<std::uint8_t>(code));
        transcoded[code] = std::byte{codec::encode(law, sample)};
    }
    for (const auto& each : utterances_) {
        for (auto at = each.first; at != no_chunk; at = chunks_[at]->next) {
            auto& bytes = chunks_[at]->bytes;
            const auto end = at == each.last ? each.filled : bytes.size();
            for (std::size_t i = 0; i < end; ++i) {
                bytes[i] = transcoded[std::to_integer<std::size_t>(bytes[i])];
            }
        }
    }
    law_ = law;
}

void playout_queue::set_water_marks(water_marks marks) noexcept {
    TRUNKLINE_ASSERT(marks.low <= marks.high);
    water_ = marks;
    if (queued_ >= water_.high) wants_more_ = false;
    if (queued_ <= water_.low) wants_more_ = true;
}

result<std::size_t> playout_queue::sent_up_to(utterance_id what) const {
    const auto index = index_of(what);
    if (!index) return index.reason();
    return utterances_[*index].sent;
}

std::uint32_t playout_queue::new_chunk() {
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(chunks_.size()));
        chunks_.push_back(std::make_unique<chunk>());
        // So that release() never allocates.
        if (free_.capacity() < chunks_.size()) free_.reserve(2 * chunks_.size());
    }
    const auto made = free_.back();
    free_.pop_back();
    chunks_[made]->next = no_chunk;
    return made;
}

} // namespace trunkline::audio
