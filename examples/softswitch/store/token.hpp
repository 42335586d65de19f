// Bearer tokens of the REST interface.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace softswitch {

/// "tl_" and base64url of 32 random bytes. Nothing when there are no random numbers.
[[nodiscard]] std::optional<std::string> make_token();

/// What is kept of a token, and what it is looked up by: so the time that a lookup takes depends on
/// the hash of what a stranger sent, which says nothing about a token. SHA-256 alone will do,
/// because nobody can try all of 2**256 tokens, as one would a person's password.
[[nodiscard]] std::string token_hash(std::string_view token);

} // namespace softswitch
