// All sockets of agents, on one thread: no shard ever waits for one, and no agent's slowness is
// another's.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <asio/ssl/context.hpp>

#include "handshake.hpp"
#include "io_thread.hpp"
#include "socket_line.hpp"

namespace softswitch {

struct socket_settings {
    socket_identity identity{};
    std::filesystem::path ca_file{}; ///< Trusted beside the system's; empty: the system's alone.
    std::chrono::milliseconds connect_within{3'000};
    bool allow_private = false; ///< Agents may be on this host, and in private networks.
    /// Hosts and ports of agents that the operator has named in the file or at the command line:
    /// these may be anywhere. REST names agents of other people, too.
    std::set<std::pair<std::string, std::uint16_t>> trusted{};

    /// Trusts the agent, if it is a socket.
    void trust(std::string_view agent);
};

class socket_hub {
public:
    /// Throws std::system_error when the CA file cannot be used.
    socket_hub(const socket_settings& how, io_thread& on);
    socket_hub(const socket_hub&) = delete;
    socket_hub& operator=(const socket_hub&) = delete;
    /// Drops every line. The thread has to have stopped.
    ~socket_hub();

    /// From any thread. `then` is called once, on the sockets' thread.
    void connect(const socket_url& to, socket_line::outcome then);
    /// Lines that still say something, or wait for a close frame. Not from the thread itself.
    [[nodiscard]] std::size_t lines();
    [[nodiscard]] const socket_settings& settings() const noexcept { return how_; }

private:
    socket_settings how_;
    io_thread& on_;
    asio::ssl::context tls_{asio::ssl::context::tls_client};
    std::vector<std::weak_ptr<socket_line>> lines_; ///< On the thread.
};

} // namespace softswitch
