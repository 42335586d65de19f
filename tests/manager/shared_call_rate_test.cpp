#include "shared_call_rate.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace trunkline {
namespace {

using namespace std::chrono_literals;

constexpr time_point start{1000s};

template <class Work>
void on_four_threads(Work work) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back(work);
    for (auto& one : threads) one.join();
}

TEST_CASE("manager::shared_call_rate: four shards together admit what one would") {
    shared_call_rate rate{100};
    std::atomic<std::size_t> admitted = 0;
    on_four_threads([&] {
        for (auto now = start; now < start + 10s; now += 1ms) {
            if (rate.admit(now)) ++admitted;
        }
    });
    // A second's worth at once, then the rate; threads that lag behind in time get no more.
    CHECK(admitted <= 100 + 1000);
    CHECK(admitted >= 1000);
}

TEST_CASE("manager::shared_call_rate: no two shards get the same turn") {
    shared_call_rate rate{100};
    std::mutex guard;
    std::multiset<time_point> turns;
    on_four_threads([&] {
        for (int i = 0; i < 100; ++i) {
            const auto turn = rate.turn(start, 60s);
            REQUIRE(turn.has_value());
            const std::lock_guard held{guard};
            turns.insert(*turn);
        }
    });
    auto expected = start;
    for (const auto turn : turns) {
        REQUIRE(turn == expected);
        expected += 10ms;
    }
    CHECK(turns.size() == 400);
    CHECK_FALSE(rate.turn(start, 3s).has_value());
}

TEST_CASE("manager::shared_call_rate: a new rate counts from now on, and gives no fresh burst") {
    shared_call_rate rate{10};
    for (int i = 0; i < 10; ++i) CHECK(rate.admit(start));
    CHECK_FALSE(rate.admit(start));
    rate.set_per_second(5);
    CHECK_FALSE(rate.admit(start + 199ms));
    CHECK(rate.admit(start + 200ms));
}

} // namespace
} // namespace trunkline
