// What a leg is told when it begins: by its trunk, and by whoever wants the call.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <trunkline/call/rtp_symmetry.hpp>
#include <trunkline/rtp/jitter_buffer.hpp>
#include <trunkline/sdp/offer_answer.hpp>

namespace trunkline::calls {

/// RFC 4028: how often a call is to give a sign of life. `expires` of 0 asks for none; what the
/// peer asks for is done all the same.
struct session_intervals {
    std::chrono::seconds expires{1'800};
    std::chrono::seconds least{90}; ///< Our Min-SE.
};

/// What a trunk wants of reliable provisional responses, RFC 3262.
enum class reliability : std::uint8_t {
    off,       ///< Not spoken.
    supported, ///< When the peer asks for it.
    required,  ///< Whenever the peer can; an INVITE that cannot is refused by 421.
};

/// What all calls of a trunk have in common. Immutable: a call keeps the one it began with.
struct leg_settings {
    sdp::codec_list codecs = sdp::both_laws();
    bool dtmf = true;
    rtp_symmetry symmetry = rtp_symmetry::automatic;
    rtp::release delivery = rtp::release::as_arrived;
    session_intervals session{};
    reliability provisionals = reliability::supported;
    std::string auth_username{};
    std::string auth_password{};
    std::string auth_realm{}; ///< Only a challenge of this realm is answered; empty takes any.
    std::string user_agent{}; ///< Of requests; never told to strangers.
};

/// What an outbound INVITE says.
struct invitation {
    std::string request_uri{};
    std::string from{}; ///< name-addr without a tag.
    std::string to{};
    std::string contact_user{};
    std::vector<std::pair<std::string, std::string>> headers{}; ///< P-Asserted-Identity and others.
};

} // namespace trunkline::calls
