#include <trunkline/rtp/receiver.hpp>

#include <doctest/doctest.h>

#include "support/print.hpp"

namespace trunkline::rtp {
namespace {

using namespace std::chrono_literals;

constexpr time_point start{1000s};

header voice(std::uint32_t number, std::uint32_t ssrc = 7) {
    return {.sequence = {static_cast<std::uint16_t>(number)},
            .timestamp = {number * 160},
            .ssrc = ssrc};
}

reception hear(receiver& here, std::uint32_t number, std::uint32_t ssrc = 7) {
    return here.receive(voice(number, ssrc), start + number * 20ms);
}

TEST_CASE("rtp::receiver: a source is valid with the second packet in sequence, and both count") {
    receiver here{8000};
    CHECK(hear(here, 5) == reception::probation);
    CHECK_FALSE(here.has_source());
    CHECK(hear(here, 7) == reception::probation); // Not the successor.
    CHECK(hear(here, 8) == reception::valid);
    CHECK(here.totals().received == 2);
    CHECK(here.totals().sources == 1);
    CHECK(here.ssrc() == 7);
}

TEST_CASE("rtp::receiver: counts loss, reordering and duplicates") {
    receiver here{8000};
    for (const unsigned number : {0U, 1U, 2U, 5U, 4U, 4U, 9U, 9U}) hear(here, number);
    CHECK(here.totals().received == 6);
    CHECK(here.totals().lost == 4); // 3, 6, 7 and 8.
    CHECK(here.totals().reordered == 1);
    CHECK(here.totals().duplicates == 2);
}

TEST_CASE("rtp::receiver: reports as A.3 computes, where duplicates count as received") {
    receiver here{8000};
    CHECK(here.report() == std::nullopt);
    for (unsigned i = 65'530; i < 65'536 + 100; ++i) {
        if (i % 4 != 0) hear(here, i);
    }
    const auto first = here.report();
    REQUIRE(first);
    CHECK(first->extended_highest == 65'635);
    CHECK(first->cumulative_lost == 26);
    CHECK(first->fraction_lost == 26 * 256 / 106);
    CHECK(here.report() == std::nullopt); // Nothing came since.
    for (int i = 0; i < 30; ++i) hear(here, 65'635);
    const auto second = here.report();
    CHECK(second->cumulative_lost == -4);
    CHECK(second->fraction_lost == 0);
}

TEST_CASE("rtp::receiver: a jump is on probation, and two in sequence start over") {
    receiver here{8000};
    for (unsigned i = 0; i < 10; ++i) hear(here, i);
    CHECK(hear(here, 4000) == reception::probation);
    CHECK(hear(here, 10) == reception::valid); // One stray packet moves nothing.
    CHECK(hear(here, 40'000) == reception::probation);
    CHECK(hear(here, 40'001) == reception::valid);
    CHECK(here.extended_highest() == 40'001);
    CHECK(here.totals().received == 13);
    CHECK(here.totals().lost == 0);
    CHECK(here.totals().sources == 1);
}

TEST_CASE("rtp::receiver: starts over for another SSRC, and totals go on") {
    receiver here{8000};
    for (unsigned i = 0; i < 10; ++i) {
        if (i != 5) hear(here, i);
    }
    CHECK(hear(here, 100, 8) == reception::probation);
    CHECK(here.ssrc() == 7);
    CHECK(hear(here, 101, 8) == reception::valid);
    CHECK(here.ssrc() == 8);
    CHECK(hear(here, 103, 8) == reception::valid);
    CHECK(here.totals().received == 12);
    CHECK(here.totals().lost == 2);
    CHECK(here.totals().sources == 2);
    CHECK(here.report()->cumulative_lost == 1); // Of this source alone.
}

TEST_CASE("rtp::receiver: a stranger's packets among ours do not take over") {
    receiver here{8000};
    hear(here, 0);
    for (unsigned i = 1; i < 100; ++i) {
        CHECK(hear(here, i) == reception::valid);
        CHECK(hear(here, i, 666) == reception::probation);
    }
    CHECK(here.totals().sources == 1);
}

TEST_CASE("rtp::receiver: what comes before the first packet is not less than no loss") {
    receiver here{8000};
    for (const unsigned number : {10U, 11U, 9U, 8U}) hear(here, number);
    CHECK(here.totals().received == 4);
    CHECK(here.totals().lost == 0);
    CHECK(here.report()->cumulative_lost == 0);
}

TEST_CASE("rtp::receiver: jitter is that of A.8, computed by hand") {
    receiver here{8000};
    double expected = 0;
    for (unsigned i = 0; i < 2000; ++i) {
        const auto late = i % 2 == 0 ? 0ms : 10ms; // 80 units from packet to packet.
        here.receive(voice(i), start + i * 20ms + late);
        if (i > 0) expected += (80 - expected) / 16;
    }
    CHECK(here.jitter() == doctest::Approx(expected).epsilon(0.02));
}

TEST_CASE("rtp::receiver: after weeks of uptime jitter is what it was on the first day") {
    receiver here{8000};
    for (unsigned i = 0; i < 200; ++i) {
        here.receive(voice(i), start + 24h * 40 + i * 20ms);
    }
    CHECK(here.jitter() == 0);
}

TEST_CASE("rtp::receiver: telephone events and clock jumps are no jitter") {
    receiver here{8000};
    for (unsigned i = 0; i < 10; ++i) hear(here, i);
    for (unsigned i = 10; i < 100; ++i) {
        auto event = voice(i);
        event.timestamp = voice(10).timestamp;
        here.receive(event, start + i * 20ms);
    }
    for (unsigned i = 100; i < 110; ++i) hear(here, i);
    CHECK(here.jitter() == 0);
    for (unsigned i = 110; i < 120; ++i) {
        auto jumped = voice(i);
        jumped.timestamp = jumped.timestamp + 0x4000'0000;
        here.receive(jumped, start + i * 20ms);
    }
    CHECK(here.jitter() == 0);
}

TEST_CASE("rtp::receiver: more packets than were expected lose nothing") {
    // RFC 3550 A.3: a fraction that would be negative is 0, also where not all came.
    receiver here{8000};
    for (unsigned i = 0; i < 10; ++i) hear(here, i);
    static_cast<void>(here.report());
    hear(here, 12);
    for (int i = 0; i < 4; ++i) hear(here, 12);
    const auto report = here.report();
    REQUIRE(report);
    CHECK(report->fraction_lost == 0); // 3 expected, 5 arrived.
    CHECK(report->cumulative_lost == -2);
}

TEST_CASE("rtp::receiver: a sender that began anew has lost nothing, whatever its number") {
    for (const unsigned next : {10U, 11U, 500U, 3'009U, 65'500U}) {
        CAPTURE(next);
        receiver here{8000};
        for (unsigned i = 0; i < 10; ++i) hear(here, i);
        CHECK(here.receive(voice(next), start + 1s, true) == reception::valid);
        CHECK(here.receive(voice(next + 1), start + 1s) == reception::valid);
        CHECK(here.totals().received == 12);
        CHECK(here.totals().lost == 0);
        CHECK(here.totals().sources == 1);
    }
    // Without that, numbers are all that there is.
    receiver here{8000};
    for (unsigned i = 0; i < 10; ++i) hear(here, i);
    CHECK(here.receive(voice(500), start + 1s) == reception::valid);
    CHECK(here.totals().lost == 490);
}

TEST_CASE("rtp::receiver: a far number is on probation, began anew or not") {
    receiver here{8000};
    for (unsigned i = 0; i < 10; ++i) hear(here, i);
    CHECK(here.receive(voice(30'000), start + 1s, true) == reception::probation);
    CHECK(here.receive(voice(77, 8), start + 1s, true) == reception::probation);
    CHECK(here.extended_highest() == 9);
}

} // namespace
} // namespace trunkline::rtp
