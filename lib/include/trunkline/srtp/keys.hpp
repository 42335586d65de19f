// Session keys from a master key, RFC 3711 section 4.3.
#pragma once

#include <array>
#include <cstddef>

#include <trunkline/core/export.hpp>

namespace trunkline::srtp {

/// What SDES carries: 30 bytes, of AES_CM_128_HMAC_SHA1_80.
struct master_key {
    std::array<std::byte, 16> key{};
    std::array<std::byte, 14> salt{};
};

struct TRUNKLINE_EXPORT session_keys {
    std::array<std::byte, 16> cipher{};
    std::array<std::byte, 20> authentication{};
    std::array<std::byte, 14> salt{};

    /// For RTP. The key derivation rate is 0: derived once, as everybody does.
    [[nodiscard]] static session_keys derive(const master_key& from);
};

} // namespace trunkline::srtp
