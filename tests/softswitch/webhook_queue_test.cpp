#include "rest/delivery_queue.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <fmt/format.h>

namespace softswitch {
namespace {

using namespace std::chrono_literals;

const delivery_time begin{1h};

[[nodiscard]] delivery of_call(const std::string& call, int number, delivery_time posted = begin) {
    return {call, fmt::format("{}{}", call, number), "{}", posted, 0};
}

TEST_CASE("softswitch::delivery_queue: retries grow rarer, and none waits longer than most") {
    const delivery_pace pace;
    std::vector<std::chrono::milliseconds> delays;
    for (unsigned failed = 1; failed <= 8; ++failed) {
        delays.push_back(retry_delay(pace, failed, 0ms, 0));
    }
    CHECK(delays == std::vector<std::chrono::milliseconds>{1'000ms, 2'500ms, 6'250ms, 15'625ms,
                                                           39'062ms, 97'656ms, 244'140ms,
                                                           300'000ms});
    CHECK(retry_delay(pace, 1, 0ms, 1) == 1'500ms);
    CHECK(retry_delay(pace, 1'000'000, 0ms, 1) == 300s);
    CHECK(retry_delay(pace, 1, 30s, 1) == 30s);
    CHECK(retry_delay(pace, 5, 30s, 0) == 39'062ms);
    CHECK(retry_delay(pace, 1, 24h, 0) == 300s);
}

TEST_CASE("softswitch::delivery_queue: one event of a call at a time, many calls side by side") {
    delivery_queue queue{{}};
    queue.add(of_call("a", 1));
    queue.add(of_call("a", 2));
    queue.add(of_call("b", 1));
    CHECK(queue.size() == 3);
    auto* const a1 = queue.next(begin);
    auto* const b1 = queue.next(begin);
    REQUIRE((a1 != nullptr && b1 != nullptr));
    CHECK(a1->id == "a1");
    CHECK(b1->id == "b1");
    CHECK(queue.next(begin + 24h) == nullptr);
    CHECK(!queue.next_due());
    queue.add(of_call("a", 3)); // Moves nothing of what is under way.
    CHECK(a1->id == "a1");
    queue.finish(*a1);
    auto* const a2 = queue.next(begin);
    REQUIRE(a2 != nullptr);
    CHECK(a2->id == "a2");
    CHECK(queue.next(begin) == nullptr);
    queue.finish(*b1);
    queue.finish(*a2);
    CHECK(queue.next(begin)->id == "a3");
    CHECK(queue.size() == 1);
}

TEST_CASE("softswitch::delivery_queue: what failed is due later and before the call's next") {
    delivery_queue queue{{}};
    queue.add(of_call("a", 1));
    queue.add(of_call("a", 2));
    REQUIRE(queue.retry(*queue.next(begin), begin, 0ms, 0));
    CHECK(queue.next_due() == begin + 1s);
    CHECK(queue.next(begin + 999ms) == nullptr);
    auto* const again = queue.next(begin + 1s);
    REQUIRE(again != nullptr);
    CHECK(again->id == "a1");
    CHECK(again->tries == 1);
    REQUIRE(queue.retry(*again, begin + 1s, 20s, 0));
    CHECK(queue.next_due() == begin + 21s);
}

TEST_CASE("softswitch::delivery_queue: the eighth failure is the last, and the next one is due") {
    delivery_queue queue{{}};
    queue.add(of_call("a", 1));
    queue.add(of_call("a", 2));
    auto now = begin;
    for (int tries = 1; tries < 8; ++tries) {
        REQUIRE(queue.retry(*queue.next(now), now, 0ms, 1));
        now = queue.next_due().value();
    }
    CHECK(!queue.retry(*queue.next(now), now, 0ms, 1));
    CHECK(queue.size() == 1);
    CHECK(queue.next(now)->id == "a2");
}

TEST_CASE("softswitch::delivery_queue: nothing is tried again after its lifetime") {
    delivery_queue queue{{}};
    queue.add(of_call("a", 1));
    CHECK(queue.retry(*queue.next(begin + 55min), begin + 55min, 5min, 0));
    CHECK(!queue.retry(*queue.next(begin + 1h), begin + 1h, 0ms, 0));
    CHECK(queue.size() == 0);
    CHECK(!queue.next_due());
}

TEST_CASE("softswitch::delivery_queue: events leave in the order in which they were posted") {
    delivery_queue queue{{}};
    for (int i = 0; i < 100; ++i) {
        queue.add(of_call(fmt::format("call{}-", i), i, begin + std::chrono::milliseconds{i}));
    }
    for (int i = 0; i < 100; ++i) {
        auto* const next = queue.next(begin + 1s);
        REQUIRE(next != nullptr);
        CHECK(next->id == fmt::format("call{}-{}", i, i));
    }
}

} // namespace
} // namespace softswitch
