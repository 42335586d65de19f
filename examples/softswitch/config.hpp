// softswitch.toml, as the library wants it, and what is wrong with it, line by line.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/trunkline.hpp>

#include "agents.hpp"
#include "rest_section.hpp"
#include "sockets/socket_hub.hpp"

namespace softswitch {

struct problem {
    std::size_t line = 0;
    std::string field{}; ///< `trunk[0].gateways[1].port`; empty when it is the file as a whole.
    std::string message{};

    friend bool operator==(const problem&, const problem&) = default;
};
using problems = std::vector<problem>;

/// "softswitch.toml:12: trunk[0].chanels: there is no such key; ..."
[[nodiscard]] std::string to_text(const problem& what, const std::filesystem::path& file);

struct configuration {
    trunkline::manager_config manager; ///< But for its callbacks.
    std::chrono::milliseconds drain{30'000};
    std::vector<trunkline::trunk_config> trunks;
    agent_catalogue agents;
    socket_settings sockets;
    std::optional<rest_settings> rest;
    std::optional<webhook_settings> webhook;
    /// Where each field stands, by its full name.
    std::map<std::string, std::size_t, std::less<>> lines;

    /// Of a field that is perhaps not there: then of what it would be in.
    [[nodiscard]] std::size_t line_of(std::string_view field) const;
    /// What the library has against a trunk, in the words and at the line of the file.
    [[nodiscard]] problem explain(std::size_t trunk, const trunkline::config_error& reason) const;
};

/// All that is wrong is told at once. Relative paths in the text begin at `folder`.
[[nodiscard]] trunkline::result<configuration, problems>
parse_configuration(std::string_view text, const std::filesystem::path& folder);
[[nodiscard]] trunkline::result<configuration, problems>
load_configuration(const std::filesystem::path& file);

} // namespace softswitch
