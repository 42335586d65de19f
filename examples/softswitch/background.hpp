// One thread for everything that may block: files, pipes, terminals. No call ever waits for a disk
// or for whoever reads our standard output.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace softswitch {

/// Runs tasks in the order in which they were posted. Any thread may post.
class background {
public:
    using task = std::function<void()>;

    background();
    background(const background&) = delete;
    background& operator=(const background&) = delete;
    /// Does all that was posted, then ends.
    ~background();

    /// False, and counted, when `most` tasks wait already: a disk that has stopped costs what it
    /// would have stored, not the memory of the machine.
    bool post(task what);
    /// Tasks that were refused since this was last asked.
    [[nodiscard]] std::uint64_t take_refused();

    static constexpr std::size_t most = 65'536;

private:
    /// What is posted so soon after the first task is done with it, and wakes nobody again.
    static constexpr std::chrono::milliseconds gathering{5};

    void work();

    std::mutex guard_;
    std::condition_variable woken_;
    std::deque<task> waiting_;
    std::uint64_t refused_ = 0;
    bool idle_ = false; ///< Nothing less than a task has it do something.
    bool ending_ = false;
    std::thread thread_;
};

} // namespace softswitch
