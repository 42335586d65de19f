#include "call_view.hpp"

#include <string_view>

namespace softswitch {

std::string_view name(call_state what) noexcept {
    switch (what) {
    case call_state::initiated: return "initiated";
    case call_state::ringing: return "ringing";
    case call_state::answered: return "answered";
    default: return "ended";
    }
}

} // namespace softswitch
