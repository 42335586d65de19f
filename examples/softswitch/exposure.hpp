// What a configuration leaves open to strangers, or closed to its own callers by mistake.
#pragma once

#include "config.hpp"

namespace softswitch {

/// Passwords that are guessed, numbers that anybody may call, trunks that never see their calls,
/// and carriers that anybody may pass for.
void warn_of_exposure(const configuration& of, problems& into);

} // namespace softswitch
