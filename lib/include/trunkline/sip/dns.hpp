// DNS answers as they came, RFC 1035, RFC 2308 and RFC 2782: read with their TTLs, which c-ares
// does not give.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <trunkline/core/address.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/result.hpp>

namespace trunkline::sip::dns {

struct service {
    std::uint16_t priority = 0;
    std::uint16_t weight = 0;
    std::uint16_t port = 0;
    std::string target;

    friend bool operator==(const service&, const service&) = default;
};

struct answer {
    std::vector<address> addresses; ///< A and AAAA of the name or of what its CNAMEs lead to.
    std::vector<service> services;  ///< SRV.
    std::chrono::seconds ttl{0};    ///< The least of all records that count.
    /// How long there is nothing, as the zone's SOA says it (RFC 2308 section 5).
    std::optional<std::chrono::seconds> nothing_for;
    std::uint8_t rcode = 0; ///< 3 is: no such name.
};

/// At most this many records are taken from one answer.
inline constexpr std::size_t most_records = 32;

/// Errors: bad_length for a record past the end, bad_token for a name that points forward or at
/// itself, limit_exceeded for names over 255 bytes.
[[nodiscard]] TRUNKLINE_EXPORT result<answer> parse(std::span<const std::byte> message);

} // namespace trunkline::sip::dns
