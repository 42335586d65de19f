// One thread for what waits on sockets and on the clock outside the library.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

namespace softswitch {

class io_thread {
public:
    io_thread();
    io_thread(const io_thread&) = delete;
    io_thread& operator=(const io_thread&) = delete;
    ~io_thread() { stop(); }

    [[nodiscard]] asio::io_context& io() noexcept { return io_; }
    /// From any thread. Not called when the thread ends before.
    void after(std::chrono::milliseconds delay, std::function<void()> what);
    /// What waits is dropped. Not from the thread itself.
    void stop();

private:
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread thread_;
};

} // namespace softswitch
