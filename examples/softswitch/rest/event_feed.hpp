// Events from the switch's threads to the server's: nobody on a switch thread waits for a client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include <asio/io_context.hpp>

#include "calls/call_view.hpp"

namespace softswitch {

class event_feed {
public:
    /// `deliver` is called by whoever runs `where`, with one event at a time and in order.
    event_feed(asio::io_context& where, std::function<void(const call_event&)> deliver);

    /// From any thread. When `most` events wait already the oldest is dropped: the numbers of those
    /// that come show the gap.
    void put(const call_event& what);
    /// What is put from now on is dropped, and nothing is delivered any more. Only after this may
    /// the io_context go, while a switch thread is perhaps still about to put something.
    void close();

    static constexpr std::size_t most = 4'096;

private:
    struct waiting {
        std::mutex guard;
        std::deque<call_event> events;
        asio::io_context* where = nullptr; ///< Null when it is closed.
        bool woken = false;
    };
    static void drain(const std::shared_ptr<waiting>& from,
                      const std::function<void(const call_event&)>& deliver);

    std::shared_ptr<waiting> waiting_ = std::make_shared<waiting>();
    std::function<void(const call_event&)> deliver_;
};

} // namespace softswitch
