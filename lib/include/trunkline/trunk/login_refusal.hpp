// A wrong answer to a challenge of ours, for who keeps guessers out.
#pragma once

#include <string>

#include <trunkline/core/address.hpp>

namespace trunkline {

/// One for each wrong password and each unknown user, whatever the method of the request was. Its
/// source has been shown to be its sender's: the nonce that was answered had been sent there.
struct login_refusal {
    std::string trunk{};
    endpoint source{};
    std::string user{};  ///< As its sender wrote it: bytes of a stranger.
    bool banned = false; ///< From now on the source is not answered for ten minutes.
};

} // namespace trunkline
