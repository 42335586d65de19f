#include <trunkline/net/shard.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <thread>

#include <sys/epoll.h>

#include "net/script.hpp"

namespace trunkline::net {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t again = 2;

struct fixture {
    script saw;
    net::shard shard{{.listeners = listening({.at = {on("127.0.0.1:0")}})}};
    far_end phone;

    fixture() { REQUIRE_FALSE(shard.open(saw)); }
    template <class Condition>
    bool until(Condition reached) {
        return net::until({&shard}, reached);
    }
};

TEST_CASE_FIXTURE(fixture,
                  "net::shard: keeps a deadline, an earlier one too, and one in the past") {
    const auto began = now();
    for (const auto after : {duration{1h}, duration{5ms}, duration{-1s}, duration{2ms}}) {
        REQUIRE(shard.post([&, after](time_point at, outbox&) { saw.deadline = at + after; }));
        if (after == 1h) {
            shard.poll();
            continue;
        }
        const auto ticks = saw.ticks;
        REQUIRE(until([&] { return saw.ticks == ticks + 1; }));
    }
    CHECK(now() - began >= 7ms);
}

TEST_CASE_FIXTURE(fixture, "net::shard: its one descriptor tells of packets, commands and time") {
    const auto readable = [&](int patience) {
        pollfd waiting{shard.fd(), POLLIN, 0};
        return ::poll(&waiting, 1, patience) == 1;
    };
    shard.poll();
    while (readable(0)) shard.poll();
    phone.send(shard.local(listener_id{0}), "?");
    CHECK(readable(5000));
    shard.poll();
    CHECK(saw.heard.size() == 1);
    CHECK_FALSE(readable(0));

    REQUIRE(shard.post([&](time_point at, outbox&) { saw.deadline = at + 3ms; }));
    CHECK(readable(5000));
    shard.poll();
    CHECK(readable(5000));
    shard.poll();
    CHECK(saw.ticks == 1);
    CHECK_FALSE(readable(0));

    REQUIRE(shard.post([](time_point, outbox& out) {
        out.open_media(token{1}, caller, address::v4(127, 0, 0, 1));
    }));
    REQUIRE(until([&] { return saw.opened.size() == 1; }));
    phone.send({address::v4(127, 0, 0, 1), saw.opened[0].rtcp_port}, "rtcp");
    CHECK(readable(5000));
    shard.poll();
    CHECK(saw.media.size() == 1);
    CHECK_FALSE(readable(0));
}

TEST_CASE_FIXTURE(fixture, "net::shard: sends leave before events are delivered") {
    bool left_first = false;
    saw.on_event = [&](const effects::event& what, outbox&) {
        CHECK(as_text(what.bytes) == "?");
        left_first = phone.receive();
    };
    saw.on_input = [](const input& what, time_point, outbox& out) {
        if (const auto* got = std::get_if<inputs::packet>(&what)) {
            out.tell(caller, 1, got->bytes);
            send(out, got->flow, "!");
        }
    };
    phone.send(shard.local(listener_id{0}), "?");
    REQUIRE(until([&] { return left_first; }));
}

TEST_CASE_FIXTURE(fixture, "net::shard: a callback that never stops asking stops nobody else") {
    int agains = 0;
    saw.on_event = [&](const effects::event&, outbox& out) {
        ++agains;
        out.tell(caller, again);
    };
    REQUIRE(shard.post([&](time_point at, outbox& out) {
        out.tell(caller, again);
        saw.deadline = at + 1ms;
    }));
    phone.send(shard.local(listener_id{0}), "?");
    CHECK(until([&] { return saw.ticks == 1 && saw.heard.size() == 1; }));
    CHECK(until([&] { return agains > 1000; }));
}

TEST_CASE_FIXTURE(fixture,
                  "net::shard: a command may carry what cannot be copied, and dies there") {
    auto carried = std::make_unique<int>(5);
    auto alive = std::make_shared<int>(0);
    const std::weak_ptr<int> watched = alive;
    int got = 0;
    REQUIRE(shard.post([&got, carried = std::move(carried), alive = std::move(alive)](
                           time_point, outbox&) mutable { got = *carried; }));
    CHECK_FALSE(watched.expired());
    REQUIRE(until([&] { return got == 5; }));
    CHECK(watched.expired());
}

TEST_CASE_FIXTURE(fixture, "net::shard: says so when more commands wait than it takes") {
    for (std::size_t n = 0; n < shard::max_commands; ++n) {
        REQUIRE(shard.post([](time_point, outbox&) {}));
    }
    CHECK_FALSE(shard.post([](time_point, outbox&) {}));
    shard.poll();
    bool ran = false;
    REQUIRE(shard.post([&](time_point, outbox&) { ran = true; }));
    CHECK(until([&] { return ran; }));
}

TEST_CASE_FIXTURE(fixture, "net::shard: a stop still runs and sends what was asked for before it") {
    phone.send(shard.local(listener_id{0}), "?");
    REQUIRE(until([&] { return saw.heard.size() == 1; }));
    for (int n = 0; n < 1000; ++n) REQUIRE(shard.post([](time_point, outbox&) {}));
    REQUIRE(shard.post([&](time_point, outbox& out) { send(out, saw.from[0], "bye"); }));
    shard.stop();
    shard.stop();
    CHECK_FALSE(shard.post([](time_point, outbox&) {}));
    shard.run();
    CHECK_FALSE(shard.poll());
    CHECK(phone.receive());
    CHECK(phone.text == "bye");
    phone.send(shard.local(listener_id{0}), "too late");
    shard.poll();
    CHECK(saw.heard.size() == 1);
}

TEST_CASE_FIXTURE(fixture, "net::shard: stops from a callback") {
    saw.on_event = [&](const effects::event&, outbox&) { shard.stop(); };
    REQUIRE(shard.post([](time_point, outbox& out) { out.tell(caller, 1); }));
    shard.run();
    CHECK_FALSE(shard.post([](time_point, outbox&) {}));
}

TEST_CASE_FIXTURE(fixture, "net::shard: takes commands and a stop from other threads") {
    std::thread loop{[this] { shard.run(); }};
    std::vector<std::thread> others;
    std::size_t ran = 0; // Only ever touched on the shard.
    std::atomic<std::size_t> accepted = 0;
    for (int n = 0; n < 4; ++n) {
        others.emplace_back([&, n] {
            for (int i = 0; i < 500; ++i) {
                accepted += shard.post([&](time_point at, outbox&) {
                    saw.deadline = at + 1us;
                    ++ran;
                })
                                ? 1
                                : 0;
                if (n == 0 && i == 400) shard.stop();
            }
        });
    }
    for (auto& other : others) other.join();
    loop.join();
    CHECK(ran == accepted);
    CHECK(ran >= 401);
    CHECK_FALSE(shard.post([](time_point, outbox&) {}));
}

TEST_CASE("net::shard: shards on threads of their own answer what is theirs") {
    constexpr std::uint16_t count = 3;
    const auto shared = listening({.at = {on("127.0.0.1:0")},
                                   .shards = count,
                                   .owner_of = [](std::span<const std::byte> bytes) {
                                       return bytes.empty() ? -1 : static_cast<int>(bytes[0]) - '0';
                                   }});
    REQUIRE(shared);
    std::array<script, count> machines;
    std::vector<std::unique_ptr<shard>> shards;
    std::vector<std::thread> threads;
    for (std::uint16_t n = 0; n < count; ++n) {
        auto& mine = machines[n];
        mine.quiet = true;
        mine.on_input = [n](const input& what, time_point, outbox& out) {
            if (const auto* got = std::get_if<inputs::packet>(&what)) {
                send(out, got->flow, std::to_string(n));
            }
        };
        auto& made = shards.emplace_back(
            std::make_unique<shard>(shard_config{.listeners = shared, .index = n}));
        REQUIRE_FALSE(made->open(mine));
    }
    for (auto& each : shards) threads.emplace_back([&] { each->run(); });
    far_end phone;
    for (int n = 0; n < 300; ++n) {
        const auto whose = std::to_string(n % count);
        phone.send(shared->local(listener_id{0}), whose);
        pollfd waiting{phone.fd(), POLLIN, 0};
        REQUIRE(::poll(&waiting, 1, 5000) == 1);
        REQUIRE(phone.receive());
        CHECK(phone.text == whose);
    }
    for (auto& each : shards) each->stop();
    for (auto& each : threads) each.join();
    CHECK(shards[0]->counted().handed_over == 200);
}

TEST_CASE("net::shard: is destroyed with everything pending, run or not") {
    script saw;
    { const shard never_opened{{}}; }
    shard busy{
        {.listeners = listening({.at = {on("127.0.0.1:0")}}), .dns_servers = {"127.0.0.1:9"}}};
    REQUIRE_FALSE(busy.open(saw));
    REQUIRE(busy.post([&](time_point at, outbox& out) {
        saw.deadline = at + 1h;
        out.tell(caller, again);
        out.resolve(token{1}, record_type::srv, "_sip._udp.example.net");
        out.open_media(token{2}, caller, address::v4(127, 0, 0, 1));
    }));
    REQUIRE(until({&busy}, [&] { return saw.opened.size() == 1; }));
    REQUIRE(busy.post([](time_point, outbox&) {}));
}

} // namespace
} // namespace trunkline::net
