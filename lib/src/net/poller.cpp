#include "poller.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>

#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace trunkline::net {

std::error_code poller::open() {
    epoll_ = descriptor{::epoll_create1(EPOLL_CLOEXEC)};
    return epoll_ ? std::error_code{} : last_error();
}

std::error_code poller::watch(int fd, std::uint64_t mark, std::uint32_t events) noexcept {
    epoll_event wanted{};
    wanted.events = events;
    wanted.data.u64 = mark;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &wanted) != 0) return last_error();
    return {};
}

void poller::change(int fd, std::uint64_t mark, std::uint32_t events) noexcept {
    epoll_event wanted{};
    wanted.events = events;
    wanted.data.u64 = mark;
    static_cast<void>(::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &wanted));
}

void poller::forget(int fd) noexcept {
    epoll_event unused{};
    static_cast<void>(::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, &unused));
}

std::span<epoll_event> poller::wait(std::span<epoll_event> into, bool block) noexcept {
    const auto count =
        ::epoll_wait(epoll_.get(), into.data(), static_cast<int>(into.size()), block ? -1 : 0);
    // Interrupted by a signal: whoever waits is in a loop.
    return into.first(count < 0 ? 0 : static_cast<std::size_t>(count));
}

std::error_code waker::open() {
    event_ = descriptor{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    return event_ ? std::error_code{} : last_error();
}

void waker::wake() noexcept {
    const std::uint64_t one = 1;
    while (::write(event_.get(), &one, sizeof one) < 0 && errno == EINTR) {
    }
}

void waker::drain() noexcept {
    std::uint64_t count = 0;
    while (::read(event_.get(), &count, sizeof count) < 0 && errno == EINTR) {
    }
}

std::error_code alarm_clock::open() {
    timer_ = descriptor{::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)};
    return timer_ ? std::error_code{} : last_error();
}

void alarm_clock::ring_by(time_point deadline) noexcept {
    using namespace std::chrono;
    if (set_for_ && *set_for_ <= deadline) return;
    set_for_ = deadline;
    // Zero would disarm it: what is due since long ago is due at the first millisecond there was.
    const auto due =
        std::max<std::int64_t>(1, ceil<milliseconds>(deadline.time_since_epoch()).count());
    itimerspec at{};
    at.it_value.tv_sec = static_cast<time_t>(due / 1000);
    at.it_value.tv_nsec = static_cast<long>(due % 1000 * 1'000'000);
    static_cast<void>(::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &at, nullptr));
}

void alarm_clock::rang() noexcept {
    std::uint64_t count = 0;
    while (::read(timer_.get(), &count, sizeof count) < 0 && errno == EINTR) {
    }
    set_for_.reset();
}

} // namespace trunkline::net
