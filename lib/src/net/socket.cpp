#include "socket.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <unistd.h>

namespace trunkline::net {

namespace {

void set(int socket, int level, int option, int value) noexcept {
    // All of these are wishes: a kernel that refuses one still carries packets.
    static_cast<void>(::setsockopt(socket, level, option, &value, sizeof value));
}

void set_options(int socket, bool ipv4, const udp_options& options) noexcept {
    set(socket, SOL_SOCKET, SO_RCVBUF, options.receive_buffer);
    const auto marking = static_cast<int>(options.kind);
    if (ipv4) {
        set(socket, IPPROTO_IP, IP_TOS, marking);
        if (options.tells_local) set(socket, IPPROTO_IP, IP_PKTINFO, 1);
        if (options.tells_errors) {
            set(socket, IPPROTO_IP, IP_RECVERR, 1);
            // An INVITE with a long SDP is larger than many paths carry whole: let them cut it.
            set(socket, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
        }
    } else {
        set(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        set(socket, IPPROTO_IPV6, IPV6_TCLASS, marking);
        if (options.tells_local) set(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
        if (options.tells_errors) set(socket, IPPROTO_IPV6, IPV6_RECVERR, 1);
    }
}

[[nodiscard]] int family_of(const endpoint& at) noexcept {
    return at.address.is_v4() ? AF_INET : AF_INET6;
}

} // namespace

descriptor::~descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

socklen_t to_socket(const endpoint& from, socket_address& into) noexcept {
    const auto& bytes = from.address.bytes;
    if (from.address.is_v4()) {
        into.v4 = {};
        into.v4.sin_family = AF_INET;
        into.v4.sin_port = htons(from.port);
        std::memcpy(&into.v4.sin_addr, bytes.data() + 12, 4);
        return sizeof into.v4;
    }
    into.v6 = {};
    into.v6.sin6_family = AF_INET6;
    into.v6.sin6_port = htons(from.port);
    std::memcpy(&into.v6.sin6_addr, bytes.data(), 16);
    return sizeof into.v6;
}

endpoint to_core(const socket_address& from) noexcept {
    endpoint into;
    if (from.any.sa_family == AF_INET) {
        into.address = address::v4(0, 0, 0, 0);
        std::memcpy(into.address.bytes.data() + 12, &from.v4.sin_addr, 4);
        into.port = ntohs(from.v4.sin_port);
    } else if (from.any.sa_family == AF_INET6) {
        std::memcpy(into.address.bytes.data(), &from.v6.sin6_addr, 16);
        into.port = ntohs(from.v6.sin6_port);
    }
    return into;
}

endpoint local_of(int socket) noexcept {
    socket_address at{};
    socklen_t size = sizeof at;
    if (::getsockname(socket, &at.any, &size) != 0) return {};
    return to_core(at);
}

std::error_code last_error() noexcept {
    return {errno, std::system_category()};
}

bool just_empty(int failed) noexcept {
    return failed == EAGAIN || failed == EINTR || failed == ENOBUFS;
}

bool about_a_peer(int failed) noexcept {
    return failed == ECONNREFUSED || failed == EHOSTUNREACH || failed == ENETUNREACH ||
           failed == EHOSTDOWN || failed == ENONET || failed == EACCES || failed == EPERM ||
           failed == EPROTO || failed == ENOPROTOOPT || failed == EMSGSIZE;
}

cause cause_of(int failed) noexcept {
    if (failed == EMSGSIZE) return cause::too_big;
    return about_a_peer(failed) ? cause::unreachable : cause::broken;
}

std::error_code open_udp(const endpoint& at, const udp_options& options, descriptor& into) {
    descriptor opened{
        ::socket(family_of(at), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP)};
    if (!opened) return last_error();
    set_options(opened.get(), at.address.is_v4(), options);
    socket_address local;
    const auto size = to_socket(at, local);
    if (::bind(opened.get(), &local.any, size) != 0) return last_error();
    into = std::move(opened);
    return {};
}

/// Connecting a datagram socket sends nothing; it only asks the routing table.
std::error_code routed_local(const endpoint& peer, address& into) noexcept {
    const descriptor probe{::socket(family_of(peer), SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP)};
    if (!probe) return last_error();
    socket_address to;
    const auto size = to_socket(peer, to);
    if (::connect(probe.get(), &to.any, size) != 0) return last_error();
    into = local_of(probe.get()).address;
    return {};
}

} // namespace trunkline::net
