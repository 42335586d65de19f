#include <trunkline/call/types.hpp>

#include <string_view>

namespace trunkline {

std::string_view name(ended_by who) noexcept {
    switch (who) {
    case ended_by::caller: return "caller";
    case ended_by::callee: return "callee";
    case ended_by::carrier: return "carrier";
    case ended_by::application: return "application";
    case ended_by::agent: return "agent";
    case ended_by::timeout: return "timeout";
    case ended_by::local_error: return "local_error";
    }
    return "unknown";
}

std::string_view name(call_failure what) noexcept {
    switch (what) {
    case call_failure::none: return "none";
    case call_failure::no_route: return "no_route";
    case call_failure::not_dialable: return "not_dialable";
    case call_failure::no_channel: return "no_channel";
    case call_failure::no_turn: return "no_turn";
    case call_failure::draining: return "draining";
    case call_failure::name_unresolved: return "name_unresolved";
    case call_failure::not_reached: return "not_reached";
    case call_failure::tls: return "tls";
    case call_failure::gateway_silent: return "gateway_silent";
    case call_failure::gateway_resting: return "gateway_resting";
    case call_failure::not_answered: return "not_answered";
    case call_failure::no_media: return "no_media";
    case call_failure::unusable_answer: return "unusable_answer";
    case call_failure::unacknowledged: return "unacknowledged";
    case call_failure::session_lost: return "session_lost";
    case call_failure::agent_failed: return "agent_failed";
    }
    return "unknown";
}

/// RFC 3261 section 21.1 and RFC 6228.
std::string_view provisional_words(int status) noexcept {
    switch (status) {
    case 100: return "trying";
    case 180: return "ringing";
    case 181: return "call is being forwarded";
    case 182: return "queued";
    case 183: return "session progress";
    case 199: return "early dialog terminated";
    default: return "progress";
    }
}

} // namespace trunkline
