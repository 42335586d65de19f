#include "watchman.hpp"

#include <algorithm>
#include <csignal>
#include <ctime>

namespace phone {
namespace {

/// SIGUSR1 is our own: it wakes the watchman for news.
sigset_t watched() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const auto one : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&signals, one);
    return signals;
}

} // namespace

void watchman::hold_signals() {
    const auto signals = watched();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

watchman::watchman(trunkline::trunk_manager& manager)
    : manager_{manager},
      thread_{[this] { watch(); }} {}

watchman::~watchman() {
    {
        const std::lock_guard lock{mutex_};
        over_ = true;
    }
    wake();
    thread_.join();
}

void watchman::hang_up_after(trunkline::call_handle call, std::chrono::milliseconds how_long) {
    {
        const std::lock_guard lock{mutex_};
        calls_.emplace_back(clock::now() + how_long, std::move(call));
    }
    wake();
}

void watchman::wake() {
    pthread_kill(thread_.native_handle(), SIGUSR1);
}

std::chrono::nanoseconds watchman::hang_up_due() {
    const auto now = clock::now();
    const auto due = std::partition(calls_.begin(), calls_.end(),
                                    [now](const auto& one) { return one.first > now; });
    for (auto one = due; one != calls_.end(); ++one) one->second.hang_up();
    calls_.erase(due, calls_.end());
    std::chrono::nanoseconds left = std::chrono::hours{1};
    for (const auto& one : calls_) left = std::min<std::chrono::nanoseconds>(left, one.first - now);
    return left;
}

void watchman::watch() {
    const auto signals = watched();
    bool asked_before = false;
    while (true) {
        std::chrono::nanoseconds left{};
        {
            const std::lock_guard lock{mutex_};
            if (over_) return;
            left = hang_up_due();
        }
        const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
        const timespec timeout{seconds.count(), (left - seconds).count()};
        const auto signal = sigtimedwait(&signals, nullptr, &timeout);
        if (signal != SIGINT && signal != SIGTERM) continue;
        // The first asks for a clean end: BYE, and its answer. The second does not wait for one.
        if (asked_before) {
            manager_.stop();
        } else {
            manager_.drain(std::chrono::milliseconds{0});
        }
        asked_before = true;
    }
}

} // namespace phone
