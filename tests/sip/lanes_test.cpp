#include "lanes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include <trunkline/sip/grammar.hpp>

#include "skimmer.hpp"

namespace trunkline::sip {
namespace {

// The same classes, by letter, as they are defined.
[[nodiscard]] bool is_member(lanes::plain, char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
}
[[nodiscard]] bool is_member(lanes::printable, char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7f;
}

template <class Class>
[[nodiscard]] std::uint64_t others_one_by_one(std::string_view text) {
    std::uint64_t found = 0;
    for (std::size_t i = 0; i < 64; ++i) {
        if (i >= text.size() || !is_member(Class{}, text[i])) found |= std::uint64_t{1} << i;
    }
    return found;
}

/// A block of exactly that size, so that the address sanitizer sees a byte that is read too far.
struct exact {
    explicit exact(std::size_t length) : bytes{std::make_unique<char[]>(length)}, size{length} {}
    [[nodiscard]] std::string_view text() const { return {bytes.get(), size}; }

    std::unique_ptr<char[]> bytes;
    std::size_t size;
};

template <class Class, class Lanes>
void looks_as_one_by_one() {
    std::mt19937 random{7};
    for (std::size_t size = 0; size <= 70; ++size) {
        CAPTURE(size);
        exact block{size};
        for (int round = 0; round < 200; ++round) {
            // Half of the bytes are letters, so that neither answer is rare.
            for (std::size_t i = 0; i < size; ++i) {
                block.bytes[i] =
                    static_cast<char>(random() % 2 == 0 ? 'a' + random() % 26 : random() % 256);
            }
            const auto text = block.text();
            REQUIRE(lanes::others<Class, Lanes>(text.data(), size) ==
                    others_one_by_one<Class>(text));
        }
    }
}

template <class Lanes>
void every_byte_is_told_at_every_place() {
    std::array<char, 64> block{};
    for (int c = 0; c < 256; ++c) {
        for (const char around : {'a', '\0', '\xff', '/'}) {
            for (std::size_t at = 0; at < block.size(); ++at) {
                block.fill(around);
                block[at] = static_cast<char>(c);
                const std::string_view text{block.data(), block.size()};
                REQUIRE(lanes::others<lanes::plain, Lanes>(text.data(), text.size()) ==
                        others_one_by_one<lanes::plain>(text));
                REQUIRE(lanes::others<lanes::printable, Lanes>(text.data(), text.size()) ==
                        others_one_by_one<lanes::printable>(text));
            }
        }
    }
}

template <class Lanes>
void capitals_alone_become_small() {
    for (std::size_t size = 0; size <= 70; ++size) {
        CAPTURE(size);
        exact block{size};
        // Every byte there is comes at every place.
        for (int shift = 0; shift < 256; ++shift) {
            std::string wanted;
            for (std::size_t i = 0; i < size; ++i) {
                const auto c = static_cast<char>(static_cast<std::size_t>(shift) + i * 7);
                block.bytes[i] = c;
                wanted += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
            }
            lanes::to_lower<Lanes>(block.bytes.get(), size);
            REQUIRE(block.text() == wanted);
        }
    }
}

template <class Lanes>
void all_that_there_is() {
    capitals_alone_become_small<Lanes>();
    every_byte_is_told_at_every_place<Lanes>();
    looks_as_one_by_one<lanes::plain, Lanes>();
    looks_as_one_by_one<lanes::printable, Lanes>();
}

TEST_CASE("sip::lanes: a word of eight tells characters apart as one look at each does") {
    all_that_there_is<lanes::words>();
}

#if defined(__SSE2__)
TEST_CASE("sip::lanes: SSE2 tells characters apart as one look at each does") {
    all_that_there_is<lanes::sse2>();
}
#endif

#if defined(__AVX2__)
TEST_CASE("sip::lanes: AVX2 tells characters apart as one look at each does") {
    all_that_there_is<lanes::avx2>();
}
#endif

TEST_CASE("sip::lanes: what is plain belongs to every set that is not about numbers") {
    using grammar::set;
    for (int i = 0; i < 256; ++i) {
        const char c = static_cast<char>(i);
        if (!is_member(lanes::plain{}, c)) continue;
        CAPTURE(i);
        for (const auto which :
             {set::token, set::user, set::uri_param, set::host, set::word, set::param_value}) {
            CHECK(grammar::is(c, which));
        }
    }
}

TEST_CASE("sip::skimmer: from any position to any other, it stops where one look at each would") {
    std::mt19937 random{11};
    for (std::size_t size = 0; size < 300; size += 1 + size / 9) {
        exact block{size};
        for (std::size_t i = 0; i < size; ++i) {
            block.bytes[i] = random() % 40 == 0 ? ';' : 'x';
        }
        const auto text = block.text();
        skimmer<lanes::plain> marks{text};
        for (int round = 0; round < 300; ++round) {
            const auto at = static_cast<std::size_t>(random() % (size + 1));
            CAPTURE(size);
            CAPTURE(at);
            REQUIRE(marks.next(at) == std::min(text.find(';', at), size));
        }
    }
}

} // namespace
} // namespace trunkline::sip
