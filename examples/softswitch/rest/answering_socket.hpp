// A socket that does not close without a word. RESTinio 0.6 closes when a request is no HTTP, is
// too long or does not come in time, and says why only in its log; a client deserves a 4xx.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include <asio/bind_executor.hpp>
#include <asio/error.hpp>
#include <asio/ip/tcp.hpp>

#include "http.hpp"

namespace softswitch {

class answering_socket;

/// Whose a connection is: an IPv4 address, or the /64 of an IPv6 one, which is a single client's.
using client_address = std::array<std::uint8_t, 8>;
[[nodiscard]] client_address client_of(const asio::ip::address& what);

/// What all sockets of a server share. Used by the server's thread alone.
struct socket_hall {
    std::size_t most_request_bytes = 0; ///< Head and body of one request, as they come.
    http_response too_long{};           ///< What that is answered with.
    http_response too_late{};           ///< What is answered when a request stops half way.
    std::map<std::uint64_t, answering_socket*> open{};
    std::size_t farewells = 0; ///< Closed connections that are still being told why.
    std::string last_error{};  ///< What RESTinio has written to its log just before it closes.

    /// How many connections one client has.
    [[nodiscard]] std::size_t open_of(const client_address& client) const;
};

/// What RESTinio's socket has to be, and it looks at what passes through.
class answering_socket : public asio::ip::tcp::socket {
public:
    using base = asio::ip::tcp::socket;

    /// It is `hall.open[id]` from now on, wherever it is moved to.
    answering_socket(base&& from, socket_hall& hall, std::uint64_t id, client_address of);
    answering_socket(answering_socket&& from) noexcept;
    answering_socket& operator=(answering_socket&&) = delete;
    ~answering_socket();

    answering_socket& lowest_layer() { return *this; }

    template <class Buffers, class Handler>
    void async_read_some(const Buffers& into, Handler&& then) {
        reading_ = true;
        const auto executor = asio::get_associated_executor(then, get_executor());
        base::async_read_some(
            into,
            asio::bind_executor(executor, [this, then = std::forward<Handler>(then)](
                                              asio::error_code failed, std::size_t count) mutable {
                // `then` holds the connection that this socket is part of.
                after_read(failed, count);
                then(failed, count);
            }));
    }
    template <class Buffers, class Handler>
    void async_write_some(const Buffers& from, Handler&& then) {
        received_ = 0;
        base::async_write_some(from, std::forward<Handler>(then));
    }
    /// close() does it, after the last word.
    void shutdown(shutdown_type /*always both*/, asio::error_code& /*there is none*/) {}
    void close();
    [[nodiscard]] const client_address& client() const noexcept { return client_; }

    /// Calls `then` when either side has closed the connection. Only while no request is read, and
    /// `then` has to hold what this socket is part of.
    template <class Handler>
    void async_wait_gone(Handler&& then) {
        async_wait(wait_read, [this, then = std::forward<Handler>(then)](asio::error_code failed) {
            if (failed || at_end()) then();
        });
    }

private:
    void after_read(asio::error_code& failed, std::size_t count);
    [[nodiscard]] http_response last_word() const;
    [[nodiscard]] bool at_end();

    socket_hall* hall_;
    std::uint64_t id_;
    client_address client_;
    std::size_t received_ = 0; ///< Bytes since something was answered.
    bool reading_ = false;
};

/// Sends an answer to whoever is at the other end of `to`, then reads away what still comes for a
/// while: closing at once would make the peer's kernel throw the answer away (RFC 9112
/// section 9.6).
void say_and_close(asio::ip::tcp::socket&& to, const http_response& what, socket_hall& hall);

} // namespace softswitch
