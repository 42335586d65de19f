// Where gateways' names lead to, RFC 3263 section 4.2, kept fresh: calls in are known by it, and
// calls out need not wait for DNS.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/core/address.hpp>
#include <trunkline/core/entropy.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/flow.hpp>
#include <trunkline/core/outbox.hpp>
#include <trunkline/core/time.hpp>
#include <trunkline/core/timer_wheel.hpp>
#include <trunkline/trunk/config.hpp>
#include <trunkline/trunk/name_records.hpp>

namespace trunkline::trunks {

/// A gateway as it is configured: what of it decides how it is looked up.
struct gateway_name {
    std::string host;
    std::uint16_t port = 0; ///< 0 asks for SRV first; with a port there are addresses only.
    transport over = transport::udp;

    [[nodiscard]] static gateway_name of(const gateway& one) {
        return {one.host, one.port, one.transport.value_or(transport::udp)};
    }
    friend auto operator<=>(const gateway_name&, const gateway_name&) = default;
};

/// One that is asked about, and not copied for it.
struct gateway_name_view {
    std::string_view host;
    std::uint16_t port = 0;
    transport over = transport::udp;

    gateway_name_view(const gateway_name& of) noexcept
        : host{of.host},
          port{of.port},
          over{of.over} {}
    explicit gateway_name_view(const gateway& of) noexcept
        : host{of.host},
          port{of.port},
          over{of.transport.value_or(transport::udp)} {}
    friend auto operator<=>(const gateway_name_view&, const gateway_name_view&) = default;
};

/// As it stands in a URI: brackets around IPv6, and the port unless it is 0.
[[nodiscard]] TRUNKLINE_EXPORT std::string in_uri(std::string_view host, std::uint16_t port);

/// An IP address stands for itself. A name in the hosts file means what is written there. Else SRV
/// records count where no port is given, and where there are none, the name's own addresses.
///
/// Those of trunks come from the configuration alone, or from answers about it, and never from a
/// peer, whose names are kept apart (peer_names).
/// An answer is used until the next one, however old: a dead name server must not stop calls to a
/// gateway that has not moved.
class TRUNKLINE_EXPORT gateway_names {
public:
    static constexpr std::uint16_t timer_kind = 7;

    /// `first_token`: of its questions, for who has several of these on one driver.
    gateway_names(timer_wheel& wheel, entropy& random, std::uint64_t first_token = 1) noexcept
        : wheel_{wheel},
          random_{random},
          records_{first_token} {
        timer_.kind = timer_kind;
    }
    gateway_names(const gateway_names&) = delete;
    gateway_names& operator=(const gateway_names&) = delete;
    ~gateway_names() { wheel_.disarm(timer_); }

    /// Names in use; others are forgotten, new ones are looked up at once.
    void keep(const std::vector<gateway_name>& names, time_point now, outbox& out);
    /// True when the answer was for one of ours.
    bool receive(const inputs::resolved& answer, time_point now, outbox& out);
    void fire(time_point now, outbox& out);

    /// In the order in which they are to be tried, which is drawn anew for every call; at most
    /// limits::gateway_addresses, none of them twice.
    [[nodiscard]] std::vector<endpoint> find(const gateway_name& of) const;
    /// Whether any target of the name has this address, whatever its port.
    [[nodiscard]] bool stands_for(const gateway_name_view& of, const address& what) const;
    /// Whether any name that is kept stands for it. This is asked for whatever comes from anybody.
    [[nodiscard]] bool lead_to(const address& what) const;
    /// Whether it is known where the name leads to, or was not found out in time.
    [[nodiscard]] bool settled(const gateway_name& of) const;

private:
    using targets = std::vector<sip::dns::service>;
    struct by_value {
        using is_transparent = void;
        [[nodiscard]] bool operator()(const gateway_name_view& a,
                                      const gateway_name_view& b) const noexcept {
            return a < b;
        }
    };
    struct entry {
        targets in_use;
        std::vector<address> addresses; ///< Of these, sorted.
        targets coming;                 ///< Takes the place of those in use once it is known,
        time_point decide_by{};         ///< or then, if it leads anywhere.
        bool undecided = true;
        bool settled = false;
    };
    [[nodiscard]] targets targets_of(const gateway_name& of) const;
    /// Whether SRV has its say for this name: no port, and no word of the hosts file.
    [[nodiscard]] bool by_service(const gateway_name& of) const;
    /// Whether this holds for all records that decide: name_record::answered or good.
    [[nodiscard]] bool all(bool name_record::*holds, const gateway_name& of,
                           const targets& among) const;
    [[nodiscard]] bool lead_anywhere(const targets& among) const;
    /// True when other records are wanted than before.
    bool decide(const gateway_name& of, entry& about, time_point now);
    void keep_records(time_point now, outbox& out);
    /// Puts together where names lead to; whatever may have changed that calls it.
    void gather();
    void arm();

    timer_wheel& wheel_;
    entropy& random_;
    timer_node timer_;
    name_records records_;
    std::map<gateway_name, entry, by_value> entries_;
    std::vector<address> literals_;  ///< Gateways that are addresses.
    std::vector<address> addresses_; ///< Of all, sorted.
};

} // namespace trunkline::trunks
