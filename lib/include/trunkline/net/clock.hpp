// The one place that reads a clock. Everything below net is told what time it is.
#pragma once

#include <cstdint>

#include <trunkline/core/export.hpp>
#include <trunkline/core/time.hpp>

namespace trunkline::net {

/// Protocol time: it never jumps, whatever an operator or NTP does to the date.
[[nodiscard]] TRUNKLINE_EXPORT time_point now() noexcept;

/// Nanoseconds that added to protocol time make Unix time, as of this moment: for RTCP sender
/// reports, logs and captures. NTP moves it, so nobody should keep it for long.
[[nodiscard]] TRUNKLINE_EXPORT std::int64_t unix_offset() noexcept;

} // namespace trunkline::net
