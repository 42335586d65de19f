#include <trunkline/net/shard.hpp>

#include <doctest/doctest.h>

#include <deque>
#include <numeric>

#include "net/script.hpp"
#include "streams.hpp"
#include "support/certificates.hpp"
#include "support/stream_end.hpp"

namespace trunkline::net {
namespace {

using namespace std::chrono_literals;
using support::stream_door;
using support::stream_end;

const endpoint any_port{address::v4(127, 0, 0, 1), 0};

[[nodiscard]] listener_config tcp_on(const char* at) {
    return {transport::tcp, *endpoint::parse(at)};
}

struct fixture {
    script saw;
    net::shard shard;

    explicit fixture(shard_config config) : shard{std::move(config)} {
        REQUIRE_FALSE(shard.open(saw));
    }
    fixture() : fixture{{.listeners = listening({.at = {tcp_on("127.0.0.1:0")}})}} {}

    [[nodiscard]] endpoint ours() const { return shard.local(listener_id{0}); }
    template <class Condition>
    bool until(Condition reached) {
        return net::until({&shard}, reached);
    }
    void command(std::function<void(outbox&)> what) {
        REQUIRE(shard.post([what = std::move(what)](time_point, outbox& out) { what(out); }));
    }
    void connect(const endpoint& to, token asked = token{7}) {
        command([=](outbox& out) { out.connect(asked, transport::tcp, listener_id{0}, to); });
    }
    /// What came of a flow, however it was cut.
    [[nodiscard]] std::string heard() const {
        return std::accumulate(saw.heard.begin(), saw.heard.end(), std::string{});
    }
    /// A connection of ours, and its far end.
    [[nodiscard]] std::pair<flow_id, stream_end> connected_to(const stream_door& door) {
        const auto before = saw.ups.size();
        connect(door.local);
        REQUIRE(until([&] { return saw.ups.size() > before; }));
        return {saw.ups.back().flow, door.accept()};
    }
};

TEST_CASE_FIXTURE(fixture, "net::streams: who connects comes up, is heard, and is answered") {
    saw.on_input = [](const input& what, time_point, outbox& out) {
        if (const auto* got = std::get_if<inputs::packet>(&what)) send(out, got->flow, "!");
    };
    stream_end phone{ours()};
    REQUIRE(until([&] { return saw.ups.size() == 1; })); // Before it has said anything.
    CHECK(saw.ups[0].asked == token::none);
    CHECK(saw.ups[0].info.transport == transport::tcp);
    CHECK(saw.ups[0].info.local == ours());
    phone.send("?");
    REQUIRE(until([&] { return phone.receive(); }));
    CHECK(phone.text == "!");
    CHECK(saw.heard == std::vector<std::string>{"?"});
    CHECK(saw.from[0] == saw.ups[0].flow);
}

TEST_CASE_FIXTURE(fixture, "net::streams: a connection of ours serves all that ask for its peer") {
    const stream_door door{any_port};
    command([&](outbox& out) {
        out.connect(token{1}, transport::tcp, listener_id{0}, door.local);
        out.connect(token{2}, transport::tcp, listener_id{0}, door.local);
    });
    REQUIRE(until([&] { return saw.ups.size() == 2; }));
    connect(door.local, token{3});
    REQUIRE(until([&] { return saw.ups.size() == 3; }));
    for (const auto& up : saw.ups) CHECK(up.flow == saw.ups[0].flow);
    CHECK(saw.ups[0].asked == token{1});
    CHECK(saw.ups[2].asked == token{3});
    CHECK(saw.ups[0].info.peer == door.local);
    CHECK(saw.ups[0].info.local == ours()); // Where the peer may connect to, in its turn.
    auto peer = door.accept();
    CHECK(peer.connected());
    CHECK_FALSE(door.accept().connected());
    command([&](outbox& out) { send(out, saw.ups[0].flow, "hello"); });
    REQUIRE(until([&] { return peer.receive(); }));
    CHECK(peer.text == "hello");
}

TEST_CASE_FIXTURE(fixture, "net::streams: a refused connection is told to whoever asked for it") {
    std::optional<stream_door> door{std::in_place, any_port};
    const auto nobody = door->local;
    door.reset();
    connect(nobody, token{5});
    connect({address::v4(0, 0, 0, 0), 5060}, token{6});
    connect({address::v4(127, 0, 0, 1), 0}, token{7});
    command([&](outbox& out) { out.connect(token{8}, transport::tls, listener_id{0}, nobody); });
    REQUIRE(until([&] { return saw.downs.size() == 4; }));
    for (const auto& down : saw.downs) {
        CHECK(down.why == (down.asked == token{8} ? cause::insecure : cause::connect_failed));
        CHECK(down.flow == flow_id{});
        CHECK(down.asked != token::none);
    }
}

TEST_CASE_FIXTURE(fixture, "net::streams: bytes come whole and in order, however many there are") {
    std::string long_text;
    for (int n = 0; long_text.size() < 300'000; ++n) long_text += std::to_string(n) + ' ';
    saw.on_input = [](const input& what, time_point, outbox& out) {
        const auto* got = std::get_if<inputs::packet>(&what);
        if (got != nullptr) send(out, got->flow, as_text(got->bytes));
    };
    stream_end phone{ours()};
    std::size_t written = 0;
    REQUIRE(until([&] {
        if (written < long_text.size()) {
            const auto count = ::send(phone.fd(), long_text.data() + written,
                                      std::min<std::size_t>(10'000, long_text.size() - written),
                                      MSG_DONTWAIT | MSG_NOSIGNAL);
            if (count > 0) written += static_cast<std::size_t>(count);
        }
        phone.receive();
        return phone.text.size() == long_text.size();
    }));
    CHECK(phone.text == long_text);
    CHECK(heard() == long_text);
    CHECK(saw.failures.empty());
}

TEST_CASE_FIXTURE(fixture, "net::streams: a peer that does not read is blocked, and may go on when "
                           "it does") {
    const stream_door door{any_port};
    auto connected = connected_to(door);
    const auto flow = connected.first;
    auto& peer = connected.second;
    const std::string block(65'536, 'x');
    std::size_t told = 0;
    REQUIRE(until([&] {
        command([flow, block](outbox& out) { send(out, flow, block); });
        ++told;
        shard.poll();
        return !saw.failures.empty();
    }));
    CHECK(saw.failures[0].why == cause::blocked);
    CHECK(saw.failures[0].owner == caller);
    CHECK(saw.downs.empty());
    bool goes_on = false;
    saw.on_input = [&](const input& what, time_point, outbox&) {
        if (const auto* again = std::get_if<inputs::writable>(&what)) {
            goes_on = again->flow == flow;
        }
    };
    REQUIRE(until([&] {
        peer.receive();
        return goes_on;
    }));
    // What was taken came, and nothing in between is missing half.
    REQUIRE(until([&] {
        peer.receive();
        return peer.text.size() == (told - saw.failures.size()) * block.size();
    }));
}

TEST_CASE_FIXTURE(fixture, "net::streams: a peer that has closed its half still gets its answer") {
    stream_end phone{ours()};
    phone.send("last words");
    phone.end();
    REQUIRE(until([&] { return saw.downs.size() == 1; }));
    CHECK(saw.downs[0].why == cause::closed);
    CHECK(heard() == "last words");
    command([&](outbox& out) { send(out, saw.ups[0].flow, "answer"); });
    REQUIRE(until([&] { return phone.receive(); }));
    CHECK(phone.text == "answer");
    CHECK_FALSE(phone.ended);
    CHECK(saw.failures.empty());
    // When it is gone altogether, so is the flow.
    phone.reset();
    REQUIRE(until([&] {
        if (saw.failures.empty()) {
            command([&](outbox& out) { send(out, saw.ups[0].flow, "?"); });
        }
        return !saw.failures.empty();
    }));
    CHECK(saw.failures[0].why == cause::broken);
    CHECK(saw.downs.size() == 1);
}

TEST_CASE_FIXTURE(fixture, "net::streams: a peer that resets its connection is gone") {
    stream_end phone{ours()};
    REQUIRE(until([&] { return saw.ups.size() == 1; }));
    phone.reset();
    REQUIRE(until([&] { return saw.downs.size() == 1; }));
    CHECK(saw.downs[0].flow == saw.ups[0].flow);
    CHECK(saw.downs[0].why == cause::broken);
}

TEST_CASE_FIXTURE(fixture, "net::streams: what was sent before closing gets there") {
    stream_end phone{ours()};
    phone.send("something that nobody reads any more");
    REQUIRE(until([&] { return !saw.heard.empty(); }));
    const std::string farewell(100'000, 'x');
    command([&](outbox& out) {
        send(out, saw.ups[0].flow, farewell);
        out.close(saw.ups[0].flow);
        out.close(saw.ups[0].flow);
    });
    REQUIRE(until([&] {
        while (phone.receive()) {
        }
        return phone.ended;
    }));
    CHECK(phone.text == farewell);
    CHECK(saw.downs.size() == 1);
    CHECK(saw.downs[0].why == cause::closed);
    command([&](outbox& out) { send(out, saw.ups[0].flow, "too late"); });
    REQUIRE(until([&] { return !saw.failures.empty(); }));
    CHECK(saw.failures[0].why == cause::closed);
}

TEST_CASE_FIXTURE(fixture, "net::streams: an id that outlived its connection is no other's") {
    std::vector<flow_id> seen;
    for (int n = 0; n < 3; ++n) {
        stream_end phone{ours()};
        REQUIRE(until([&] { return saw.ups.size() == seen.size() + 1; }));
        seen.push_back(saw.ups.back().flow);
        phone.reset();
        REQUIRE(until([&] { return saw.downs.size() == seen.size(); }));
        CHECK(saw.downs.back().flow == seen.back());
    }
    CHECK_FALSE(seen[0] == seen[1]);
    CHECK_FALSE(seen[1] == seen[2]);
    command([&](outbox& out) { send(out, seen[0], "to whom?"); });
    REQUIRE(until([&] { return !saw.failures.empty(); }));
}

TEST_CASE("net::streams: one address has so many connections, and no more") {
    fixture f{
        {.listeners = listening({.at = {tcp_on("127.0.0.1:0")}}), .max_connections_of_one = 2}};
    std::deque<stream_end> phones;
    for (int n = 0; n < 3; ++n) phones.emplace_back(f.ours());
    REQUIRE(f.until([&] {
        phones.back().receive();
        return phones.back().ended;
    }));
    CHECK(f.saw.ups.size() == 2);
    CHECK(f.shard.counted().connections_refused == 1);
    // One that goes makes room.
    phones.pop_front();
    REQUIRE(f.until([&] { return f.saw.downs.size() == 1; }));
    f.command([gone = f.saw.downs[0].flow](outbox& out) { out.close(gone); });
    REQUIRE(f.until([&] {
        phones.emplace_back(f.ours());
        for (int n = 0; n < 10; ++n) f.shard.poll();
        return f.saw.ups.size() == 3;
    }));
}

TEST_CASE("net::streams: when all are taken the one that was silent longest makes room") {
    fixture f{{.listeners = listening({.at = {tcp_on("127.0.0.1:0")}}), .max_connections = 3}};
    const stream_door door{any_port};
    const auto [ours, far] = f.connected_to(door);
    stream_end first{f.ours()};
    REQUIRE(f.until([&] { return f.saw.ups.size() == 2; }));
    stream_end second{f.ours()};
    REQUIRE(f.until([&] { return f.saw.ups.size() == 3; }));
    first.send("I am here");
    REQUIRE(f.until([&] { return !f.saw.heard.empty(); }));
    stream_end third{f.ours()};
    REQUIRE(f.until([&] { return f.saw.ups.size() == 4 && f.saw.downs.size() == 1; }));
    CHECK(f.saw.downs[0].flow == f.saw.ups[2].flow);
    CHECK(f.saw.downs[0].why == cause::table_full);
}

TEST_CASE("net::streams: strangers by the hundred close no connection that is known or used") {
    fixture f{{.listeners = listening({.at = {tcp_on("127.0.0.1:0")}}), .max_connections = 4}};
    stream_end used{f.ours()};
    REQUIRE(f.until([&] { return f.saw.ups.size() == 1; }));
    f.command([flow = f.saw.ups[0].flow](outbox& out) { out.regard(flow, flow_standing::in_use); });
    f.saw.on_knows = [](const address&) { return true; };
    stream_end carrier{f.ours()};
    REQUIRE(f.until([&] { return f.saw.ups.size() == 2; }));
    f.saw.on_knows = {};
    std::deque<stream_end> strangers;
    for (std::size_t n = 0; n < 200; ++n) {
        strangers.emplace_back(f.ours());
        REQUIRE(f.until([&] { return f.saw.ups.size() == n + 3; }));
    }
    CHECK(f.saw.downs.size() == 198);
    for (const auto& each : f.saw.downs) {
        CHECK_FALSE(each.flow == f.saw.ups[0].flow);
        CHECK_FALSE(each.flow == f.saw.ups[1].flow);
    }
    // One more that is known has a place, too; a call that is over keeps none.
    f.saw.on_knows = [](const address&) { return true; };
    stream_end second{f.ours()};
    REQUIRE(f.until([&] { return f.saw.ups.size() == 203; }));
    CHECK(f.saw.downs.size() == 199);
    f.saw.on_knows = {};
    f.command(
        [flow = f.saw.ups[0].flow](outbox& out) { out.regard(flow, flow_standing::stranger); });
    stream_end last{f.ours()};
    stream_end after{f.ours()};
    REQUIRE(f.until([&] { return f.saw.ups.size() == 205; }));
    const auto down = std::ranges::count(f.saw.downs, f.saw.ups[0].flow, &inputs::flow_down::flow);
    CHECK(down == 1);
}

/// The connections of a shard without the shard: time is what the test says.
struct at_rest {
    script saw;
    machine_host host{.driven = &saw, .pump = {}, .answers = {}, .words = {}, .counted = {}};
    listeners_state shared;
    poller waits;
    shard_config config;
    std::optional<streams> held;
    time_point at{std::chrono::hours{1}};

    explicit at_rest(transport over, std::shared_ptr<tls_profiles> profiles = {}) {
        descriptor socket;
        REQUIRE_FALSE(listen_stream(any_port, socket));
        const auto local = local_of(socket.get());
        shared.opened.push_back({over, std::move(socket), local, false});
        REQUIRE_FALSE(waits.open());
        config.tls = std::move(profiles);
        held.emplace(host, shared, config);
        REQUIRE_FALSE(held->open(waits, 0));
    }
    /// Serves what there is until `reached` is true.
    template <class Condition>
    [[nodiscard]] bool until(Condition reached) {
        for (int turn = 0; turn < 1000 && !reached(); ++turn) {
            pollfd waiting{waits.fd(), POLLIN, 0};
            static_cast<void>(::poll(&waiting, 1, 5));
            std::array<epoll_event, 8> room;
            for (const auto& event : waits.wait(room, false)) {
                held->ready(static_cast<std::uint32_t>(event.data.u64), event.events);
            }
            held->receive(at);
        }
        return reached();
    }
    void advance(duration by) {
        at += by;
        held->tick(at);
    }
    [[nodiscard]] bool hung_up(stream_end& peer) {
        return until([&] {
            peer.receive();
            return peer.ended;
        });
    }
};

TEST_CASE("net::streams: a TLS handshake takes ten seconds at most, a stranger's five") {
    support::authority root{"root of a handshake"};
    const auto files = root.issue({.names = "DNS:sip.example.net"});
    const auto context =
        open_tls_server({.certificate = files.certificate, .key = files.key, .verify = false});
    REQUIRE(context.has_value());
    for (const bool known : {false, true}) {
        CAPTURE(known);
        auto profiles = std::make_shared<tls_profiles>();
        profiles->serve(*context);
        at_rest f{transport::tls, profiles};
        f.saw.on_knows = [&](const address&) { return known; };
        stream_end peer{f.shared.opened[0].local};
        REQUIRE(f.until([&] { return f.host.counted.connections_accepted == 1; }));
        const duration patience = known ? 10s : 5s;
        f.advance(patience - 1ms);
        peer.send("\x16\x03"); // The beginning of a record gets no more time.
        REQUIRE(f.until([&] { return f.host.counted.received == 1; }));
        peer.receive();
        CHECK_FALSE(peer.ended);
        f.advance(2ms);
        CHECK(f.hung_up(peer));
        CHECK(f.saw.ups.empty());
        // Nothing was up that could go down: the peer and the words are only told.
        REQUIRE(f.host.answers.size() == 1);
        const auto* told = std::get_if<inputs::flow_down>(f.host.answers.data());
        REQUIRE(told != nullptr);
        CHECK(told->flow == flow_id{});
        CHECK(told->why == cause::insecure);
        CHECK(told->words == "the handshake took too long");
    }
}

TEST_CASE("net::streams: a stranger has five seconds to say something, who is known has more") {
    at_rest f{transport::tcp};
    stream_end silent{f.shared.opened[0].local};
    REQUIRE(f.until([&] { return f.saw.ups.size() == 1; }));
    stream_end talks{f.shared.opened[0].local};
    REQUIRE(f.until([&] { return f.saw.ups.size() == 2; }));
    stream_end used{f.shared.opened[0].local};
    REQUIRE(f.until([&] { return f.saw.ups.size() == 3; }));
    f.held->act_on(effects::regard{f.saw.ups[2].flow, flow_standing::in_use});
    f.saw.on_knows = [](const address&) { return true; };
    stream_end known{f.shared.opened[0].local};
    REQUIRE(f.until([&] { return f.saw.ups.size() == 4; }));
    talks.send("?");
    REQUIRE(f.until([&] { return f.saw.heard.size() == 1; }));
    f.advance(4999ms);
    CHECK(f.host.answers.empty());
    f.advance(2ms);
    CHECK(f.hung_up(silent));
    REQUIRE(f.host.answers.size() == 1);
    CHECK(std::get<inputs::flow_down>(f.host.answers[0]).flow == f.saw.ups[0].flow);
    f.advance(60s);
    for (auto* each : {&talks, &used, &known}) {
        each->receive();
        CHECK_FALSE(each->ended);
    }
}

TEST_CASE("net::streams: a connection of ours needs no listener, and has its port as it is") {
    fixture f{{}};
    const stream_door door{any_port};
    const auto [flow, peer] = f.connected_to(door);
    CHECK(f.saw.ups[0].info.listener == no_listener);
    CHECK(f.saw.ups[0].info.local.address == address::v4(127, 0, 0, 1));
    CHECK(f.saw.ups[0].info.local.port != 0);
}

TEST_CASE("net::streams: speaks IPv6, beside IPv4 at the same port") {
    if (!far_end{"::1", true}.bound()) {
        MESSAGE("no IPv6 here");
        return;
    }
    fixture f{{.listeners = listening({.at = {tcp_on("[::]:0")}})}};
    const auto port = std::to_string(f.ours().port);
    fixture beside{{.listeners = listening({.at = {tcp_on(("0.0.0.0:" + port).c_str())}})}};
    const endpoint written_to{*address::parse("::1"), f.ours().port};
    stream_end phone{written_to};
    phone.send("?");
    REQUIRE(f.until([&] { return !f.saw.heard.empty(); }));
    CHECK(f.saw.ups[0].info.local == written_to);
    const stream_door door{{*address::parse("::1"), 0}};
    const auto [flow, peer] = f.connected_to(door);
    CHECK(f.saw.ups.back().info.local == written_to);
}

TEST_CASE("net::streams: the tap sees what is sent and what comes") {
    std::vector<std::pair<bool, std::string>> seen;
    fixture f{{.listeners = listening({.at = {tcp_on("127.0.0.1:0")}}),
               .tap = [&](const wire_tap_record& what) {
                   seen.emplace_back(what.outgoing, as_text(what.bytes));
               }}};
    f.saw.on_input = [](const input& what, time_point, outbox& out) {
        if (const auto* got = std::get_if<inputs::packet>(&what)) send(out, got->flow, "!");
    };
    stream_end phone{f.ours()};
    phone.send("?");
    REQUIRE(f.until([&] { return phone.receive(); }));
    CHECK(seen == std::vector<std::pair<bool, std::string>>{{false, "?"}, {true, "!"}});
}

} // namespace
} // namespace trunkline::net
