#include <trunkline/audio/playout_queue.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <variant>
#include <vector>

namespace {

using trunkline::errc;
using trunkline::audio::playout_queue;
using trunkline::audio::utterance_id;

void require(bool holds) {
    if (!holds) std::abort();
}

/// What an utterance went through, as simply as it can be told.
struct spoken {
    enum class state : std::uint8_t { open, finished, played, cleared };

    state now = state::open;
    std::deque<std::byte> unsent;
    std::size_t written = 0;
    std::size_t sent = 0;
    std::deque<std::pair<std::size_t, std::uint64_t>> marks; ///< After how many samples, and which.
};

/// A program of operations, run on the queue and on a model of it that has no chunks, no limits but
/// the documented ones and no reason to be fast.
class program {
public:
    explicit program(std::span<const std::uint8_t> code) : code_{code} {}

    void run() {
        while (at_ < code_.size()) {
            step();
            require(queue_.queued() == unsent());
            require(queue_.empty() == living().empty());
            require(queue_.queued() <= playout_queue::capacity);
            if (reads_) hear_of_it();
        }
        hear_of_it();
    }

private:
    std::uint8_t next() { return at_ < code_.size() ? code_[at_++] : std::uint8_t{0}; }

    void step() {
        switch (next() % 12) {
        case 0: open(); break;
        case 1:
        case 2: write(next() * 7U); break;
        case 3: write(next() * 700U); break;
        case 4: mark(); break;
        case 5: finish(); break;
        case 6: clear(); break;
        case 7: send(1 + next()); break;
        case 8:
            for (int n = next(); n > 0; --n) send(160);
            break;
        case 9: queue_.paused() ? queue_.resume() : queue_.pause(); break;
        case 10: change_law(); break;
        default: reads_ = !reads_; break;
        }
    }

    [[nodiscard]] std::vector<std::uint64_t> living() const {
        std::vector<std::uint64_t> ids;
        for (const auto& [id, each] : all_) {
            if (each.now == spoken::state::open || each.now == spoken::state::finished) {
                ids.push_back(id);
            }
        }
        return ids;
    }
    [[nodiscard]] std::size_t unsent() const {
        std::size_t sum = 0;
        for (const auto& [id, each] : all_) sum += each.unsent.size();
        return sum;
    }
    /// One of the latest ids, or one that is not yet.
    std::uint64_t choose() {
        const auto back = next() % 5U;
        return all_.size() + 1 > back ? all_.size() + 1 - back : 0;
    }
    /// Whether the queue may take more for this utterance; if not, whether it gave a true reason.
    template <class T>
    bool taken(std::uint64_t id, const trunkline::result<T>& outcome) {
        const auto found = all_.find(id);
        if (found == all_.end()) {
            require(!outcome && outcome.reason().code == errc::gone);
            return false;
        }
        if (found->second.now == spoken::state::open) {
            if (!outcome) require(outcome.reason().code == errc::full);
            return outcome.has_value();
        }
        require(!outcome);
        const auto reason = outcome.reason().code;
        if (found->second.now == spoken::state::cleared) {
            require(reason == errc::cleared || (reason == errc::gone && clearings_ > 16));
        } else {
            require(reason == errc::wrong_state || (reason == errc::gone && clearings_ > 16));
        }
        return false;
    }

    void open() {
        const auto id = queue_.open();
        if (!id) {
            require(id.reason().code == errc::full);
            require(living().size() == playout_queue::max_utterances ||
                    expected_.size() + dropped_ > 0);
            return;
        }
        require(static_cast<std::uint64_t>(*id) == all_.size() + 1);
        all_[all_.size() + 1];
    }

    void write(std::size_t size) {
        const auto id = choose();
        std::vector<std::byte> audio(size);
        for (auto& each : audio) each = static_cast<std::byte>(counter_++ * 31 >> 2 & 0xff);
        const auto room = playout_queue::capacity - unsent();
        const auto count = queue_.write_encoded(static_cast<utterance_id>(id), audio);
        if (!taken(id, count)) return;
        require(*count == std::min(size, room));
        auto& to = all_[id];
        to.written += *count;
        to.unsent.insert(to.unsent.end(), audio.begin(),
                         audio.begin() + static_cast<std::ptrdiff_t>(*count));
    }

    void mark() {
        const auto id = choose();
        const auto tag = ++tag_;
        if (!taken(id, queue_.mark(static_cast<utterance_id>(id), tag))) return;
        all_[id].marks.emplace_back(all_[id].written, tag);
        advance();
    }

    void finish() {
        const auto id = choose();
        if (!taken(id, queue_.finish(static_cast<utterance_id>(id)))) return;
        all_[id].now = spoken::state::finished;
        advance();
    }

    /// What has been reached by now. Both sides of the comparison keep the order.
    void advance() {
        for (const auto id : living()) {
            auto& front = all_[id];
            while (!front.marks.empty() && front.marks.front().first <= front.sent) {
                expected_.emplace_back(trunkline::audio::mark_played{front.marks.front().second});
                front.marks.pop_front();
            }
            if (front.now != spoken::state::finished || !front.unsent.empty()) return;
            front.now = spoken::state::played;
            expected_.emplace_back(
                trunkline::audio::utterance_played{static_cast<utterance_id>(id), front.sent});
        }
    }

    void send(std::size_t size) {
        std::array<std::byte, 256> frame{};
        const auto into = std::span{frame}.first(size);
        if (!queue_.next_frame(into)) {
            require(queue_.paused() || nothing_to_say());
            return;
        }
        require(!queue_.paused());
        std::size_t filled = 0;
        for (const auto id : living()) {
            auto& front = all_[id];
            for (; filled < size && !front.unsent.empty(); ++filled) {
                require(into[filled] == front.unsent.front());
                front.unsent.pop_front();
                ++front.sent;
            }
            require(front.sent + front.unsent.size() == front.written);
            if (filled == size || front.now == spoken::state::open) break;
        }
        require(filled > 0);
        for (; filled < size; ++filled) {
            require(into[filled] == trunkline::codec::silence(queue_.law()));
        }
        advance();
    }

    [[nodiscard]] bool nothing_to_say() const {
        const auto ids = living();
        return ids.empty() || (all_.at(ids.front()).unsent.empty() &&
                               all_.at(ids.front()).now == spoken::state::open);
    }

    void clear() {
        const auto ids = living();
        const auto report = queue_.clear();
        require(report.count == ids.size());
        if (!ids.empty()) ++clearings_;
        const auto* line = report.begin();
        for (const auto id : ids) {
            auto& gone = all_[id];
            require(*line++ == playout_queue::cleared_utterance{static_cast<utterance_id>(id),
                                                                gone.sent, gone.unsent.size()});
            gone.now = spoken::state::cleared;
            gone.unsent.clear();
            dropped_ += gone.marks.size();
            gone.marks.clear();
        }
    }

    void change_law() {
        const auto from = queue_.law();
        using trunkline::codec::law;
        const auto to = from == law::ulaw ? law::alaw : law::ulaw;
        queue_.set_law(to);
        for (auto& [id, each] : all_) {
            for (auto& byte : each.unsent) {
                byte = std::byte{trunkline::codec::encode(
                    to, trunkline::codec::decode(from, std::to_integer<std::uint8_t>(byte)))};
            }
        }
    }

    /// Reads all that happened. Marks that were dropped may come in any order; water has its own.
    void hear_of_it() {
        bool drained = false;
        while (const auto what = queue_.next_happened()) {
            if (std::holds_alternative<trunkline::audio::low_water>(*what)) continue;
            if (std::holds_alternative<trunkline::audio::drained>(*what)) {
                require(!drained); // Once at most, however much was missed.
                drained = true;
            } else if (std::holds_alternative<trunkline::audio::mark_dropped>(*what)) {
                require(dropped_-- > 0);
            } else {
                require(!expected_.empty() && *what == expected_.front());
                expected_.pop_front();
            }
        }
        require(expected_.empty() && dropped_ == 0);
    }

    std::span<const std::uint8_t> code_;
    std::size_t at_ = 0;
    playout_queue queue_{trunkline::codec::law::ulaw};
    std::map<std::uint64_t, spoken> all_;
    std::deque<trunkline::audio::happened> expected_;
    std::size_t dropped_ = 0;
    std::size_t clearings_ = 0;
    std::uint64_t counter_ = 0;
    std::uint64_t tag_ = 0;
    bool reads_ = true;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    program{{data, std::min<std::size_t>(size, 1'024)}}.run();
    return 0;
}
