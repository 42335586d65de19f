// A socket of the far end that shares no code with the library's.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <trunkline/core/address.hpp>

namespace trunkline::support {

/// A telephone of the far end: one plain socket.
class far_end {
public:
    explicit far_end(const char* address = "127.0.0.1", bool v6 = false, std::uint16_t port = 0)
        : fd_{::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)} {
        sockaddr_storage at{};
        const auto size = fill(at, address, port, v6);
        bound_ = ::bind(fd_, reinterpret_cast<sockaddr*>(&at), size) == 0;
    }
    far_end(const far_end&) = delete;
    far_end& operator=(const far_end&) = delete;
    ~far_end() { close(); }

    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }
    void send(const endpoint& to, std::string_view what) const {
        sockaddr_storage at{};
        const auto literal = to_text(to.address);
        const auto size = fill(at, literal.c_str(), to.port, !to.address.is_v4());
        static_cast<void>(
            ::sendto(fd_, what.data(), what.size(), 0, reinterpret_cast<sockaddr*>(&at), size));
    }
    bool receive() {
        std::array<char, 65'536> into;
        sockaddr_storage at{};
        socklen_t size = sizeof at;
        const auto count = ::recvfrom(fd_, into.data(), into.size(), MSG_DONTWAIT,
                                      reinterpret_cast<sockaddr*>(&at), &size);
        if (count < 0) return false;
        text.assign(into.data(), static_cast<std::size_t>(count));
        from = read(at);
        return true;
    }
    [[nodiscard]] endpoint local() const {
        sockaddr_storage at{};
        socklen_t size = sizeof at;
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
        return read(at);
    }
    [[nodiscard]] bool bound() const { return bound_; }
    [[nodiscard]] int fd() const { return fd_; }

    std::string text; ///< What was received last,
    endpoint from;    ///< and from whom.

private:
    static socklen_t fill(sockaddr_storage& into, const char* literal, std::uint16_t port,
                          bool v6) {
        if (v6) {
            auto& at = reinterpret_cast<sockaddr_in6&>(into);
            at.sin6_family = AF_INET6;
            at.sin6_port = htons(port);
            ::inet_pton(AF_INET6, literal, &at.sin6_addr);
            return sizeof at;
        }
        auto& at = reinterpret_cast<sockaddr_in&>(into);
        at.sin_family = AF_INET;
        at.sin_port = htons(port);
        ::inet_pton(AF_INET, literal, &at.sin_addr);
        return sizeof at;
    }
    static endpoint read(const sockaddr_storage& at) {
        std::array<char, 64> literal{};
        if (at.ss_family == AF_INET6) {
            const auto& v6 = reinterpret_cast<const sockaddr_in6&>(at);
            ::inet_ntop(AF_INET6, &v6.sin6_addr, literal.data(), literal.size());
            return {*address::parse(literal.data()), ntohs(v6.sin6_port)};
        }
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(at);
        ::inet_ntop(AF_INET, &v4.sin_addr, literal.data(), literal.size());
        return {*address::parse(literal.data()), ntohs(v4.sin_port)};
    }

    int fd_;
    bool bound_ = false;
};

} // namespace trunkline::support
