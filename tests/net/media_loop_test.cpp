#include <trunkline/net/shard.hpp>

#include <doctest/doctest.h>

#include "net/script.hpp"
#include "support/counted_heap.hpp"

namespace trunkline::net {
namespace {

constexpr address loopback = address::v4(127, 0, 0, 1);

struct fixture {
    script saw;
    net::shard shard;
    far_end phone;

    explicit fixture(const port_range& ports = {20'000, 29'999}) : shard{{.media_ports = ports}} {
        REQUIRE_FALSE(shard.open(saw));
    }
    template <class Condition>
    bool until(Condition reached) {
        return net::until({&shard}, reached);
    }
    void open_media(const address& at = loopback, token asked = token{1}) {
        const auto before = saw.opened.size() + saw.refused.size();
        REQUIRE(shard.post([=](time_point, outbox& out) { out.open_media(asked, caller, at); }));
        REQUIRE(until([&] { return saw.opened.size() + saw.refused.size() > before; }));
    }
    void close_media(media_id which) {
        REQUIRE(shard.post([=](time_point, outbox& out) { out.close_media(which); }));
        const auto free = shard.free_media_ports();
        REQUIRE(until([&] { return shard.free_media_ports() == free + 1; }));
    }
};

TEST_CASE_FIXTURE(fixture, "net::media_loop: opens an even port and the odd one above") {
    open_media(loopback, token{9});
    REQUIRE(saw.opened.size() == 1);
    const auto& ports = saw.opened[0];
    CHECK(ports.asked == token{9});
    CHECK(ports.rtp_port % 2 == 0);
    CHECK(ports.rtcp_port == ports.rtp_port + 1);
    CHECK(ports.rtp_port >= 20'000);
    CHECK(ports.rtcp_port <= 29'999);
    CHECK_FALSE(far_end{"127.0.0.1", false, ports.rtp_port}.bound());
    CHECK_FALSE(far_end{"127.0.0.1", false, ports.rtcp_port}.bound());
}

TEST_CASE_FIXTURE(fixture, "net::media_loop: carries both ways, and tells RTP from RTCP") {
    open_media();
    const auto ports = saw.opened[0];
    saw.on_input = [](const input& what, time_point, outbox& out) {
        const auto* got = std::get_if<inputs::media_packet>(&what);
        if (got == nullptr) return;
        CHECK(got->owner == caller);
        send_media(out, got->media, got->rtcp, got->from, got->rtcp ? "report" : "sound");
    };
    phone.send({loopback, ports.rtp_port}, "rtp");
    REQUIRE(until([&] { return phone.receive(); }));
    CHECK(phone.text == "sound");
    CHECK(phone.from.port == ports.rtp_port);
    phone.send({loopback, ports.rtcp_port}, "rtcp");
    REQUIRE(until([&] { return phone.receive(); }));
    CHECK(phone.text == "report");
    CHECK(phone.from.port == ports.rtcp_port);
    REQUIRE(saw.media.size() == 2);
    CHECK(saw.media[0] == std::pair{false, std::string{"rtp"}});
    CHECK(saw.media[1] == std::pair{true, std::string{"rtcp"}});
    CHECK(saw.media_from[0] == phone.local());
}

TEST_CASE_FIXTURE(fixture, "net::media_loop: takes more than a wake's worth, in order, from many") {
    for (int n = 0; n < 8; ++n) open_media();
    for (int n = 0; n < 40; ++n) {
        for (const auto& ports : saw.opened) {
            phone.send({loopback, ports.rtp_port}, std::to_string(n));
        }
    }
    std::array<int, 8> next{};
    bool in_order = true;
    saw.on_input = [&](const input& what, time_point, outbox&) {
        const auto* got = std::get_if<inputs::media_packet>(&what);
        if (got == nullptr) return;
        auto& expected = next[got->media.slot];
        in_order = in_order && as_text(got->bytes) == std::to_string(expected);
        ++expected;
    };
    REQUIRE(until([&] { return saw.media.size() == 320; }));
    CHECK(in_order);
}

TEST_CASE_FIXTURE(fixture, "net::media_loop: what is no RTP packet by its size is not delivered") {
    open_media();
    phone.send({loopback, saw.opened[0].rtp_port}, std::string(3000, 'x'));
    phone.send({loopback, saw.opened[0].rtp_port}, std::string(1500, 'x'));
    REQUIRE(until([&] { return !saw.media.empty(); }));
    CHECK(saw.media[0].second.size() == 1500);
    CHECK(shard.counted().media_truncated == 1);
}

TEST_CASE("net::media_loop: a port that is taken by others is passed over") {
    script saw;
    far_end thief{"127.0.0.1", false, 31'003}; // An RTCP port: the RTP one was bound by then.
    REQUIRE(thief.bound());
    shard with_thief{{.media_ports = {31'000, 31'005}}};
    REQUIRE_FALSE(with_thief.open(saw));
    REQUIRE(with_thief.post([](time_point, outbox& out) {
        for (std::uint64_t n = 0; n < 3; ++n) out.open_media(token{n}, caller, loopback);
    }));
    REQUIRE(until({&with_thief}, [&] { return saw.opened.size() + saw.refused.size() == 3; }));
    CHECK(saw.opened.size() == 2);
    for (const auto& ports : saw.opened) CHECK(ports.rtp_port != 31'002);
    REQUIRE(saw.refused.size() == 1);
    CHECK(saw.refused[0].why == cause::table_full);
    CHECK(with_thief.free_media_ports() == 1);
    thief.close();
    REQUIRE(with_thief.post(
        [](time_point, outbox& out) { out.open_media(token{5}, caller, loopback); }));
    REQUIRE(until({&with_thief}, [&] { return saw.opened.size() == 3; }));
    CHECK(saw.opened[2].rtp_port == 31'002);
}

TEST_CASE("net::media_loop: says when no port is left, and gives the pair freed first next") {
    fixture f{{31'100, 31'107}};
    for (std::uint64_t n = 0; n < 5; ++n) f.open_media(loopback, token{n});
    REQUIRE(f.saw.opened.size() == 4);
    REQUIRE(f.saw.refused.size() == 1);
    CHECK(f.saw.refused[0].asked == token{4});
    CHECK(f.saw.refused[0].why == cause::table_full);
    const auto opened = f.saw.opened;
    f.close_media(opened[2].media);
    f.close_media(opened[1].media);
    f.open_media();
    CHECK(f.saw.opened.back().rtp_port == opened[2].rtp_port);
    CHECK_FALSE(f.saw.opened.back().media == opened[2].media);
}

TEST_CASE("net::media_loop: the last call's peer is not heard on its ports until it is described") {
    fixture f{{31'200, 31'201}};
    const auto say = [](far_end& who, std::string_view what) {
        who.send({loopback, 31'200}, what);
    };
    const auto answer = [&f](const endpoint& to) {
        REQUIRE(f.shard.post([&f, to](time_point, outbox& out) {
            send_media(out, f.saw.opened.back().media, false, to, "us");
        }));
    };
    far_end other;
    f.open_media();
    answer(f.phone.local());
    REQUIRE(f.until([&] { return f.phone.receive(); }));
    say(f.phone, "first call");
    REQUIRE(f.until([&] { return f.saw.media.size() == 1; }));
    f.close_media(f.saw.opened.back().media);

    f.open_media();
    REQUIRE(f.saw.opened.size() == 2);
    say(f.phone, "still the first call");
    say(other, "second call");
    REQUIRE(f.until([&] { return f.shard.counted().media_received == 3; }));
    REQUIRE(f.saw.media.size() == 2);
    CHECK(f.saw.media[1].second == "second call");
    CHECK(f.shard.counted().media_barred == 1);

    answer(f.phone.local());
    REQUIRE(f.until([&] { return f.phone.receive(); }));
    say(f.phone, "described");
    REQUIRE(f.until([&] { return f.saw.media.size() == 3; }));
    CHECK(f.saw.media[2].second == "described");
    CHECK(f.shard.counted().media_barred == 1);
}

TEST_CASE_FIXTURE(fixture, "net::media_loop: an address that is not ours is refused") {
    const auto free = shard.free_media_ports();
    open_media(address::v4(192, 0, 2, 1));
    REQUIRE(saw.refused.size() == 1);
    CHECK(saw.refused[0].why == cause::broken);
    CHECK(shard.free_media_ports() == free);
}

TEST_CASE_FIXTURE(fixture, "net::media_loop: a closed pair neither receives nor sends") {
    open_media();
    const auto ports = saw.opened[0];
    for (int n = 0; n < 3; ++n) phone.send({loopback, ports.rtp_port}, "late");
    saw.on_input = [](const input& what, time_point, outbox& out) {
        if (const auto* got = std::get_if<inputs::media_packet>(&what)) {
            out.close_media(got->media);
            out.close_media(got->media);
        }
    };
    REQUIRE(until([&] { return !saw.media.empty(); }));
    REQUIRE(shard.post([&](time_point, outbox& out) {
        send_media(out, ports.media, false, phone.local(), "dead");
    }));
    open_media();
    CHECK(saw.media.size() <= 3); // Those of one wake.
    CHECK(shard.free_media_ports() == 4999);
    CHECK_FALSE(phone.receive());
    CHECK(far_end{"127.0.0.1", false, ports.rtp_port}.bound());
}

TEST_CASE_FIXTURE(fixture, "net::media_loop: an RTP that nobody hears is no error to its sender") {
    open_media();
    const auto ports = saw.opened[0];
    const auto gone = phone.local();
    phone.close();
    far_end other;
    for (int n = 0; n < 10; ++n) {
        REQUIRE(shard.post([&](time_point, outbox& out) {
            send_media(out, ports.media, false, gone, "lost");
            send_media(out, ports.media, false, other.local(), "found");
        }));
        REQUIRE(until([&] { return other.receive(); }));
    }
    CHECK(saw.failures.empty());
}

TEST_CASE_FIXTURE(fixture, "net::media_loop: is marked expedited, for who honours it") {
    open_media();
    const int on = 1;
    REQUIRE(::setsockopt(phone.fd(), IPPROTO_IP, IP_RECVTOS, &on, sizeof on) == 0);
    REQUIRE(shard.post([&](time_point, outbox& out) {
        send_media(out, saw.opened[0].media, false, phone.local(), "x");
    }));
    std::array<char, 64> bytes, control;
    msghdr header{};
    iovec slice{bytes.data(), bytes.size()};
    header.msg_iov = &slice;
    header.msg_iovlen = 1;
    REQUIRE(until([&] {
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        return ::recvmsg(phone.fd(), &header, MSG_DONTWAIT) > 0;
    }));
    const auto* item = CMSG_FIRSTHDR(&header);
    REQUIRE(item != nullptr);
    CHECK(*CMSG_DATA(item) == 0xb8);
}

TEST_CASE_FIXTURE(fixture,
                  "net::media_loop: ten thousand packets there and back allocate nothing") {
    saw.quiet = false;
    open_media();
    open_media();
    saw.quiet = true;
    const endpoint to{loopback, saw.opened[1].rtp_port};
    std::size_t echoed = 0;
    saw.on_input = [&](const input& what, time_point, outbox& out) {
        const auto* got = std::get_if<inputs::media_packet>(&what);
        if (got == nullptr) return;
        ++echoed;
        const auto into = out.reserve_media(got->media, false, got->from, got->bytes.size());
        std::ranges::copy(got->bytes, into.begin());
        out.commit(got->bytes.size());
    };
    // The two pairs play ball, with thirty balls, until they have all flown often enough.
    REQUIRE(shard.post([&](time_point, outbox& out) {
        for (int n = 0; n < 30; ++n) {
            send_media(out, saw.opened[0].media, false, to, std::string(172, 'x'));
        }
    }));
    const auto fly = [&](std::size_t often) {
        const auto patience = now() + std::chrono::seconds{5};
        while (echoed < often && now() < patience) shard.poll();
    };
    fly(2000); // Warm.
    const auto before = support::allocations();
    const auto began = echoed;
    fly(began + 10'000);
    CHECK(support::allocations() == before);
    CHECK(echoed - began >= 10'000);
    CHECK(shard.counted().media_send_errors == 0);
}

TEST_CASE("net::signalling: ten thousand messages there and back allocate nothing") {
    script saw;
    shard both{{.listeners = listening({.at = {on("127.0.0.1:0"), on("0.0.0.0:0")}})}};
    REQUIRE_FALSE(both.open(saw));
    std::size_t echoed = 0;
    saw.quiet = true;
    saw.on_input = [&](const input& what, time_point, outbox& out) {
        const auto* got = std::get_if<inputs::packet>(&what);
        if (const auto* up = std::get_if<inputs::flow_up>(&what); up && up->asked == token{1}) {
            for (int n = 0; n < 30; ++n) send(out, up->flow, std::string(500, 'x'));
        }
        if (got == nullptr) return;
        ++echoed;
        const auto into = out.reserve(got->flow, got->bytes.size());
        std::ranges::copy(got->bytes, into.begin());
        out.commit(got->bytes.size());
    };
    const endpoint to{loopback, both.local(listener_id{1}).port};
    REQUIRE(both.post([&](time_point, outbox& out) {
        out.connect(token{1}, transport::udp, listener_id{0}, to);
    }));
    const auto fly = [&](std::size_t often) {
        const auto patience = now() + std::chrono::seconds{5};
        while (echoed < often && now() < patience) both.poll();
    };
    fly(2000);
    const auto before = support::allocations();
    const auto began = echoed;
    fly(began + 10'000);
    CHECK(support::allocations() == before);
    CHECK(echoed - began >= 10'000);
}

} // namespace
} // namespace trunkline::net
