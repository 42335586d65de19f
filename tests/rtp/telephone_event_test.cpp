#include <trunkline/rtp/telephone_event.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "bytes.hpp"
#include "support/print.hpp"

namespace trunkline::rtp {
namespace {

using namespace std::chrono_literals;
using kind = digit_change::kind;

constexpr time_point start{1000s};

/// What was told, such as "1+ 1- ", with a receiver that also hears the silence.
struct listener {
    telephone_event_receiver here{{}};
    std::string told;
    std::vector<duration> lengths;

    void note(const digit_changes& changes) {
        for (const auto& change : changes) {
            told += change.digit;
            told += change.what == kind::started ? "+ " : "- ";
            if (change.what == kind::ended) lengths.push_back(change.length);
        }
    }
    void hear(std::uint32_t at, std::uint8_t event, std::uint16_t length, bool end, time_point now,
              bool marker = false, std::uint32_t ssrc = 7) {
        note(here.receive({.marker = marker, .payload_type = 101, .timestamp = {at}, .ssrc = ssrc},
                          {.event = event, .end = end, .volume = 10, .duration = length}, now));
    }
    void wait(time_point until) {
        if (const auto due = here.next_deadline(); due && *due <= until) note(here.tick(*due));
    }
};

struct packet_sent {
    telephone_event_sender::packet packet;
    time_point at;
};

/// All packets of `digits`, one after another as early as it is allowed.
std::vector<packet_sent> dial(std::string_view digits, duration length = 100ms) {
    telephone_event_sender from{{}};
    std::vector<packet_sent> all;
    auto now = start;
    for (const char digit : digits) {
        now = std::max(now, from.ready_at());
        const auto at = static_cast<std::uint32_t>(units_of(now - start, 8000));
        REQUIRE(from.start(digit, {at}, now, length));
        while (const auto due = from.next_deadline()) {
            now = *due;
            CHECK(from.take(now - 1ns) == std::nullopt);
            const auto made = from.take(now);
            REQUIRE(made);
            all.push_back({*made, now});
        }
    }
    return all;
}

TEST_CASE("rtp::telephone_event: parses and prints the figure of section 2.3") {
    const auto bytes = hex("0b8a0320");
    const auto parsed = telephone_event::parse(bytes);
    CHECK(parsed == telephone_event{11, true, 10, 800});
    std::array<std::byte, 4> into{};
    CHECK(parsed->write(into) == 4);
    CHECK(std::vector<std::byte>(into.begin(), into.end()) == bytes);
    CHECK(telephone_event::parse(hex("0b4a032000")) == telephone_event{11, false, 10, 800});
    CHECK(telephone_event::parse(hex("0b8a03")).reason() ==
          error{.code = errc::need_more, .offset = 3});
    CHECK(parsed->write(std::span{into}.first(3)) == 0);
}

TEST_CASE("rtp::to_event: is table 3 of RFC 4733, and to_digit its reverse") {
    CHECK(to_event('0') == 0);
    CHECK(to_event('9') == 9);
    CHECK(to_event('*') == 10);
    CHECK(to_event('#') == 11);
    CHECK(to_event('A') == 12);
    CHECK(to_event('D') == 15);
    CHECK(to_event('E') == std::nullopt);
    CHECK(to_event('a') == std::nullopt);
    CHECK(to_event('\0') == std::nullopt);
    for (std::uint8_t event = 0; event < 16; ++event) CHECK(to_event(*to_digit(event)) == event);
    CHECK(to_digit(16) == std::nullopt);
    CHECK(to_digit(255) == std::nullopt);
}

TEST_CASE(
    "rtp::telephone_event_sender: 100 ms are five updates, and the last of them three times") {
    const auto all = dial("5");
    REQUIRE(all.size() == 7);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto payload = *telephone_event::parse(all[i].packet.payload);
        CHECK(payload.event == 5);
        CHECK(payload.duration == std::min<std::size_t>(160 * (i + 1), 800));
        CHECK(payload.end == (i >= 4));
        CHECK(all[i].packet.marker == (i == 0));
        CHECK(all[i].packet.timestamp == timestamp{0});
        CHECK(all[i].at == start + 20ms * static_cast<int>(i));
    }
}

TEST_CASE("rtp::telephone_event_sender: keeps digits apart, and refuses what it cannot send") {
    telephone_event_sender from{{}};
    CHECK(from.start('x', {0}, start).reason().code == errc::not_supported);
    CHECK(from.start('1', {0}, start, 0ms).reason().code == errc::limit_exceeded);
    CHECK(from.start('1', {0}, start, 8192ms).reason().code == errc::limit_exceeded);
    CHECK(from.start('1', {0}, start));
    CHECK(from.start('2', {0}, start).reason().code == errc::wrong_state);
    while (from.next_deadline()) (void)from.take(*from.next_deadline());
    CHECK(from.ready_at() >= start + 140ms);
    CHECK(from.start('2', {0}, from.ready_at() - 1ns).reason().code == errc::wrong_state);
    CHECK(from.start('2', {0}, from.ready_at()));
}

TEST_CASE("rtp::telephone_event_receiver: hears every digit that is sent, once") {
    listener on;
    for (const auto& one : dial("0123456789*#ABCD11")) {
        const auto payload = *telephone_event::parse(one.packet.payload);
        on.note(on.here.receive({.timestamp = one.packet.timestamp, .ssrc = 7}, payload, one.at));
    }
    CHECK(on.told == "0+ 0- 1+ 1- 2+ 2- 3+ 3- 4+ 4- 5+ 5- 6+ 6- 7+ 7- 8+ 8- 9+ 9- *+ *- #+ #- "
                     "A+ A- B+ B- C+ C- D+ D- 1+ 1- 1+ 1- ");
    for (const auto length : on.lengths) CHECK(length == 100ms);
}

TEST_CASE("rtp::telephone_event_receiver: any packet of a digit is enough, whichever are lost") {
    const auto all = dial("42");
    REQUIRE(all.size() == 14);
    for (unsigned lost = 0; lost < 1U << 14; ++lost) {
        const bool none_of_4 = (lost & 0x7fU) == 0x7fU;
        const bool none_of_2 = (lost >> 7 & 0x7fU) == 0x7fU;
        listener on;
        for (std::size_t i = 0; i < all.size(); ++i) {
            if ((lost >> i & 1U) != 0) continue;
            on.wait(all[i].at);
            const auto payload = *telephone_event::parse(all[i].packet.payload);
            on.note(on.here.receive(
                {.marker = all[i].packet.marker, .timestamp = all[i].packet.timestamp, .ssrc = 7},
                payload, all[i].at));
        }
        on.wait(start + 10s);
        std::string expected = none_of_4 ? "" : "4+ 4- ";
        if (!none_of_2) expected += "2+ 2- ";
        REQUIRE(on.told == expected);
    }
}

TEST_CASE(
    "rtp::telephone_event_receiver: a digit without an end ends with the next or in silence") {
    listener on;
    on.hear(0, 1, 160, false, start);
    on.hear(0, 1, 320, false, start + 20ms);
    on.hear(1600, 2, 160, false, start + 100ms);
    CHECK(on.told == "1+ 1- 2+ ");
    CHECK(on.here.next_deadline() == start + 250ms);
    CHECK(on.here.tick(start + 249ms).empty());
    on.wait(start + 250ms);
    CHECK(on.told == "1+ 1- 2+ 2- ");
    CHECK(on.lengths == std::vector<duration>{40ms, 20ms});
    on.hear(1600, 2, 800, true, start + 300ms); // A straggler is no second digit.
    CHECK(on.told == "1+ 1- 2+ 2- ");
    CHECK(on.here.next_deadline() == std::nullopt);
}

TEST_CASE("rtp::telephone_event_receiver: ends that come again after the next digit are absorbed") {
    listener on;
    on.hear(0, 1, 800, true, start);
    on.hear(1600, 2, 160, false, start + 20ms);
    on.hear(0, 1, 800, true, start + 30ms);
    on.hear(1600, 2, 320, false, start + 40ms);
    on.hear(1600, 2, 160, false, start + 45ms); // Reordered: it gets no shorter.
    on.hear(1600, 2, 320, true, start + 60ms);
    CHECK(on.told == "1+ 1- 2+ 2- ");
    CHECK(on.lengths == std::vector<duration>{100ms, 40ms});
}

TEST_CASE(
    "rtp::telephone_event_receiver: another SSRC or event under one timestamp is another digit") {
    listener on;
    on.hear(0, 1, 800, true, start, true, 7);
    on.hear(0, 1, 800, true, start + 20ms, true, 8);
    on.hear(0, 2, 800, true, start + 40ms, true, 8);
    CHECK(on.told == "1+ 1- 1+ 1- 2+ 2- ");
}

TEST_CASE("rtp::telephone_event_receiver: a digit of 20 seconds in three segments is one digit") {
    listener on;
    auto now = start;
    for (std::uint32_t segment = 0; segment < 3; ++segment) {
        const std::uint32_t full = segment < 2 ? 0xffff : 0x7000;
        for (std::uint32_t units = 160; units < full; units += 160) {
            on.hear(segment * 0xffff, 3, static_cast<std::uint16_t>(units), false, now += 20ms);
        }
        on.hear(segment * 0xffff, 3, static_cast<std::uint16_t>(full), segment == 2, now += 20ms);
        if (segment == 1) on.hear(0, 3, 0xffff, false, now); // Reordered from the first.
    }
    CHECK(on.told == "3+ 3- ");
    CHECK(on.lengths == std::vector<duration>{duration_of(2 * 0xffff + 0x7000, 8000)});
}

TEST_CASE("rtp::telephone_event_receiver: events that are no digits are ignored") {
    listener on;
    for (int event = 16; event < 256; ++event) {
        on.hear(static_cast<std::uint32_t>(event), static_cast<std::uint8_t>(event), 800, true,
                start);
    }
    CHECK(on.told.empty());
    CHECK(on.here.next_deadline() == std::nullopt);
}

} // namespace
} // namespace trunkline::rtp
