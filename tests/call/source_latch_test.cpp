#include <trunkline/call/source_latch.hpp>

#include <array>
#include <chrono>
#include <vector>

#include <doctest/doctest.h>

namespace trunkline::calls {
namespace {

using namespace std::chrono_literals;

const address carrier = address::v4(192, 0, 2, 1);
const endpoint described{carrier, 4000};
const endpoint moved{carrier, 5000};
const endpoint other_port{carrier, 6000};
const endpoint signalling_host{address::v4(192, 0, 2, 9), 7000};
const endpoint media_network{address::v4(203, 0, 113, 9), 4000};
const endpoint stranger{address::v4(198, 51, 100, 6), 4000};
const endpoint behind_nat{address::v4(192, 168, 1, 20), 4000};
const endpoint nat_port{signalling_host.address, 41'000};
const endpoint nat_other{signalling_host.address, 42'000};

struct trunk_addresses final : media_origins {
    [[nodiscard]] bool expects_media(const address& source) const override {
        return source == media_network.address;
    }
};

struct bench {
    explicit bench(rtp_symmetry symmetry = rtp_symmetry::automatic) {
        latch.know({.peer = signalling_host.address}, &origins, symmetry);
    }
    source_latch::verdict one(const endpoint& from, std::uint16_t sequence, std::uint32_t ssrc = 1,
                              bool noise = false) {
        rtp::header header;
        header.sequence.value = sequence;
        header.ssrc = ssrc;
        bytes[0] = static_cast<std::byte>(sequence);
        const auto got = latch.receive({from, header, bytes, noise, 20ms}, now);
        if (got == source_latch::verdict::adopted) {
            replayed = 0;
            latch.replay([&](auto) { ++replayed; });
        }
        return got;
    }
    /// A stream of 20 ms packets; how many were heard, those that were kept first among them.
    unsigned stream(const endpoint& from, unsigned packets, std::uint32_t ssrc = 1,
                    std::uint16_t first = 1) {
        unsigned heard = 0;
        for (unsigned i = 0; i < packets; ++i) {
            now += 20ms;
            switch (one(from, static_cast<std::uint16_t>(first + i), ssrc)) {
            case source_latch::verdict::heard: ++heard; break;
            case source_latch::verdict::adopted: heard += 1 + replayed; break;
            case source_latch::verdict::dropped:
            case source_latch::verdict::kept: break;
            }
        }
        return heard;
    }
    void describe(const endpoint& where) { latch.describe(where, now); }

    trunk_addresses origins;
    source_latch latch;
    std::array<std::byte, 172> bytes{};
    time_point now{1h};
    unsigned replayed = 0;
};

TEST_CASE("call::source_latch: the described endpoint takes the stream with its first packet") {
    bench at;
    at.describe(described);
    CHECK(at.one(described, 1) == source_latch::verdict::adopted);
    CHECK(at.latch.destination() == described);
}

TEST_CASE(
    "call::source_latch: other plausible sources pass probation, and what they said is heard") {
    for (const auto& from : {moved, signalling_host, media_network}) {
        CAPTURE(to_text(from));
        bench at;
        at.describe(described);
        CHECK(at.stream(from, 3) == 0);
        CHECK(at.latch.destination() == described);
        CHECK(at.stream(from, 1, 1, 4) == 4);
        CHECK(at.latch.destination() == from);
        CHECK(at.latch.foreign() == 0);
    }
}

TEST_CASE("call::source_latch: a stranger is heard under any alone") {
    for (const auto symmetry : {rtp_symmetry::off, rtp_symmetry::automatic}) {
        bench at{symmetry};
        at.describe(described);
        CHECK(at.stream(stranger, 500) == 0);
        CHECK(at.latch.destination() == described);
        CHECK(at.latch.foreign() == 500);
        CHECK(at.latch.refused() == stranger);
    }
    bench at{rtp_symmetry::any};
    at.describe(described);
    CHECK(at.stream(stranger, 4) == 4);
    CHECK(at.latch.destination() == stranger);
}

TEST_CASE("call::source_latch: three packets of a stranger are no stream to speak of") {
    bench at;
    at.describe(described);
    CHECK(at.stream(stranger, 3) == 0);
    CHECK_FALSE(at.latch.refused());
    at.now += 600ms; // They count within the time of probation only.
    CHECK(at.stream(stranger, 3, 1, 4) == 0);
    CHECK_FALSE(at.latch.refused());
}

TEST_CASE("call::source_latch: off hears what is plausible and sends where SDP says") {
    bench at{rtp_symmetry::off};
    at.describe(described);
    CHECK(at.stream(media_network, 10) == 10);
    CHECK(at.latch.destination() == described);
    at.describe(behind_nat);
    CHECK(at.latch.destination() == behind_nat);
}

TEST_CASE("call::source_latch: duplicates, swaps and single losses do no harm to probation") {
    const std::vector<std::vector<std::uint16_t>> good = {
        {1, 2, 3, 4}, {1, 1, 2, 2, 3, 3, 4},  {2, 1, 4, 3},    {1, 2, 4, 5},
        {1, 3, 5, 7}, {65'534, 65'535, 0, 1}, {9, 1, 2, 3, 4},
    };
    for (const auto& sequence : good) {
        bench at;
        at.describe(described);
        auto last = source_latch::verdict::dropped;
        for (const auto number : sequence) last = at.one(moved, number);
        CHECK(last == source_latch::verdict::adopted);
    }
    const std::vector<std::vector<std::uint16_t>> bad = {
        {1, 2, 3}, {1, 1, 1, 1, 1}, {1, 100, 200, 300}, {1, 9, 17, 25}, {1, 2, 10, 11},
    };
    for (const auto& sequence : bad) {
        bench at;
        at.describe(described);
        for (const auto number : sequence) {
            CHECK(at.one(moved, number) != source_latch::verdict::adopted);
        }
    }
}

TEST_CASE("call::source_latch: probation is of one SSRC and within half a second") {
    bench at;
    at.describe(described);
    for (std::uint16_t i = 0; i < 8; ++i) {
        const bool adopted = at.one(moved, i, i % 2U) == source_latch::verdict::adopted;
        CHECK(adopted == (i == 6)); // The fourth of the first SSRC.
    }
    bench slow;
    slow.describe(described);
    for (std::uint16_t i = 0; i < 12; ++i) {
        slow.now += 170ms;
        CHECK(slow.one(moved, i) != source_latch::verdict::adopted);
    }
}

TEST_CASE("call::source_latch: long packets have as long a probation") {
    bench at;
    at.describe(described);
    rtp::header header;
    for (std::uint16_t i = 0; i < 4; ++i) {
        at.now += 200ms;
        header.sequence.value = i;
        const auto got = at.latch.receive({moved, header, at.bytes, false, 200ms}, at.now);
        CHECK((got == source_latch::verdict::adopted) == (i == 3));
    }
}

/// Ranks 1 to 4, an endpoint of each and another one.
struct ranked {
    source_rank rank;
    endpoint from;
};
const std::array<ranked, 4> by_rank{{{source_rank::described, described},
                                     {source_rank::described_address, moved},
                                     {source_rank::expected, media_network},
                                     {source_rank::stranger, stranger}}};

TEST_CASE(
    "call::source_latch: a live source loses to none that is as plausible, and to none below") {
    for (const auto& live : by_rank) {
        for (const auto& next : by_rank) {
            if (next.rank < live.rank) continue;
            CAPTURE(static_cast<int>(live.rank));
            CAPTURE(static_cast<int>(next.rank));
            bench at{rtp_symmetry::any};
            at.describe(described);
            REQUIRE(at.stream(live.from, 10) == 10);
            if (next.rank == source_rank::described) continue; // There is no other one.
            auto from = next.from;
            if (from == live.from) { // Another one of the same rank.
                from = next.rank == source_rank::described_address ? other_port
                       : next.rank == source_rank::expected        ? signalling_host
                                                                   : endpoint{stranger.address, 9};
            }
            CHECK(at.stream(from, 50, 2) == 0);
            CHECK(at.latch.destination() == live.from);
            CHECK(at.stream(live.from, 5, 1, 11) == 5);
            // A media server that hands over without a word is heard once the old one is silent.
            at.now += 2s;
            CHECK(at.stream(from, 50, 2, 100) == 50);
            CHECK(at.latch.destination() == from);
        }
    }
}

TEST_CASE("call::source_latch: a more plausible source waits for two seconds of silence") {
    for (const auto& live : {by_rank[2], by_rank[3]}) {
        for (const auto& next : {by_rank[1], by_rank[2]}) {
            if (next.rank >= live.rank) continue;
            bench at{rtp_symmetry::any};
            at.describe(described);
            REQUIRE(at.stream(live.from, 10) == 10);
            CHECK(at.stream(next.from, 99, 2) == 0); // 1,980 ms.
            CHECK(at.stream(next.from, 2, 2, 100) > 0);
            CHECK(at.latch.destination() == next.from);
        }
    }
}

TEST_CASE("call::source_latch: the described endpoint waits for nobody") {
    for (const auto& live : {by_rank[1], by_rank[2], by_rank[3]}) {
        bench at{rtp_symmetry::any};
        at.describe(described);
        REQUIRE(at.stream(live.from, 10) == 10);
        CHECK(at.stream(described, 1, 2) == 1);
        CHECK(at.latch.destination() == described);
    }
}

TEST_CASE("call::source_latch: the described endpoint that was left comes back on probation") {
    bench at;
    at.describe(described);
    REQUIRE(at.stream(described, 10) == 10);
    REQUIRE(at.stream(moved, 4, 1, 11) == 4);   // A NAT that renumbers.
    CHECK(at.stream(described, 1, 1, 15) == 0); // A late packet.
    CHECK(at.latch.destination() == moved);
    CHECK(at.stream(described, 3, 1, 16) == 4);
    CHECK(at.latch.destination() == described);
}

TEST_CASE("call::source_latch: on hold and in a pause that was announced, silence says nothing") {
    bench held;
    held.describe(described);
    REQUIRE(held.stream(media_network, 10) == 10);
    held.latch.hold(true, held.now);
    held.now += 60s;
    CHECK(held.stream(moved, 10, 2) == 0);
    held.latch.hold(false, held.now);
    CHECK(held.stream(moved, 99, 2, 20) == 0);
    CHECK(held.stream(moved, 10, 2, 119) > 0);

    bench quiet;
    quiet.describe(described);
    REQUIRE(quiet.stream(media_network, 10) == 10);
    CHECK(quiet.one(media_network, 11, 1, true) == source_latch::verdict::heard);
    quiet.now += 60s;
    CHECK(quiet.stream(moved, 10, 2) == 0);
}

TEST_CASE("call::source_latch: a NAT that renumbers in mid-call needs probation and no silence") {
    bench at;
    at.describe(described);
    REQUIRE(at.stream(described, 10, 77) == 10);
    CHECK(at.stream(moved, 3, 77, 11) == 0);
    CHECK(at.stream(moved, 1, 77, 14) == 4);
    CHECK(at.latch.destination() == moved);
    // Another SSRC of the same address is another stream.
    CHECK(at.stream(other_port, 50, 78, 15) == 0);
    REQUIRE(at.stream(moved, 1, 77, 15) == 1);
    // So is one that does not go on.
    CHECK(at.stream(other_port, 50, 77, 40'000) == 0);
    REQUIRE(at.stream(moved, 1, 77, 16) == 1);
    // And another address, whatever it writes.
    CHECK(at.stream(media_network, 50, 77, 15) == 0);
}

TEST_CASE("call::source_latch: a description without news changes nothing") {
    bench at;
    at.describe(described);
    REQUIRE(at.stream(moved, 10) == 10);
    at.describe(described);
    CHECK(at.latch.destination() == moved);
    CHECK(at.stream(moved, 10, 1, 11) == 10);
    CHECK(at.stream(media_network, 50, 2) == 0);
}

TEST_CASE("call::source_latch: after a move the old place is heard until the new one speaks") {
    for (const bool same_ssrc : {true, false}) {
        bench at;
        at.describe(described);
        REQUIRE(at.stream(described, 50) == 50);
        at.describe(moved);
        CHECK(at.latch.destination() == moved); // At once.
        CHECK(at.stream(described, 50, 1, 51) == 50);
        CHECK(at.latch.destination() == moved);
        CHECK(at.stream(moved, 1, same_ssrc ? 1 : 2, 101) == 1);
        CHECK(at.latch.destination() == moved);
        CHECK(at.one(described, 102) != source_latch::verdict::heard);
        CHECK(at.stream(moved, 1'000, same_ssrc ? 1 : 2, 102) == 1'000);
        CHECK(at.latch.destination() == moved);
    }
}

TEST_CASE("call::source_latch: the old place is heard for two seconds at most, then on probation") {
    bench at;
    at.describe(described);
    REQUIRE(at.stream(described, 50) == 50);
    at.describe(moved);
    CHECK(at.stream(described, 100, 1, 51) == 100);
    CHECK(at.latch.destination() == moved);
    CHECK(at.stream(described, 3, 1, 151) == 0);
    CHECK(at.stream(described, 1, 1, 154) == 4); // A peer that did not move.
    CHECK(at.latch.destination() == described);
    CHECK(at.stream(moved, 1, 2) == 1); // It has moved now.
    CHECK(at.latch.destination() == moved);
}

TEST_CASE("call::source_latch: a private description is the signalling address, any port") {
    bench at;
    at.describe(behind_nat);
    CHECK(at.latch.destination() == behind_nat);
    CHECK(at.stream(stranger, 50, 9) == 0); // The stranger came first.
    CHECK(at.stream(nat_port, 3) == 0);     // Its substitute is on probation, always.
    CHECK(at.stream(nat_port, 1, 1, 4) == 4);
    CHECK(at.latch.destination() == nat_port);
    CHECK(at.latch.live_rank() == source_rank::described);
    CHECK(at.stream(stranger, 50, 9, 51) == 0);
    REQUIRE(at.stream(nat_port, 1, 1, 5) == 1);
    CHECK(at.stream(nat_other, 50, 2) == 0);

    at.describe(behind_nat); // A refresh.
    CHECK(at.latch.destination() == nat_port);
    CHECK(at.stream(nat_port, 10, 1, 5) == 10);
    at.latch.hold(true, at.now);
    at.now += 30s;
    at.latch.hold(false, at.now);
    at.describe(behind_nat); // Resumed.
    CHECK(at.latch.destination() == nat_port);
    CHECK(at.stream(nat_port, 10, 1, 15) == 10);
    CHECK(at.stream(nat_other, 4, 1, 25) == 4); // The NAT has renumbered.
    CHECK(at.latch.destination() == nat_other);
}

TEST_CASE("call::source_latch: a private description that moves leaves the way that works") {
    bench at;
    at.describe(behind_nat);
    REQUIRE(at.stream(nat_port, 10) == 10);
    at.describe({behind_nat.address, 4002});
    CHECK(at.latch.destination() == nat_port);
    CHECK(at.stream(nat_port, 2, 1, 11) == 2);
    CHECK(at.stream(nat_other, 4, 2) == 4);
    CHECK(at.latch.destination() == nat_other);
    CHECK(at.stream(nat_port, 50, 1, 13) == 0);
}

TEST_CASE(
    "call::source_latch: a private description of a peer in a private network is what it says") {
    bench at;
    at.latch.know({.peer = address::v4(10, 0, 0, 1)}, nullptr, rtp_symmetry::automatic);
    at.describe(behind_nat);
    CHECK(at.stream(behind_nat, 1) == 1);
}

TEST_CASE("call::source_latch: received= of a Via is an address of the peer") {
    bench at;
    signalling_sources signalling{.peer = signalling_host.address};
    signalling.add_received(stranger.address);
    at.latch.know(signalling, nullptr, rtp_symmetry::automatic);
    at.describe(described);
    CHECK(at.stream(stranger, 4) == 4);
    CHECK(at.latch.live_rank() == source_rank::expected);
}

TEST_CASE("call::source_latch: a flood of less plausible sources takes no place of a better one") {
    bench at;
    at.describe(described);
    for (std::uint16_t i = 0; i < 4; ++i) {
        for (std::uint16_t n = 1; n < 40; ++n) {
            const endpoint from{media_network.address, static_cast<std::uint16_t>(100 * i + n)};
            CHECK(at.one(from, i, n) == source_latch::verdict::kept);
        }
        CHECK((at.one(moved, i, 7) == source_latch::verdict::adopted) == (i == 3));
    }
    CHECK(at.latch.destination() == moved);
}

/// A stranger who knows everything that can be known, against a peer that moves as peers do.
TEST_CASE("call::source_latch: a stranger changes nothing that is heard, and not where we send") {
    for (std::uint32_t seed = 1; seed <= 300; ++seed) {
        bench with;
        bench without;
        std::uint32_t dice = seed;
        const auto roll = [&](std::uint32_t below) {
            dice = dice * 1'664'525U + 1'013'904'223U;
            return (dice >> 16U) % below;
        };
        const std::array places{described, moved, behind_nat, other_port};
        const std::array sources{described, moved, nat_port, nat_other, media_network};
        std::uint16_t sequence = 0;
        for (int step = 0; step < 200; ++step) {
            const auto pause = std::chrono::milliseconds{roll(20) == 0 ? 3'000 : 20};
            with.now += pause;
            without.now += pause;
            const auto what = roll(20);
            if (what == 0) {
                const auto& place = places[roll(places.size())];
                with.describe(place);
                without.describe(place);
            } else if (what < 8) {
                const auto& from = sources[roll(sources.size())];
                ++sequence;
                const auto a = with.one(from, sequence);
                REQUIRE(a == without.one(from, sequence));
            } else {
                REQUIRE(with.one(stranger, sequence, roll(2)) == source_latch::verdict::dropped);
            }
            REQUIRE(with.latch.destination() == without.latch.destination());
        }
    }
}

TEST_CASE(
    "call::source_latch: whoever writes the described address may be heard, and moves nothing") {
    bench at;
    at.describe(described);
    REQUIRE(at.stream(described, 10) == 10);
    CHECK(at.stream(described, 50, 666) == 50);
    CHECK(at.latch.destination() == described);
}

} // namespace
} // namespace trunkline::calls
