// A TCP socket of the far end that shares no code with the library's.
#pragma once

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <trunkline/core/address.hpp>

namespace trunkline::support {

[[nodiscard]] inline socklen_t fill(sockaddr_storage& into, const endpoint& from) {
    const auto literal = to_text(from.address);
    if (from.address.is_v4()) {
        auto& at = reinterpret_cast<sockaddr_in&>(into);
        at.sin_family = AF_INET;
        at.sin_port = htons(from.port);
        ::inet_pton(AF_INET, literal.c_str(), &at.sin_addr);
        return sizeof at;
    }
    auto& at = reinterpret_cast<sockaddr_in6&>(into);
    at.sin6_family = AF_INET6;
    at.sin6_port = htons(from.port);
    ::inet_pton(AF_INET6, literal.c_str(), &at.sin6_addr);
    return sizeof at;
}

/// One end of a connection; connecting and writing wait, reading does not.
class stream_end {
public:
    explicit stream_end(const endpoint& to)
        : fd_{::socket(to.address.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM, 0)} {
        sockaddr_storage at{};
        const auto size = fill(at, to);
        connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&at), size) == 0;
    }
    explicit stream_end(int fd) : fd_{fd}, connected_{fd >= 0} {}
    stream_end(stream_end&& other) noexcept
        : text{std::move(other.text)},
          ended{other.ended},
          fd_{std::exchange(other.fd_, -1)},
          connected_{other.connected_} {}
    stream_end& operator=(stream_end&&) = delete;
    ~stream_end() { close(); }

    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }
    void end() const { ::shutdown(fd_, SHUT_WR); }
    /// Goes without a word, as a machine that was switched off does when it is back.
    void reset() {
        const linger none{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &none, sizeof none);
        close();
    }
    void send(std::string_view what) const {
        static_cast<void>(::send(fd_, what.data(), what.size(), MSG_NOSIGNAL));
    }
    /// Appends what has come; whether there is anything.
    bool receive() {
        std::array<char, 65'536> into;
        const auto count = ::recv(fd_, into.data(), into.size(), MSG_DONTWAIT);
        if (count == 0 || (count < 0 && errno != EAGAIN)) ended = true;
        if (count > 0) text.append(into.data(), static_cast<std::size_t>(count));
        return count > 0;
    }
    [[nodiscard]] bool connected() const { return connected_; }
    [[nodiscard]] int fd() const { return fd_; }

    std::string text;   ///< All that was received.
    bool ended = false; ///< Nothing more comes.

private:
    int fd_;
    bool connected_ = false;
};

/// Somewhere to connect to.
class stream_door {
public:
    explicit stream_door(const endpoint& wanted, int backlog = 16)
        : fd_{::socket(wanted.address.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK,
                       0)} {
        sockaddr_storage at{};
        auto size = fill(at, wanted);
        bound_ =
            ::bind(fd_, reinterpret_cast<sockaddr*>(&at), size) == 0 && ::listen(fd_, backlog) == 0;
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
        const auto port = wanted.address.is_v4() ? reinterpret_cast<sockaddr_in&>(at).sin_port
                                                 : reinterpret_cast<sockaddr_in6&>(at).sin6_port;
        local = {wanted.address, ntohs(port)};
    }
    stream_door(const stream_door&) = delete;
    stream_door& operator=(const stream_door&) = delete;
    ~stream_door() { ::close(fd_); }

    [[nodiscard]] bool bound() const { return bound_; }
    /// Without waiting; not connected when nobody has come.
    [[nodiscard]] stream_end accept() const {
        return stream_end{::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK)};
    }

    endpoint local;

private:
    int fd_;
    bool bound_ = false;
};

} // namespace trunkline::support
