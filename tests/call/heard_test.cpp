#include <trunkline/call/heard.hpp>

#include "support/counted_heap.hpp"
#include "support/one_stream.hpp"
#include "support/print.hpp"

namespace trunkline::calls {
namespace {

using namespace support;

/// A far end that does to its packets what networks and gateways do, from a seed.
struct far_side {
    one_stream& world;
    seeded_entropy random;
    std::uint16_t sequence = 65'500;
    std::uint32_t timestamp = 0xffff'f000;
    std::uint32_t ssrc = 1;
    std::vector<std::vector<std::byte>> held{};
    unsigned digit_left = 0;
    std::uint32_t digit_at = 0;
    bool on_hold = false;

    far_side(one_stream& whose, std::uint64_t seed) : world{whose}, random{seed} {}

    [[nodiscard]] bool one_in(std::uint64_t n) { return random.below(n) == 0; }

    void send(std::vector<std::byte> bytes) {
        if (one_in(20)) return; // Lost.
        if (one_in(15)) {
            held.push_back(std::move(bytes)); // Overtaken by what follows.
            return;
        }
        if (one_in(40)) world.receive(bytes); // Twice.
        world.receive(std::move(bytes));
        if (!held.empty() && one_in(2)) {
            world.receive(held.back());
            held.pop_back();
        }
    }
    void digit() {
        const bool end = digit_left <= 3;
        const auto length = timestamp - digit_at + 160;
        send(make_rtp(101, sequence++, digit_at, ssrc,
                      {std::byte{7}, end ? std::byte{0x8a} : std::byte{0x0a},
                       static_cast<std::byte>(length >> 8U), static_cast<std::byte>(length)}));
        --digit_left;
    }
    void frame() {
        static constexpr std::array<std::size_t, 5> sizes{80, 160, 240, 480, 37};
        const auto size = one_in(50) ? sizes[random.below(sizes.size())] : std::size_t{160};
        if (one_in(300)) ssrc += 5;
        if (one_in(300)) sequence = static_cast<std::uint16_t>(random.number());
        if (one_in(300)) timestamp += static_cast<std::uint32_t>(random.number());
        if (one_in(200)) timestamp += static_cast<std::uint32_t>(random.below(50'000)); // DTX.
        if (one_in(100) && digit_left == 0) {
            digit_left = 10;
            digit_at = timestamp;
        }
        if (digit_left > 0) {
            digit();
        } else if (one_in(60)) {
            send(make_rtp(13, sequence++, timestamp, ssrc, {std::byte{40}}));
        } else {
            send(make_rtp(one_in(30) ? 8 : 0, sequence++, timestamp, ssrc,
                          std::vector<std::byte>(size, static_cast<std::byte>(random.number()))));
        }
        timestamp += static_cast<std::uint32_t>(size);
    }
    void step() {
        if (one_in(400)) {
            on_hold = !on_hold;
            auto agreed = usual_agreement();
            if (on_hold) agreed.direction = sdp::direction::inactive;
            world.stream.agree(agreed, world.now);
        }
        if (!on_hold && !one_in(100)) frame();
        world.pass(one_in(80) ? std::chrono::milliseconds{random.below(3'000)} : 20ms);
    }
};

TEST_CASE("call::heard: the timeline has no hole and no overlap, whatever comes or does not") {
    for (const auto release : {rtp::release::as_arrived, rtp::release::playout}) {
        for (std::uint64_t seed = 1; seed <= 12; ++seed) {
            CAPTURE(seed);
            one_stream world{release};
            world.stream.agree(usual_agreement(), world.now);
            far_side far{world, seed};
            const auto start = world.now;
            for (int n = 0; n < 1'500; ++n) far.step();
            world.pass(3s);
            // hear() checked every index. In all, the timeline is about as long as the time: what
            // DTX leaps ahead is not waited for, and no stall goes unfilled.
            const auto lasted = static_cast<std::uint64_t>((world.now - start) / 1ms) * 8;
            CHECK(world.next > lasted / 2);
            CHECK(world.next < lasted * 2);
            CHECK(world.frames.size() > 1'000);
        }
    }
}

TEST_CASE("call::heard: a lost packet is concealed once its successors have waited for it") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    const std::vector<std::byte> payload(160, std::byte{0x55});
    for (std::uint16_t n = 0; n < 10; ++n) {
        if (n != 5) world.receive(make_rtp(0, n, 160U * n, 1, payload));
        world.pass(20ms);
    }
    world.pass(100ms);
    REQUIRE(world.frames.size() == 10);
    for (std::size_t n = 0; n < 10; ++n) {
        CHECK(world.frames[n].at == 160 * n);
        CHECK(world.frames[n].kind == (n == 5 ? frame_kind::concealed : frame_kind::speech));
    }
}

TEST_CASE("call::heard: sequence numbers that leap while the clock does not make no loss audible") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    const std::vector<std::byte> payload(160, std::byte{0x55});
    for (std::uint16_t n = 0; n < 100; ++n) {
        const auto sequence = static_cast<std::uint16_t>(n < 50 ? n : n + 2'500);
        world.receive(make_rtp(0, sequence, 160U * n, 1, payload));
        world.pass(20ms);
    }
    world.pass(100ms);
    CHECK(world.next >= 16'000);
    CHECK(world.next <= 16'160); // Where a lost packet was is a guess.
}

TEST_CASE("call::heard: a pause of the far end is filled with noise up to its timestamp") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    const std::vector<std::byte> payload(160, std::byte{0x55});
    world.receive(make_rtp(0, 1, 0, 1, payload));
    world.pass(1s);
    world.receive(make_rtp(0, 2, 8'000, 1, payload, true));
    CHECK(world.next == 8'160);
    CHECK(world.frames.back().at == 8'000);
    CHECK(world.frames.back().kind == frame_kind::speech);
    for (std::size_t n = 1; n + 1 < world.frames.size(); ++n)
        CHECK(world.frames[n].kind == frame_kind::noise);
}

TEST_CASE("call::heard: who is held hears silence, one frame every 20 ms") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    world.receive(make_rtp(0, 1, 0, 1, std::vector<std::byte>(160, std::byte{0x55})));
    auto held = usual_agreement();
    held.direction = sdp::direction::inactive;
    world.stream.agree(held, world.now);
    world.pass(10s);
    CHECK(world.frames.size() == 1 + (10'000 - 200) / 20 + 1);
    for (std::size_t n = 1; n < world.frames.size(); ++n)
        CHECK(world.frames[n].kind == frame_kind::silence);
}

TEST_CASE("call::heard: a new source that begins with a digit does not leap along the timeline") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    const std::vector<std::byte> payload(160, std::byte{0x55});
    world.receive(make_rtp(0, 1, 1'000, 1, payload));
    world.pass(20ms);
    // The new clock happens to be four seconds ahead, less than the longest pause.
    world.receive(make_rtp(101, 700, 33'000, 2,
                           {std::byte{1}, std::byte{0x0a}, std::byte{0}, std::byte{160}}, true));
    world.pass(20ms);
    world.receive(make_rtp(0, 701, 33'160, 2, payload));
    CHECK(world.next == 320);
}

TEST_CASE("call::heard: payloads of 1 to 200 ms are heard whole, whatever the description says") {
    // RFC 3551 section 4.2: a receiver takes 0 to 200 ms.
    for (const std::size_t size :
         {std::size_t{8}, std::size_t{80}, std::size_t{240}, std::size_t{480}, std::size_t{481},
          std::size_t{640}, std::size_t{960}, std::size_t{1'024}, std::size_t{1'600}}) {
        for (const auto release : {rtp::release::as_arrived, rtp::release::playout}) {
            CAPTURE(size);
            one_stream world{release};
            world.stream.agree(usual_agreement(), world.now);
            const std::vector<std::byte> payload(size, std::byte{0x55});
            for (std::uint16_t n = 0; n < 20; ++n) {
                world.receive(make_rtp(0, n, static_cast<std::uint32_t>(size) * n, 1, payload));
                world.pass(size * 125us);
            }
            const auto all = 20 * size;
            std::size_t heard = 0;
            if (release == rtp::release::playout) world.pass(60ms);
            for (const auto& one : world.frames) {
                CHECK(one.kind == frame_kind::speech);
                CHECK(one.samples <= 480); // As the agent interface promises.
                heard += one.samples;
            }
            CHECK(heard == all);
            const auto counted = world.stream.statistics();
            CHECK(counted.received == 20);
            CHECK(counted.lost == 0);
            CHECK(counted.refused_size == 0);
            CHECK(counted.concealed == 0ms);
            CHECK(counted.made_up == 0ms);
        }
    }
}

TEST_CASE("call::heard: packets without payload are no loss and make no hole") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    const std::vector<std::byte> payload(160, std::byte{0x55});
    std::uint16_t sequence = 0;
    for (std::uint32_t n = 0; n < 50; ++n) {
        world.receive(make_rtp(0, sequence++, 160 * n, 1, payload));
        if (n % 5 == 0) world.receive(make_rtp(0, sequence++, 160 * n + 160, 1, {}));
        world.pass(20ms);
    }
    CHECK(world.next == 50 * 160);
    for (const auto& one : world.frames) CHECK(one.kind == frame_kind::speech);
    CHECK(world.stream.statistics().lost == 0);
    CHECK(world.stream.statistics().received == 60);
}

TEST_CASE("call::heard: a lost packet of 200 ms is concealed whole") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    const std::vector<std::byte> payload(1'600, std::byte{0x55});
    for (std::uint16_t n = 0; n < 5; ++n) {
        if (n != 2) world.receive(make_rtp(0, n, 1'600U * n, 1, payload));
        world.pass(n == 2 ? 100ms : n == 3 ? 300ms : 200ms); // The next is early, and no pause.
    }
    CHECK(world.next == 8'000);
    CHECK(world.stream.statistics().concealed == 200ms);
    CHECK(world.stream.statistics().lost == 1);
}

TEST_CASE("call::heard: what is concealed and what is made up is counted in time") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    const std::vector<std::byte> payload(160, std::byte{0x55});
    for (std::uint16_t n = 0; n < 10; ++n) {
        if (n != 4 && n != 7) world.receive(make_rtp(0, n, 160U * n, 1, payload));
        world.pass(20ms);
    }
    world.pass(100ms);
    CHECK(world.stream.statistics().concealed == 40ms);
    CHECK(world.stream.statistics().made_up == 0ms);
    // A pause of 300 ms that the timestamp tells of.
    world.pass(200ms);
    world.receive(make_rtp(0, 10, 1'600U + 2'400U, 1, payload, true));
    CHECK(world.stream.statistics().made_up == 300ms);
    auto held = usual_agreement();
    held.direction = sdp::direction::inactive;
    world.stream.agree(held, world.now);
    world.pass(1s);
    CHECK(world.stream.statistics().made_up == 300ms + 820ms); // The first frame after 200 ms.
    CHECK(world.stream.statistics().concealed == 40ms);
}

TEST_CASE("call::media_stream: warm, it allocates nothing for a packet, a frame or a report") {
    one_stream world;
    world.stream.agree(usual_agreement(), world.now);
    auto packet = make_rtp(0, 0, 0, 1, std::vector<std::byte>(160, std::byte{0x55}));
    const auto turn = [&](unsigned n) {
        packet[2] = static_cast<std::byte>(n >> 8U);
        packet[3] = static_cast<std::byte>(n);
        for (unsigned i = 0; i < 4; ++i)
            packet[4 + i] = static_cast<std::byte>(n * 160 >> (24 - 8 * i));
        const bool lost = n % 50 == 7;
        if (!lost)
            world.stream.receive({{1, 1}, owner_id{9}, far_end, false, packet}, world.now,
                                 world.out);
        world.now += 20ms;
        world.stream.tick(world.now, world.out);
        world.out.clear();
    };
    unsigned n = 0;
    for (; n < 500; ++n) turn(n);
    const auto before = support::allocations();
    for (; n < 3'500; ++n) turn(n);
    CHECK(support::allocations() == before);
    CHECK(world.stream.statistics().received > 3'000);
}

} // namespace
} // namespace trunkline::calls
