// Datagrams, and errors, on their way from the shard that reads the sockets to the one they are
// for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include <trunkline/core/flow.hpp>

#include "poller.hpp"

namespace trunkline::net {

enum class handed : std::uint8_t {
    datagram,
    peer_failed,     ///< ICMP: told to every shard, as any may have a flow to that peer.
    listener_failed, ///< Nothing is received there any more.
};

struct handover_record {
    handed kind = handed::datagram;
    cause why = cause::closed;
    listener_id listener{};
    std::uint32_t size = 0; ///< Of the datagram, which follows.
    address local{};
    endpoint peer{};
};

/// Bounded by bytes, as a scanner's datagrams are small and a carrier's are not. Two boxes change
/// places, so nothing is allocated and the reader's batch stays where it is while it is worked on.
class handover {
public:
    static constexpr std::size_t capacity = 1'048'576;

    [[nodiscard]] std::error_code open() {
        writing_.reserve(capacity);
        reading_.reserve(capacity);
        return waker_.open();
    }

    /// False when the reader does not keep up. From any thread.
    [[nodiscard]] bool push(handover_record what, std::span<const std::byte> datagram) {
        what.size = static_cast<std::uint32_t>(datagram.size());
        const std::lock_guard locked{mutex_};
        if (capacity - writing_.size() < sizeof what + datagram.size()) return false;
        const bool first = writing_.empty();
        const auto head = std::as_bytes(std::span{&what, 1});
        writing_.insert(writing_.end(), head.begin(), head.end());
        writing_.insert(writing_.end(), datagram.begin(), datagram.end());
        if (first) waker_.wake();
        return true;
    }

    struct taken {
        handover_record what;
        std::span<std::byte> datagram; ///< Until turn() is called after all were taken.
    };
    /// The next one, if any is left of this batch.
    [[nodiscard]] std::optional<taken> next() noexcept {
        if (read_ == reading_.size()) return std::nullopt;
        taken found;
        std::memcpy(&found.what, reading_.data() + read_, sizeof found.what);
        read_ += sizeof found.what;
        found.datagram = std::span{reading_}.subspan(read_, found.what.size);
        read_ += found.what.size;
        return found;
    }
    /// Fetches the next batch when this one is done.
    void turn() noexcept {
        if (read_ != reading_.size()) return;
        waker_.drain();
        const std::lock_guard locked{mutex_};
        reading_.clear();
        read_ = 0;
        reading_.swap(writing_);
    }
    void remind() noexcept { waker_.wake(); }
    [[nodiscard]] bool done() const noexcept { return read_ == reading_.size(); }
    [[nodiscard]] int fd() const noexcept { return waker_.fd(); }

private:
    std::mutex mutex_;
    std::vector<std::byte> writing_;
    std::vector<std::byte> reading_;
    std::size_t read_ = 0;
    waker waker_;
};

} // namespace trunkline::net
