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
    int sip_code = 0;      ///< SIP status of its final response; 0: it sent none.
    /// The gateway's own words where it sent any, else ours; "answered" for a 200.
    std::string reason{};
    duration took{};                           ///< Nanoseconds from our asking for it to its end.
    call_failure failure = call_failure::none; ///< Why there is no status; none where there is one.
    std::vector<std::string> targets{};        ///< URIs in the Contacts of a 3xx, as they stand.
};

/// The first of each kind of provisional response that an outbound call had, 100 excepted.
struct call_progress {
    int sip_code = 0; ///< 101 to 199; never 0 in a record.
    duration at{};    ///< Nanoseconds, counted from the record's `started`.
};

/// One for each call, and for each INVITE that was refused before it was one; of a flood, for some.
struct call_record {
    std::uint64_t id = 0;  ///< call::id(); 0 of an INVITE that was refused before it was a call.
    std::string call_id{}; ///< SIP's; empty: no INVITE was sent.
    trunkline::direction direction = trunkline::direction::inbound;
    std::string trunk{};   ///< Empty when no trunk knew the source.
    std::string gateway{}; ///< Outbound: host:port of the last one that was tried.
    std::string source{};  ///< Address and port of the peer; empty: nothing was sent to one.
    std::string from{};    ///< User part of From.
    std::string to{};      ///< The number called.
    std::string number{};  ///< Inbound: the one of the trunk that matched.
    std::string agent{};   ///< Its name, where it has one.
    time_point started{};  ///< Protocol time; see trunk_manager::to_unix().
    /// The first 180. Nanoseconds counted from `started`, as all times below; none: no 180 came.
    std::optional<duration> ringing{};
    std::optional<duration> answered{};    ///< The 200; none: there was no conversation.
    std::optional<duration> first_heard{}; ///< First RTP from the peer,
    std::optional<duration> first_said{};  ///< and first speech to it; none: none was.
    duration lasted{};                     ///< To the end of the call; 0: it ended at once.
    trunkline::ended_by ended_by = trunkline::ended_by::local_error;
    /// The final SIP status that one side sent to the other. 0: neither sent one, as in a call that
    /// we hung up or that no gateway was reached for: `failure` and `reason` say why.
    int sip_code = 0;
    bool by_wire = false; ///< Whether `sip_code` was sent or received; false where it is 0.
    call_failure failure = call_failure::none; ///< Ours, where no status says why.
    std::string reason{};                      ///< Why it ended, in our words.
    std::string carrier_words{};               ///< In the peer's: reason phrase, Reason, Warning.
    diagnostic refused = diagnostic::none;     ///< Why an INVITE was refused.
    std::string codec{};                       ///< Of the audio; empty: nothing was agreed.
    media_statistics media{};                  ///< All 0 where no media port was opened.
    std::vector<attempt> attempts{};           ///< Outbound: each gateway tried, oldest first.
    std::vector<call_progress> progress{};     ///< Outbound: provisional responses, oldest first.
};

} // namespace trunkline
