// Protects and unprotects RTP packets, RFC 3711: AES_CM_128_HMAC_SHA1_80.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <trunkline/core/result.hpp>
#include <trunkline/crypto/aes_ctr.hpp>
#include <trunkline/srtp/keys.hpp>

namespace trunkline::srtp {

inline constexpr std::size_t tag_size = 10;
/// How much longer than its packet a buffer has to be: the tag, or the ROC that is hashed before
/// it.
inline constexpr std::size_t room_behind = tag_size;

/// What we send with one master key and one SSRC.
class sender {
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

/// What one peer sends with one master key. State changes only after a tag was right, so a stranger
/// can neither move the rollover counter nor take the place of the SSRC.
class receiver {
public:
    explicit receiver(const master_key& from);

    /// Decrypts in place and returns the size of the packet without its tag. Errors: need_more,
    /// mismatch (wrong tag), duplicate (replayed, or older than the window of 64).
    [[nodiscard]] result<std::size_t> unprotect(std::span<std::byte> packet);

private:
    session_keys keys_;
    crypto::aes_ctr cipher_;
    std::uint32_t ssrc_ = 0;
    std::uint64_t highest_ = 0; ///< Index: rollovers and sequence number.
    std::uint64_t seen_ = 0;    ///< Bit n: highest_ - n was taken.
    bool begun_ = false;
};

} // namespace trunkline::srtp
