// Characters looked at many at a time: thirty-two where the build allows AVX2, sixteen on every
// other x86-64, and anywhere else eight, in plain arithmetic on a word.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include <trunkline/core/text.hpp>

namespace trunkline::sip::lanes {

/// Eight characters, the first one lowest. A class is told by the highest bit of each.
struct words {
    using vector = std::uint64_t;
    static constexpr std::size_t width = 8;
    static constexpr vector each = 0x0101'0101'0101'0101;

    [[nodiscard]] static vector load(const char* at) noexcept {
        vector word = 0;
        std::memcpy(&word, at, sizeof word);
        if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
        return word;
    }
    /// Where a character below 0x80 is at least `least`; no sum carries into its neighbour.
    [[nodiscard]] static constexpr vector from(vector seven_bits, unsigned char least) noexcept {
        return seven_bits + each * (0x80U - least);
    }
    static void store(char* at, vector word) noexcept {
        if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
        std::memcpy(at, &word, sizeof word);
    }
    /// Capital letters of ASCII become small ones.
    [[nodiscard]] static constexpr vector lower(vector chars) noexcept {
        const auto low = chars & each * 0x7f;
        const auto capital = from(low, 'A') & ~from(low, 'Z' + 1) & ~chars & each * 0x80;
        return chars | capital >> 2U;
    }
    /// The highest bits, side by side.
    [[nodiscard]] static constexpr std::uint64_t bits(vector found) noexcept {
        return ((found >> 7U) & each) * 0x0102'0408'1020'4080 >> 56U;
    }
};

#if defined(__SSE2__)
struct sse2 {
    using vector = __m128i;
    using narrower = words;
    static constexpr std::size_t width = 16;

    [[nodiscard]] static vector load(const char* at) noexcept {
        return _mm_loadu_si128(reinterpret_cast<const vector*>(at));
    }
    /// Eight characters here and eight there, side by side.
    [[nodiscard]] static vector load(const char* at, const char* other) noexcept {
        return _mm_unpacklo_epi64(_mm_loadl_epi64(reinterpret_cast<const vector*>(at)),
                                  _mm_loadl_epi64(reinterpret_cast<const vector*>(other)));
    }
    static void store(char* at, vector chars) noexcept {
        _mm_storeu_si128(reinterpret_cast<vector*>(at), chars);
    }
    [[nodiscard]] static vector lower(vector chars) noexcept {
        return _mm_or_si128(chars, _mm_and_si128(among(chars, 'A', 26), all('a' - 'A')));
    }
    [[nodiscard]] static vector all(int c) noexcept { return _mm_set1_epi8(static_cast<char>(c)); }
    [[nodiscard]] static vector is(vector chars, char c) noexcept {
        return _mm_cmpeq_epi8(chars, all(c));
    }
    /// Where `count` characters from `first` on begin.
    [[nodiscard]] static vector among(vector chars, int first, int count) noexcept {
        return _mm_cmpgt_epi8(all(count - 0x80), _mm_add_epi8(chars, all(0x80 - first)));
    }
    [[nodiscard]] static vector either(vector a, vector b) noexcept { return _mm_or_si128(a, b); }
    [[nodiscard]] static vector without(vector a, vector b) noexcept {
        return _mm_andnot_si128(b, a);
    }
    [[nodiscard]] static vector at_least(vector chars, char least) noexcept {
        return _mm_cmpeq_epi8(_mm_max_epu8(chars, all(least)), chars);
    }
    [[nodiscard]] static std::uint64_t bits(vector found) noexcept {
        return static_cast<std::uint32_t>(_mm_movemask_epi8(found));
    }
};
#endif

#if defined(__AVX2__)
struct avx2 {
    using vector = __m256i;
    using narrower = sse2;
    static constexpr std::size_t width = 32;

    [[nodiscard]] static vector load(const char* at) noexcept {
        return _mm256_loadu_si256(reinterpret_cast<const vector*>(at));
    }
    static void store(char* at, vector chars) noexcept {
        _mm256_storeu_si256(reinterpret_cast<vector*>(at), chars);
    }
    [[nodiscard]] static vector lower(vector chars) noexcept {
        return _mm256_or_si256(chars, _mm256_and_si256(among(chars, 'A', 26), all('a' - 'A')));
    }
    [[nodiscard]] static vector all(int c) noexcept {
        return _mm256_set1_epi8(static_cast<char>(c));
    }
    [[nodiscard]] static vector is(vector chars, char c) noexcept {
        return _mm256_cmpeq_epi8(chars, all(c));
    }
    [[nodiscard]] static vector among(vector chars, int first, int count) noexcept {
        return _mm256_cmpgt_epi8(all(count - 0x80), _mm256_add_epi8(chars, all(0x80 - first)));
    }
    [[nodiscard]] static vector either(vector a, vector b) noexcept {
        return _mm256_or_si256(a, b);
    }
    [[nodiscard]] static vector without(vector a, vector b) noexcept {
        return _mm256_andnot_si256(b, a);
    }
    [[nodiscard]] static vector at_least(vector chars, char least) noexcept {
        return _mm256_cmpeq_epi8(_mm256_max_epu8(chars, all(least)), chars);
    }
    [[nodiscard]] static std::uint64_t bits(vector found) noexcept {
        return static_cast<std::uint32_t>(_mm256_movemask_epi8(found));
    }
};
#endif

// The test looks at all that the compiler can make; the library uses the widest.
#if defined(TRUNKLINE_PORTABLE) || !defined(__SSE2__)
using widest = words;
#elif defined(__AVX2__)
using widest = avx2;
#else
using widest = sse2;
#endif

/// Letters, digits, "-" and ".": what most of a message is made of. They belong to every set of
/// grammar::set that is not about numbers.
struct plain {
    [[nodiscard]] static constexpr std::uint64_t of(std::uint64_t chars) noexcept {
        const auto low = chars & words::each * 0x7f;
        const auto lower = low | words::each * 0x20;
        const auto letter = words::from(lower, 'a') & ~words::from(lower, 'z' + 1);
        const auto digit = words::from(low, '0') & ~words::from(low, '9' + 1);
        const auto dash_or_dot = words::from(low, '-') & ~words::from(low, '/');
        return (letter | digit | dash_or_dot) & ~chars;
    }
    template <class Lanes>
    [[nodiscard]] static auto of(typename Lanes::vector chars) noexcept {
        const auto letter = Lanes::among(Lanes::either(chars, Lanes::all(0x20)), 'a', 26);
        // From "-" to "9" only "/" is in the way.
        const auto other = Lanes::among(chars, '-', 13);
        return Lanes::either(letter, Lanes::without(other, Lanes::is(chars, '/')));
    }
};

/// All but control characters.
struct printable {
    [[nodiscard]] static constexpr std::uint64_t of(std::uint64_t chars) noexcept {
        const auto low = chars & words::each * 0x7f;
        return (words::from(low, 0x20) & ~words::from(low, 0x7f)) | chars;
    }
    template <class Lanes>
    [[nodiscard]] static auto of(typename Lanes::vector chars) noexcept {
        return Lanes::without(Lanes::at_least(chars, 0x20), Lanes::is(chars, 0x7f));
    }
};

/// One bit for each character of one vector that belongs to Class.
template <class Class, class Lanes>
[[nodiscard]] std::uint64_t look(const char* at) noexcept {
    if constexpr (Lanes::width == words::width) {
        return words::bits(Class::of(words::load(at)));
    } else {
        return Lanes::bits(Class::template of<Lanes>(Lanes::load(at)));
    }
}

/// One bit for each of the first 64 characters, set where it does not belong to Class and past the
/// end. Reads none beyond `size`: the last vector overlaps the one before it.
template <class Class, class Lanes = widest>
[[nodiscard]] std::uint64_t others(const char* at, std::size_t size) noexcept {
    if (size >= 64) {
        std::uint64_t found = 0;
        for (std::size_t i = 0; i < 64; i += Lanes::width) found |= look<Class, Lanes>(at + i) << i;
        return ~found;
    }
    if (size >= Lanes::width) {
        const auto last = size - Lanes::width;
        auto found = look<Class, Lanes>(at + last) << last;
        for (std::size_t i = 0; i < last; i += Lanes::width)
            found |= look<Class, Lanes>(at + i) << i;
        return ~found;
    }
    if constexpr (Lanes::width == words::width) {
        std::uint64_t word = 0;
        for (std::size_t i = 0; i < size; ++i) {
            word |= std::uint64_t{static_cast<unsigned char>(at[i])} << (8 * i);
        }
        return ~(words::bits(Class::of(word)) & ~(~std::uint64_t{0} << size));
    } else if constexpr (Lanes::width == 2 * words::width) {
        if (size < words::width) return others<Class, words>(at, size);
        const auto last = size - words::width;
        const auto found = Lanes::bits(Class::template of<Lanes>(Lanes::load(at, at + last)));
        return ~((found & 0xffU) | found >> 8U << last);
    } else {
        return others<Class, typename Lanes::narrower>(at, size);
    }
}

/// Capital letters of ASCII become small ones, in place. Touches none beyond `size`: the last
/// vector overlaps the one before it, and small letters stay what they are.
template <class Lanes = widest>
void to_lower(char* at, std::size_t size) noexcept {
    if (size < Lanes::width) {
        if constexpr (Lanes::width == words::width) {
            std::transform(at, at + size, at, trunkline::to_lower);
        } else {
            to_lower<typename Lanes::narrower>(at, size);
        }
        return;
    }
    for (std::size_t i = 0; i + Lanes::width <= size; i += Lanes::width) {
        Lanes::store(at + i, Lanes::lower(Lanes::load(at + i)));
    }
    const auto last = at + size - Lanes::width;
    Lanes::store(last, Lanes::lower(Lanes::load(last)));
}

} // namespace trunkline::sip::lanes
