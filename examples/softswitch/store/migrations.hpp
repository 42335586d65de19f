// The shape of the database, one step after the other.
#pragma once

#include <cstdint>

#include "database.hpp"

namespace softswitch {

/// Brings a database to the newest version that we know, each step as a whole. A database of a
/// newer version, or of another program, is refused and left as it is.
[[nodiscard]] stored<void> migrate(database& what);

/// What migrate() brings a database to.
[[nodiscard]] std::int64_t newest_version();

} // namespace softswitch
