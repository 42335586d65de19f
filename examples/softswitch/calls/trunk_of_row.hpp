// Trunks of the database as the library wants them, and its complaints in the words of REST.
#pragma once

#include <string_view>

#include <trunkline/trunk/config.hpp>

#include "rest/switch_port.hpp"
#include "store/rows.hpp"

namespace softswitch {

/// As long as the trunk is active: whoever is not has no place in the switch.
[[nodiscard]] trunkline::trunk_config to_config(const trunk_row& row);

/// Of a trunk of the configuration file. Its id is its name, and no password is in it.
[[nodiscard]] trunk_row to_row(const trunkline::trunk_config& config);

/// `allow_from[1]` of the library is `ip_acls[1].cidr` of REST.
[[nodiscard]] field_problem to_problem(const trunk_row& row, const trunkline::config_error& reason);

} // namespace softswitch
