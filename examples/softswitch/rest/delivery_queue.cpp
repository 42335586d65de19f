#include "delivery_queue.hpp"

#include <algorithm>

namespace softswitch {

std::chrono::milliseconds retry_delay(const delivery_pace& of, unsigned failed,
                                      std::chrono::milliseconds asked, double chance) {
    const auto most = static_cast<double>(of.most.count());
    auto delay = static_cast<double>(of.first.count());
    for (unsigned i = 1; i < failed && delay < most; ++i) delay *= 2.5;
    delay *= 1 + chance / 2;
    return std::chrono::milliseconds{static_cast<std::int64_t>(
        std::clamp(delay, std::min(static_cast<double>(asked.count()), most), most))};
}

void delivery_queue::schedule(lane& which, delivery_time due) {
    due_.insert({{due, ++turns_}, &which});
}

void delivery_queue::add(delivery what) {
    auto& of_call = lanes_[what.call];
    if (of_call.empty()) schedule(of_call, what.posted);
    of_call.push_back(std::move(what));
    ++size_;
}

delivery* delivery_queue::next(delivery_time now) {
    if (due_.empty() || due_.begin()->first.first > now) return nullptr;
    auto& of_call = *due_.begin()->second;
    due_.erase(due_.begin());
    return &of_call.front();
}

void delivery_queue::finish(delivery& which) {
    const auto found = lanes_.find(which.call);
    auto& of_call = found->second;
    of_call.pop_front();
    --size_;
    if (of_call.empty()) {
        lanes_.erase(found);
    } else {
        schedule(of_call, of_call.front().posted);
    }
}

bool delivery_queue::retry(delivery& which, delivery_time now, std::chrono::milliseconds asked,
                           double chance) {
    ++which.tries;
    const auto due = now + retry_delay(pace_, which.tries, asked, chance);
    if (which.tries >= pace_.tries || due > which.posted + pace_.lifetime) {
        finish(which);
        return false;
    }
    schedule(lanes_.find(which.call)->second, due);
    return true;
}

std::optional<delivery_time> delivery_queue::next_due() const {
    if (due_.empty()) return std::nullopt;
    return due_.begin()->first.first;
}

} // namespace softswitch
