// What a shard waits with: epoll for sockets, timerfd for time, eventfd for other threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <system_error>

#include <sys/epoll.h>

#include <trunkline/core/time.hpp>

#include "socket.hpp"

namespace trunkline::net {

/// Level-triggered: what was not read yet is told again.
class poller {
public:
    [[nodiscard]] std::error_code open();
    [[nodiscard]] std::error_code watch(int fd, std::uint64_t mark,
                                        std::uint32_t events = EPOLLIN) noexcept;
    void change(int fd, std::uint64_t mark, std::uint32_t events) noexcept;
    void forget(int fd) noexcept;

    /// Returns the part of `into` that was filled. With `block`, waits for as long as it takes.
    [[nodiscard]] std::span<epoll_event> wait(std::span<epoll_event> into, bool block) noexcept;
    [[nodiscard]] int fd() const noexcept { return epoll_.get(); }

private:
    descriptor epoll_;
};

/// Wakes a poller from any thread. Woken twice before it looks, it wakes once.
class waker {
public:
    [[nodiscard]] std::error_code open();
    void wake() noexcept;
    void drain() noexcept;
    [[nodiscard]] int fd() const noexcept { return event_.get(); }

private:
    descriptor event_;
};

/// The one timer of a shard. Deadlines are rounded up to a millisecond, as the timer wheel's are.
class alarm_clock {
public:
    [[nodiscard]] std::error_code open();
    /// Only an earlier deadline moves it. One that moved away costs an early tick, which is legal,
    /// and saves a system call a packet.
    void ring_by(time_point deadline) noexcept;
    void rang() noexcept;
    [[nodiscard]] int fd() const noexcept { return timer_.get(); }

private:
    descriptor timer_;
    std::optional<time_point> set_for_;
};

} // namespace trunkline::net
