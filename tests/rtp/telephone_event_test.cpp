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

/// One packet of a sender: milliseconds, timestamp, event, duration.
struct told_by_sender {
    int at = 0;
    std::uint32_t timestamp = 0;
    std::uint8_t event = 0;
    unsigned duration = 0;
    bool end = false;
    bool marker = false;
};
using sender_packets = std::vector<told_by_sender>;

/// How a sender presses a key: what its timestamp does from update to update and from end to end,
/// and what it tells of the duration.
struct habit {
    std::uint32_t step = 0;     ///< Units that the timestamp moves by with each update.
    std::uint32_t end_step = 0; ///< And with each end packet after the first.
    unsigned updates = 5;
    unsigned ends = 3;
    unsigned first = 160; ///< Duration of the first update.
    unsigned grows = 160;
    bool marker = true;
};

/// Twenty milliseconds from update to update, the ends at once, as dtmf gateways do.
void press(sender_packets& into, int at, std::uint32_t timestamp, std::uint8_t event,
           const habit& how) {
    unsigned length = how.first;
    for (unsigned n = 0; n < how.updates; ++n, timestamp += how.step, length += how.grows) {
        into.push_back({at, timestamp, event, length, false, how.marker && n == 0});
        at += 20;
    }
    for (unsigned n = 0; n < how.ends; ++n, timestamp += how.end_step) {
        into.push_back({at, timestamp, event, length, true, false});
    }
}

/// The starts that a listener was told of.
std::string presses(const sender_packets& sent) {
    listener on;
    for (const auto& one : sent) {
        const auto now = start + std::chrono::milliseconds{one.at};
        on.wait(now);
        on.hear(0xffff'fc00U + one.timestamp, one.event, static_cast<std::uint16_t>(one.duration),
                one.end, now, one.marker);
    }
    on.wait(start + 1h);
    CHECK_FALSE(on.here.next_deadline().has_value());
    std::string starts;
    for (std::size_t i = 0; i + 1 < on.told.size(); ++i) {
        if (on.told[i + 1] == '+') starts += on.told[i];
    }
    return starts;
}

/// The key pressed twice, the second time `later` milliseconds after the first.
std::string twice(const habit& how, int later, std::uint32_t timestamp_later) {
    sender_packets sent;
    press(sent, 0, 0, 1, how);
    press(sent, later, timestamp_later, 1, how);
    return presses(sent);
}

TEST_CASE("rtp::telephone_event_receiver: a key pressed twice is heard twice, by all senders") {
    // All clocks count on by 8 units a millisecond.
    CHECK(twice({}, 200, 1'600) == "11");
    CHECK(twice({.marker = false}, 200, 1'600) == "11");
    CHECK(twice({.ends = 1}, 200, 1'600) == "11");
    CHECK(twice({.ends = 0}, 200, 1'600) == "11");
    CHECK(twice({.updates = 3, .ends = 0}, 80, 640) == "11");
    CHECK(twice({.updates = 0}, 200, 1'600) == "11"); // Only the ends arrived.
    // The timestamp moves with the updates, the ends, or both.
    CHECK(twice({.step = 160}, 200, 1'600) == "11");
    CHECK(twice({.step = 160, .ends = 0}, 200, 1'600) == "11");
    CHECK(twice({.step = 160, .updates = 3, .ends = 0}, 100, 800) == "11");
    CHECK(twice({.end_step = 160}, 200, 1'600) == "11");
    CHECK(twice({.step = 160, .end_step = 160}, 200, 1'600) == "11");
    CHECK(twice({.step = 1}, 1'000, 6) == "11"); // No clock, but a number.
    // Durations that tell nothing, or only of the packet.
    CHECK(twice({.first = 0, .grows = 0}, 200, 1'600) == "11");
    CHECK(twice({.step = 160, .first = 160, .grows = 0, .marker = false}, 200, 1'600) == "11");
    // A timestamp that stands still names the next press once 500 ms have passed.
    CHECK(twice({}, 1'000, 0) == "11");
    CHECK(twice({.ends = 0}, 1'000, 0) == "11");
    CHECK(twice({.first = 0, .grows = 0}, 1'000, 0) == "11");
    // A clock that was set back in between.
    CHECK(twice({}, 1'000, 0x8000'0000U + 1) == "11");
    CHECK(twice({}, 1'000, 0U - 80'000) == "11");
}

TEST_CASE("rtp::telephone_event_receiver: a key pressed once is heard once, by all senders") {
    for (const unsigned updates : {0U, 1U, 2U, 5U, 40U}) {
        for (const unsigned ends : {0U, 1U, 3U}) {
            for (const std::uint32_t step : {0U, 1U, 80U, 160U}) {
                for (const std::uint32_t end_step : {0U, 1U, 80U, 160U}) {
                    for (const bool marker : {false, true}) {
                        if (updates + ends == 0) continue;
                        CAPTURE(updates);
                        CAPTURE(ends);
                        CAPTURE(step);
                        CAPTURE(end_step);
                        sender_packets sent;
                        press(sent, 0, 0, 9,
                              {.step = step,
                               .end_step = end_step,
                               .updates = updates,
                               .ends = ends,
                               .first = 320,
                               .marker = marker});
                        CHECK(presses(sent) == "9");
                    }
                }
            }
        }
    }
    // Each packet an event of its own, as long as the packet.
    sender_packets pieces;
    press(pieces, 0, 0, 4, {.step = 160, .ends = 0, .grows = 0, .marker = false});
    CHECK(presses(pieces) == "4");
    // Durations that are all 0 under timestamps that all differ.
    sender_packets nothing;
    press(nothing, 0, 0, 4, {.step = 160, .end_step = 160, .first = 0, .grows = 0});
    CHECK(presses(nothing) == "4");
    // The updates stand, and the ends bear the time that they are sent at.
    CHECK(
        presses(
            {{0, 0, 7, 160}, {20, 0, 7, 320}, {40, 320, 7, 320, true}, {60, 480, 7, 320, true}}) ==
        "7");
    // The durations begin anew under a timestamp that lies within what was told already.
    CHECK(presses({{0, 0, 7, 160}, {20, 0, 7, 320}, {20, 160, 7, 160}, {40, 160, 7, 320, true}}) ==
          "7");
}

TEST_CASE("rtp::telephone_event_receiver: a press whose packets pause for a second is one press") {
    // Told at its start, then by its end alone, which says how long it was.
    CHECK(presses({{0, 0, 9, 160, false, true},
                   {20, 0, 9, 320},
                   {1'320, 0, 9, 13'000, true},
                   {1'320, 0, 9, 13'000, true}}) == "9");
    // The network held them back for 700 ms, with timestamps that move and that stand.
    CHECK(presses(
              {{0, 0, 9, 160}, {700, 160, 9, 320}, {700, 320, 9, 480}, {700, 480, 9, 640, true}}) ==
          "9");
    CHECK(presses({{0, 0, 9, 160}, {700, 0, 9, 320}, {700, 0, 9, 480}, {700, 0, 9, 640, true}}) ==
          "9");
}

TEST_CASE("rtp::telephone_event_receiver: RTP time parts presses that arrive in one burst") {
    CHECK(presses({{900, 0, 3, 800, true}, {900, 1'120, 3, 160}, {900, 1'120, 3, 800, true}}) ==
          "33");
    CHECK(presses({{900, 0, 3, 480}, {900, 1'120, 3, 160}, {900, 1'120, 3, 480}}) == "33");
    CHECK(presses({{900, 0, 3, 160},
                   {900, 160, 3, 320},
                   {900, 320, 3, 480},
                   {900, 1'120, 3, 160},
                   {900, 1'280, 3, 320}}) == "33");
}

TEST_CASE("rtp::telephone_event_receiver: the later timestamp is a press from the end on") {
    // RFC 4733 section 2.2.1: the first ended by its end bit, 800 units after its timestamp.
    const auto second = [](std::uint32_t timestamp) {
        return presses({{0, 0, 5, 800, true}, {20, timestamp, 5, 160}});
    };
    CHECK(second(799) == "5");
    CHECK(second(800) == "55");
    CHECK(second(801) == "55");
}

TEST_CASE("rtp::telephone_event_receiver: a name is forgotten after 500 ms") {
    const auto again = [](int at) {
        return presses({{0, 0, 5, 800, true}, {at, 0, 5, 800, true}});
    };
    CHECK(again(500) == "5");
    CHECK(again(501) == "55");
    // Since its last packet, not its first.
    CHECK(presses({{0, 0, 5, 800, true}, {400, 0, 5, 800, true}, {800, 0, 5, 800, true}}) == "5");
}

TEST_CASE("rtp::telephone_event_receiver: a name of before the last press is known as well") {
    CHECK(presses({{0, 0, 1, 800, true},
                   {20, 1'120, 1, 160},
                   {30, 0, 1, 800, true},
                   {40, 1'120, 1, 800, true},
                   {50, 2'240, 2, 160},
                   {60, 1'120, 1, 800, true},
                   {60, 0, 1, 800, true},
                   {70, 2'240, 2, 320, true}}) == "112");
}

TEST_CASE("rtp::telephone_event_receiver: another digit under way does not end a reordered one") {
    listener on;
    on.hear(0, 1, 800, true, start);
    on.hear(1'600, 2, 160, false, start + 20ms);
    on.hear(0, 1, 480, false, start + 30ms);
    CHECK(on.told == "1+ 1- 2+ ");
    on.hear(1'600, 2, 320, true, start + 40ms);
    CHECK(on.lengths == std::vector<duration>{100ms, 40ms});
}

TEST_CASE("rtp::telephone_event_receiver: no packet that is late makes a digit shorter") {
    listener on;
    on.hear(0, 6, 480, false, start);
    on.hear(0, 6, 160, false, start + 10ms);
    on.wait(start + 1s);
    CHECK(on.lengths == std::vector<duration>{60ms});
}

TEST_CASE("rtp::telephone_event_receiver: a duration field that wraps is one long press") {
    listener on;
    auto now = start;
    for (std::uint32_t units = 160; units <= 80'000; units += 160) {
        on.hear(0, 3, static_cast<std::uint16_t>(units), units == 80'000, now += 20ms);
    }
    CHECK(on.told == "3+ 3- ");
    CHECK(on.lengths == std::vector<duration>{10s});
}

TEST_CASE("rtp::telephone_event_receiver: a segment may lose its last packets, not its name") {
    listener on;
    on.hear(0, 3, 65'000, false, start);
    on.hear(65'535, 3, 160, false, start + 20ms);
    on.hear(65'535, 3, 800, true, start + 40ms);
    CHECK(on.told == "3+ 3- ");
    CHECK(on.lengths == std::vector<duration>{duration_of(65'535 + 800, 8000)});
}

} // namespace
} // namespace trunkline::rtp
