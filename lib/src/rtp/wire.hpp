// Big-endian numbers in bytes, for the writers and parsers of this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace trunkline::rtp {

/// Precondition of all: the bytes are there.
[[nodiscard]] constexpr std::uint8_t read_8(std::span<const std::byte> bytes,
                                            std::size_t at) noexcept {
    return std::to_integer<std::uint8_t>(bytes[at]);
}
[[nodiscard]] constexpr std::uint16_t read_16(std::span<const std::byte> bytes,
                                              std::size_t at) noexcept {
    return static_cast<std::uint16_t>(read_8(bytes, at) << 8 | read_8(bytes, at + 1));
}
[[nodiscard]] constexpr std::uint32_t read_32(std::span<const std::byte> bytes,
                                              std::size_t at) noexcept {
    return static_cast<std::uint32_t>(read_16(bytes, at)) << 16 | read_16(bytes, at + 2);
}

constexpr void write_8(std::span<std::byte> bytes, std::size_t at, unsigned value) noexcept {
    bytes[at] = static_cast<std::byte>(value & 0xffU);
}
constexpr void write_16(std::span<std::byte> bytes, std::size_t at, unsigned value) noexcept {
    write_8(bytes, at, value >> 8);
    write_8(bytes, at + 1, value);
}
constexpr void write_32(std::span<std::byte> bytes, std::size_t at, std::uint32_t value) noexcept {
    write_16(bytes, at, value >> 16);
    write_16(bytes, at + 2, value & 0xffffU);
}

} // namespace trunkline::rtp
