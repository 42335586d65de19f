// Trunks as an operator describes them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <trunkline/call/rtp_symmetry.hpp>
#include <trunkline/core/flow.hpp>
#include <trunkline/core/result.hpp>

namespace trunkline {

/// Where calls of a trunk go. The host is an IP address or a name.
struct gateway {
    std::string host{};
    std::uint16_t port = 0; ///< 0: as SRV records say, 5060 without any.
    unsigned priority = 1;  ///< From 0 on. Lower ones first; equal ones in the order they stand in.
    std::optional<trunkline::transport> transport{}; ///< Overrides the trunk's.

    friend bool operator==(const gateway&, const gateway&) = default;
};

/// Who we are to a carrier by TLS, and whom we take for it. Files hold PEM.
struct tls_rules {
    std::string ca{};          ///< Who vouches for the carrier; empty: whom the system trusts.
    std::string certificate{}; ///< Shown where the carrier asks for one, its chain behind it,
    std::string key{};         ///< and its key.
    std::string server_name{}; ///< Of the carrier; empty: the gateway's host.
    bool wildcards = false;    ///< "*.example.net" may stand for one label, which RFC 5922 forbids.
    bool verify = true;        ///< Anybody is taken for the carrier when it is off.

    friend bool operator==(const tls_rules&, const tls_rules&) = default;
};

/// Digest credentials.
struct userpass {
    std::string username{};
    std::string password{};
    /// Ours to answer: only this one; empty takes any. Ours to challenge: its name.
    std::string realm{};
    /// Ours to challenge: many callers give up on SHA-256, even where MD5 is offered beside it.
    bool md5_only = false;

    friend bool operator==(const userpass&, const userpass&) = default;
};

/// A carrier that sends calls only to whoever has registered (RFC 3261 section 10): as
/// `auth->username` at the first gateway that takes it.
struct registration_config {
    std::chrono::seconds expires{300}; ///< Asked for, 60 to 3600; the carrier grants what it likes.

    friend bool operator==(const registration_config&, const registration_config&) = default;
};

/// A telephone number of a trunk. "*" stands for every number.
struct did {
    std::string number{};
    std::string agent{};    ///< For the application: which of its agents answers,
    std::string fallback{}; ///< and which one when that one cannot.
};

enum class codec_name : std::uint8_t { pcmu, pcma };

/// Reliable provisional responses, RFC 3262: not spoken, spoken when the carrier asks for them, or
/// insisted upon.
enum class prack_policy : std::uint8_t { off, supported, required };

/// Behind a 1:1 NAT, `at` is what sockets are bound to and `advertise` what the world is told.
/// Empty: the routed local address, and what `at` says.
struct addresses {
    std::string at{};
    std::string advertise{};
};

/// Of what rings; a call that nobody picks up for a day is forgotten.
inline constexpr std::chrono::seconds longest_ringing{86'400};

struct trunk_config {
    std::string name{}; ///< 1 to 100 characters, unique.
    std::vector<gateway> gateways{};
    /// How gateways are spoken to. None: by UDP, and by TCP what is too large for it (RFC 3261
    /// section 18.1.1), where we listen for TCP, too.
    std::optional<trunkline::transport> transport{};
    std::optional<userpass> auth{};         ///< What the carrier's challenges are answered with.
    std::optional<userpass> inbound_auth{}; ///< What the carrier has to know. Most know nothing.
    std::optional<registration_config> registration{}; ///< Needs auth and a gateway.
    std::vector<std::string> allow_from{}; ///< Addresses and networks its calls come from.
    std::vector<did> numbers{};
    std::string default_agent{};    ///< For numbers without one.
    std::string default_fallback{}; ///< For numbers without a fallback.
    std::vector<codec_name> codecs{codec_name::pcmu,
                                   codec_name::pcma}; ///< The preferred one first.
    std::string caller_id{};        ///< From of outbound calls that do not say otherwise.
    unsigned channels = 30;         ///< Calls at a time, in and out together, 1 to 1000.
    unsigned calls_per_second = 30; ///< New ones, for each direction, 1 to 100000.
    /// What is dialled begins with one of these: "+49", or "49" for an extension, too. None: all
    /// do.
    std::vector<std::string> allow_prefixes{};
    /// What is not dialled, even where it is allowed. Not given: default_deny_prefixes(), which are
    /// premium rate and satellite numbers; an empty list denies nothing.
    std::optional<std::vector<std::string>> deny_prefixes{};
    unsigned calls_per_token = 0; ///< At a time, of one dial_request::token. 0 is without limit.
    bool allow_emergency = false; ///< 112, 911 and the others of emergency_numbers() are dialled.
    bool inbound = true;
    bool outbound = true;
    /// Dialled numbers begin with "+", or never do. Short codes, such as 911, are as they stand.
    bool leading_plus = true;
    /// Which sources of media are believed, and where media is sent to.
    rtp_symmetry rtp_symmetric = rtp_symmetry::automatic;
    std::vector<std::string> media_from{}; ///< Addresses and networks that media may come from.
    /// 1 ms to 1 h. Without any response in it, the next gateway is tried.
    std::chrono::milliseconds gateway_timeout{5'000};
    std::chrono::seconds ringing_timeout{60}; ///< 1 s to 24 h, until somebody answers.
    /// RFC 4028: how long a call may go on without a sign of life, `min_se` to 24 h. 0 asks for
    /// none.
    std::chrono::seconds session_expires{1'800};
    /// The shortest interval that a carrier may ask for, 90 s to 1 h.
    std::chrono::seconds min_se{90};
    prack_policy prack = prack_policy::supported;
    // Below the lists: above them g++ 12 suspects that it is destroyed before it is made.
    tls_rules tls{};        ///< For gateways by TLS.
    addresses signalling{}; ///< Only `advertise` counts: overrides the listener's.
    addresses media{};      ///< Overrides the manager's.
    std::vector<std::pair<std::string, std::string>> headers{}; ///< Of every INVITE we send.
};

/// What is wrong with a configuration: `gateways[1].host`, the rule, and a sentence.
struct config_error {
    std::string field{};
    std::string rule{};
    std::string message{};
};

enum class trunk_id : std::uint32_t {};

} // namespace trunkline
