// The verdict: whether what was said is what was heard.
#pragma once

#include "options.hpp"

namespace phone {

/// Prints the likeness; 0 when SAID is heard and the other sentence is not, 1 otherwise.
[[nodiscard]] int compare(const compare_options& wanted);

} // namespace phone
