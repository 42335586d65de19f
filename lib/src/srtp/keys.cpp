#include <trunkline/srtp/keys.hpp>

#include <algorithm>
#include <cstdint>
#include <span>

#include <trunkline/crypto/aes_ctr.hpp>

namespace trunkline::srtp {

namespace {

enum class label : std::uint8_t { cipher = 0, authentication = 1, salt = 2 };

/// The key stream of AES-CM under the master key, from (label * 2**48 XOR salt) * 2**16 on.
void derive_into(const master_key& from, label which, std::span<std::byte> into) {
    crypto::aes_ctr cipher{from.key};
    crypto::aes_ctr::counter start{};
    std::ranges::copy(from.salt, start.begin());
    start[7] ^= static_cast<std::byte>(which);
    std::ranges::fill(into, std::byte{0});
    cipher.apply(start, into);
}

} // namespace

session_keys session_keys::derive(const master_key& from) {
    session_keys made;
    derive_into(from, label::cipher, made.cipher);
    derive_into(from, label::authentication, made.authentication);
    derive_into(from, label::salt, made.salt);
    return made;
}

} // namespace trunkline::srtp
