// How many sockets this process may have. A call costs two, and the default of most systems is
// 1024.
#pragma once

#include <cstddef>

#include <trunkline/core/export.hpp>

namespace trunkline::net {

/// Raises the soft limit to the hard one, which needs no privilege, and returns what is now
/// allowed.
TRUNKLINE_EXPORT std::size_t raise_descriptor_limit() noexcept;

} // namespace trunkline::net
