#include <trunkline/net/shard.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <set>

#include <sys/syscall.h>

#include "net/script.hpp"

namespace {

std::atomic<bool> receiving_fails = false;
std::atomic<int> receive_calls = 0;

} // namespace

// Stands in front of libc's, since no real socket fails on request, let alone for ever.
extern "C" int recvmmsg(int fd, mmsghdr* headers, unsigned count, int flags, timespec* wait) {
    ++receive_calls;
    if (receiving_fails) return errno = EIO, -1;
    return static_cast<int>(syscall(SYS_recvmmsg, fd, headers, count, flags, wait));
}

namespace trunkline::net {
namespace {

using namespace std::chrono_literals;

struct fixture {
    script saw;
    net::shard shard;
    far_end phone;

    explicit fixture(const char* at = "127.0.0.1:0", std::size_t max_flows = 4096)
        : shard{{.listeners = listening({.at = {on(at)}}), .max_flows = max_flows}} {
        REQUIRE_FALSE(shard.open(saw));
    }
    [[nodiscard]] endpoint ours() const { return shard.local(listener_id{0}); }
    template <class Condition>
    bool until(Condition reached) {
        return net::until({&shard}, reached);
    }
    void connect(const endpoint& to, token asked = token{7}) {
        REQUIRE(shard.post([=](time_point, outbox& out) {
            out.connect(asked, transport::udp, listener_id{0}, to);
        }));
        const auto before = saw.ups.size() + saw.downs.size();
        REQUIRE(until([&] { return saw.ups.size() + saw.downs.size() > before; }));
    }
    void send_on(flow_id flow, std::string text) {
        REQUIRE(shard.post([=](time_point, outbox& out) { send(out, flow, text); }));
    }
};

TEST_CASE_FIXTURE(fixture, "net::signalling: a peer that speaks first comes up, then its packets") {
    saw.on_input = [](const input& what, time_point, outbox& out) {
        if (const auto* got = std::get_if<inputs::packet>(&what)) send(out, got->flow, "!");
    };
    phone.send(ours(), "?");
    phone.send(ours(), "");
    REQUIRE(until([&] { return saw.heard.size() == 2; }));
    CHECK(saw.heard[0] == "?");
    CHECK(saw.heard[1].empty());
    REQUIRE(saw.ups.size() == 1);
    CHECK(saw.ups[0].flow == saw.from[0]);
    CHECK(saw.from[0] == saw.from[1]);
    CHECK(saw.ups[0].asked == token::none);
    CHECK(saw.ups[0].info.peer == phone.local());
    CHECK(saw.ups[0].info.local == ours());
    REQUIRE(until([&] { return phone.receive(); }));
    CHECK(phone.text == "!");
    CHECK(phone.from == ours());
}

TEST_CASE_FIXTURE(fixture, "net::signalling: connects, and finds the same flow for the same peer") {
    connect(phone.local());
    connect(phone.local(), token{8});
    REQUIRE(saw.ups.size() == 2);
    CHECK(saw.ups[0].asked == token{7});
    CHECK(saw.ups[1].asked == token{8});
    CHECK(saw.ups[0].flow == saw.ups[1].flow);
    phone.send(ours(), "hello");
    REQUIRE(until([&] { return !saw.heard.empty(); }));
    CHECK(saw.from[0] == saw.ups[0].flow);
    CHECK(saw.ups.size() == 2);
}

TEST_CASE_FIXTURE(fixture, "net::signalling: refuses to connect to where it cannot send") {
    connect({*address::parse("::1"), 5060});
    connect({address::v4(0, 0, 0, 0), 5060});
    connect({address::v4(127, 0, 0, 1), 0});
    REQUIRE(shard.post([to = phone.local()](time_point, outbox& out) {
        out.connect(token{1}, transport::tls, listener_id{0}, to);
        out.connect(token{2}, transport::udp, listener_id{1}, {*address::parse("::2"), 5060});
    }));
    REQUIRE(until([&] { return saw.downs.size() == 5; }));
    for (const auto& down : saw.downs) {
        CHECK(down.why == (down.asked == token{1} ? cause::insecure : cause::connect_failed));
    }
    CHECK(saw.downs[4].asked == token{2});
    CHECK(saw.ups.empty());
}

TEST_CASE_FIXTURE(fixture, "net::signalling: takes a burst larger than its batch, in order") {
    for (int n = 0; n < 150; ++n) phone.send(ours(), std::to_string(n));
    REQUIRE(until([&] { return saw.heard.size() == 150; }));
    for (std::size_t n = 0; n < 150; ++n) CHECK(saw.heard[n] == std::to_string(n));
    REQUIRE(shard.post([this](time_point, outbox& out) {
        for (int n = 0; n < 150; ++n) send(out, saw.from[0], std::to_string(n));
    }));
    for (int n = 0; n < 150; ++n) {
        REQUIRE(until([&] { return phone.receive(); }));
        CHECK(phone.text == std::to_string(n));
    }
}

TEST_CASE_FIXTURE(fixture, "net::signalling: carries the largest datagram there is") {
    const std::string large(65'507, 'x');
    phone.send(ours(), large);
    REQUIRE(until([&] { return !saw.heard.empty(); }));
    CHECK(saw.heard[0] == large);
    send_on(saw.from[0], large);
    REQUIRE(until([&] { return phone.receive(); }));
    CHECK(phone.text == large);
}

TEST_CASE_FIXTURE(fixture, "net::signalling: what cannot be sent comes back to its machine") {
    connect(phone.local());
    const auto flow = saw.ups[0].flow;
    send_on(flow, std::string(70'000, 'x')); // No datagram is that large,
    send_on({0, 9}, "x");                    // that flow never was,
    send_on(flow, "fine");                   // and neither holds this one up.
    REQUIRE(until([&] { return phone.receive(); }));
    CHECK(phone.text == "fine");
    REQUIRE(until([&] { return saw.failures.size() == 2; }));
    std::set<cause> causes;
    for (const auto& failed : saw.failures) {
        causes.insert(failed.why);
        CHECK(failed.owner == caller);
    }
    CHECK(causes == std::set{cause::too_big, cause::closed});
}

TEST_CASE_FIXTURE(fixture,
                  "net::signalling: a closed flow is gone, and its peer a stranger again") {
    phone.send(ours(), "1");
    REQUIRE(until([&] { return saw.heard.size() == 1; }));
    REQUIRE(shard.post([flow = saw.from[0]](time_point, outbox& out) {
        out.close(flow);
        out.close(flow);
    }));
    REQUIRE(until([&] { return !saw.downs.empty(); }));
    CHECK(saw.downs.size() == 1);
    CHECK(saw.downs[0].why == cause::closed);
    phone.send(ours(), "2");
    REQUIRE(until([&] { return saw.heard.size() == 2; }));
    CHECK(saw.ups.size() == 2);
    CHECK_FALSE(saw.from[0] == saw.from[1]);
}

TEST_CASE("net::signalling: on a wildcard, replies leave from the address that was written to") {
    fixture f{"0.0.0.0:0"};
    f.saw.on_input = [](const input& what, time_point, outbox& out) {
        if (const auto* got = std::get_if<inputs::packet>(&what)) send(out, got->flow, "!");
    };
    for (const char* text : {"127.0.0.2", "127.0.0.3"}) {
        const endpoint written_to{*address::parse(text), f.ours().port};
        f.phone.send(written_to, "?");
        REQUIRE(f.until([&] { return f.phone.receive(); }));
        CHECK(f.phone.from == written_to);
        CHECK(f.saw.ups.back().info.local == written_to);
    }
    CHECK(f.saw.ups.size() == 2); // One peer, but two flows.
    f.connect(f.phone.local());   // Which of ours the route takes, the routing table says.
    CHECK(f.saw.ups.back().info.local.address == address::v4(127, 0, 0, 1));
    CHECK(f.ours().address.is_wildcard());
}

TEST_CASE("net::signalling: speaks IPv6, on a wildcard too") {
    if (!far_end{"::1", true}.bound()) {
        MESSAGE("no IPv6 here");
        return;
    }
    for (const char* at : {"[::1]:0", "[::]:0"}) {
        fixture f{at};
        far_end phone{"::1", true};
        const endpoint written_to{*address::parse("::1"), f.ours().port};
        phone.send(written_to, "?");
        REQUIRE(f.until([&] { return !f.saw.heard.empty(); }));
        CHECK(f.saw.ups[0].info.local == written_to);
        CHECK(f.saw.ups[0].info.peer == phone.local());
        f.send_on(f.saw.from[0], "!");
        REQUIRE(f.until([&] { return phone.receive(); }));
        CHECK(phone.from == written_to);
        f.connect(phone.local());
        CHECK(f.saw.ups.back().flow == f.saw.from[0]);
    }
}

TEST_CASE("net::signalling: both families may share a port, and no one else may") {
    if (!far_end{"::1", true}.bound()) {
        MESSAGE("no IPv6 here");
        return;
    }
    const auto first = listening({.at = {on("0.0.0.0:0")}});
    REQUIRE(first);
    const auto port = std::to_string(first->local(listener_id{0}).port);
    listeners second;
    CHECK_FALSE(second.open({.at = {on(("[::]:" + port).c_str())}}));
    listeners third;
    CHECK(third.open({.at = {on(("0.0.0.0:" + port).c_str())}}) == std::errc::address_in_use);
    CHECK(third.size() == 0);
}

TEST_CASE_FIXTURE(fixture, "net::signalling: a port unreachable is told to the flow of its peer") {
    far_end other;
    connect(phone.local());
    connect(other.local());
    phone.close();
    send_on(saw.ups[0].flow, "lost");
    REQUIRE(until([&] { return !saw.failures.empty(); }));
    CHECK(saw.failures[0].flow == saw.ups[0].flow);
    CHECK(saw.failures[0].owner == owner_id::none);
    CHECK(saw.failures[0].why == cause::unreachable);
}

TEST_CASE_FIXTURE(fixture, "net::signalling: an error about one peer costs no other a packet") {
    far_end other;
    connect(phone.local());
    connect(other.local());
    phone.close();
    for (int n = 0; n < 20; ++n) { // The error of each is waiting when the next is sent.
        send_on(saw.ups[0].flow, "lost");
        send_on(saw.ups[1].flow, std::to_string(n));
        other.send(ours(), std::to_string(n));
        REQUIRE(until([&] { return other.receive(); }));
        CHECK(other.text == std::to_string(n));
    }
    REQUIRE(until([&] { return saw.heard.size() == 20; }));
    for (const auto& failed : saw.failures) CHECK(failed.flow == saw.ups[0].flow);
    CHECK(shard.counted().receive_errors == 0);
}

TEST_CASE("net::signalling: a full table makes room for a stranger, at the cost of the idlest") {
    fixture f{"127.0.0.1:0", 4};
    far_end carrier;
    f.connect(carrier.local()); // Asked for: stays, however idle.
    std::array<far_end, 4> strangers;
    for (std::size_t n = 0; n < 3; ++n) {
        strangers[n].send(f.ours(), "1");
        REQUIRE(f.until([&] { return f.saw.heard.size() == n + 1; }));
    }
    strangers[0].send(f.ours(), "again");
    REQUIRE(f.until([&] { return f.saw.heard.size() == 4; }));
    strangers[3].send(f.ours(), "new");
    REQUIRE(f.until([&] { return f.saw.heard.size() == 5; }));
    REQUIRE(f.saw.downs.size() == 1);
    CHECK(f.saw.downs[0].flow == f.saw.from[1]);
    CHECK(f.saw.downs[0].why == cause::table_full);
    CHECK(f.shard.counted().flows_evicted == 1);
    far_end another;
    f.connect(another.local());
    CHECK(f.saw.downs.size() == 2);
    CHECK(f.saw.downs[1].flow == f.saw.from[2]);
    f.send_on(f.saw.ups[0].flow, "still here");
    REQUIRE(f.until([&] { return carrier.receive(); }));
}

TEST_CASE("net::signalling: a thousand strangers are all heard, whatever the table holds") {
    fixture f{"127.0.0.1:0", 16};
    for (int n = 0; n < 1000; ++n) {
        far_end stranger;
        stranger.send(f.ours(), std::to_string(n));
        REQUIRE(f.until([&] { return f.saw.heard.size() == static_cast<std::size_t>(n) + 1; }));
    }
    CHECK(f.shard.counted().flows_evicted >= 900); // Some got a port that was known already.
    CHECK(f.saw.ups.size() - f.saw.downs.size() == 16);
}

TEST_CASE_FIXTURE(fixture,
                  "net::signalling: a receive error that stays is not spun on, and is told") {
    connect(phone.local());
    receiving_fails = true;
    receive_calls = 0;
    const auto began = now();
    phone.send(ours(), "late");
    CHECK(until([&] { return saw.downs.size() == 1; }));
    CHECK(receive_calls >= 8);
    CHECK(receive_calls < 20);
    CHECK(now() - began > 200ms);
    CHECK(saw.downs[0].why == cause::broken);
    receiving_fails = false;
    CHECK(until([&] { return saw.heard.size() == 1; })); // It goes on as soon as it can.
}

TEST_CASE("net::signalling: the tap sees every message, both ways, with its owner") {
    struct seen {
        bool outgoing;
        owner_id owner;
        std::string text;
        endpoint peer;
        flow_id flow;
        time_point at;
    };
    std::vector<seen> records;
    script saw;
    saw.on_input = [](const input& what, time_point, outbox& out) {
        if (const auto* got = std::get_if<inputs::packet>(&what)) send(out, got->flow, "answer");
    };
    shard tapped{{.listeners = listening({.at = {on("127.0.0.1:0")}}),
                  .tap = [&](const wire_tap_record& what) {
                      records.push_back({what.outgoing, what.owner,
                                         std::string{as_text(what.bytes)}, what.info.peer,
                                         what.flow, what.at});
                  }}};
    REQUIRE_FALSE(tapped.open(saw));
    far_end phone;
    phone.send(tapped.local(listener_id{0}), "ask");
    REQUIRE(until({&tapped}, [&] { return phone.receive(); }));
    REQUIRE(records.size() == 2);
    CHECK_FALSE(records[0].outgoing);
    CHECK(records[0].text == "ask");
    CHECK(records[0].owner == owner_id::none);
    CHECK(records[1].outgoing);
    CHECK(records[1].text == "answer");
    CHECK(records[1].owner == caller);
    CHECK(records[1].peer == phone.local());
    CHECK(records[1].flow == saw.ups[0].flow);
    CHECK(records[0].at.time_since_epoch().count() > 0);
    CHECK(records[1].at >= records[0].at);
}

/// Datagrams name their shard with their first letter.
int by_letter(std::span<const std::byte> bytes) {
    return bytes.empty() ? -1 : static_cast<int>(bytes[0]) - 'a';
}

struct three_shards {
    std::array<script, 3> saw;
    std::shared_ptr<listeners> shared = listening(
        {.at = {on("127.0.0.1:0"), on("127.0.0.1:0")}, .shards = 3, .owner_of = by_letter});
    shard a{{.listeners = shared, .index = 0}};
    shard b{{.listeners = shared, .index = 1}};
    shard c{{.listeners = shared, .index = 2}};
    far_end phone;

    three_shards() {
        REQUIRE_FALSE(a.open(saw[0]));
        REQUIRE_FALSE(b.open(saw[1]));
        REQUIRE_FALSE(c.open(saw[2]));
    }
    template <class Condition>
    bool until(Condition reached) {
        return net::until({&a, &b, &c}, reached);
    }
};

TEST_CASE_FIXTURE(three_shards, "net::signalling: each datagram reaches the shard whose it is") {
    for (auto& each : saw) {
        each.on_input = [&](const input& what, time_point, outbox& out) {
            if (const auto* got = std::get_if<inputs::packet>(&what)) send(out, got->flow, "!");
        };
    }
    const auto second = shared->local(listener_id{1});
    for (const char* text : {"b1", "c1", "a1", "?", "z", "", "b2"}) phone.send(second, text);
    REQUIRE(until([&] {
        return saw[0].heard.size() == 4 && saw[1].heard.size() == 2 && saw[2].heard.size() == 1;
    }));
    CHECK(saw[1].heard == std::vector<std::string>{"b1", "b2"});
    CHECK(saw[1].ups.size() == 1);
    CHECK(saw[1].ups[0].info.listener == listener_id{1});
    CHECK(saw[1].ups[0].info.local == second);
    CHECK(saw[1].ups[0].info.peer == phone.local());
    CHECK(a.counted().handed_over == 3);
    for (int n = 0; n < 7; ++n) { // All shards answer from the socket that was written to.
        REQUIRE(until([&] { return phone.receive(); }));
        CHECK(phone.from == second);
    }
}

TEST_CASE_FIXTURE(three_shards,
                  "net::signalling: a shard that stands still loses its own packets only") {
    const std::string large = "b" + std::string(30'000, 'x');
    const auto to = shared->local(listener_id{0});
    std::size_t sent = 0;
    REQUIRE(net::until({&a}, [&] {
        phone.send(to, large);
        ++sent;
        return a.counted().handover_dropped > 0;
    }));
    phone.send(to, "a");
    REQUIRE(net::until({&a}, [&] { return !saw[0].heard.empty(); }));
    const auto handed = a.counted().handed_over;
    CHECK(handed >= 30);
    REQUIRE(until([&] { return saw[1].heard.size() == handed; }));
    phone.send(to, "b, at last");
    REQUIRE(until([&] { return saw[1].heard.back() == "b, at last"; }));
}

TEST_CASE_FIXTURE(three_shards, "net::signalling: ICMP reaches the shard that had sent") {
    phone.send(shared->local(listener_id{0}), "b");
    REQUIRE(until([&] { return !saw[1].heard.empty(); }));
    phone.close();
    REQUIRE(b.post([&](time_point, outbox& out) { send(out, saw[1].from[0], "lost"); }));
    REQUIRE(until([&] { return !saw[1].failures.empty(); }));
    CHECK(saw[1].failures[0].why == cause::unreachable);
    CHECK(saw[0].failures.empty());
    CHECK(saw[2].failures.empty());
}

} // namespace
} // namespace trunkline::net
