// The hashes that digest authentication and nonces need. The mathematics is OpenSSL's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include <trunkline/core/export.hpp>

namespace trunkline::crypto {

enum class hash_algorithm : std::uint8_t { md5, sha256 };

/// Lower-case hex, as RFC 7616 writes digests.
struct hex_digest {
    std::array<char, 64> text{};
    std::size_t size = 0;

    [[nodiscard]] std::string_view view() const noexcept { return {text.data(), size}; }
};

/// The hash of the parts as if they stood one after the other. Empty when the provider refuses the
/// algorithm, as FIPS builds refuse MD5.
[[nodiscard]] TRUNKLINE_EXPORT hex_digest hash(hash_algorithm which,
                                               std::initializer_list<std::string_view> parts);

using mac = std::array<std::byte, 32>;
[[nodiscard]] TRUNKLINE_EXPORT mac hmac_sha256(std::span<const std::byte> key,
                                               std::string_view text);

/// Takes as long whether the first byte differs or the last.
[[nodiscard]] TRUNKLINE_EXPORT bool equal_in_constant_time(std::string_view a,
                                                           std::string_view b) noexcept;

} // namespace trunkline::crypto
