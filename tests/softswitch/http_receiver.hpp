// An HTTP server of one test: it answers as it is told and keeps what it was sent.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace softswitch {

struct received_request {
    std::string head{};
    std::string body{};
    std::chrono::steady_clock::time_point when = std::chrono::steady_clock::now();

    /// Empty when there is no such header.
    [[nodiscard]] std::string header(std::string_view name) const {
        const auto at = head.find(fmt::format("\r\n{}: ", name));
        if (at == std::string::npos) return {};
        const auto begin = at + name.size() + 4;
        return head.substr(begin, head.find("\r\n", begin) - begin);
    }
};

class http_receiver {
public:
    /// What is answered to the request of that number, counted from 0, such as "200 OK" or
    /// "429 Too Many Requests\r\nRetry-After: 1". Empty: nothing, and the connection stays open.
    using answerer = std::function<std::string(std::size_t, const received_request&)>;

    explicit http_receiver(answerer how) : how_{std::move(how)} {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        auto* const name = reinterpret_cast<sockaddr*>(&at);
        if (::bind(listener_, name, size) != 0 || ::listen(listener_, 64) != 0 ||
            ::getsockname(listener_, name, &size) != 0) {
            throw std::runtime_error{"no receiver"};
        }
        port_ = ntohs(at.sin_port);
        thread_ = std::thread{[this] { serve(); }};
    }
    http_receiver(const http_receiver&) = delete;
    http_receiver& operator=(const http_receiver&) = delete;
    ~http_receiver() {
        {
            const std::lock_guard held{guard_};
            ending_ = true;
        }
        thread_.join();
        ::close(listener_);
    }

    [[nodiscard]] std::string url() const {
        return fmt::format("http://127.0.0.1:{}/calls?of=test", port_);
    }
    /// The requests so far, once there are as many, or after half a minute.
    [[nodiscard]] std::vector<received_request> received(std::size_t count) {
        std::unique_lock held{guard_};
        come_.wait_for(held, std::chrono::seconds{30}, [&] { return received_.size() >= count; });
        return received_;
    }

private:
    struct connection {
        int file = -1;
        std::string read{};
    };

    void serve() {
        std::list<connection> open;
        for (;;) {
            {
                const std::lock_guard held{guard_};
                if (ending_) break;
            }
            std::vector<pollfd> wanted{{listener_, POLLIN, 0}};
            for (const auto& one : open) wanted.push_back({one.file, POLLIN, 0});
            ::poll(wanted.data(), wanted.size(), 20);
            auto at = open.begin();
            for (std::size_t i = 1; i < wanted.size(); ++i) {
                const auto here = at++;
                if (wanted[i].revents != 0 && !take(*here)) {
                    ::close(here->file);
                    open.erase(here);
                }
            }
            if ((wanted.front().revents & POLLIN) != 0) {
                open.push_back({::accept(listener_, nullptr, nullptr), {}});
            }
        }
        for (const auto& one : open) ::close(one.file);
    }

    /// False when the peer has gone.
    [[nodiscard]] bool take(connection& from) {
        char bytes[16'384];
        const auto size = ::recv(from.file, bytes, sizeof bytes, 0);
        if (size <= 0) return false;
        from.read.append(bytes, static_cast<std::size_t>(size));
        const auto end = from.read.find("\r\n\r\n");
        if (end == std::string::npos) return true;
        received_request made;
        made.head = from.read.substr(0, end + 2);
        const auto length = std::stoul(made.header("Content-Length"));
        if (from.read.size() < end + 4 + length) return true;
        made.body = from.read.substr(end + 4, length);
        from.read.erase(0, end + 4 + length);
        std::size_t number = 0;
        {
            const std::lock_guard held{guard_};
            number = received_.size();
            received_.push_back(made);
        }
        come_.notify_all();
        const auto status = how_(number, made);
        if (status.empty()) return true;
        const auto text = fmt::format("HTTP/1.1 {}\r\nContent-Length: 2\r\n\r\nok", status);
        return ::send(from.file, text.data(), text.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(text.size());
    }

    answerer how_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::mutex guard_;
    std::condition_variable come_;
    std::vector<received_request> received_;
    bool ending_ = false;
    std::thread thread_;
};

} // namespace softswitch
