// Sources that have to show a steady stream before one of them is believed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <trunkline/call/source_rank.hpp>
#include <trunkline/core/address.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/time.hpp>
#include <trunkline/rtp/packet.hpp>

namespace trunkline::calls {

/// Four packets of one source and SSRC within a span of time, their sequence numbers within a
/// window of 8. Duplicates, swaps and single losses do no harm. The packets are kept, because they
/// are speech, and handed out once the source is believed. Fixed memory; three sources at a time.
class TRUNKLINE_EXPORT probation {
public:
    static constexpr unsigned enough = 4;
    static constexpr int window = 8; ///< Of sequence numbers, the first and the last included.
    static constexpr std::size_t longest_packet = 1'700; ///< 200 ms of G.711, and some header.

    struct packet {
        endpoint from{};
        source_rank rank = source_rank::stranger;
        rtp::header header{};
        std::span<const std::byte> bytes{};
        time_point arrived{};
    };

    /// True when this packet is at least the fourth of its source within `span`. It is kept all the
    /// same, in the place of the oldest, until take() or another packet comes.
    [[nodiscard]] bool receive(const packet& what, duration span) noexcept;

    /// Hands out the packets of a source that came before its last one, oldest first, and forgets
    /// the source.
    template <class Hear>
    void take(const endpoint& from, std::uint32_t ssrc, Hear hear) {
        auto* found = find(from, ssrc);
        if (found == nullptr) return;
        for (std::size_t i = 0; i + 1 < found->count; ++i) {
            const auto& one = found->kept[i];
            hear(std::span{one.bytes}.first(one.size));
        }
        found->count = 0;
    }

    void clear() noexcept {
        for (auto& each : candidates_) each.count = 0;
    }

private:
    struct kept_packet {
        std::array<std::byte, longest_packet> bytes;
        std::uint16_t size = 0;
        std::uint16_t sequence = 0;
        time_point arrived{};
    };
    /// Free while `count` is 0.
    struct candidate {
        endpoint from{};
        std::uint32_t ssrc = 0;
        source_rank rank = source_rank::stranger;
        std::size_t count = 0;
        duration span{};
        std::array<kept_packet, enough> kept; ///< By arrival.
    };

    [[nodiscard]] candidate* find(const endpoint& from, std::uint32_t ssrc) noexcept;
    [[nodiscard]] candidate* room_for(const packet& what) noexcept;
    static void expire(candidate& of, const packet& next) noexcept;
    static void drop(candidate& of, std::size_t index) noexcept;

    std::array<candidate, 3> candidates_{};
};

} // namespace trunkline::calls
