// What is left of a call: the material of CDRs.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <trunkline/call/types.hpp>
#include <trunkline/core/diagnostic.hpp>
#include <trunkline/core/time.hpp>

namespace trunkline {

/// One gateway that an outbound call was offered to.
struct attempt {
    std::string gateway{}; ///< host:port as configured.
    int sip_code = 0;
    std::string reason{};
    duration took{};
};

/// One for each call, and for each INVITE that was refused before it was one; of a flood, for some.
struct call_record {
    std::uint64_t id = 0;
    std::string call_id{}; ///< SIP's.
    trunkline::direction direction = trunkline::direction::inbound;
    std::string trunk{}; ///< Empty when no trunk knew the source.
    std::string gateway{};
    std::string source{}; ///< Address and port of the peer.
    std::string from{};
    std::string to{};
    std::string number{}; ///< The one that matched.
    std::string agent{};
    time_point started{};              ///< Protocol time; see trunk_manager::to_unix().
    std::optional<duration> ringing{}; ///< All counted from `started`.
    std::optional<duration> answered{};
    std::optional<duration> first_heard{}; ///< First RTP from the peer,
    std::optional<duration> first_said{};  ///< and first speech to it.
    duration lasted{};
    trunkline::ended_by ended_by = trunkline::ended_by::local_error;
    int sip_code = 0;
    std::string reason{};
    std::string carrier_words{};
    diagnostic refused = diagnostic::none; ///< Why an INVITE was refused.
    std::string codec{};
    media_statistics media{};
    std::vector<attempt> attempts{};
};

} // namespace trunkline
