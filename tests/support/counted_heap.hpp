#pragma once

#include <cstddef>

namespace trunkline::support {

/// How often this program has asked operator new for memory since it began, on all its threads.
/// A test that links trunkline_counted_heap takes two readings, and their difference is the claim.
[[nodiscard]] std::size_t allocations() noexcept;

} // namespace trunkline::support
