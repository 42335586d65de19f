// Places for clients that there is no other place for: they may ask whether we are well.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include <asio/ip/tcp.hpp>

#include "answering_socket.hpp"
#include "http.hpp"

namespace softswitch {

/// Used by the server's thread alone.
class health_places {
public:
    static constexpr std::size_t most = 8;        ///< One more takes the place of the oldest,
    static constexpr std::size_t most_of_one = 2; ///< and of one client, of its own oldest.

    /// `hall` has to outlive it, and `answer` says what GET /healthz is answered with.
    health_places(socket_hall& hall, std::function<http_response()> answer)
        : hall_{hall},
          answer_{std::move(answer)} {}

    /// Reads one request, for a second at most. All but GET /healthz is told `otherwise`.
    void take(asio::ip::tcp::socket&& from, const client_address& client, http_response otherwise);

private:
    class visitor;

    socket_hall& hall_;
    std::function<http_response()> answer_;
    std::deque<std::weak_ptr<visitor>> open_; ///< The oldest first.
};

} // namespace softswitch
