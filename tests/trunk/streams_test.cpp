// Connections: messages however they are cut, who may keep one, and calls that go by them.
#include <string>
#include <utility>
#include <vector>

#include "trunk/driver.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::driver;
using support::request_text;

const std::string carrier_port = "198.51.100.1:40000"; ///< Nobody listens there.

[[nodiscard]] std::string over_tcp(std::string text) {
    const auto at = text.find("SIP/2.0/UDP");
    if (at != std::string::npos) text.replace(at, 11, "SIP/2.0/TCP");
    return text;
}

[[nodiscard]] request_text options(int number) {
    request_text made;
    made.method = "OPTIONS";
    made.branch += std::to_string(number);
    made.call_id = std::to_string(number) + "@198.51.100.1";
    return made;
}

struct listener final : agent {
    std::vector<std::string>* told;
    explicit listener(std::vector<std::string>& into) : told{&into} {}
    void on_answered(call&) override { told->push_back("answered"); }
    void on_ended(call&, const call_record&) override { told->push_back("ended"); }
};

struct exchange_by_stream : driver {
    std::vector<std::string> told;
    std::vector<call_handle> handles;
    trunk_config wanted = carrier();

    exchange_by_stream() {
        wanted.gateways = {{"198.51.100.1"}, {"198.51.100.2"}};
        wanted.transport = transport::tcp;
        config.on_incoming = [this](incoming_call& call) {
            handles.push_back(call.handle());
            CHECK(call.ringing());
        };
    }
    void dial() {
        if (trunks.empty()) add(wanted);
        dial_request made;
        made.to = "+4930999";
        made.agent = std::make_unique<listener>(told);
        running().dial(std::move(made), now, out());
        settle();
    }
    void pick_up() {
        handles.back().post([this](call& on) {
            CHECK(static_cast<incoming_call&>(on).answer(std::make_unique<listener>(told)));
        });
        settle();
    }
    /// What the peer of a connection says to a request of ours.
    void answer(flow_id flow, const std::string& request, const std::string& status,
                const std::string& contact = "<sip:gw@198.51.100.1:5060;transport=tcp>") {
        receive(flow,
                support::answer_to(request, status, "peer1", "Contact: " + contact + '\n',
                                   status.starts_with("2") ? support::their_sdp : std::string{}));
    }
    [[nodiscard]] std::vector<std::string> statuses() {
        std::vector<std::string> found;
        for (const auto& text : texts()) found.push_back(support::status_of(text));
        return found;
    }
};

TEST_CASE_FIXTURE(exchange_by_stream,
                  "trunks::streams: an INVITE by TCP is answered by it, and its call stays there") {
    add(wanted);
    const auto flow = accept(carrier_port);
    const request_text invite;
    receive(flow, over_tcp(invite.text()));
    CHECK(statuses() == std::vector<std::string>{"100", "180"});
    pick_up();
    CHECK(sent.back().over == transport::tcp);
    CHECK(sent.back().to == *endpoint::parse(carrier_port));
    CHECK(support::header(sent.back().text, "Contact").ends_with(":5060;transport=tcp>"));
    const auto answered = last();
    // Nothing but the 2xx is ever sent twice over a stream, and that until its ACK (13.3.1.4).
    advance(600ms);
    CHECK(statuses() == std::vector<std::string>{"200"});
    receive(flow, over_tcp(invite.ack(answered)));
    advance(5s);
    CHECK(texts().empty());
    handles.back().hang_up();
    settle();
    CHECK(last().starts_with("BYE "));
    CHECK(sent.back().text.find("Via: SIP/2.0/TCP 192.0.2.1:5060;") != std::string::npos);
    CHECK(sent.back().to == *endpoint::parse(carrier_port));
    advance(20s);
    CHECK(texts().empty()); // No retransmission.
}

TEST_CASE("trunks::streams: wherever bytes are cut, the same messages are heard") {
    request_text unknown;
    unknown.uri = unknown.to = "sip:+4930999@192.0.2.1";
    const auto all = over_tcp(options(1).text()) + "\r\n\r\n" + over_tcp(unknown.text()) + "\r\n" +
                     over_tcp(options(2).text()) + over_tcp(options(3).text());
    std::vector<std::string> whole;
    for (std::size_t cut = 0; cut < all.size(); cut += cut % 100 < 20 ? 1 : 7) {
        exchange_by_stream f;
        f.add(f.wanted);
        const auto flow = f.accept(carrier_port);
        if (cut > 0) f.receive(flow, all.substr(0, cut));
        f.receive(flow, all.substr(cut));
        const auto heard = f.statuses();
        if (cut == 0) {
            whole = heard;
            CHECK(heard == std::vector<std::string>{"200", "", "404", "200", "200"});
        }
        REQUIRE(heard == whole);
    }
}

TEST_CASE_FIXTURE(exchange_by_stream,
                  "trunks::streams: bytes that come one by one are one message in the end") {
    add(wanted);
    const auto flow = accept(carrier_port);
    for (const char c : over_tcp(options(1).text())) receive(flow, std::string(1, c));
    CHECK(statuses() == std::vector<std::string>{"200"});
}

TEST_CASE_FIXTURE(exchange_by_stream,
                  "trunks::streams: two line breaks get one, and one gets nothing") {
    add(wanted);
    const auto flow = accept(carrier_port);
    receive(flow, "\r\n\r\n");
    CHECK(only() == "\r\n");
    receive(flow, "\r\n");
    receive(flow, over_tcp(options(1).text()));
    CHECK(statuses() == std::vector<std::string>{"200"});
}

TEST_CASE_FIXTURE(exchange_by_stream,
                  "trunks::streams: where the next message begins is unknown, and it is closed") {
    add(wanted);
    const auto flow = accept(carrier_port);
    auto text = over_tcp(options(1).text());
    const auto at = text.find("Content-Length");
    text.erase(at, text.find("\r\n", at) + 2 - at);
    receive(flow, text + over_tcp(options(2).text()));
    CHECK(texts().empty());
    CHECK(connections[0].closed);
    CHECK(noted(diagnostic::stream_broken) == 1);
    receive(flow, over_tcp(options(3).text())); // Read before it was closed.
    CHECK(texts().empty());
}

TEST_CASE_FIXTURE(exchange_by_stream,
                  "trunks::streams: a malformed message is answered, and the next one heard") {
    add(wanted);
    const auto flow = accept(carrier_port);
    auto bad = options(1);
    bad.from = "<sip:+49170@198.51.100.1;tag=theirs";
    receive(flow, over_tcp(bad.text()) + over_tcp(options(2).text()));
    CHECK(statuses() == std::vector<std::string>{"400", "200"});
    CHECK_FALSE(connections[0].closed);
}

TEST_CASE_FIXTURE(exchange_by_stream,
                  "trunks::streams: a stranger's connection does not outlive ten seconds") {
    add(wanted);
    const auto silent = accept("203.0.113.66:1000");
    const auto talks = accept("203.0.113.66:1001");
    const auto known = accept(carrier_port);
    advance(9s);
    receive(talks, over_tcp(options(1).text()));
    CHECK(statuses() == std::vector<std::string>{"403"});
    advance(2s);
    CHECK(connections[0].closed);
    CHECK(connections[1].closed);
    CHECK_FALSE(connections[2].closed);
    CHECK(noted(diagnostic::stream_dropped) == 2);
    static_cast<void>(silent);
    static_cast<void>(known);
}

TEST_CASE_FIXTURE(exchange_by_stream,
                  "trunks::streams: half a message may take ten seconds, however it trickles") {
    add(wanted);
    const auto slow = accept(carrier_port);
    receive(slow, "OPTIONS sip:");
    for (int n = 0; n < 9; ++n) {
        advance(1s);
        receive(slow, "x");
    }
    CHECK_FALSE(connections[0].closed);
    advance(2s);
    CHECK(connections[0].closed);
    // A stranger may not even have much of one.
    const auto stranger = accept("203.0.113.66:1000");
    receive(stranger, "OPTIONS sip:a@b SIP/2.0\r\nX: " + std::string(17'000, 'x'));
    CHECK(connections[1].closed);
}

TEST_CASE_FIXTURE(
    exchange_by_stream,
    "trunks::streams: a known peer's connection is closed when it was idle for long") {
    add(wanted);
    const auto flow = accept(carrier_port);
    receive(flow, over_tcp(options(1).text()));
    advance(590s);
    CHECK_FALSE(connections[0].closed);
    advance(100s);
    CHECK(connections[0].closed);
}

TEST_CASE_FIXTURE(exchange_by_stream,
                  "trunks::streams: a connection of ours is kept alive, and missed when it dies") {
    dial();
    const auto flow = connections[0].flow;
    answer(flow, last(), "486 Busy Here");
    static_cast<void>(texts());
    advance(96s);
    CHECK(only() == "\r\n\r\n");
    advance(20s); // Whoever never answered a ping need not.
    CHECK_FALSE(connections[0].closed);
    advance(85s);
    CHECK(only() == "\r\n\r\n");
    receive(flow, "\r\n");
    advance(3600s);
    CHECK(only() == "\r\n\r\n"); // The one that was not answered any more.
    CHECK(connections[0].closed);
}

TEST_CASE_FIXTURE(exchange_by_stream, "trunks::streams: calls to a gateway share one connection") {
    dial();
    REQUIRE(connections.size() == 1);
    CHECK(connections[0].peer == *endpoint::parse("198.51.100.1:5060"));
    const auto invite = last();
    CHECK(invite.find("Via: SIP/2.0/TCP 192.0.2.1:5060;") != std::string::npos);
    CHECK(support::header(invite, "Contact").ends_with(";transport=tcp>"));
    answer(connections[0].flow, invite, "486 Busy Here");
    CHECK(last().starts_with("ACK "));
    dial();
    CHECK(last().starts_with("INVITE "));
    CHECK(connections.size() == 1);
}

TEST_CASE_FIXTURE(exchange_by_stream,
                  "trunks::streams: a gateway that refuses to be connected to gives way at once") {
    deaf.insert(*endpoint::parse("198.51.100.1:5060"));
    dial();
    REQUIRE(connections.size() == 1);
    CHECK(connections[0].peer == *endpoint::parse("198.51.100.2:5060"));
    CHECK(last().starts_with("INVITE "));
}

TEST_CASE_FIXTURE(exchange_by_stream,
                  "trunks::streams: a gateway that lets us wait gives way when its time is up") {
    hold_connects = true;
    dial();
    CHECK(held_connects.size() == 1);
    advance(4'900ms);
    CHECK(held_connects.size() == 1);
    hold_connects = false;
    advance(200ms);
    REQUIRE(connections.size() == 1);
    CHECK(last().starts_with("INVITE "));
    // The first one stands after all: no second INVITE of the same attempt.
    connect_stream(held_connects[0]);
    settle();
    CHECK(texts().empty());
}

TEST_CASE_FIXTURE(exchange_by_stream, "trunks::streams: a gateway that does not read gives way") {
    dial();
    answer(connections[0].flow, last(), "486 Busy Here");
    static_cast<void>(texts());
    blocked.insert(connections[0].flow.slot);
    dial();
    CHECK(sent.back().to == *endpoint::parse("198.51.100.2:5060"));
    CHECK(last().starts_with("INVITE "));
}

TEST_CASE_FIXTURE(exchange_by_stream,
                  "trunks::streams: a dialog stays on its connection, wherever its target is") {
    dial();
    const auto flow = connections[0].flow;
    answer(flow, last(), "200 OK", "<sip:gw@198.51.100.9:5080>");
    CHECK(last().starts_with("ACK sip:gw@198.51.100.9:5080"));
    CHECK(connections.size() == 1);
    running().hang_up_all("enough", now, out());
    settle();
    CHECK(last().starts_with("BYE "));
    CHECK(sent.back().to == *endpoint::parse("198.51.100.1:5060"));
    CHECK(connections.size() == 1);
}

TEST_CASE_FIXTURE(exchange_by_stream,
                  "trunks::streams: a call whose connection went gets another one") {
    dial();
    answer(connections[0].flow, last(), "200 OK");
    static_cast<void>(texts());
    advance(30s);
    hang_up(connections[0].flow);
    REQUIRE(connections.size() == 2);
    CHECK(connections[1].ours);
    CHECK(told == std::vector<std::string>{"answered"});
    running().hang_up_all("enough", now, out());
    settle();
    const auto bye = last();
    CHECK(bye.starts_with("BYE "));
    answer(connections[1].flow, bye, "200 OK");
    CHECK(running().idle());
}

TEST_CASE_FIXTURE(exchange_by_stream,
                  "trunks::streams: a gateway that hangs up at once is not connected to for ever") {
    dial();
    answer(connections[0].flow, last(), "200 OK");
    hang_up(connections[0].flow);
    CHECK(connections.size() == 1);
}

TEST_CASE_FIXTURE(exchange_by_stream,
                  "trunks::streams: a response finds its way when its connection is gone") {
    add(wanted);
    const auto flow = accept(carrier_port);
    receive(flow, over_tcp(request_text{}.text()));
    static_cast<void>(texts());
    SUBCASE("by a new one to the sent-by of the request, RFC 3261 18.2.2") {
        hang_up(flow);
        REQUIRE(connections.size() == 2);
        CHECK(connections[1].peer == *endpoint::parse("198.51.100.1:5060"));
        pick_up();
        CHECK(statuses() == std::vector<std::string>{"200"});
        CHECK(sent.back().to == *endpoint::parse("198.51.100.1:5060"));
        advance(600ms);
        CHECK(statuses() == std::vector<std::string>{"200"});
        CHECK(sent.back().to == *endpoint::parse("198.51.100.1:5060"));
    }
    SUBCASE("or by the half that is still open, where nobody listens") {
        deaf.insert(*endpoint::parse("198.51.100.1:5060"));
        hang_up(flow);
        pick_up();
        CHECK(statuses() == std::vector<std::string>{"200"});
        CHECK(sent.back().to == *endpoint::parse(carrier_port));
    }
}

struct large_calls : exchange_by_stream {
    large_calls() {
        wanted.transport.reset();
        wanted.headers = {{"X-Large", std::string(1'000, 'x')}};
    }
    void give_up() {
        running().hang_up_all("enough", now, out());
        settle();
    }
};

TEST_CASE_FIXTURE(large_calls, "trunks::streams: an INVITE over 1,300 bytes goes by TCP") {
    dial();
    REQUIRE(connections.size() == 1);
    const auto invite = only();
    CHECK(invite.size() > 1'300);
    CHECK(invite.find("Via: SIP/2.0/TCP ") != std::string::npos);
    CHECK(sent.back().over == transport::tcp);
    answer(connections[0].flow, invite, "200 OK");
    CHECK(sent.back().over == transport::tcp); // The ACK.
    CHECK(told == std::vector<std::string>{"answered"});
}

TEST_CASE_FIXTURE(large_calls, "trunks::streams: it goes by UDP where no connection is to be had, "
                               "and so do the next ones for ten minutes") {
    const auto gateway = *endpoint::parse("198.51.100.1:5060");
    SUBCASE("as it is refused") {
        deaf.insert(gateway);
    }
    SUBCASE("as nothing comes of it for a second") {
        hold_connects = true;
        dial();
        CHECK(texts().empty());
        advance(1'001ms);
        CHECK(held_connects.size() == 1);
        CHECK(only().starts_with("INVITE "));
        CHECK(sent.back().over == transport::udp);
    }
    if (!hold_connects) {
        dial();
        const auto invite = only();
        CHECK(sent.back().over == transport::udp);
        CHECK(invite.find("Via: SIP/2.0/UDP ") != std::string::npos);
    }
    give_up();
    held_connects.clear();
    hold_connects = true;
    advance(1min);
    static_cast<void>(texts());
    dial();
    CHECK(held_connects.empty());
    CHECK(last().starts_with("INVITE "));
    give_up();
    advance(10min);
    static_cast<void>(texts());
    dial();
    CHECK(held_connects.size() == 1);
    CHECK(texts().empty());
}

TEST_CASE_FIXTURE(large_calls, "trunks::streams: a trunk of UDP sends by it whatever it is") {
    wanted.transport = transport::udp;
    dial();
    CHECK(connections.empty());
    CHECK(only().size() > 1'300);
    CHECK(sent.back().over == transport::udp);
}

TEST_CASE_FIXTURE(large_calls, "trunks::streams: who listens by UDP alone sends by it alone") {
    config.listeners = {{}};
    dial();
    CHECK(connections.empty());
    CHECK(only().size() > 1'300);
}

TEST_CASE_FIXTURE(exchange_by_stream,
                  "trunks::streams: each gateway has its transport, its port and its records") {
    wanted.gateways = {{"sip.example.net", 0, 1, transport::tls},
                       {"198.51.100.2", 0, 2, transport::tls},
                       {"sip.example.org", 0, 3}};
    wanted.tls.server_name = "";
    add(wanted);
    std::set<std::string> asked;
    for (const auto& each : questions) {
        if (each.type == record_type::srv) asked.insert(each.name);
    }
    CHECK(asked ==
          std::set<std::string>{"_sips._tcp.sip.example.net", "_sip._tcp.sip.example.org"});
    dial();
    // Without any record but an address.
    resolve("_sips._tcp.sip.example.net", {}, 60, 3);
    resolve("_sip._tcp.sip.example.org", {}, 60, 3);
    resolve("sip.example.net", {address::v4(198, 51, 100, 1)});
    resolve("sip.example.org", {address::v4(198, 51, 100, 3)});
    REQUIRE(connections.size() == 1);
    CHECK(connections[0].peer == *endpoint::parse("198.51.100.1:5061"));
    CHECK(connections[0].over == transport::tls);
    CHECK(connections[0].name == "sip.example.net");
    const auto invite = last();
    CHECK(invite.find("Via: SIP/2.0/TLS 192.0.2.1:5061;") != std::string::npos);
    CHECK(support::header(invite, "Contact").ends_with(":5061;transport=tls>"));
    answer(connections[0].flow, invite, "503 Service Unavailable");
    REQUIRE(connections.size() == 2);
    CHECK(connections[1].name == "198.51.100.2");
    CHECK(connections[1].over == transport::tls);
    answer(connections[1].flow, last(), "503 Service Unavailable");
    REQUIRE(connections.size() == 3);
    CHECK(connections[2].peer == *endpoint::parse("198.51.100.3:5060"));
    CHECK(connections[2].over == transport::tcp);
}

} // namespace
} // namespace trunkline
