// In which order the targets of a service are tried, RFC 2782.
#pragma once

#include <vector>

#include <trunkline/core/entropy.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/sip/dns.hpp>

namespace trunkline::sip::dns {

/// Sorts by priority, lower ones first; within one priority each place is drawn by weight. To be
/// called for each use, not for each answer: the weights share out calls only if every call draws.
TRUNKLINE_EXPORT void put_in_order(std::vector<service>& services, entropy& random);

} // namespace trunkline::sip::dns
