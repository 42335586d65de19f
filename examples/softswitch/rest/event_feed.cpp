#include "event_feed.hpp"

#include <utility>

#include <asio/post.hpp>

namespace softswitch {

event_feed::event_feed(asio::io_context& where, std::function<void(const call_event&)> deliver)
    : deliver_{std::move(deliver)} {
    waiting_->where = &where;
}

void event_feed::put(const call_event& what) {
    const std::lock_guard lock{waiting_->guard};
    if (waiting_->where == nullptr) return;
    if (waiting_->events.size() == most) waiting_->events.pop_front();
    waiting_->events.push_back(what);
    // One wake-up for all that come until then.
    if (std::exchange(waiting_->woken, true)) return;
    asio::post(*waiting_->where, [from = waiting_, deliver = deliver_] { drain(from, deliver); });
}

void event_feed::close() {
    const std::lock_guard lock{waiting_->guard};
    waiting_->where = nullptr;
    waiting_->events.clear();
}

void event_feed::drain(const std::shared_ptr<waiting>& from,
                       const std::function<void(const call_event&)>& deliver) {
    std::deque<call_event> batch;
    {
        const std::lock_guard lock{from->guard};
        from->woken = false;
        batch.swap(from->events);
    }
    for (const auto& event : batch) deliver(event);
}

} // namespace softswitch
