// G.711: both laws, by table. The only codec that every carrier speaks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <trunkline/core/assert.hpp>
#include <trunkline/core/export.hpp>

namespace trunkline::codec {

enum class law : std::uint8_t { ulaw, alaw };

namespace g711 {

/// The code words of mu-law are sent inverted; what is left is sign, segment and step. The bias of
/// 33 quarter steps makes every segment begin at a power of two.
[[nodiscard]] constexpr std::int16_t expand_ulaw(std::uint8_t code) noexcept {
    constexpr int bias = 0x84;
    const int word = ~code & 0xff;
    const int magnitude = ((((word & 0x0f) << 3) + bias) << ((word & 0x70) >> 4)) - bias;
    return static_cast<std::int16_t>((word & 0x80) != 0 ? -magnitude : magnitude);
}

/// A-law is sent with its even bits inverted, and a set sign bit means positive.
[[nodiscard]] constexpr std::int16_t expand_alaw(std::uint8_t code) noexcept {
    const int word = code ^ 0x55;
    const int segment = (word & 0x70) >> 4;
    const int step = ((word & 0x0f) << 4) + 8;
    const int magnitude = segment == 0 ? step : (step + 0x100) << (segment - 1);
    return static_cast<std::int16_t>((word & 0x80) != 0 ? magnitude : -magnitude);
}

[[nodiscard]] constexpr std::array<std::int16_t, 256>
expansion(std::int16_t (*expand)(std::uint8_t) noexcept) noexcept {
    std::array<std::int16_t, 256> table{};
    for (std::size_t code = 0; code < table.size(); ++code) {
        table[code] = expand(static_cast<std::uint8_t>(code));
    }
    return table;
}

inline constexpr std::array<std::int16_t, 256> from_ulaw = expansion(expand_ulaw);
inline constexpr std::array<std::int16_t, 256> from_alaw = expansion(expand_alaw);

/// One code word for each of the 65,536 samples: a branch-free encoder is worth 128 KiB, for the
/// branches of the usual one cost ten times the look-up.
struct compression {
    std::uint8_t code[65'536];
};
extern TRUNKLINE_EXPORT const compression to_ulaw;
extern TRUNKLINE_EXPORT const compression to_alaw;

} // namespace g711

[[nodiscard]] constexpr std::int16_t decode(law which, std::uint8_t code) noexcept {
    return which == law::ulaw ? g711::from_ulaw[code] : g711::from_alaw[code];
}

/// Half way between two code words a tie is broken as in spandsp, which differs from the ITU's own
/// program on 127 negative samples of mu-law by one equally good step.
[[nodiscard]] inline std::uint8_t encode(law which, std::int16_t sample) noexcept {
    const auto& table = which == law::ulaw ? g711::to_ulaw : g711::to_alaw;
    return table.code[static_cast<std::uint16_t>(sample)];
}

/// Blocks. Precondition: `into` holds at least as many elements as `from`.
TRUNKLINE_EXPORT void decode(law which, std::span<const std::byte> from,
                             std::span<std::int16_t> into) noexcept;
TRUNKLINE_EXPORT void encode(law which, std::span<const std::int16_t> from,
                             std::span<std::byte> into) noexcept;

/// The code word of the sample 0, for filling.
[[nodiscard]] constexpr std::byte silence(law which) noexcept {
    return which == law::ulaw ? std::byte{0xff} : std::byte{0xd5};
}

} // namespace trunkline::codec
