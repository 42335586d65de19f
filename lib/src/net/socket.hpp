// Descriptors that close themselves, and our addresses in the socket layer's clothes.
#pragma once

#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>

#include <trunkline/core/address.hpp>
#include <trunkline/core/flow.hpp>

namespace trunkline::net {

class descriptor {
public:
    descriptor() = default;
    explicit descriptor(int fd) noexcept : fd_{fd} {}
    descriptor(descriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    descriptor& operator=(descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~descriptor();

    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    int fd_ = -1;
};

union socket_address {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
};

/// Returns the length. A socket for IPv4 takes no mapped address, and one for IPv6 nothing else.
socklen_t to_socket(const endpoint& from, socket_address& into) noexcept;
[[nodiscard]] endpoint to_core(const socket_address& from) noexcept;
[[nodiscard]] endpoint local_of(int socket) noexcept;

[[nodiscard]] std::error_code last_error() noexcept;
/// Nothing to read, or no room to write: no error.
[[nodiscard]] bool just_empty(int failed) noexcept;
/// What ICMP, or our own routing table, has to say about one peer.
[[nodiscard]] bool about_a_peer(int failed) noexcept;
[[nodiscard]] cause cause_of(int failed) noexcept;

enum class traffic : int { media = 0xb8, signalling = 0x60 }; // EF and CS3 (RFC 4594).

struct udp_options {
    traffic kind;
    int receive_buffer;
    bool tells_local = false;  ///< Every datagram comes with the address that it was sent to.
    bool tells_errors = false; ///< ICMP errors go to the error queue.
};

/// Non-blocking, bound, and without the other family: 0.0.0.0 and :: may then share a port.
[[nodiscard]] std::error_code open_udp(const endpoint& at, const udp_options& options,
                                       descriptor& into);

/// The address that packets to `peer` leave from, which only the routing table knows.
[[nodiscard]] std::error_code routed_local(const endpoint& peer, address& into) noexcept;

} // namespace trunkline::net
