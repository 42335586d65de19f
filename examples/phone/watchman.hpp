// Waits beside the manager for what no callback tells of: the time, and the user's Ctrl-C.
#pragma once

#include <chrono>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <trunkline/manager/trunk_manager.hpp>

namespace phone {

class watchman {
public:
    /// Before any other thread is started: threads inherit which signals they do not want.
    static void hold_signals();

    explicit watchman(trunkline::trunk_manager& manager);
    watchman(const watchman&) = delete;
    watchman& operator=(const watchman&) = delete;
    ~watchman();

    /// From any thread.
    void hang_up_after(trunkline::call_handle call, std::chrono::milliseconds how_long);

private:
    using clock = std::chrono::steady_clock;

    void watch();
    /// Hangs up what is due and returns how long the next call has left.
    [[nodiscard]] std::chrono::nanoseconds hang_up_due();
    void wake();

    trunkline::trunk_manager& manager_;
    std::mutex mutex_;
    bool over_ = false;
    std::vector<std::pair<clock::time_point, trunkline::call_handle>> calls_;
    std::thread thread_; ///< Last: it uses all of the above.
};

} // namespace phone
