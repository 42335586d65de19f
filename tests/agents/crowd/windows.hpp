// What became of the frames that were sent in each stretch of a test.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace crowd {

class windows {
public:
    void begin(std::string name) { all_.push_back({std::move(name), 0, 0, {}}); }
    /// The window that frames which leave now belong to.
    [[nodiscard]] std::size_t current() const noexcept { return all_.size() - 1; }

    void sent(std::size_t in) { ++all_[in].sent; }
    void came_back(std::size_t in, double milliseconds) {
        all_[in].milliseconds.push_back(milliseconds);
    }
    void came_twice(std::size_t in) { ++all_[in].twice; }

    [[nodiscard]] nlohmann::json told() const {
        auto made = nlohmann::json::array();
        for (auto one : all_) {
            std::ranges::sort(one.milliseconds);
            const auto share = [&](double part) {
                const auto count = one.milliseconds.size();
                if (count == 0) return 0.0;
                return one.milliseconds[std::min(
                    count - 1, static_cast<std::size_t>(part * static_cast<double>(count)))];
            };
            made.push_back({{"name", one.name},
                            {"sent", one.sent},
                            {"back", one.milliseconds.size()},
                            {"twice", one.twice},
                            {"p50", share(0.5)},
                            {"p99", share(0.99)},
                            {"most", share(1)}});
        }
        return made;
    }

private:
    struct window {
        std::string name;
        std::size_t sent = 0;
        std::size_t twice = 0;
        std::vector<double> milliseconds;
    };
    std::vector<window> all_{{"begin", 0, 0, {}}};
};

} // namespace crowd
