#include <trunkline/core/token_bucket.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>

namespace trunkline {
namespace {

using namespace std::chrono_literals;

constexpr time_point start{1000s};
constexpr auto ten = token_rate::per_second(10, 3);

TEST_CASE("core::token_bucket: gives a burst at once, then one each interval") {
    token_bucket bucket;
    for (int i = 0; i < 3; ++i) CHECK(bucket.take(ten, start));
    CHECK_FALSE(bucket.take(ten, start));
    CHECK_FALSE(bucket.take(ten, start + 100ms - 1ns));
    CHECK(bucket.take(ten, start + 100ms));
    CHECK_FALSE(bucket.take(ten, start + 100ms));
}

TEST_CASE("core::token_bucket: saves up no more than its burst, however long nobody asks") {
    token_bucket bucket;
    CHECK(bucket.take(ten, start));
    for (int i = 0; i < 3; ++i) CHECK(bucket.take(ten, start + 1h));
    CHECK_FALSE(bucket.take(ten, start + 1h));
}

TEST_CASE("core::token_bucket: who asks in vain pushes nothing back") {
    token_bucket bucket;
    for (int i = 0; i < 3; ++i) CHECK(bucket.take(ten, start));
    for (int i = 0; i < 1000; ++i) CHECK_FALSE(bucket.take(ten, start + 50ms));
    CHECK(bucket.take(ten, start + 100ms));
}

TEST_CASE("core::token_bucket: in a long flood it gives its rate, and the burst once") {
    token_bucket bucket;
    std::uint64_t given = 0;
    for (auto now = start; now < start + 100s; now += 1ms) {
        if (bucket.take(ten, now)) ++given;
    }
    CHECK(given == 1000 + 3 - 1);
}

TEST_CASE("core::token_bucket: who waits gets the next turns, as far as he is patient") {
    const auto one = token_rate::per_second(10, 1);
    token_bucket bucket;
    for (int i = 0; i < 6; ++i) {
        const auto got = bucket.peek(one, start, 500ms);
        REQUIRE(got.has_value());
        CHECK(got->turn == start + i * 100ms);
        bucket.full_at = got->full_at;
    }
    CHECK_FALSE(bucket.peek(one, start, 500ms).has_value());
    CHECK(bucket.peek(one, start + 100ms, 500ms).has_value());
}

} // namespace
} // namespace trunkline
