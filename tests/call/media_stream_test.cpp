#include <trunkline/call/media_stream.hpp>

#include <array>
#include <set>

#include "support/one_stream.hpp"

#include "support/print.hpp"

namespace trunkline::calls {
namespace {

using namespace support;

std::vector<std::byte> payload_of(std::size_t size, unsigned value = 0x55) {
    return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

void check_continuous(const one_stream& world, std::size_t samples) {
    for (std::size_t i = 0; i < world.rtp.size(); ++i) {
        const auto& packet = world.rtp[i].packet;
        CHECK(packet.at(0) == 0x80);
        CHECK(packet.marker() == (i == 0));
        CHECK(packet.payload() == samples);
        if (i == 0) continue;
        const auto& before = world.rtp[i - 1].packet;
        CHECK(packet.sequence() == static_cast<std::uint16_t>(before.sequence() + 1));
        CHECK(packet.timestamp() == static_cast<std::uint32_t>(before.timestamp() + samples));
    }
}

TEST_CASE("call::media_stream: one packet of silence leaves every ptime, exactly") {
    for (const int ptime : {10, 20, 30, 60}) {
        for (const bool alaw : {false, true}) {
            CAPTURE(ptime);
            one_stream world;
            auto agreed = usual_agreement();
            agreed.ptime = std::chrono::milliseconds{ptime};
            if (alaw) {
                agreed.law = sdp::encoding::pcma;
                agreed.send_payload_type = agreed.receive_payload_type = 8;
            }
            const auto start = world.now;
            world.stream.agree(agreed, world.now);
            world.pass(1200ms - 1ns);
            REQUIRE(world.rtp.size() == static_cast<std::size_t>(1200 / ptime));
            check_continuous(world, static_cast<std::size_t>(8 * ptime));
            for (std::size_t i = 0; i < world.rtp.size(); ++i) {
                CHECK(world.rtp[i].at - start == std::chrono::milliseconds{ptime} * i);
                CHECK(world.rtp[i].to == far_end);
                CHECK(world.rtp[i].packet.type() == (alaw ? 8 : 0));
                CHECK(world.rtp[i].packet.at(12) == (alaw ? 0xd5 : 0xff));
                CHECK(world.rtp[i].packet.bytes.back() == world.rtp[i].packet.bytes[12]);
            }
        }
    }
}

TEST_CASE("call::media_stream: frames that the agent sends keep their cadence, then silence") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    world.pass(100ms - 1ns);
    const auto silent = world.rtp.size();
    world.now += 1ns;
    const std::array<std::int16_t, 160> loud = [] {
        std::array<std::int16_t, 160> made{};
        made.fill(8'000);
        return made;
    }();
    for (int n = 0; n < 50; ++n) {
        CHECK(world.stream.send(loud, world.now, world.out).has_value());
        world.settle();
        world.pass(20ms);
    }
    CHECK(world.rtp.size() == silent + 50); // Not one frame of silence in between.
    world.pass(100ms - 1ns);
    CHECK(world.rtp.size() == silent + 50 + 4);
    check_continuous(world, 160);
    CHECK(world.rtp[silent].packet.at(12) != 0xff);
    CHECK(world.rtp.back().packet.at(12) == 0xff);
    CHECK(world.stream.statistics().first_sent.has_value());
}

TEST_CASE("call::media_stream: a frame that no packet carries, or a held stream, is refused") {
    one_stream world;
    const std::vector<std::int16_t> frame(481);
    const std::span all{frame};
    CHECK(world.stream.send(all.first(160), world.now, world.out).reason().code ==
          errc::wrong_state);
    world.stream.agree(usual_agreement(), world.now);
    CHECK_FALSE(world.stream.send(all, world.now, world.out).has_value());
    CHECK_FALSE(world.stream.send({}, world.now, world.out).has_value());
    CHECK(world.stream.send(all.first(480), world.now, world.out).has_value());
    auto held = usual_agreement();
    held.direction = sdp::direction::recvonly;
    world.stream.agree(held, world.now);
    CHECK_FALSE(world.stream.send(all.first(160), world.now, world.out).has_value());
    CHECK_FALSE(world.stream.send_digits("1", world.now).has_value());
    world.settle();
    CHECK(world.rtp.size() == 1);
}

TEST_CASE("call::media_stream: queued speech leaves before silence, and its marks are told") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    const auto id = world.stream.speech().open();
    REQUIRE(id.has_value());
    const std::vector<std::int16_t> pcm(800, 8'000);
    CHECK(*world.stream.speech().write(*id, pcm) == 800);
    CHECK(world.stream.speech().mark(*id, 77).has_value());
    CHECK(world.stream.speech().finish(*id).has_value());
    world.pass(200ms - 1ns);
    REQUIRE(world.rtp.size() == 10);
    check_continuous(world, 160);
    for (std::size_t i = 0; i < 10; ++i) CHECK((world.rtp[i].packet.at(12) != 0xff) == (i < 5));
    REQUIRE(world.events.size() == 3);
    CHECK(world.events[0].code == event::mark);
    CHECK(world.events[0].values == std::array<std::int64_t, 2>{77, 1});
    CHECK(world.events[1].code == event::utterance_played);
    CHECK(world.events[1].values[1] == 800);
    CHECK(world.events[2].code == event::drained);
}

/// What RFC 4733 section 2.5 wants of each digit, read off the bytes, and what our receiver makes
/// of them.
void check_digits(const one_stream& world, const std::string& digits) {
    rtp::telephone_event_receiver receiver{{}};
    std::string decoded;
    std::vector<const one_stream::packet_sent*> events;
    for (const auto& one : world.rtp) {
        if (one.packet.type() == 101) events.push_back(&one);
    }
    std::size_t digit = 0;
    for (std::size_t i = 0; i < events.size(); ++digit) {
        const auto start = events[i]->packet.timestamp();
        CHECK(events[i]->packet.marker());
        unsigned ends = 0;
        unsigned length = 0;
        const auto first = i;
        for (; i < events.size() && events[i]->packet.timestamp() == start; ++i) {
            const auto& packet = events[i]->packet;
            CHECK(packet.payload() == 4);
            CHECK(packet.marker() == (i == first));
            CHECK(packet.at(12) == std::string{"0123456789*#ABCD"}.find(digits.at(digit)));
            CHECK((packet.at(13) & 0x40U) == 0);
            const auto told = packet.at(14) << 8U | packet.at(15);
            CHECK(told >= length);
            length = told;
            ends += packet.at(13) >> 7U;
        }
        CHECK(ends == 3);
        CHECK(length == 800); // 100 ms.
    }
    CHECK(digit == digits.size());
    for (const auto* one : events) {
        const auto parsed = rtp::packet_view::parse(one->packet.bytes);
        REQUIRE(parsed.has_value());
        const auto payload = rtp::telephone_event::parse(parsed->payload);
        REQUIRE(payload.has_value());
        for (const auto& change : receiver.receive(parsed->header, *payload, one->at)) {
            if (change.what == rtp::digit_change::kind::started) decoded += change.digit;
        }
    }
    CHECK(decoded == digits);
}

TEST_CASE("call::media_stream: digits go out as named events, one after the other") {
    for (const int ptime : {10, 20, 30, 60}) {
        CAPTURE(ptime);
        one_stream world;
        auto agreed = usual_agreement();
        agreed.ptime = std::chrono::milliseconds{ptime};
        world.stream.agree(agreed, world.now);
        world.pass(200ms);
        CHECK(world.stream.send_digits("5#55*D", world.now).has_value());
        world.pass(3s);
        check_digits(world, "5#55*D");
        // Audio goes on where the media clock is by then.
        const auto& first = world.rtp.front();
        const auto& last = world.rtp.back();
        CHECK(last.packet.type() == 0);
        CHECK(last.packet.timestamp() - first.packet.timestamp() ==
              static_cast<std::uint32_t>((last.at - first.at) / 1ms * 8));
        for (std::size_t i = 1; i < world.rtp.size(); ++i) {
            CHECK(world.rtp[i].packet.sequence() ==
                  static_cast<std::uint16_t>(world.rtp[i - 1].packet.sequence() + 1));
        }
    }
}

TEST_CASE("call::media_stream: an agent that sends all the time does not hold up its digits") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    const std::array<std::int16_t, 160> frame{};
    for (int n = 0; n < 100; ++n) {
        CHECK(world.stream.send(frame, world.now, world.out).has_value());
        world.settle();
        if (n == 10) CHECK(world.stream.send_digits("42", world.now).has_value());
        world.pass(20ms);
    }
    check_digits(world, "42");
    CHECK(world.rtp.back().packet.type() == 0);
}

TEST_CASE("call::media_stream: digits are refused where the peer takes none, or too many wait") {
    one_stream world;
    auto agreed = usual_agreement();
    agreed.send_telephone_event.reset();
    world.stream.agree(agreed, world.now);
    CHECK(world.stream.send_digits("1", world.now).reason().code == errc::not_supported);
    world.stream.agree(usual_agreement(), world.now);
    CHECK(world.stream.send_digits("12x", world.now).reason().offset == 2);
    CHECK(world.stream.send_digits(std::string(64, '1'), world.now).has_value());
    CHECK(world.stream.send_digits("1", world.now).reason().code == errc::full);
}

TEST_CASE("call::media_stream: a digit that is heard is told once, whatever is lost of it") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    std::uint16_t sequence = 100;
    for (unsigned n = 1; n <= 8; ++n) {
        const bool end = n >= 6;
        const std::vector<std::byte> payload{std::byte{5}, end ? std::byte{0x8a} : std::byte{0x0a},
                                             static_cast<std::byte>(std::min(n, 6U) * 160 >> 8U),
                                             static_cast<std::byte>(std::min(n, 6U) * 160)};
        if (n != 1 && n != 4) world.receive(make_rtp(101, sequence, 5'000, 1, payload, n == 1));
        ++sequence;
        world.pass(20ms);
    }
    world.pass(1s);
    REQUIRE(world.events.size() == 1);
    CHECK(world.events[0].code == event::digit);
    CHECK(world.events[0].values[0] == '5');
}

/// The digits that were told of so far.
std::string digits_told(const one_stream& world) {
    std::string told;
    for (const auto& one : world.events) {
        if (one.code == event::digit) told += static_cast<char>(one.values[0]);
    }
    return told;
}

void press_by_rtp(one_stream& world, std::uint16_t& sequence, std::uint8_t digit) {
    const auto timestamp = static_cast<std::uint32_t>((world.now - time_point{}) / 1ms * 8);
    for (unsigned n = 1; n <= 3; ++n) {
        world.receive(make_rtp(101, sequence++, timestamp, 1,
                               {std::byte{digit}, n == 3 ? std::byte{0x8a} : std::byte{0x0a},
                                std::byte{0x03}, static_cast<std::byte>(0x20 + n)},
                               n == 1));
        world.pass(20ms);
    }
}

void press_by_info(one_stream& world, char digit) {
    world.stream.hear_info(digit, world.now, world.out);
    world.settle();
}

TEST_CASE("call::media_stream: digits by INFO are heard until RTP tells of one") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    std::uint16_t sequence = 1;
    press_by_info(world, '1');
    press_by_info(world, '1'); // No RTP: each INFO is a press.
    CHECK(digits_told(world) == "11");
    world.pass(2s);
    press_by_rtp(world, sequence, 2);
    press_by_info(world, '2');
    press_by_info(world, '3');
    world.pass(10s);
    press_by_info(world, '4');
    CHECK(digits_told(world) == "112");
}

TEST_CASE("call::media_stream: an INFO up to 500 ms before the first event by RTP is its press") {
    const auto told = [](duration before, char by_info) {
        one_stream world;
        world.stream.agree(usual_agreement(), world.now);
        std::uint16_t sequence = 1;
        press_by_info(world, by_info);
        world.pass(before);
        press_by_rtp(world, sequence, 5);
        world.pass(1s);
        press_by_rtp(world, sequence, 5);
        return digits_told(world);
    };
    CHECK(told(0ms, '5') == "55");
    CHECK(told(500ms, '5') == "55");
    CHECK(told(501ms, '5') == "555");
    CHECK(told(100ms, '6') == "655"); // Another key is another press.
}

TEST_CASE("call::media_stream: two keys by INFO, and then both by RTP, are two presses") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    std::uint16_t sequence = 1;
    press_by_info(world, '1');
    world.pass(100ms);
    press_by_info(world, '2');
    world.pass(100ms);
    press_by_rtp(world, sequence, 1);
    press_by_rtp(world, sequence, 2);
    CHECK(digits_told(world) == "12");
}

TEST_CASE("call::media_stream: reports leave every five seconds or so, and BYE at the end") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    world.pass(120s);
    REQUIRE(world.rtcp.size() >= 16);
    std::set<duration> gaps;
    for (std::size_t i = 0; i < world.rtcp.size(); ++i) {
        const auto gap = world.rtcp[i].at - (i == 0 ? time_point{1h} : world.rtcp[i - 1].at);
        CHECK(gap >= 2500ms);
        CHECK(gap <= 7500ms);
        gaps.insert(gap);
        CHECK(world.rtcp[i].packet.at(1) == 200); // A sender report.
        CHECK(world.rtcp[i].to == endpoint{far_end.address, 30'001});
    }
    CHECK(gaps.size() > world.rtcp.size() / 2);
    world.stream.stop(world.now, world.out);
    world.settle();
    const auto& bye = world.rtcp.back().packet.bytes;
    REQUIRE(bye.size() >= 8);
    CHECK(bye[bye.size() - 7] == std::byte{203});
    const auto sent = world.rtp.size() + world.rtcp.size();
    world.pass(20s);
    CHECK(world.rtp.size() + world.rtcp.size() == sent);
    CHECK_FALSE(world.stream.next_deadline().has_value());
}

TEST_CASE(
    "call::media_stream: who never sent anything says no BYE, and nobody is told at 0.0.0.0") {
    one_stream world;
    auto agreed = usual_agreement();
    agreed.direction = sdp::direction::recvonly;
    world.stream.agree(agreed, world.now);
    world.stream.stop(world.now, world.out);
    world.settle();
    CHECK(world.rtcp.empty());

    one_stream other;
    other.stream.agree(usual_agreement(), other.now);
    other.pass(1s);
    agreed.rtp.address = agreed.rtcp.address = address::v4(0, 0, 0, 0);
    other.stream.agree(agreed, other.now);
    other.rtp.clear();
    other.pass(30s);
    CHECK(other.rtp.empty());
    CHECK(other.rtcp.empty());
    auto none = usual_agreement();
    none.disabled = true;
    none.rtp.port = none.rtcp.port = 0;
    other.stream.agree(none, other.now);
    other.pass(30s);
    CHECK(other.rtcp.empty());
}

TEST_CASE("call::media_stream: RTCP goes beside RTP, to the NAT or over the same port") {
    one_stream world;
    auto agreed = usual_agreement();
    agreed.rtcp_mux = true;
    world.stream.agree(agreed, world.now);
    world.pass(10s);
    CHECK(world.rtcp.empty()); // All by the RTP port.
    CHECK(std::ranges::any_of(world.rtp, [](const auto& one) { return one.packet.at(1) == 200; }));

    one_stream moved;
    moved.stream.agree(usual_agreement(), moved.now);
    for (std::uint16_t i = 1; i <= 4; ++i) { // Probation.
        moved.receive(make_rtp(0, i, 160U * i, 1, payload_of(160)), {far_end.address, 44'000});
    }
    moved.pass(10s);
    CHECK(moved.rtp.back().to == endpoint{far_end.address, 44'000});
    CHECK(moved.rtcp.back().to == endpoint{far_end.address, 44'001});
}

TEST_CASE("call::media_stream: a re-INVITE changes the law both ways, and what is queued with it") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    const auto id = world.stream.speech().open();
    const std::vector<std::int16_t> pcm(1'600, 8'000);
    CHECK(*world.stream.speech().write(*id, pcm) == 1'600);
    world.pass(100ms - 1ns);
    auto agreed = usual_agreement();
    agreed.law = sdp::encoding::pcma;
    agreed.send_payload_type = agreed.receive_payload_type = 8;
    world.stream.agree(agreed, world.now);
    world.pass(100ms);
    check_continuous(world, 160);
    CHECK(world.rtp[4].packet.type() == 0);
    CHECK(world.rtp[5].packet.type() == 8);
    const std::array<std::int16_t, 1> loud{8'000};
    std::array<std::byte, 1> ulaw{};
    std::array<std::byte, 1> alaw{};
    codec::encode(codec::law::ulaw, loud, ulaw);
    // What was queued went through one law into the other.
    std::array<std::int16_t, 1> queued{};
    codec::decode(codec::law::ulaw, ulaw, queued);
    codec::encode(codec::law::alaw, queued, alaw);
    CHECK(world.rtp[4].packet.bytes[20] == ulaw[0]);
    CHECK(world.rtp[5].packet.bytes[20] == alaw[0]);
    world.receive(make_rtp(8, 1, 0, 1, payload_of(160)));
    CHECK(world.frames.size() == 1);
}

TEST_CASE("call::media_stream: strangers are neither heard nor sent to") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    world.receive(make_rtp(0, 1, 0, 1, payload_of(160)));
    const endpoint stranger{address::v4(203, 0, 113, 66), 30'000};
    for (std::uint16_t n = 2; n < 50; ++n)
        world.receive(make_rtp(0, n, 160U * n, 1, payload_of(160)), stranger);
    CHECK(world.frames.size() == 1);
    CHECK(world.stream.statistics().foreign == 48);
    world.pass(100ms);
    for (const auto& one : world.rtp) CHECK(one.to == far_end);
}

TEST_CASE("call::media_stream: after hold the timestamp has moved with the time, under a marker") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    world.pass(100ms - 1ns);
    world.now += 1ns;
    auto held = usual_agreement();
    held.direction = sdp::direction::inactive;
    world.stream.agree(held, world.now);
    const auto before = world.rtp.size();
    world.pass(60s);
    CHECK(world.rtp.size() == before);
    world.stream.agree(usual_agreement(), world.now);
    world.pass(100ms - 1ns);
    const auto& last = world.rtp[before - 1];
    const auto& first = world.rtp[before];
    CHECK(first.packet.marker());
    CHECK(first.packet.timestamp() - last.packet.timestamp() ==
          static_cast<std::uint32_t>((first.at - last.at) / 1ms * 8));
    CHECK_FALSE(world.rtp[before + 1].packet.marker());
}

TEST_CASE("call::media_stream: a driver that is late makes up for little and keeps the clock") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    world.pass(100ms);
    const auto before = world.rtp.size();
    world.now += 2s;
    world.pass(0ms);
    const auto burst = world.rtp.size() - before;
    CHECK(burst <= 7);
    world.pass(100ms);
    const auto& first = world.rtp.front();
    const auto& last = world.rtp.back();
    CHECK(last.packet.timestamp() - first.packet.timestamp() ==
          static_cast<std::uint32_t>((last.at - first.at) / 20ms * 160));
}

TEST_CASE("call::media_stream: a disabled stream hears and says nothing") {
    one_stream world;
    auto none = usual_agreement();
    none.disabled = true;
    world.stream.agree(none, world.now);
    world.receive(make_rtp(0, 1, 0, 1, payload_of(160)));
    world.pass(10s);
    CHECK(world.rtp.empty());
    CHECK(world.rtcp.empty());
    CHECK(world.frames.empty());
}

/// Fifty packets, every fifth of them replaced by `other` under its number and timestamp.
template <typename Other>
media_statistics with_every_fifth(one_stream& world, const Other& other) {
    world.stream.agree(usual_agreement(), world.now);
    for (std::uint16_t n = 0; n < 50; ++n) {
        const auto timestamp = 160U * n;
        if (n % 5 == 3) {
            other(n, timestamp);
        } else {
            world.receive(make_rtp(0, n, timestamp, 1, payload_of(160)));
        }
        world.pass(20ms);
    }
    world.pass(100ms);
    // The timeline goes on as if each of them had been a pause.
    CHECK(world.next == 50U * 160);
    return world.stream.statistics();
}

TEST_CASE(
    "call::media_stream: a payload type that was not agreed is counted as that, not as lost") {
    for (const unsigned type : {3U, 9U, 18U, 96U, 127U}) {
        CAPTURE(type);
        one_stream world;
        const auto counted = with_every_fifth(world, [&](std::uint16_t n, std::uint32_t timestamp) {
            world.receive(make_rtp(type, n, timestamp, 1, payload_of(20)));
        });
        CHECK(counted.unknown_type == 10);
        CHECK(counted.lost == 0);
        CHECK(counted.received == 50);
        CHECK(counted.refused_size + counted.malformed + counted.resets + counted.foreign == 0);
    }
}

TEST_CASE("call::media_stream: more than 200 ms at once is counted as refused, not as lost") {
    one_stream world;
    const auto counted = with_every_fifth(world, [&](std::uint16_t n, std::uint32_t timestamp) {
        world.receive(make_rtp(0, n, timestamp, 1, payload_of(1'601)));
    });
    CHECK(counted.refused_size == 10);
    CHECK(counted.lost == 0);
    CHECK(counted.received == 50);
    CHECK(counted.unknown_type + counted.malformed + counted.resets == 0);
}

TEST_CASE("call::media_stream: padding or extensions that lie are counted, not lost") {
    one_stream world;
    unsigned turn = 0;
    const auto counted = with_every_fifth(world, [&](std::uint16_t n, std::uint32_t timestamp) {
        auto bytes = make_rtp(0, n, timestamp, 1, payload_of(160, 0xfe));
        bytes[0] = turn % 2 == 0 ? std::byte{0xa0} : std::byte{0x9f};
        ++turn;
        world.receive(bytes);
    });
    CHECK(counted.malformed == 10);
    CHECK(counted.lost == 0);
    CHECK(counted.received == 50);
}

TEST_CASE("call::media_stream: an event of less than four bytes is a size that is refused") {
    one_stream world;
    const auto counted = with_every_fifth(world, [&](std::uint16_t n, std::uint32_t timestamp) {
        world.receive(make_rtp(101, n, timestamp, 1, payload_of(3)));
    });
    CHECK(counted.refused_size == 10);
    CHECK(counted.lost == 0);
    CHECK(world.events.empty());
}

TEST_CASE("call::media_stream: what strangers send of other types is none of the call's") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    for (std::uint16_t n = 0; n < 10; ++n) {
        world.receive(make_rtp(0, n, 160U * n, 1, payload_of(160)));
        world.receive(make_rtp(96, n, 160U * n, 1, payload_of(160)),
                      {address::v4(203, 0, 113, 66), 30'000});
        // A picture beside the sound, from the same place: its clock is not ours.
        world.receive(
            make_rtp(97, static_cast<std::uint16_t>(n + 7'000), 90'000U * n, 2, payload_of(1'000)));
        world.pass(20ms);
    }
    CHECK(world.stream.statistics().unknown_type == 10);
    CHECK(world.stream.statistics().resets == 0);
    CHECK(world.stream.statistics().received == 10);
    CHECK(world.next == 1'600);
}

TEST_CASE("call::media_stream: RTCP that comes by the RTP port is no payload type") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    world.receive(make_rtp(0, 1, 0, 1, payload_of(160)));
    auto report = make_rtp(0, 6, 1, 0, payload_of(16));
    report[0] = std::byte{0x80};
    report[1] = std::byte{200};
    world.receive(report);
    CHECK(world.stream.statistics().unknown_type == 0);
    CHECK(world.stream.statistics().malformed == 0);
}

TEST_CASE("call::media_stream: a sender that begins anew is a reset, and nothing is lost by it") {
    struct {
        const char* how;
        std::uint32_t ssrc;
        std::uint16_t sequence;
        std::uint32_t timestamp;
    } const cases[] = {{"SSRC", 2, 50, 8'000},          {"SSRC and all", 2, 40'000, 0x9000'0000},
                       {"number", 1, 30'000, 8'000},    {"number and timestamp", 1, 550, 1'000'000},
                       {"timestamp", 1, 50, 1'000'000}, {"a little back", 1, 20, 1'000'000}};
    for (const auto& one : cases) {
        CAPTURE(one.how);
        one_stream world;
        world.stream.agree(usual_agreement(), world.now);
        for (std::uint32_t n = 0; n < 100; ++n) {
            const bool anew = n >= 50;
            const auto sequence = anew ? one.sequence + n - 50 : n;
            const auto timestamp = anew ? one.timestamp + 160 * (n - 50) : 160 * n;
            world.receive(make_rtp(0, static_cast<std::uint16_t>(sequence), timestamp,
                                   anew ? one.ssrc : 1, payload_of(160)));
            world.pass(20ms);
        }
        CHECK(world.stream.statistics().resets == 1);
        CHECK(world.stream.statistics().lost == 0);
        CHECK(world.stream.statistics().received == 100);
        CHECK(world.next == 100U * 160);
    }
}

TEST_CASE("call::media_stream: either law is heard, whichever was agreed") {
    for (const auto law : {sdp::encoding::pcmu, sdp::encoding::pcma}) {
        one_stream world;
        auto agreed = usual_agreement();
        agreed.law = law;
        agreed.send_payload_type = agreed.receive_payload_type = law == sdp::encoding::pcma ? 8 : 0;
        world.stream.agree(agreed, world.now);
        world.receive(make_rtp(0, 1, 0, 1, payload_of(160)));
        world.receive(make_rtp(8, 2, 160, 1, payload_of(160)));
        REQUIRE(world.frames.size() == 2);
        CHECK(world.stream.statistics().unknown_type == 0);
    }
}

TEST_CASE("call::media_stream: RTCP is taken from the peer's addresses alone") {
    const auto round_trip_from = [](const endpoint& from, const address& described) {
        one_stream world;
        auto agreed = usual_agreement();
        agreed.rtcp.address = described;
        world.stream.agree(agreed, world.now);
        world.pass(10s);
        REQUIRE_FALSE(world.rtcp.empty());
        const auto& sent = world.rtcp.back().packet.bytes;
        const auto middle = static_cast<std::uint32_t>(std::to_integer<unsigned>(sent[10]) << 24U |
                                                       std::to_integer<unsigned>(sent[11]) << 16U |
                                                       std::to_integer<unsigned>(sent[12]) << 8U |
                                                       std::to_integer<unsigned>(sent[13]));
        const auto ssrc = static_cast<std::uint32_t>(
            std::to_integer<unsigned>(sent[4]) << 24U | std::to_integer<unsigned>(sent[5]) << 16U |
            std::to_integer<unsigned>(sent[6]) << 8U | std::to_integer<unsigned>(sent[7]));
        const rtp::report_block block{.ssrc = ssrc, .last_sr = middle};
        std::array<std::byte, rtp::session::report_size> bytes{};
        const auto size = rtp::rtcp_writer{bytes}.receiver_report(9, {&block, 1}).size();
        world.receive({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}, from,
                      true);
        return world.stream.statistics().round_trip.has_value();
    };
    const auto stranger = address::v4(203, 0, 113, 66);
    CHECK(round_trip_from({far_end.address, 30'001}, far_end.address));
    CHECK(round_trip_from({far_end.address, 55'555}, far_end.address)); // NATs renumber ports.
    CHECK_FALSE(round_trip_from({stranger, 30'001}, far_end.address));
    CHECK(round_trip_from({stranger, 30'001}, stranger)); // a=rtcp names an address of its own.
}

} // namespace
} // namespace trunkline::calls
