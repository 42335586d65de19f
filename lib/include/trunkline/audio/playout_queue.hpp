// What an agent says, from the moment it was written until it was sent: utterances in the order in
// which they were opened, kept in the codec of the wire, one byte a sample at 8 kHz.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include <trunkline/codec/g711.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/limits.hpp>
#include <trunkline/core/result.hpp>

namespace trunkline::audio {

/// Counts up from 1 in every queue and is never used again.
enum class utterance_id : std::uint64_t { none = 0 };

/// All that was written before the mark has been sent.
struct mark_played {
    std::uint64_t tag;
    friend constexpr bool operator==(const mark_played&, const mark_played&) = default;
};
/// The mark's utterance was cleared before playing got there.
struct mark_dropped {
    std::uint64_t tag;
    friend constexpr bool operator==(const mark_dropped&, const mark_dropped&) = default;
};
/// A finished utterance has been sent to its last sample.
struct utterance_played {
    utterance_id id;
    std::size_t samples;
    friend constexpr bool operator==(const utterance_played&, const utterance_played&) = default;
};
/// Sending took the queue down to its low water mark.
struct low_water {
    friend constexpr bool operator==(const low_water&, const low_water&) = default;
};
/// The last utterance was played, and none is open.
struct drained {
    friend constexpr bool operator==(const drained&, const drained&) = default;
};
using happened = std::variant<mark_played, mark_dropped, utterance_played, low_water, drained>;

class TRUNKLINE_EXPORT playout_queue {
public:
    static constexpr std::size_t samples_a_second = 8'000;
    static constexpr std::size_t capacity =
        samples_a_second *
        static_cast<std::size_t>(
            std::chrono::duration_cast<std::chrono::seconds>(limits::speech_queued).count());
    /// Open, or finished and still unsent. So few that clear() can account for every one of them.
    static constexpr std::size_t max_utterances = 32;
    static constexpr std::size_t max_marks = 256;

    /// In samples. Half a second is more than any turn of an event loop; two are enough ahead.
    struct water_marks {
        std::size_t low = samples_a_second / 2;
        std::size_t high = samples_a_second * 2;
    };

    struct cleared_utterance {
        utterance_id id{};
        std::size_t sent = 0;
        std::size_t unsent = 0;
        friend constexpr bool operator==(const cleared_utterance&,
                                         const cleared_utterance&) = default;
    };
    /// Oldest first.
    struct clearing {
        std::array<cleared_utterance, max_utterances> utterances{};
        std::size_t count = 0;

        [[nodiscard]] auto begin() const noexcept { return utterances.begin(); }
        [[nodiscard]] auto end() const noexcept {
            return utterances.begin() + static_cast<std::ptrdiff_t>(count);
        }
    };

    explicit playout_queue(codec::law law) noexcept : law_{law} {}

    /// errc::full when max_utterances live, or when too much that happened was never asked for.
    [[nodiscard]] result<utterance_id> open();
    /// Returns how many samples were taken: fewer than given when the queue is full, never a silent
    /// drop. Several utterances may be open and written in turn; each plays in one piece.
    /// errc::wrong_state after finish(), errc::cleared after clear(), errc::gone when never opened.
    [[nodiscard]] result<std::size_t> write(utterance_id to, std::span<const std::int16_t> pcm);
    /// The same for audio that is already in the law of the wire.
    [[nodiscard]] result<std::size_t> write_encoded(utterance_id to,
                                                    std::span<const std::byte> audio);
    /// Happens when everything before it was sent, at once when nothing is before it. errc::full
    /// when max_marks wait.
    result<void> mark(utterance_id in, std::uint64_t tag);
    result<void> finish(utterance_id what);

    /// Closes every utterance and drops what is unsent: a later write gets errc::cleared. Waiting
    /// marks are dropped. Neither pauses nor resumes.
    clearing clear();
    void pause() noexcept { paused_ = true; }
    void resume() noexcept { paused_ = false; }
    [[nodiscard]] bool paused() const noexcept { return paused_; }

    /// Takes the next into.size() bytes for sending. False, with `into` untouched, when there is
    /// nothing to say. An utterance that ran dry is padded with silence; a finished one flows into
    /// the next without a gap.
    [[nodiscard]] bool next_frame(std::span<std::byte> into);
    /// What came of it, oldest first. low_water and drained stand here at most once: the latest.
    [[nodiscard]] std::optional<happened> next_happened();

    /// After a re-negotiation. What is queued is transcoded at once, about 2 us for each second.
    void set_law(codec::law law);
    [[nodiscard]] codec::law law() const noexcept { return law_; }
    void set_water_marks(water_marks marks) noexcept;

    /// Samples of one utterance that were taken for sending; the errors are those of write().
    [[nodiscard]] result<std::size_t> sent_up_to(utterance_id what) const;
    [[nodiscard]] std::size_t queued() const noexcept { return queued_; }
    /// Nothing is queued and no utterance is open.
    [[nodiscard]] bool empty() const noexcept { return utterances_.empty(); }
    /// False from the high water mark down to the low one. Advice: write() takes more all the same.
    [[nodiscard]] bool wants_more() const noexcept { return wants_more_; }
    /// How often an utterance that was being played had no audio in time.
    [[nodiscard]] std::uint64_t underruns() const noexcept { return underruns_; }

private:
    static constexpr std::uint32_t no_chunk = 0xffff'ffff;
    struct chunk {
        std::array<std::byte, 2'048> bytes;
        std::uint32_t next;
    };
    struct utterance {
        utterance_id id{};
        std::size_t written = 0;
        std::size_t sent = 0;
        std::uint32_t first = no_chunk; ///< Read from here,
        std::uint32_t last = no_chunk;  ///< written here.
        std::uint32_t read = 0;         ///< Bytes of the first chunk that were sent.
        std::uint32_t filled = 0;       ///< Bytes of the last chunk that were written.
        bool finished = false;
        bool dry = false; ///< Ran dry while being played, and nothing was sent since.
    };
    struct waiting_mark {
        utterance_id in;
        std::size_t at; ///< Samples of its utterance before it.
        std::uint64_t tag;
    };
    /// The ids that one clear() closed: [first, end).
    struct cleared_ids {
        utterance_id first{};
        utterance_id end{};
    };

    [[nodiscard]] result<std::size_t> index_of(utterance_id what) const noexcept;
    [[nodiscard]] result<std::size_t> writable(utterance_id what) const noexcept;
    template <class Encode>
    std::size_t append(utterance& to, std::size_t count, Encode encode);
    std::size_t take(utterance& from, std::span<std::byte> into);
    void run_dry(utterance& front, bool in_mid_frame) noexcept;
    void advance();
    [[nodiscard]] bool can_tell_one_more() const noexcept;
    void tell(const happened& what);
    void tell_latest(const happened& what);
    [[nodiscard]] std::uint32_t new_chunk();
    void release(std::uint32_t unused) noexcept { free_.push_back(unused); }

    codec::law law_;
    bool paused_ = false;
    bool wants_more_ = true;
    water_marks water_{};
    std::size_t queued_ = 0;
    std::uint64_t underruns_ = 0;
    std::uint64_t next_id_ = 1;
    std::vector<utterance> utterances_; ///< Their ids follow one another.
    std::vector<waiting_mark> marks_;
    std::vector<happened> happened_;
    std::size_t told_ = 0; ///< How many of them were asked for.
    std::vector<std::unique_ptr<chunk>> chunks_;
    std::vector<std::uint32_t> free_;
    std::array<cleared_ids, 16> cleared_{}; ///< A ring of the latest.
    std::size_t clearings_ = 0;
};

} // namespace trunkline::audio
