// A client of bytes: it sends what a test wants, which need not be HTTP, and waits patiently.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <doctest/doctest.h>

#include <trunkline/core/address.hpp>

namespace softswitch::testing {

class http_client {
public:
    struct answer {
        int status = 0; ///< 0: the connection was closed without one.
        std::string head{};
        std::string body{};
    };

    /// `from` is an address of this host.
    explicit http_client(const trunkline::endpoint& to, int receive_buffer = 0,
                         const char* from = nullptr)
        : file_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        REQUIRE(file_ >= 0);
        const timeval patience{30, 0};
        ::setsockopt(file_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::setsockopt(file_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        if (receive_buffer != 0) {
            ::setsockopt(file_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        }
        if (from != nullptr) {
            sockaddr_in ours{};
            ours.sin_family = AF_INET;
            REQUIRE(::inet_pton(AF_INET, from, &ours.sin_addr) == 1);
            REQUIRE(::bind(file_, reinterpret_cast<const sockaddr*>(&ours), sizeof ours) == 0);
        }
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(to.port);
        std::memcpy(&at.sin_addr, to.address.bytes.data() + 12, 4);
        REQUIRE(::connect(file_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    }
    http_client(http_client&& from) noexcept
        : file_{std::exchange(from.file_, -1)},
          unread_{std::move(from.unread_)} {}
    http_client& operator=(http_client&&) = delete;
    ~http_client() { close(); }

    void close() {
        if (file_ >= 0) ::close(std::exchange(file_, -1));
    }
    /// With RST rather than FIN.
    void reset() {
        const linger at_once{1, 0};
        ::setsockopt(file_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close();
    }
    void end_sending() { ::shutdown(file_, SHUT_WR); }

    /// False when the peer has closed; how much was taken until then is nobody's business.
    bool send(std::string_view text) {
        while (!text.empty()) {
            const auto sent = ::send(file_, text.data(), text.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            text.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    /// False when the peer has closed, or said nothing for very long.
    bool receive() {
        char some[16'384];
        const auto count = ::recv(file_, some, sizeof some, 0);
        if (count <= 0) return false;
        unread_.append(some, static_cast<std::size_t>(count));
        return true;
    }
    /// Whether something comes, or the peer closes, in so many milliseconds.
    [[nodiscard]] bool has_something(int milliseconds) const {
        pollfd what{file_, POLLIN, 0};
        return !unread_.empty() || ::poll(&what, 1, milliseconds) > 0;
    }
    /// Up to and with `end`; empty when it does not come.
    std::string receive_until(std::string_view end) {
        std::size_t at = 0;
        while ((at = unread_.find(end)) == std::string::npos) {
            if (!receive()) return {};
        }
        auto text = unread_.substr(0, at + end.size());
        unread_.erase(0, text.size());
        return text;
    }
    answer read_answer() {
        answer made;
        made.head = receive_until("\r\n\r\n");
        if (made.head.empty()) return made;
        made.status = number_after(made.head, "HTTP/1.1 ");
        const auto length = static_cast<std::size_t>(number_after(made.head, "Content-Length: "));
        while (unread_.size() < length) {
            if (!receive()) return {};
        }
        made.body = unread_.substr(0, length);
        unread_.erase(0, length);
        return made;
    }
    /// Everything is read that was sent before the peer closed; false if it does not close.
    bool wait_closed() {
        char some[16'384];
        while (true) {
            const auto count = ::recv(file_, some, sizeof some, 0);
            if (count == 0) return true;
            if (count < 0) return errno == ECONNRESET;
        }
    }

    answer ask(std::string_view method, std::string_view path, std::string_view body = {},
               std::string_view more_headers = {}) {
        std::string text{method};
        text.append(" ").append(path).append(" HTTP/1.1\r\nHost: test\r\n");
        text.append("Authorization: Bearer tl_secret\r\n").append(more_headers);
        if (!body.empty()) {
            text.append("Content-Type: application/json\r\nContent-Length: ");
            text.append(std::to_string(body.size())).append("\r\n");
        }
        text.append("\r\n").append(body);
        send(text);
        return read_answer();
    }

private:
    [[nodiscard]] static int number_after(std::string_view text, std::string_view what) {
        const auto at = text.find(what);
        int number = 0;
        if (at == std::string_view::npos) return number;
        text.remove_prefix(at + what.size());
        std::from_chars(text.data(), text.data() + text.size(), number);
        return number;
    }

    int file_;
    std::string unread_;
};

} // namespace softswitch::testing
