// Trunks as the operator keeps them by REST: what the database holds and the API shows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <trunkline/trunk/config.hpp>

namespace softswitch {

struct gateway_row {
    std::string id{};
    std::string host{};
    std::uint16_t port = 5060;
    unsigned priority = 1; ///< Lower ones first, equal ones as they were added.
};

/// Where calls of a trunk come from, beside its gateways.
struct ip_acl_row {
    std::string id{};
    std::string cidr{}; ///< A bare address is kept as /32 or /128.
};

struct number_row {
    std::string id{};
    std::string trunk_id{};
    std::string e164{};            ///< "+14155550100", or "*" for every number.
    std::string destination_key{}; ///< As the carrier sends it, where that is something else.
    std::string agent_id{};        ///< A built-in agent or a ws:// URL; empty: the trunk's.
    std::string fallback_agent_id{};
};

struct trunk_row {
    std::string id{};
    std::string name{}; ///< 1 to 100 characters, unique over database and configuration file.
    std::string description{};
    std::string preset{"custom"}; ///< Whose trunk it is. A label only.
    bool is_active = true;
    bool inbound_enabled = true;
    bool outbound_enabled = true;
    unsigned channels = 30; ///< Calls at a time, in and out together, 1 to 1000.
    unsigned cps = 30;      ///< New calls a second, for each direction, 1 to 10000.
    std::string default_inbound_agent_id{};
    std::string fallback_agent_id{};
    std::string auth_username{};
    std::string
        auth_password{}; ///< In the clear here, encrypted in the database, never in answers.
    unsigned register_expires = 0; ///< 60 to 3600 seconds; 0: it does not register.
    std::string transport{"udp"};
    bool outbound_leading_plus_enabled = true;
    std::string caller_id{};                   ///< From of calls that do not say otherwise.
    std::vector<std::string> allow_prefixes{}; ///< Of what is dialled; none: all.
    std::optional<std::vector<std::string>> deny_prefixes{}; ///< Not given: the library's.
    unsigned calls_per_token = 0;                            ///< 0 is without limit.
    bool allow_emergency = false;
    trunkline::rtp_symmetry rtp_symmetric = trunkline::rtp_symmetry::automatic;
    std::vector<std::string> media_from{}; ///< Addresses and networks.
    std::vector<trunkline::codec_name> codecs{trunkline::codec_name::pcmu,
                                              trunkline::codec_name::pcma};
    std::string created_at{}; ///< "2026-08-02T06:30:00.123Z"
    std::string updated_at{};
    std::vector<gateway_row> gateways{}; ///< At most 8.
    std::vector<ip_acl_row> ip_acls{};
    std::vector<number_row> numbers{};
};

} // namespace softswitch
