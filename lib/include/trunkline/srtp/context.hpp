// Protects and unprotects RTP packets, RFC 3711: AES_CM_128_HMAC_SHA1_80.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <trunkline/core/export.hpp>
#include <trunkline/core/result.hpp>
#include <trunkline/crypto/aes_ctr.hpp>
#include <trunkline/srtp/keys.hpp>

namespace trunkline::srtp {

inline constexpr std::size_t tag_size = 10;
/// How much longer than its packet a buffer has to be: the tag, or the ROC that is hashed before
/// it.
inline constexpr std::size_t room_behind = tag_size;

/// What we send with one master key and one SSRC.
class TRUNKLINE_EXPORT sender {
public:
    explicit sender(const master_key& from);

    /// `buffer` holds a packet of `size` bytes and room_behind more; returns the protected size.
    /// Errors: those of rtp::packet_view, full when there is no room.
    [[nodiscard]] result<std::size_t> protect(std::span<std::byte> buffer, std::size_t size);

private:
    session_keys keys_;
    crypto::aes_ctr cipher_;
    std::uint32_t rollovers_ = 0;
    std::uint16_t last_ = 0;
    bool begun_ = false;
};

/// What one peer sends with one master key. Each SSRC has its own rollover counter and its own
/// replay list (section 3.2.3), so no source moves those of another, and neither does a replayed
/// packet of an earlier one. State changes only after a tag was right: a stranger makes no source.
class TRUNKLINE_EXPORT receiver {
public:
    /// How many sources are known at a time. A call has one after the other; each further one that
    /// authenticates takes the place of the one that was heard longest ago. A packet of that one
    /// may then be replayed once, as the first of a new source.
    static constexpr std::size_t most_sources = 16;

    explicit receiver(const master_key& from);

    /// Decrypts in place and returns the size of the packet without its tag. Errors: need_more,
    /// mismatch (wrong tag), duplicate (replayed, or older than the window of 64).
    [[nodiscard]] result<std::size_t> unprotect(std::span<std::byte> packet);

private:
    session_keys keys_;
    crypto::aes_ctr cipher_;
    struct source {
        std::uint32_t ssrc = 0;
        std::uint64_t highest = 0; ///< Index: rollovers and sequence number.
        std::uint64_t seen = 0;    ///< Bit n: highest - n was taken.
        std::uint64_t heard = 0;   ///< The count of packets at its last one; 0: nothing is here.

        [[nodiscard]] bool replayed(std::uint64_t index) const noexcept;
        void take(std::uint64_t index) noexcept;
    };
    [[nodiscard]] source* find(std::uint32_t ssrc) noexcept;
    [[nodiscard]] source& longest_ago() noexcept;

    std::array<source, most_sources> sources_{};
    std::size_t last_ = 0;      ///< Whose packet was taken last: most likely the next one's, too.
    std::uint64_t packets_ = 0; ///< Taken, of all sources.
};

} // namespace trunkline::srtp
