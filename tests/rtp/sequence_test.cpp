#include <trunkline/rtp/sequence.hpp>

#include <doctest/doctest.h>

#include "support/print.hpp"

namespace trunkline::rtp {
namespace {

using namespace std::chrono_literals;

TEST_CASE("rtp::sequence: differences go the shorter way round") {
    CHECK(sequence{2} - sequence{65'534} == 4);
    CHECK(sequence{65'534} - sequence{2} == -4);
    CHECK(precedes(sequence{65'535}, sequence{0}));
    CHECK_FALSE(precedes(sequence{0}, sequence{65'535}));
    CHECK_FALSE(precedes(sequence{5}, sequence{5}));
    CHECK(sequence{65'535} + 1 == sequence{0});
    CHECK(sequence{0} + -1 == sequence{65'535});
}

TEST_CASE("rtp::timestamp: differences go the shorter way round") {
    CHECK(timestamp{80} - timestamp{0xffff'ffb0} == 160);
    CHECK(timestamp{0xffff'ffb0} + 160 == timestamp{80});
    CHECK(precedes(timestamp{0xffff'ffff}, timestamp{0}));
}

TEST_CASE("rtp::extender: counts on across wraps, and back across them for what was reordered") {
    extender<sequence> numbers;
    CHECK(numbers.advance({65'535}) == 65'535);
    CHECK(numbers.advance({1}) == 65'537);
    CHECK(numbers.advance({0}) == 65'536); // Reordered.
    CHECK(numbers.highest() == 65'537);
    CHECK(numbers.extend({65'534}) == 65'534);
    for (int i = 0; i < 10 * 65'536; ++i) {
        REQUIRE(numbers.advance(sequence{2} + i) == 65'538 + i);
    }
    extender<sequence> reordered;
    CHECK(reordered.advance({0}) == 0);
    CHECK(reordered.advance({65'535}) == -1);
    CHECK(reordered.highest() == 0);
}

TEST_CASE("rtp::duration_of: is exact over years, and the reverse of units_of") {
    CHECK(duration_of(160, 8000) == 20ms);
    CHECK(duration_of(-160, 8000) == -20ms);
    const std::int64_t year = 8000LL * 86'400 * 365;
    CHECK(duration_of(10 * year, 8000) == 24h * 3650);
    CHECK(units_of(24h * 3650 + 20ms, 8000) == 10 * year + 160);
    CHECK(units_of(-20ms, 48'000) == -960);
}

} // namespace
} // namespace trunkline::rtp
