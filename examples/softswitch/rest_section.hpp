// [rest] and [webhook] of softswitch.toml.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <trunkline/core/address.hpp>

#include "rest/webhook.hpp"
#include "store/secret_key.hpp"

namespace softswitch {

class table_reader;

struct rest_settings {
    trunkline::endpoint at{};
    std::filesystem::path database{};
    secret_key key{};                 ///< What passwords in the database are encrypted with.
    std::filesystem::path key_file{}; ///< Where it was; empty when it was in the environment.
};

/// Nothing when there is no such table, and nothing but problems when it is wrong.
[[nodiscard]] std::optional<rest_settings> read_rest(table_reader& root,
                                                     const std::filesystem::path& folder);
[[nodiscard]] std::optional<webhook_settings> read_webhook(table_reader& root,
                                                           const std::filesystem::path& folder);

/// Lines for people.
[[nodiscard]] std::string in_words(const rest_settings& what);
[[nodiscard]] std::string in_words(const webhook_settings& what);

} // namespace softswitch
