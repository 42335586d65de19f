#include "background.hpp"

#include <utility>

namespace softswitch {

background::background() : thread_{[this] { work(); }} {}

background::~background() {
    {
        const std::lock_guard held{guard_};
        ending_ = true;
    }
    woken_.notify_one();
    thread_.join();
}

bool background::post(task what) {
    {
        const std::lock_guard held{guard_};
        if (waiting_.size() >= most) {
            ++refused_;
            return false;
        }
        waiting_.push_back(std::move(what));
        if (!std::exchange(idle_, false)) return true;
    }
    woken_.notify_one();
    return true;
}

std::uint64_t background::take_refused() {
    const std::lock_guard held{guard_};
    return std::exchange(refused_, 0);
}

void background::work() {
    std::unique_lock held{guard_};
    for (;;) {
        idle_ = waiting_.empty();
        woken_.wait(held, [this] { return ending_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        woken_.wait_for(held, gathering, [this] { return ending_; });
        auto batch = std::exchange(waiting_, {});
        held.unlock();
        for (auto& next : batch) {
            next();
            next = nullptr; // What it owned may take time to let go of, too.
        }
        held.lock();
    }
}

} // namespace softswitch
