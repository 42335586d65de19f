#include "io_thread.hpp"

#include <memory>
#include <thread>
#include <utility>

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <spdlog/spdlog.h>

namespace softswitch {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

/// So many things a second, those of 40 calls with audio both ways, are better done in turns,
constexpr std::size_t busy = 4'000;
/// which are so far apart: a tenth of what a frame lasts.
constexpr std::chrono::milliseconds turn{2};
constexpr std::chrono::milliseconds measured_over{100};

} // namespace

io_thread::io_thread() : work_{io_.get_executor()}, thread_{[this] { run(); }} {}

/// What is ready, and what becomes ready meanwhile: for one socket that is flooded this takes long,
/// and what came for other calls has to reach them before.
std::size_t io_thread::serve() {
    constexpr std::size_t between_looks = 16;
    auto since = clock::now();
    std::size_t done = 0;
    while (io_.poll_one() != 0) {
        if (++done % between_looks != 0 || clock::now() - since < turn) continue;
        post();
        since = clock::now();
    }
    post();
    return done;
}

void io_thread::post() {
    if (for_calls_.empty() || for_calls_.post()) return;
    spdlog::error("what agents said was lost: a shard is overloaded, or has ended");
}

void io_thread::run() {
    auto since = clock::now();
    std::size_t done = 0;
    bool in_turns = false;
    while (!io_.stopped()) {
        if (!in_turns) done += io_.run_one();
        done += serve();
        const auto now = clock::now();
        if (const auto passed = now - since; passed >= measured_over) {
            in_turns = done > busy * static_cast<std::size_t>(passed / 1ms) / 1'000;
            since = now;
            done = 0;
        }
        if (in_turns) std::this_thread::sleep_for(turn);
    }
}

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
