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

/// `password`, or whatever it is called, itself, or by way of password_file or password_env. More
/// than one of them is a problem; none is nothing.
[[nodiscard]] std::optional<std::string> read_secret(table_reader& from, std::string_view what,
                                                     const std::filesystem::path& folder);

/// at and advertise, of [media] and of a trunk's media.
[[nodiscard]] trunkline::addresses read_addresses(table_reader& from);

} // namespace softswitch
