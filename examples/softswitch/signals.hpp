// SIGTERM and SIGINT as calls on a thread of their own, where anything may be done.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <thread>

namespace softswitch {

class signals {
public:
    /// For this thread and all that it starts from now on. Call it before starting any.
    static void block();

    /// `asked` gets 1 for the first signal, 2 for the second, and so on; `late`, if there is one,
    /// comes once, after so long.
    explicit signals(std::function<void(int)> asked,
                     std::optional<std::chrono::milliseconds> after = {},
                     std::function<void()> late = {});
    signals(const signals&) = delete;
    signals& operator=(const signals&) = delete;
    ~signals();

private:
    void listen(std::optional<std::chrono::milliseconds> after);

    std::function<void(int)> asked_;
    std::function<void()> late_;
    std::thread thread_;
};

} // namespace softswitch
