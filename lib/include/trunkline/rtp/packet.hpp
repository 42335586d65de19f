// The RTP packet, RFC 3550 section 5.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <trunkline/core/export.hpp>
#include <trunkline/core/result.hpp>
#include <trunkline/rtp/sequence.hpp>

namespace trunkline::rtp {

inline constexpr std::size_t header_size = 12; ///< Without CSRCs and extension: what we send.

/// The part of the header that every packet has and that a receiver acts on.
struct header {
    bool marker = false;
    std::uint8_t payload_type = 0; ///< 7 bits.
    rtp::sequence sequence{};
    rtp::timestamp timestamp{};
    std::uint32_t ssrc = 0;

    friend constexpr bool operator==(const header&, const header&) = default;
};

/// A parsed packet. Its spans point into the datagram and die with it.
struct TRUNKLINE_EXPORT packet_view {
    rtp::header header;
    std::span<const std::byte> csrcs;     ///< Up to 15 of four bytes each.
    std::optional<std::uint16_t> profile; ///< Of the extension (section 5.3.1), if there is one.
    std::span<const std::byte> extension; ///< Whole words, without their own header.
    std::span<const std::byte> payload;   ///< Without padding. Empty is legal: RFC 6263 sends it.
    std::uint8_t padding = 0;             ///< How many bytes, the last of which counts them.

    /// Every length is checked against the bytes that are there. Offsets tell which field lied.
    [[nodiscard]] static result<packet_view> parse(std::span<const std::byte> bytes) noexcept;
};

/// The first 12 bytes, also where what follows them does not parse. Errors: need_more, bad_version.
[[nodiscard]] TRUNKLINE_EXPORT result<header>
read_header(std::span<const std::byte> bytes) noexcept;

/// Writes the 12 bytes that precede a payload; 0 when they do not fit.
TRUNKLINE_EXPORT std::size_t write_header(const header& what, std::span<std::byte> into) noexcept;

/// RFC 5761 section 4: tells RTCP from RTP where both come in by one port.
[[nodiscard]] constexpr bool is_rtcp(std::span<const std::byte> bytes) noexcept {
    if (bytes.size() < 2) return false;
    const auto type = std::to_integer<unsigned>(bytes[1]);
    return type >= 192 && type <= 223;
}

} // namespace trunkline::rtp
