#include "stream_socket.hpp"

#include <cerrno>
#include <utility>

#include <netinet/tcp.h>

namespace trunkline::net {

namespace {

// A peer that acknowledges nothing for this long is gone: Timer B, after which no call waits.
constexpr int silent_milliseconds = 32'000;

void set(int socket, int level, int option, int value) noexcept {
    static_cast<void>(::setsockopt(socket, level, option, &value, sizeof value));
}

[[nodiscard]] int family_of(const address& at) noexcept {
    return at.is_v4() ? AF_INET : AF_INET6;
}

[[nodiscard]] descriptor open_stream(const address& family) noexcept {
    descriptor made{
        ::socket(family_of(family), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP)};
    if (made && !family.is_v4()) set(made.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
    return made;
}

void prepare(int socket, bool ipv4) noexcept {
    // A message is whole when it is written: nothing is gained by waiting for more.
    set(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    set(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, silent_milliseconds);
    set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
    const auto marking = static_cast<int>(traffic::signalling);
    if (ipv4)
        set(socket, IPPROTO_IP, IP_TOS, marking);
    else
        set(socket, IPPROTO_IPV6, IPV6_TCLASS, marking);
}

} // namespace

std::error_code listen_stream(const endpoint& at, descriptor& into) {
    auto opened = open_stream(at.address);
    if (!opened) return last_error();
    // Connections of the process before us may still be closing.
    set(opened.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    socket_address local;
    const auto size = to_socket(at, local);
    if (::bind(opened.get(), &local.any, size) != 0) return last_error();
    if (::listen(opened.get(), SOMAXCONN) != 0) return last_error();
    into = std::move(opened);
    return {};
}

std::optional<accepted_stream> accept_stream(int listener, int& failed) noexcept {
    socket_address from{};
    socklen_t size = sizeof from;
    descriptor taken{::accept4(listener, &from.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    failed = taken ? 0 : errno;
    if (!taken) return std::nullopt;
    const auto peer = to_core(from);
    prepare(taken.get(), peer.address.is_v4());
    return accepted_stream{std::move(taken), peer};
}

std::error_code connect_stream(const std::optional<address>& from, const endpoint& to,
                               descriptor& into) {
    auto opened = open_stream(to.address);
    if (!opened) return last_error();
    prepare(opened.get(), to.address.is_v4());
    socket_address text;
    if (from) {
        // The port is drawn when the peer is known, so that none is used up by its own address.
        set(opened.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
        const auto size = to_socket({*from, 0}, text);
        if (::bind(opened.get(), &text.any, size) != 0) return last_error();
    }
    const auto size = to_socket(to, text);
    if (::connect(opened.get(), &text.any, size) != 0 && errno != EINPROGRESS) return last_error();
    into = std::move(opened);
    return {};
}

int connect_result(int socket) noexcept {
    int failed = 0;
    socklen_t size = sizeof failed;
    if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &failed, &size) != 0) return errno;
    return failed;
}

/// A port that is closed is a matter of who listens, not of the route.
cause connect_cause(int failed) noexcept {
    const bool routed = failed == ECONNREFUSED || cause_of(failed) != cause::unreachable;
    return routed ? cause::connect_failed : cause::unreachable;
}

std::size_t write_stream(int socket, std::span<const std::byte> bytes, int& failed) noexcept {
    const auto count = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    failed = count < 0 ? errno : 0;
    return count < 0 ? 0 : static_cast<std::size_t>(count);
}

std::span<std::byte> read_stream(int socket, std::span<std::byte> into, int& failed) noexcept {
    const auto count = ::recv(socket, into.data(), into.size(), 0);
    failed = count < 0 ? errno : 0;
    return into.first(count < 0 ? 0 : static_cast<std::size_t>(count));
}

void end_stream(int socket) noexcept {
    static_cast<void>(::shutdown(socket, SHUT_WR));
}

bool out_of_descriptors(int failed) noexcept {
    return failed == EMFILE || failed == ENFILE || failed == ENOBUFS || failed == ENOMEM;
}

} // namespace trunkline::net
