// The REST server: HTTP/1.1 on a thread of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include <trunkline/core/address.hpp>

#include "store/store.hpp"
#include "switch_port.hpp"

namespace softswitch {

struct rest_limits {
    std::size_t connections = 256; ///< One more is answered 503, or that we are well.
    std::size_t per_address = 96;  ///< Of these, for one IPv4 address or one IPv6 /64.
    std::size_t watchers = 64;     ///< Of GET /events, out of the connections; one more is a 503.
    std::size_t body_bytes = std::size_t{1} << 20U;
    /// Of events that a watcher has not read, beside what its socket buffers. Whoever is over it
    /// is cut off, and may come back with Last-Event-ID.
    std::size_t unread_bytes = std::size_t{256} << 10U;
    std::chrono::milliseconds request{10'000}; ///< For a request to come, and for an idle one.
    std::chrono::milliseconds heartbeat{15'000};
};

class rest_server {
public:
    /// Listens and answers from now on. Port 0 takes any. `rows` and `running` have to outlive it;
    /// `rows` is used by no other thread meanwhile. Throws std::system_error when nobody can listen
    /// there.
    rest_server(const trunkline::endpoint& at, store& rows, switch_port& running,
                const rest_limits& limits = {});
    rest_server(const rest_server&) = delete;
    rest_server& operator=(const rest_server&) = delete;
    /// What is being answered is answered; then connections are closed and the thread ends.
    ~rest_server();

    [[nodiscard]] trunkline::endpoint listening() const;

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

} // namespace softswitch
