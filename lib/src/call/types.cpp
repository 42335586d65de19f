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

} // namespace trunkline
