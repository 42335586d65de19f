#include "call_view.hpp"

#include <string_view>

namespace softswitch {

std::string_view name(call_state what) noexcept {
    switch (what) {
    case call_state::initiated: return "initiated";
    case call_state::progress: return "progress";
    case call_state::forwarded: return "forwarded";
    case call_state::queued: return "queued";
    case call_state::ringing: return "ringing";
    case call_state::answered: return "answered";
    default: return "ended";
    }
}

std::string_view name(const call_event& what) noexcept {
    return what.of_transfer ? "transfer" : name(what.what);
}

} // namespace softswitch
