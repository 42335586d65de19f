// The key that secrets are encrypted with, as an operator hands it over.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

#include <trunkline/core/result.hpp>

namespace softswitch {

/// Of AES-256.
using secret_key = std::array<unsigned char, 32>;

/// What is wrong with a key is the end of a sentence that begins with where it was looked for, and
/// never shows any of it.
template <class Value>
using key_or_reason = trunkline::result<Value, std::string>;

/// 64 hex digits, or base64 of 32 bytes.
[[nodiscard]] key_or_reason<secret_key> parse_secret_key(std::string_view text);
/// Of a file that holds nothing else.
[[nodiscard]] key_or_reason<secret_key> secret_key_of_file(const std::filesystem::path& file);
/// Of an environment variable. Before any thread is started.
[[nodiscard]] key_or_reason<secret_key> secret_key_of_variable(const std::string& name);

/// Whether somebody but its owner may read a file.
[[nodiscard]] bool others_may_read(const std::filesystem::path& file);

} // namespace softswitch
