// A secret of the configuration: in the file itself, in another one, or in the environment.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "table_reader.hpp"

namespace softswitch {

/// The three keys that may say it, such as "password", "password_file" and "password_env":
/// literals, because the reader keeps them.
struct secret_keys {
    std::string_view given;
    std::string_view file;
    std::string_view variable;
};

/// Nothing when no key is there, and nothing or an empty text beside a problem when one is wrong.
[[nodiscard]] std::optional<std::string> read_secret(table_reader& from, const secret_keys& keys,
                                                     const std::filesystem::path& folder);

} // namespace softswitch
