// Commands on their way from other threads to a shard.
#pragma once

#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include <trunkline/net/command.hpp>

#include "poller.hpp"

namespace trunkline::net {

/// Two vectors change places, so the lock is held for a push or a swap and never while a command
/// runs.
class mailbox {
public:
    explicit mailbox(std::size_t most) : most_{most} {}

    [[nodiscard]] std::error_code open() { return waker_.open(); }

    [[nodiscard]] bool post(command what) {
        const std::lock_guard locked{mutex_};
        if (closed_ || posted_.size() >= most_) return false;
        posted_.push_back(std::move(what));
        if (posted_.size() == 1) waker_.wake(); // One a batch.
        return true;
    }
    void close() noexcept {
        const std::lock_guard locked{mutex_};
        closed_ = true;
        waker_.wake();
    }

    /// Whether it was closed. `into` is empty and gets all that was posted.
    bool take(std::vector<command>& into) noexcept {
        waker_.drain();
        const std::lock_guard locked{mutex_};
        into.swap(posted_);
        return closed_;
    }
    /// So that the next turn looks here again.
    void remind() noexcept { waker_.wake(); }
    [[nodiscard]] int fd() const noexcept { return waker_.fd(); }

private:
    const std::size_t most_;
    std::mutex mutex_;
    std::vector<command> posted_;
    bool closed_ = false;
    waker waker_;
};

} // namespace trunkline::net
