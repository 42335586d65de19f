// A WebSocket as its client: plain or TLS, from the name to the close frame. Lives on the thread of
// its io_context.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <asio/io_context.hpp>
#include <asio/ssl/context.hpp>

#include "agent_protocol.hpp"
#include "handshake.hpp"
#include "socket_url.hpp"

namespace softswitch {

struct connecting {
    std::chrono::milliseconds within{3'000};
    /// Loopback, private and link-local addresses may be connected to. What a name resolves to is
    /// what counts, and is what is connected to.
    bool allow_private = false;
};

class web_socket {
public:
    /// Larger messages end the connection with 1009.
    static constexpr std::size_t longest_message = 4 * 1'024 * 1'024;
    /// What an agent may send at once, and each second after that: 65 times what a call can play,
    /// and little enough that reading it delays nobody.
    static constexpr std::size_t burst = 8 * 1'024 * 1'024;
    static constexpr std::size_t bytes_a_second = 1'024 * 1'024;

    /// Told of everything, once `closed` of nothing more.
    class user {
    public:
        user() = default;
        user(const user&) = delete;
        user& operator=(const user&) = delete;
        virtual ~user() = default;

        virtual void opened() = 0;
        virtual void received(wire_message& message) = 0;
        virtual void ponged() = 0;
        /// The socket can take a message: false when there is none.
        [[nodiscard]] virtual bool next_message(wire_message& into) = 0;
        /// What it reads was held back for a while, because it sent too much.
        virtual void reading_again() = 0;
        /// A code is a close frame's. In any case it is over; `why` is the end of a sentence.
        virtual void closed(std::optional<std::uint16_t> code, std::string_view why) = 0;
    };

    web_socket() = default;
    web_socket(const web_socket&) = delete;
    web_socket& operator=(const web_socket&) = delete;
    virtual ~web_socket() = default;

    /// Begins to connect. `who` has to live until it is told closed(), or until abandon().
    [[nodiscard]] static std::shared_ptr<web_socket>
    connect(asio::io_context& io, asio::ssl::context& tls, const socket_url& to,
            const socket_identity& as, const connecting& how, user& who);

    /// There may be messages to send.
    virtual void flush() = 0;
    virtual void ping() = 0;
    /// Sends a close frame behind all else and waits a second for the answer. The user is told
    /// nothing more.
    virtual void leave(std::uint16_t code) = 0;
    /// Closes now. The user is told nothing more.
    virtual void abandon() = 0;
};

} // namespace softswitch
