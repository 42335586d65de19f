// Names that peers put into Contact and Record-Route: looked up when a request comes from an
// address that only they could explain.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <trunkline/core/address.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/outbox.hpp>
#include <trunkline/core/time.hpp>
#include <trunkline/trunk/gateway_names.hpp>

namespace trunkline::trunks {

/// Most calls never ask: their requests come from where their INVITE came. A name is kept for as
/// long as a request may be repeated after its lookup (64*T1), so that a peer decides neither how
/// many names are kept nor how often the DNS is asked.
class TRUNKLINE_EXPORT peer_names {
public:
    enum class finding : std::uint8_t { no, yes, pending };
    static constexpr std::size_t most = 64;
    static constexpr duration kept = std::chrono::seconds{32};

    peer_names(timer_wheel& wheel, entropy& random) noexcept : names_{wheel, random, first_token} {}

    /// `pending` begins a lookup, or waits for one: ask again after receive() or fire().
    [[nodiscard]] finding lead_to(const address& what, const std::vector<gateway_name>& names,
                                  time_point now, outbox& out);
    /// True when the answer was for one of ours.
    bool receive(const inputs::resolved& what, time_point now, outbox& out) {
        return names_.receive(what, now, out);
    }
    void fire(time_point now, outbox& out);

private:
    /// Apart from those of gateways.
    static constexpr std::uint64_t first_token = 1ULL << 62U;
    struct wanted {
        gateway_name name;
        time_point until;
    };
    void keep(time_point now, outbox& out);

    gateway_names names_;
    std::vector<wanted> wanted_;
};

} // namespace trunkline::trunks
