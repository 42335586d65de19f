#include "ids.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>

#include <trunkline/core/assert.hpp>

namespace softswitch {

namespace {

[[nodiscard]] std::string hex(const unsigned char* bytes, std::size_t count) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string made;
    made.reserve(count * 2);
    for (std::size_t i = 0; i < count; ++i) {
        made += digits[bytes[i] >> 4U];
        made += digits[bytes[i] & 15U];
    }
    return made;
}

} // namespace

std::string new_id(std::string_view prefix) {
    std::array<unsigned char, 16> bytes{};
    // Ids that an attacker can foresee are worse than no service.
    TRUNKLINE_ASSERT(::RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
    return std::string{prefix} + hex(bytes.data(), bytes.size());
}

std::string sha256_hex(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    TRUNKLINE_ASSERT(
        ::EVP_Digest(text.data(), text.size(), digest.data(), &size, ::EVP_sha256(), nullptr) == 1);
    return hex(digest.data(), size);
}

} // namespace softswitch
