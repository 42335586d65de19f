// One thread for what waits on sockets and on the clock outside the library. With little to do it
// acts at once; with much, in turns, because waking it for each packet costs more than the packet.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

#include <trunkline/trunk/call.hpp>

namespace softswitch {

class io_thread {
public:
    io_thread();
    io_thread(const io_thread&) = delete;
    io_thread& operator=(const io_thread&) = delete;
    ~io_thread() { stop(); }

    [[nodiscard]] asio::io_context& io() noexcept { return io_; }
    /// Work for calls that came up in this turn; posted at its end, and now and then in a long one.
    /// On the thread.
    [[nodiscard]] trunkline::call_batch& for_calls() noexcept { return for_calls_; }
    /// From any thread. Not called when the thread ends before.
    void after(std::chrono::milliseconds delay, std::function<void()> what);
    /// What waits is dropped. Not from the thread itself.
    void stop();

private:
    void run();
    void post();
    std::size_t serve();

    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    trunkline::call_batch for_calls_;
    std::thread thread_;
};

} // namespace softswitch
