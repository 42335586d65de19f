// `softswitch token`: who may use the REST interface.
#pragma once

#include <optional>
#include <string>

#include "config.hpp"

namespace softswitch {

struct token_options {
    std::string name{}; ///< Empty: the time it was made at.
    bool list = false;
    std::optional<std::string> revoke{};
};

/// Makes a token, lists their names, or revokes one, also while a switch with the same
/// configuration is running. A new token is all that goes to standard output, and is shown this
/// once. Returns the exit code.
[[nodiscard]] int token(const configuration& of, const token_options& how);

} // namespace softswitch
