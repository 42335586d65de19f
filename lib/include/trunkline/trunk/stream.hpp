// One connection as the engine has it: what has come of a message, and how long it may be silent.
#pragma once

#include <chrono>
#include <optional>

#include <trunkline/core/flow.hpp>
#include <trunkline/core/time.hpp>
#include <trunkline/core/timer_wheel.hpp>
#include <trunkline/sip/framer.hpp>

namespace trunkline::trunks {

struct stream {
    // From the first byte of a message to its last: what only a slow-loris needs more than.
    static constexpr duration message_patience = std::chrono::seconds{10};
    // Until whoever connected has said something that makes sense from somebody we know.
    static constexpr duration stranger_patience = std::chrono::seconds{10};
    // Keep-alives: no NAT forgets a connection sooner (RFC 5626 section 4.4.1 has 95 to 120 s).
    static constexpr duration ping_interval = std::chrono::seconds{95};
    static constexpr duration pong_patience = std::chrono::seconds{10};
    // What has neither calls nor messages, and is not the way to a registrar.
    static constexpr duration idle_patience = std::chrono::minutes{10};

    sip::framer framer{};
    flow_id flow{};
    timer_node timer{};
    bool ours = false;          ///< We connected.
    bool known = false;         ///< Its peer is a trunk's.
    bool gone = false;          ///< We closed it; what is still read of it is nobody's.
    bool answers_pings = false; ///< From then on it is broken when it does not.
    time_point opened{};
    time_point heard{}; ///< A byte,
    time_point spoke{}; ///< and a whole message, or when the last call left it.
    std::optional<time_point> partial_since{};
    std::optional<time_point> pinged{};
};

} // namespace trunkline::trunks
