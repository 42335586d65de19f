#include <trunkline/core/timer_wheel.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <deque>
#include <map>
#include <vector>

#include <trunkline/core/entropy.hpp>

namespace trunkline {
namespace {

using namespace std::chrono_literals;

TEST_CASE("core::timer_wheel: fires each timer in its millisecond, never early, in order") {
    // A machine that was up for a while: the wheel must not walk there.
    const time_point start{std::chrono::hours{24 * 300}};
    timer_wheel wheel;
    std::deque<timer_node> nodes(6);
    const std::vector<duration> after{1ms, 20ms, 255ms, 256ms, 32s, 30h};
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        nodes[i].kind = static_cast<std::uint16_t>(i);
        wheel.arm(nodes[i], start + after[i]);
    }
    std::vector<std::size_t> fired;
    auto now = start;
    while (const auto deadline = wheel.next_deadline()) {
        now = std::max(now, *deadline);
        wheel.advance(now, [&](timer_node& node) {
            CHECK(now >= node.deadline());
            CHECK(now - node.deadline() <= 1ms);
            fired.push_back(node.kind);
        });
    }
    CHECK(fired == std::vector<std::size_t>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("core::timer_wheel: agrees with a sorted map over a long random life") {
    seeded_entropy random{7};
    timer_wheel wheel;
    std::deque<timer_node> nodes(200);
    std::multimap<std::int64_t, const timer_node*> expected; // By millisecond, rounded up.
    const auto forget = [&](const timer_node& node) {
        for (auto at = expected.begin(); at != expected.end(); ++at) {
            if (at->second == &node) {
                expected.erase(at);
                return;
            }
        }
    };
    time_point now{5s};
    for (int turn = 0; turn < 20'000; ++turn) {
        auto& node = nodes[random.below(nodes.size())];
        switch (random.below(4)) {
        case 0:
            wheel.disarm(node);
            forget(node);
            break;
        case 1: {
            const auto reach = random.below(2) == 0 ? 300'000'000U : 200'000'000'000U;
            const auto due = now + duration{static_cast<std::int64_t>(random.below(reach))};
            forget(node);
            wheel.arm(node, due);
            expected.emplace((due.time_since_epoch().count() + 999'999) / 1'000'000, &node);
            break;
        }
        default: {
            now += duration{static_cast<std::int64_t>(random.below(400'000'000))};
            const auto tick = now.time_since_epoch().count() / 1'000'000;
            const auto promised = wheel.next_deadline();
            CHECK(promised.has_value() == !expected.empty());
            if (promised) {
                CHECK(promised->time_since_epoch().count() / 1'000'000 <= expected.begin()->first);
            }
            wheel.advance(now, [&](timer_node& fired) {
                REQUIRE(!expected.empty());
                CHECK(expected.begin()->first <= tick);
                forget(fired);
            });
            CHECK((expected.empty() || expected.begin()->first > tick));
            break;
        }
        }
        REQUIRE(wheel.size() == expected.size());
    }
    for (auto& node : nodes) wheel.disarm(node);
}

} // namespace
} // namespace trunkline
