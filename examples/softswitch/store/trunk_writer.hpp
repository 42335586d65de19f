// A trunk's own row into the database.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "database.hpp"
#include "rows.hpp"

namespace softswitch {

/// How many rows were changed: 1, or an error.
[[nodiscard]] stored<std::int64_t> insert_trunk_row(database& into, const trunk_row& what,
                                                    std::string_view sealed_password);
/// 0 where there is no such trunk. When it was made stays.
[[nodiscard]] stored<std::int64_t> update_trunk_row(database& in, const trunk_row& what,
                                                    std::string_view sealed_password);

} // namespace softswitch
