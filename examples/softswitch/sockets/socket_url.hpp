// Where an agent listens: ws://host[:port][/path] or wss://.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <trunkline/core/result.hpp>

namespace softswitch {

struct socket_url {
    bool secure = false; ///< wss: TLS, and the host's name is verified.
    std::string host{};  ///< A name or an address, without brackets.
    std::uint16_t port = 0;
    std::string target{"/"}; ///< Path and query.
    std::string text{};      ///< As it was written.

    /// What stands in a Host header: the port only where it is not the scheme's.
    [[nodiscard]] std::string authority() const;
    /// The error is a sentence's end.
    [[nodiscard]] static trunkline::result<socket_url, std::string> parse(std::string_view text);
};

/// Does an agent's name begin as a socket's does?
[[nodiscard]] bool is_socket_url(std::string_view text) noexcept;

} // namespace softswitch
