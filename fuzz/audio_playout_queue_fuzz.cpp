#include <trunkline/audio/playout_queue.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
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

/// Made once, because making it anew would cost more than the queue does.
const std::vector<std::byte>& noise() {
    static const auto made = [] {
        std::vector<std::byte> bytes(502'000);
        std::uint32_t state = 1;
        for (auto& each : bytes) {
            state = state * 1'664'525U + 1'013'904'223U;
            each = static_cast<std::byte>(state >> 24);
        }
        return bytes;
    }();
    return made;
}

/// What an utterance went through, as simply as it can be told.
struct spoken {
    enum class state : std::uint8_t { open, finished, played, cleared };

    state now = state::open;
    std::vector<std::byte> written;
    std::size_t sent = 0;
    std::deque<std::pair<std::size_t, std::uint64_t>> marks; ///< After how many samples, and which.

    [[nodiscard]] std::span<std::byte> unsent() { return std::span{written}.subspan(sent); }
};

/// A program of operations, run on the queue and on a model of it that has no chunks, no limits but
/// the documented ones and no reason to be fast.
class program {
public:
    explicit program(std::span<const std::uint8_t> code) : code_{code} {}

    void run() {
        while (at_ < code_.size() && work_ < most_work) {
            step();
            require(queue_.queued() == unsent_);
            require(queue_.empty() == living_.empty());
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
        case 3: write(next() == 255 ? 500'000 : 3'000); break;
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
            require(living_.size() == playout_queue::max_utterances ||
                    expected_.size() + dropped_ > 0);
            return;
        }
        require(static_cast<std::uint64_t>(*id) == all_.size() + 1);
        living_.push_back(all_.size() + 1);
        all_[living_.back()];
    }

    void write(std::size_t size) {
        const auto id = choose();
        work_ += size;
        const auto audio = std::span{noise()}.subspan(counter_++ % 1'009, size);
        const auto count = queue_.write_encoded(static_cast<utterance_id>(id), audio);
        if (!taken(id, count)) return;
        require(*count == std::min(size, playout_queue::capacity - unsent_));
        unsent_ += *count;
        auto& written = all_[id].written;
        written.insert(written.end(), audio.begin(),
                       audio.begin() + static_cast<std::ptrdiff_t>(*count));
    }

    void mark() {
        const auto id = choose();
        const auto tag = ++tag_;
        if (!taken(id, queue_.mark(static_cast<utterance_id>(id), tag))) return;
        all_[id].marks.emplace_back(all_[id].written.size(), tag);
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
        while (!living_.empty()) {
            const auto id = living_.front();
            auto& front = all_[id];
            while (!front.marks.empty() && front.marks.front().first <= front.sent) {
                expected_.emplace_back(trunkline::audio::mark_played{front.marks.front().second});
                front.marks.pop_front();
            }
            if (front.now != spoken::state::finished || !front.unsent().empty()) return;
            front.now = spoken::state::played;
            living_.pop_front();
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
        for (const auto id : living_) {
            auto& front = all_[id];
            const auto part = std::min(size - filled, front.unsent().size());
            require(part == 0 || std::memcmp(&into[filled], front.unsent().data(), part) == 0);
            filled += part;
            front.sent += part;
            unsent_ -= part;
            if (filled == size || front.now == spoken::state::open) break;
        }
        require(filled > 0);
        for (; filled < size; ++filled) {
            require(into[filled] == trunkline::codec::silence(queue_.law()));
        }
        advance();
    }

    [[nodiscard]] bool nothing_to_say() {
        return living_.empty() || (all_[living_.front()].unsent().empty() &&
                                   all_[living_.front()].now == spoken::state::open);
    }

    void clear() {
        const auto report = queue_.clear();
        require(report.count == living_.size());
        if (!living_.empty()) ++clearings_;
        const auto* line = report.begin();
        for (const auto id : living_) {
            auto& gone = all_[id];
            require(*line++ == playout_queue::cleared_utterance{static_cast<utterance_id>(id),
                                                                gone.sent, gone.unsent().size()});
            gone.now = spoken::state::cleared;
            dropped_ += gone.marks.size();
            gone.marks.clear();
        }
        living_.clear();
        unsent_ = 0;
    }

    void change_law() {
        work_ += unsent_;
        const auto from = queue_.law();
        using trunkline::codec::law;
        const auto to = from == law::ulaw ? law::alaw : law::ulaw;
        queue_.set_law(to);
        for (const auto id : living_) {
            for (auto& byte : all_[id].unsent()) {
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

    /// In samples: the two largest writes fill the queue, in a few milliseconds.
    static constexpr std::size_t most_work = 600'000;

    std::span<const std::uint8_t> code_;
    std::size_t at_ = 0;
    playout_queue queue_{trunkline::codec::law::ulaw};
    std::map<std::uint64_t, spoken> all_;
    std::deque<std::uint64_t> living_;
    std::size_t unsent_ = 0;
    std::size_t work_ = 0;
    std::deque<trunkline::audio::happened> expected_;
    std::size_t dropped_ = 0;
    std::size_t clearings_ = 0;
    std::uint64_t counter_ = 0;
    std::uint64_t tag_ = 0;
    bool reads_ = true;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    program{{data, std::min<std::size_t>(size, 512)}}.run();
    return 0;
}
