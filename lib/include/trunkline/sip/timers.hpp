// Timer values of RFC 3261 table 4.
#pragma once

#include <chrono>

#include <trunkline/core/time.hpp>

namespace trunkline::sip {

/// Overridable for tests and for fast private links.
struct timers {
    duration t1 = std::chrono::milliseconds{500};
    duration t2 = std::chrono::seconds{4};
    duration t4 = std::chrono::seconds{5};
    duration d = std::chrono::seconds{32}; ///< How long an INVITE's failure is acknowledged.
};

} // namespace trunkline::sip
