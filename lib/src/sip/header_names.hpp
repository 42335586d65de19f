// Finds which header a name is without a loop over its letters.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <trunkline/sip/header.hpp>

namespace trunkline::sip {

/// The letters of a name as words, and for each of their bits whether it matters: the one that
/// makes a letter small does not, and neither does what stands behind the name.
struct name_pattern {
    static constexpr std::size_t longest = 24;
    static constexpr std::size_t words = longest / sizeof(std::uint64_t);

    std::array<std::uint64_t, words> letters{};
    std::array<std::uint64_t, words> matters{};
    std::uint8_t size = 0;

    constexpr name_pattern() noexcept = default;
    consteval explicit name_pattern(std::string_view name)
        : size{static_cast<std::uint8_t>(name.size())} {
        std::array<std::array<char, sizeof(std::uint64_t)>, words> text{};
        auto bits = text;
        for (std::size_t i = 0; i < name.size(); ++i) {
            text[i / 8][i % 8] = name[i];
            bits[i / 8][i % 8] = static_cast<char>(name[i] == '-' ? 0xff : 0xdf);
        }
        for (std::size_t i = 0; i < words; ++i) {
            matters[i] = std::bit_cast<std::uint64_t>(bits[i]);
            letters[i] = std::bit_cast<std::uint64_t>(text[i]) & matters[i];
        }
    }

    /// Whether the first `size` characters of the `longest` that can be read at `at` are the name.
    [[nodiscard]] bool matches(const char* at) const noexcept {
        std::uint64_t different = 0;
        for (std::size_t i = 0; i < words; ++i) {
            std::uint64_t read = 0;
            std::memcpy(&read, at + i * sizeof read, sizeof read);
            different |= (read & matters[i]) ^ letters[i];
        }
        return different == 0;
    }
};

/// A place for each long form: first letter, last letter and length tell them all apart.
class header_names {
public:
    consteval explicit header_names(const std::array<std::string_view, header_count>& names) {
        for (std::size_t i = 1; i < names.size(); ++i) {
            const auto at = place(names[i].front(), names[i].back(), names[i].size());
            if (header_at_[at] != header::other) throw "two names share a place";
            header_at_[at] = static_cast<header>(i);
            patterns_[i] = name_pattern{names[i]};
        }
    }

    /// Of a long form of `size` characters, at least one, where `name_pattern::longest` can be
    /// read.
    [[nodiscard]] header find(const char* at, std::size_t size) const noexcept {
        const auto which = header_at_[place(at[0], at[size - 1], size)];
        const auto& pattern = patterns_[static_cast<std::size_t>(which)];
        return pattern.size == size && pattern.matches(at) ? which : header::other;
    }

private:
    static constexpr std::size_t places = 128;

    [[nodiscard]] static constexpr std::size_t place(char first, char last,
                                                     std::size_t size) noexcept {
        return ((static_cast<unsigned char>(first) | 0x20U) +
                33 * ((static_cast<unsigned char>(last) | 0x20U) + size)) %
               places;
    }

    std::array<header, places> header_at_{};
    std::array<name_pattern, header_count> patterns_{};
};

extern const header_names known_headers;

} // namespace trunkline::sip
