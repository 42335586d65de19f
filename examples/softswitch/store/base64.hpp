// Base64 as keys, tokens and ciphertexts are written (RFC 4648).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace softswitch {

/// Section 5: letters, digits, "-" and "_", without padding.
[[nodiscard]] std::string to_base64url(std::string_view bytes);

/// Of either alphabet, padded or not; nothing for anything else.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

} // namespace softswitch
