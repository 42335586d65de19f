// How an HTTP connection becomes a WebSocket, from the client's side (RFC 6455 section 4.1).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <trunkline/core/result.hpp>

#include "socket_url.hpp"

namespace softswitch {

/// Who we are to agents that want to know.
struct socket_identity {
    std::string user_agent{"trunkline-softswitch"};
    std::string account_sid{}; ///< "AC" and 32 hex digits.
    std::string auth_token{};  ///< Signs the URL in X-Twilio-Signature; empty: no such header.
};

class handshake {
public:
    static constexpr std::size_t longest_head = 16'384;

    /// `nonce` is 16 random bytes in base64.
    handshake(const socket_url& to, const socket_identity& who, std::string nonce);

    [[nodiscard]] const std::string& request() const noexcept { return request_; }
    /// Nothing while the head is not whole; then its size, or what is wrong with it, in words.
    [[nodiscard]] trunkline::result<std::optional<std::size_t>, std::string>
    receive(std::string_view bytes) const;

private:
    std::string request_;
    std::string accept_; ///< What shows that the server has read our key.
};

/// Of bytes, with padding.
[[nodiscard]] std::string to_base64(std::string_view bytes);

} // namespace softswitch
