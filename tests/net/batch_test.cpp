// The second of several: datagrams of one turn, listeners of one shard, commands of one turn.
#include <trunkline/net/shard.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "net/script.hpp"

namespace trunkline::net {
namespace {

TEST_CASE("net::signalling: of several datagrams that wait each has its own sender") {
    script saw;
    shard one{{.listeners = listening({.at = {on("127.0.0.1:0")}})}};
    REQUIRE_FALSE(one.open(saw));
    std::array<far_end, 5> phones;
    for (std::size_t i = 0; i < phones.size(); ++i) {
        phones[i].send(one.local(listener_id{0}), std::to_string(i));
    }
    REQUIRE(until({&one}, [&] { return saw.heard.size() == phones.size(); }));
    REQUIRE(saw.ups.size() == phones.size());
    for (std::size_t i = 0; i < phones.size(); ++i) {
        CHECK(saw.heard[i] == std::to_string(i));
        CHECK(saw.ups[i].info.peer == phones[i].local());
        CHECK(saw.from[i] == saw.ups[i].flow);
    }
}

TEST_CASE("net::signalling: what comes to the second address is from there in another shard too") {
    const auto by_letter = [](std::span<const std::byte> bytes) {
        return bytes.empty() ? -1 : static_cast<int>(bytes[0]) - 'a';
    };
    const auto shared = listening(
        {.at = {on("127.0.0.1:0"), on("127.0.0.2:0")}, .shards = 2, .owner_of = by_letter});
    std::array<script, 2> saw;
    shard a{{.listeners = shared, .index = 0}};
    shard b{{.listeners = shared, .index = 1}};
    REQUIRE_FALSE(a.open(saw[0]));
    REQUIRE_FALSE(b.open(saw[1]));
    const auto second = shared->local(listener_id{1});
    CHECK(second.address == address::v4(127, 0, 0, 2));
    far_end phone;
    phone.send(second, "b");
    REQUIRE(until({&a, &b}, [&] { return !saw[1].heard.empty(); }));
    REQUIRE(saw[1].ups.size() == 1);
    CHECK(saw[1].ups[0].info.local == second);
    CHECK(saw[1].ups[0].info.listener == listener_id{1});
    // It answers from the address that was written to.
    REQUIRE(b.post([&](time_point, outbox& out) { send(out, saw[1].from[0], "!"); }));
    REQUIRE(until({&a, &b}, [&] { return phone.receive(); }));
    CHECK(phone.from == second);
}

TEST_CASE(
    "net::shard: 256 commands are run a turn, and the rest in the next one without being asked") {
    script saw;
    shard one{{.listeners = listening({.at = {on("127.0.0.1:0")}})}};
    REQUIRE_FALSE(one.open(saw));
    one.poll();
    std::size_t ran = 0;
    for (int i = 0; i < 600; ++i) {
        REQUIRE(one.post([&](time_point, outbox&) { ++ran; }));
    }
    const auto readable = [&] {
        pollfd waiting{one.fd(), POLLIN, 0};
        return ::poll(&waiting, 1, 5000) == 1;
    };
    for (const std::size_t expected : {256U, 512U, 600U}) {
        REQUIRE(readable());
        one.poll();
        CHECK(ran == expected);
    }
}

} // namespace
} // namespace trunkline::net
