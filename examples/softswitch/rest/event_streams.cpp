#include "event_streams.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "event_json.hpp"

namespace softswitch {

std::string to_server_sent(const call_event& what) {
    return fmt::format("id: {}\nevent: {}\ndata: {}\n\n", what.number, name(what), to_json(what));
}

std::string chunk(std::string_view text) {
    return fmt::format("{:x}\r\n{}\r\n", text.size(), text);
}

void event_streams::add(const std::shared_ptr<stream_sink>& whom,
                        std::optional<std::uint64_t> after, const std::vector<call_event>& missed) {
    const auto made = std::make_shared<watcher>(watcher{whom, after.value_or(0), 0, false});
    watchers_.push_back(made);
    send(made, ": welcome\n\n");
    for (const auto& event : missed) tell(made, event);
    forget_gone();
}

void event_streams::remove(const std::shared_ptr<stream_sink>& whom) {
    std::erase_if(watchers_, [&](const auto& one) { return one->sink == whom; });
}

void event_streams::tell(const call_event& what) {
    for (const auto& one : watchers_) tell(one, what);
    forget_gone();
}

void event_streams::beat() {
    for (const auto& one : watchers_) send(one, ": still here\n\n");
    forget_gone();
}

void event_streams::finish() {
    for (const auto& one : watchers_) {
        if (!std::exchange(one->gone, true)) one->sink->finish("0\r\n\r\n");
    }
}

bool event_streams::all_closed() const {
    return std::ranges::none_of(watchers_, [](const auto& one) { return one->sink->is_open(); });
}

void event_streams::tell(const std::shared_ptr<watcher>& whom, const call_event& what) const {
    // What was missed comes from the switch's memory, and may come again with the live ones.
    if (what.number <= whom->last) return;
    whom->last = what.number;
    send(whom, to_server_sent(what));
}

void event_streams::send(const std::shared_ptr<watcher>& whom, std::string_view text) const {
    if (whom->gone) return;
    auto bytes = chunk(text);
    const auto count = bytes.size();
    if (whom->unread + count > most_unread_) {
        whom->gone = true;
        return whom->sink->cut();
    }
    whom->unread += count;
    // What waits to be sent belongs to the connection, which in turn is the watcher's.
    whom->sink->send(std::move(bytes), [weak = std::weak_ptr{whom}, count](bool sent) {
        const auto held = weak.lock();
        if (!held) return;
        held->unread -= count;
        if (!sent) held->gone = true;
    });
}

void event_streams::forget_gone() {
    std::erase_if(watchers_, [](const auto& one) { return one->gone; });
}

} // namespace softswitch
