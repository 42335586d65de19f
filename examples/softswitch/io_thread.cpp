#include "io_thread.hpp"

#include <memory>
#include <utility>

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

namespace softswitch {

io_thread::io_thread() : work_{io_.get_executor()}, thread_{[this] { io_.run(); }} {}

void io_thread::after(std::chrono::milliseconds delay, std::function<void()> what) {
    asio::post(io_, [this, delay, what = std::move(what)]() mutable {
        auto timer = std::make_shared<asio::steady_timer>(io_, delay);
        timer->async_wait([timer, what = std::move(what)](asio::error_code failed) {
            if (!failed) what();
        });
    });
}

void io_thread::stop() {
    work_.reset();
    io_.stop();
    if (thread_.joinable()) thread_.join();
}

} // namespace softswitch
