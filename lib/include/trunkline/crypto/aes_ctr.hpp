// AES-128 in counter mode and HMAC-SHA1: what SRTP is made of. The mathematics is OpenSSL's.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include <trunkline/core/export.hpp>

namespace trunkline::crypto {

/// One key; the cipher's own state is made once and used for every packet.
class TRUNKLINE_EXPORT aes_ctr {
public:
    using key = std::array<std::byte, 16>;
    using counter = std::array<std::byte, 16>;

    explicit aes_ctr(const key& with);
    aes_ctr(aes_ctr&&) noexcept;
    aes_ctr& operator=(aes_ctr&&) noexcept;
    ~aes_ctr();

    /// Encrypts or decrypts in place, which is the same.
    void apply(const counter& from, std::span<std::byte> bytes);

private:
    struct state;
    std::unique_ptr<state> state_;
};

using sha1_mac = std::array<std::byte, 20>;
[[nodiscard]] TRUNKLINE_EXPORT sha1_mac hmac_sha1(std::span<const std::byte> key,
                                                  std::span<const std::byte> bytes);

} // namespace trunkline::crypto
