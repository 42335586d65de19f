#include <trunkline/codec/g711.hpp>

namespace trunkline::codec {

namespace g711 {

namespace {

/// The first magnitude that is too large for `word`, which is segment and step without the sign.
/// A-law's lowest two segments have steps of the same size; mu-law counts from its bias.
constexpr int end_of(law which, unsigned word) noexcept {
    const auto segment = word >> 4;
    const auto end = static_cast<int>(((word & 0xfU) + 17) << (segment + 3));
    if (which == law::ulaw) return end - 0x84;
    return segment == 0 ? 2 * end - 0x100 : end;
}

/// One sign's half of a table, from the quietest sample to the loudest, which clip to the last
/// word. In A-law -1 belongs to the smallest negative step as 0 does to the positive one; mu-law,
/// whose smallest steps are half as wide, goes by the magnitude.
constexpr void fill(compression& table, law which, bool negative) noexcept {
    const unsigned sign =
        which == law::ulaw ? (negative ? 0x7fU : 0xffU) : (negative ? 0x55U : 0xd5U);
    const int quietest = negative && which == law::ulaw ? 1 : 0;
    unsigned word = 0;
    int end = end_of(which, word);
    for (int i = 0; i < 32'768; ++i) {
        while (i + quietest >= end && word < 127) end = end_of(which, ++word);
        table.code[negative ? 65'535 - i : i] = static_cast<std::uint8_t>(word ^ sign);
    }
}

/// Few statements a sample: clang allows a constant a million steps.
constexpr compression tabulate(law which) noexcept {
    compression table{};
    fill(table, which, false);
    fill(table, which, true);
    return table;
}

} // namespace

constexpr compression to_ulaw = tabulate(law::ulaw);
constexpr compression to_alaw = tabulate(law::alaw);

} // namespace g711

void decode(law which, std::span<const std::byte> from, std::span<std::int16_t> into) noexcept {
    TRUNKLINE_ASSERT(into.size() >= from.size());
    const auto& table = which == law::ulaw ? g711::from_ulaw : g711::from_alaw;
    for (std::size_t i = 0; i < from.size(); ++i) {
        into[i] = table[std::to_integer<std::uint8_t>(from[i])];
    }
}

void encode(law which, std::span<const std::int16_t> from, std::span<std::byte> into) noexcept {
    TRUNKLINE_ASSERT(into.size() >= from.size());
    const auto& table = which == law::ulaw ? g711::to_ulaw : g711::to_alaw;
    for (std::size_t i = 0; i < from.size(); ++i) {
        into[i] = std::byte{table.code[static_cast<std::uint16_t>(from[i])]};
    }
}

} // namespace trunkline::codec
