// Where a peer may ask us to send media to.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <trunkline/core/address.hpp>
#include <trunkline/core/export.hpp>

namespace trunkline::calls {

/// Why an endpoint that SDP names gets no media. Its number is the `detail` of an
/// errc::bad_address.
enum class target_fault : std::uint8_t {
    none,
    own_service, ///< A port of ours where signalling or REST is served.
    multicast,
    broadcast,
    loopback,   ///< From a peer that is not on this host.
    link_local, ///< From a peer that is on no link of ours.
};

/// Words for a Warning header and for a record.
[[nodiscard]] TRUNKLINE_EXPORT std::string_view words(target_fault fault) noexcept;

/// Media is sent to whatever endpoint SDP names, so SDP must not name one that only harm would
/// name. `peer` is the signalling address; `own_services` are endpoints of this process, a wildcard
/// among them standing for each of `own_addresses`.
[[nodiscard]] TRUNKLINE_EXPORT target_fault
fault_of(const endpoint& described, const address& peer, std::span<const endpoint> own_services,
         std::span<const address> own_addresses) noexcept;

} // namespace trunkline::calls
