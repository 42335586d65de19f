// One [[trunk]] of softswitch.toml.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <toml++/toml.h>

#include <trunkline/trunk/config.hpp>

#include "agents.hpp"
#include "table_reader.hpp"

namespace softswitch {

/// What reading a trunk needs beside its table.
struct surroundings {
    const std::filesystem::path& folder;
    agent_catalogue& agents;
    reading& read;
};

/// `field` is "trunk[0]".
[[nodiscard]] trunkline::trunk_config read_trunk(const toml::table& from, std::string field,
                                                 const surroundings& around);

/// A file beside the configuration; empty when the key is not there.
[[nodiscard]] std::string read_file_name(table_reader& from, std::string_view key,
                                         const std::filesystem::path& folder);

/// at and advertise, of [media] and of a trunk's media.
[[nodiscard]] trunkline::addresses read_addresses(table_reader& from);

} // namespace softswitch
