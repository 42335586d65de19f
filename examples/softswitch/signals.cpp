#include "signals.hpp"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace softswitch {

namespace {

using clock = std::chrono::steady_clock;

/// SIGUSR1 is ours: it ends the thread that waits.
[[nodiscard]] sigset_t wanted() {
    sigset_t set;
    sigemptyset(&set);
    for (const int one : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&set, one);
    return set;
}

/// The signal, or a negative number after `most`.
[[nodiscard]] int wait_for(const sigset_t& set, clock::duration most) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(most);
    timespec limit{};
    limit.tv_sec = static_cast<std::time_t>(seconds.count());
    limit.tv_nsec = static_cast<long>(std::chrono::nanoseconds{most - seconds}.count());
    return ::sigtimedwait(&set, nullptr, &limit);
}

} // namespace

void signals::block() {
    const auto set = wanted();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    // A reader of our standard output that goes away is no reason to drop calls.
    ::signal(SIGPIPE, SIG_IGN); // NOLINT(cert-err33-c)
}

signals::signals(std::function<void(int)> asked, std::optional<std::chrono::milliseconds> after,
                 std::function<void()> late)
    : asked_{std::move(asked)},
      late_{std::move(late)},
      thread_{[this, after] { listen(after); }} {}

signals::~signals() {
    ::pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
}

void signals::listen(std::optional<std::chrono::milliseconds> after) {
    const auto set = wanted();
    const auto deadline = clock::now() + after.value_or(std::chrono::milliseconds{0});
    int count = 0;
    for (;;) {
        const bool timed = after.has_value();
        const auto rest = std::max<clock::duration>(deadline - clock::now(), {});
        const int got = timed ? wait_for(set, rest) : ::sigwaitinfo(&set, nullptr);
        if (got == SIGUSR1) return;
        if (got > 0) asked_(++count);
        if (timed && clock::now() >= deadline) {
            after.reset();
            late_();
        }
    }
}

} // namespace softswitch
