// A trunk_manager with one trunk and no restrictions, which is all that a telephone line is.
#pragma once

#include "options.hpp"

namespace phone {

/// 0 when the call was answered, 1 when it was not. Throws what goes wrong before there is a call.
[[nodiscard]] int call(const call_options& wanted);

/// 0 when as many calls came as were waited for.
[[nodiscard]] int wait(const call_options& wanted);

} // namespace phone
