// TCP sockets: listening, accepted, connecting. All non-blocking.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <system_error>

#include <trunkline/core/address.hpp>

#include "socket.hpp"

namespace trunkline::net {

[[nodiscard]] std::error_code listen_stream(const endpoint& at, descriptor& into);

struct accepted_stream {
    descriptor socket;
    endpoint peer;
};
/// The next that waits; `failed` is an errno when there is none.
[[nodiscard]] std::optional<accepted_stream> accept_stream(int listener, int& failed) noexcept;

/// Begins to connect; writable means that it has come to an end, see connect_result(). With `from`
/// packets leave from that address.
[[nodiscard]] std::error_code connect_stream(const std::optional<address>& from, const endpoint& to,
                                             descriptor& into);
/// An errno, or 0 for a connection that stands.
[[nodiscard]] int connect_result(int socket) noexcept;

/// Why there is no connection.
[[nodiscard]] cause connect_cause(int failed) noexcept;

/// How many bytes the socket took; `failed` is an errno, also when it is only full for now.
[[nodiscard]] std::size_t write_stream(int socket, std::span<const std::byte> bytes,
                                       int& failed) noexcept;
/// What was read; empty with `failed` 0 when the peer has closed its half.
[[nodiscard]] std::span<std::byte> read_stream(int socket, std::span<std::byte> into,
                                               int& failed) noexcept;
/// Says that nothing more is coming.
void end_stream(int socket) noexcept;

/// No descriptor is left: the fault is neither the peer's nor the listener's.
[[nodiscard]] bool out_of_descriptors(int failed) noexcept;

} // namespace trunkline::net
