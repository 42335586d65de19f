#include <trunkline/rtp/session.hpp>

#include <doctest/doctest.h>

#include <array>
#include <random>
#include <vector>

#include "bytes.hpp"
#include "support/print.hpp"

namespace trunkline::rtp {
namespace {

using namespace std::chrono_literals;

constexpr time_point start{1000s};

/// Two sessions and a network that takes `delay` each way.
struct call {
    seeded_entropy random{42};
    session here{{.wall_clock_offset = 1'700'000'000s}, random};
    session there{{.wall_clock_offset = 1'700'003'000s}, random}; // An hour wrong, or nearly.
    duration delay = 30ms;

    static void talk(session& from, session& to, time_point now, duration transit) {
        const auto head = from.send(0, false, 160, now);
        packet_view packet;
        packet.header = head;
        to.receive(packet, now + transit);
        from.advance(160);
    }
    static void report(session& from, session& to, time_point now, duration transit) {
        std::array<std::byte, session::report_size> bytes{};
        const auto size = from.write_report(bytes, now);
        REQUIRE(size > 0);
        CHECK(*to.receive_rtcp(std::span{bytes}.first(size), now + transit) == rtcp_news::report);
    }
};

TEST_CASE("rtp::session: statistics tell both directions, and round trips are measured") {
    call on;
    for (int i = 0; i < 1500; ++i) {
        const auto now = start + i * 20ms;
        call::talk(on.here, on.there, now, on.delay);
        if (i % 10 != 3) {
            call::talk(on.there, on.here, now, on.delay);
        } else {
            on.there.send(0, false, 160, now); // Lost on the way.
            on.there.advance(160);
        }
        if (on.here.next_report() && *on.here.next_report() <= now) {
            call::report(on.here, on.there, now, on.delay);
        }
        if (on.there.next_report() && *on.there.next_report() <= now) {
            call::report(on.there, on.here, now, on.delay);
        }
    }
    const auto here = on.here.statistics();
    CHECK(here.sent_packets == 1500);
    CHECK(here.sent_octets == 1500 * 160);
    CHECK(here.received == 1350);
    CHECK(here.lost == 150);
    CHECK(here.duplicates == 0);
    CHECK(here.jitter == 0ms);
    REQUIRE(here.far_end);
    CHECK(here.far_end->lost == 0);
    REQUIRE(here.round_trip);
    CHECK(*here.round_trip > 59ms);
    CHECK(*here.round_trip < 61ms);
    const auto there = on.there.statistics();
    REQUIRE(there.far_end);
    CHECK(there.far_end->lost > 50);
    CHECK(there.far_end->fraction_lost == doctest::Approx(0.1).epsilon(0.1));
}

TEST_CASE("rtp::session: reports are due half to one and a half intervals apart") {
    seeded_entropy random{1};
    session here{{}, random};
    CHECK(here.next_report() == std::nullopt);
    auto now = start;
    here.send(0, false, 160, now);
    duration least = 1h;
    duration most{};
    for (int i = 0; i < 1000; ++i) {
        const auto due = here.next_report();
        REQUIRE(due);
        least = std::min(least, *due - now);
        most = std::max(most, *due - now);
        now = *due;
        std::array<std::byte, session::report_size> bytes{};
        REQUIRE(here.write_report(bytes, now) > 0);
    }
    CHECK(least >= 2500ms);
    CHECK(least < 2600ms);
    CHECK(most <= 7500ms);
    CHECK(most > 7400ms);
}

TEST_CASE("rtp::session: a sender report pairs both clocks, and stops when nothing is sent") {
    seeded_entropy random{1};
    session here{{.wall_clock_offset = 1'700'000'000s - 1000s}, random};
    const auto first = here.send(0, true, 160, start);
    std::array<std::byte, session::report_size> bytes{};
    auto size = here.write_report(bytes, start + 500ms);
    auto parsed = rtcp_view::parse(std::span{bytes}.first(size));
    REQUIRE(parsed);
    const auto sr = std::get<sender_report_view>(*parsed->begin());
    CHECK((sr.info.ntp >> 32) == 1'700'000'000 + 2'208'988'800);
    CHECK((sr.info.ntp & 0xffff'ffff) == 0x8000'0000);
    CHECK(sr.info.timestamp == first.timestamp + 4000);
    CHECK(sr.info.packets == 1);
    CHECK(sr.info.octets == 160);
    CHECK(sr.reports.size() == 0);
    CHECK(std::get<sdes_view>(*std::next(parsed->begin())).cname_of(here.ssrc()) == here.cname());

    here.write_report(bytes, start + 5s); // One more: it did send in the interval before.
    CHECK(std::to_integer<int>(bytes[1]) == 200);
    here.write_report(bytes, start + 10s);
    CHECK(std::to_integer<int>(bytes[1]) == 201);
    here.send(0, true, 160, start + 11s);
    here.write_report(bytes, start + 15s);
    CHECK(std::to_integer<int>(bytes[1]) == 200);
    CHECK(here.write_report(std::span{bytes}.first(session::report_size - 1), start) == 0);
}

TEST_CASE("rtp::session: a BYE of the source that is heard is news, another's is not") {
    call on;
    std::array<std::byte, session::report_size> bytes{};
    for (int i = 0; i < 2; ++i) call::talk(on.there, on.here, start + i * 20ms, 0ms);
    const auto foreign = hex("80c90001 00000001 81cb0001 00000001");
    CHECK(*on.here.receive_rtcp(foreign, start) == rtcp_news::report);
    const auto size = on.there.write_bye(bytes, start + 1s);
    CHECK(*on.here.receive_rtcp(std::span{bytes}.first(size), start + 1s) == rtcp_news::bye);
    CHECK(on.there.next_report() == std::nullopt);
    on.there.send(0, false, 160, start + 2s);
    CHECK(on.there.next_report() == std::nullopt);
}

TEST_CASE("rtp::session: a far end that makes up its LSR gives no round trip") {
    call on;
    for (int i = 0; i < 2; ++i) call::talk(on.here, on.there, start + i * 20ms, 0ms);
    std::array<std::byte, session::report_size> bytes{};
    on.here.write_report(bytes, start + 1s);
    for (const std::uint32_t middle : {0U, 1U, 0xffff'ffffU}) {
        const report_block block{.ssrc = on.here.ssrc(), .fraction_lost = 128, .last_sr = middle};
        const auto size = rtcp_writer{bytes}.receiver_report(9, {&block, 1}).size();
        CHECK(on.here.receive_rtcp(std::span{bytes}.first(size), start + 2s));
    }
    CHECK(on.here.statistics().round_trip == std::nullopt);
    CHECK(on.here.statistics().far_end->fraction_lost == 0.5);
}

TEST_CASE("rtp::session: what is no RTCP is refused with its reason") {
    call on;
    CHECK(on.here.receive_rtcp(hex("40c90001 00000001"), start).reason().code == errc::bad_version);
    CHECK(on.here.statistics().far_end == std::nullopt);
}

TEST_CASE("rtp::session: without an interval no report is ever due") {
    seeded_entropy random{1};
    session here{{.report_interval = 0s}, random};
    here.send(0, false, 160, start);
    CHECK(here.next_report() == std::nullopt);
}

TEST_CASE("rtp::sender: numbers start anywhere, and events bear the timestamp of their start") {
    seeded_entropy random{5};
    sender one{8000, random};
    sender two{8000, random};
    CHECK(one.ssrc() != two.ssrc());
    CHECK(one.sequence() != two.sequence());
    CHECK(one.timestamp() != two.timestamp());

    const auto first = one.next(0, true, 160, start);
    one.advance(160);
    const auto event = one.next_at(first.timestamp + 160, 101, true, 4);
    one.advance(160);
    const auto more = one.next_at(event.timestamp, 101, false, 4);
    CHECK(event.timestamp == first.timestamp + 160);
    CHECK(more.timestamp == event.timestamp);
    CHECK(more.sequence == first.sequence + 2);
    CHECK(one.timestamp() == first.timestamp + 320);
    CHECK(one.packets() == 3);
    CHECK(one.octets() == 168);
}

TEST_CASE("rtp::session: of several report blocks only the one about us is taken") {
    call on;
    for (int i = 0; i < 2; ++i) call::talk(on.here, on.there, start + i * 20ms, 0ms);
    std::array<std::byte, session::report_size> bytes{};
    const auto other = on.here.ssrc() + 1;
    const auto hear = [&](const std::vector<report_block>& blocks) {
        const auto size = rtcp_writer{bytes}.receiver_report(9, blocks).size();
        REQUIRE(size > 0);
        REQUIRE(on.here.receive_rtcp(std::span{bytes}.first(size), start + 2s));
    };
    hear({{.ssrc = other, .fraction_lost = 64, .cumulative_lost = 7}});
    CHECK(on.here.statistics().far_end == std::nullopt);
    hear({{.ssrc = other, .fraction_lost = 64, .cumulative_lost = 7},
          {.ssrc = on.here.ssrc(), .fraction_lost = 128, .cumulative_lost = 3},
          {.ssrc = other, .fraction_lost = 32, .cumulative_lost = 9}});
    REQUIRE(on.here.statistics().far_end);
    CHECK(on.here.statistics().far_end->fraction_lost == 0.5);
    CHECK(on.here.statistics().far_end->lost == 3);
}

} // namespace
} // namespace trunkline::rtp
