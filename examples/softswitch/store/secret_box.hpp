// Secrets at rest: AES-256-GCM, with OpenSSL's mathematics.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "secret_key.hpp"

namespace softswitch {

/// Encrypts what must not be read from a stolen file. Each text is sealed for the place that it
/// stands in, so that whoever can write the file cannot put one trunk's password into another.
class secret_box {
public:
    explicit secret_box(const secret_key& key) : key_{key} {}

    /// "v1." and base64url of nonce, ciphertext and tag; another one each time. `place` says whose
    /// secret it is, as "trunk/42/auth_password". Nothing when there are no random numbers.
    [[nodiscard]] std::optional<std::string> seal(std::string_view secret,
                                                  std::string_view place) const;
    /// Nothing when the key or the place is another one, or a byte was changed.
    [[nodiscard]] std::optional<std::string> open(std::string_view sealed,
                                                  std::string_view place) const;

private:
    secret_key key_;
};

} // namespace softswitch
