// SipHash-2-4, so that no peer can choose bytes that all fall into one bucket.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include <trunkline/core/entropy.hpp>

namespace trunkline {

struct siphash_key {
    std::uint64_t k0 = 0;
    std::uint64_t k1 = 0;

    [[nodiscard]] static siphash_key draw(entropy& from) { return {from.number(), from.number()}; }
};

[[nodiscard]] constexpr std::uint64_t siphash(siphash_key key, std::string_view text) noexcept {
    std::uint64_t v0 = key.k0 ^ 0x736f6d6570736575;
    std::uint64_t v1 = key.k1 ^ 0x646f72616e646f6d;
    std::uint64_t v2 = key.k0 ^ 0x6c7967656e657261;
    std::uint64_t v3 = key.k1 ^ 0x7465646279746573;
    const auto round = [&] {
        v0 += v1, v1 = std::rotl(v1, 13), v1 ^= v0, v0 = std::rotl(v0, 32);
        v2 += v3, v3 = std::rotl(v3, 16), v3 ^= v2;
        v0 += v3, v3 = std::rotl(v3, 21), v3 ^= v0;
        v2 += v1, v1 = std::rotl(v1, 17), v1 ^= v2, v2 = std::rotl(v2, 32);
    };
    const auto word = [&](std::size_t at, std::size_t count) {
        std::uint64_t read = 0;
        // Eight bytes at once, where they lie as the hash wants them.
        if (count == sizeof read && std::endian::native == std::endian::little &&
            !std::is_constant_evaluated()) {
            std::memcpy(&read, text.data() + at, sizeof read);
            return read;
        }
        for (std::size_t i = 0; i < count; ++i) {
            read |= static_cast<std::uint64_t>(static_cast<unsigned char>(text[at + i])) << (8 * i);
        }
        return read;
    };
    std::size_t at = 0;
    for (; text.size() - at >= 8; at += 8) {
        const auto m = word(at, 8);
        v3 ^= m;
        round(), round();
        v0 ^= m;
    }
    const auto last = word(at, text.size() - at) | static_cast<std::uint64_t>(text.size()) << 56;
    v3 ^= last;
    round(), round();
    v0 ^= last;
    v2 ^= 0xff;
    round(), round(), round(), round();
    return v0 ^ v1 ^ v2 ^ v3;
}

} // namespace trunkline
