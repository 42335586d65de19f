#include <trunkline/rtp/jitter_buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace {

using namespace trunkline;
using namespace trunkline::rtp;

void require(bool holds) {
    if (!holds) std::abort();
}

/// The invariants: what was taken comes out exactly once, as it was, within its timeline in steps
/// of one; the buffer is bounded; at a deadline there is something to take.
class program {
public:
    explicit program(std::uint8_t flags)
        : buffer_{{.release = (flags & 1) != 0 ? release::playout : release::as_arrived}} {}

    /// Four bytes an instruction: what, how far the sequence number and the timestamp move, when.
    void step(std::span<const std::uint8_t, 4> code) {
        const auto small = static_cast<std::int8_t>(code[1]);
        sequence_ = sequence_ + ((code[0] & 0x08) != 0 ? small * 257 : small / 8);
        timestamp_ = timestamp_ + ((code[0] & 0x10) != 0 ? code[2] * 0x0101'0101LL : code[2]);
        if ((code[0] & 0x20) != 0) ssrc_ = code[2] & 3U;
        const auto unit =
            (code[0] & 0x40) != 0 ? std::chrono::milliseconds{100} : std::chrono::milliseconds{1};
        now_ += code[3] * unit;
        if ((code[0] & 0x80) != 0) {
            take_all();
        } else {
            put(code[0] & 7U);
        }
    }
    void finish() {
        while (const auto due = buffer_.next_deadline()) {
            if (*due > now_) now_ = *due;
            const auto heard = heard_;
            take_all();
            require(heard_ > heard);
        }
        require(buffer_.size() == 0 && waiting_.empty());
        const auto& told = buffer_.counters();
        require(told.taken == told.released && told.taken == taken_);
    }

private:
    void put(std::size_t length) {
        std::byte payload[12]{};
        const auto number = static_cast<std::uint32_t>(++numbers_);
        for (std::size_t i = 0; i < 4; ++i) payload[i] = std::byte(number >> (8 * i) & 0xff);
        packet_view packet;
        packet.header = {.sequence = sequence_, .timestamp = timestamp_, .ssrc = ssrc_};
        packet.payload = std::span{payload}.first(4 + length);
        const auto outcome = buffer_.put(packet, now_);
        if (outcome == put_result::taken || outcome == put_result::reset) {
            ++taken_;
            waiting_.insert(number);
        }
        require(outcome != put_result::full || buffer_.size() == jitter_buffer::capacity);
        require(buffer_.size() == waiting_.size());
        require(buffer_.next_deadline().has_value() == (buffer_.size() > 0));
    }
    void take_all() {
        while (const auto item = buffer_.take(now_)) {
            ++heard_;
            require(item->restarted || item->sequence == last_ + 1);
            last_ = item->sequence;
            if (item->kind == jitter_buffer::item::what::lost) continue;
            require(item->payload.size() >= 4 && item->payload.size() <= 12);
            std::uint32_t number = 0;
            for (std::size_t i = 0; i < 4; ++i) {
                number |= std::to_integer<std::uint32_t>(item->payload[i]) << (8 * i);
            }
            require(waiting_.erase(number) == 1);
        }
        const auto due = buffer_.next_deadline();
        require(!due || *due > now_);
    }

    jitter_buffer buffer_;
    std::set<std::uint32_t> waiting_;
    time_point now_{std::chrono::hours{1}};
    rtp::sequence sequence_{65'000};
    rtp::timestamp timestamp_{0xffff'0000};
    std::uint32_t ssrc_ = 0;
    std::uint64_t numbers_ = 0;
    std::uint64_t taken_ = 0;
    std::uint64_t heard_ = 0;
    std::int64_t last_ = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    program run{data[0]};
    for (std::size_t at = 1; at + 4 <= size; at += 4) {
        run.step(std::span<const std::uint8_t, 4>{data + at, 4});
    }
    run.finish();
    return 0;
}
