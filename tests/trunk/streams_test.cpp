// Connections: messages however they are cut, and who may keep one.
#include <string>
#include <utility>
#include <vector>

#include "trunk/by_stream.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::carrier_port;
using support::exchange_by_stream;
using support::options;
using support::over_tcp;
using support::request_text;

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
    for (std::size_t cut = 0; cut < all.size(); cut += cut % 100 < 20 ? 1U : 7U) {
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
                  "trunks::streams: what says not where it ends is 400, and then it is closed") {
    add(wanted);
    const auto text = over_tcp(options(1).text());
    const auto at = text.find("Content-Length: 0\r\n");
    REQUIRE(at != std::string::npos);
    std::size_t count = 0;
    for (const std::string line : {"", "Content-Length: none\r\n", "Content-Length: -1\r\n",
                                   "Content-Length: 0 0\r\n", "Content-Length: 0\r\nl: 0\r\n",
                                   "Content-Length: 4294967296\r\n", "Content-Length: 70000\r\n"}) {
        CAPTURE(line);
        const auto flow = accept("198.51.100.1:" + std::to_string(40'000 + count));
        auto wrong = text;
        wrong.replace(at, 19, line);
        receive(flow, wrong + over_tcp(options(2).text()));
        CHECK(statuses() == std::vector<std::string>{"400"});
        REQUIRE(connections.size() == ++count);
        CHECK(connections.back().closed);
        CHECK(noted(diagnostic::stream_broken) == count);
        receive(flow, over_tcp(options(3).text())); // Read before it was closed.
        CHECK(texts().empty());
    }
    CHECK(engine->transactions() == 0);
}

TEST_CASE_FIXTURE(exchange_by_stream,
                  "trunks::streams: a stranger is not told what is wrong with his stream") {
    add(wanted);
    auto text = over_tcp(options(1).text());
    text.erase(text.find("Content-Length: 0\r\n"), 19);
    receive(accept("203.0.113.66:1000"), text);
    CHECK(statuses() == std::vector<std::string>{"403"});
    receive(accept("203.0.113.66:1001"), text);
    CHECK(texts().empty());
    for (const auto& each : connections) CHECK(each.closed);
    // Nor is anybody by what is never answered.
    text.replace(0, 7, "ACK");
    text.replace(text.find("1 OPTIONS"), 9, "1 ACK");
    receive(accept(carrier_port), text);
    CHECK(texts().empty());
    CHECK(connections.back().closed);
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
    wanted.session_expires = 0s;
    dial();
    const auto flow = connections[0].flow;
    answer(flow, last(), "200 OK");
    static_cast<void>(texts());
    advance(96s);
    CHECK(only() == "\r\n\r\n");
    advance(20s); // Whoever never answered a ping need not.
    CHECK_FALSE(connections[0].closed);
    advance(85s);
    CHECK(only() == "\r\n\r\n");
    receive(flow, "\r\n");
    advance(106s);
    CHECK(only() == "\r\n\r\n"); // The one that was not answered any more.
    CHECK(connections[0].closed);
    CHECK(noted(diagnostic::stream_dropped) == 1);
}

TEST_CASE_FIXTURE(exchange_by_stream,
                  "trunks::streams: a connection of ours is given up when it was idle for long") {
    dial();
    answer(connections[0].flow, last(), "486 Busy Here");
    advance(590s);
    CHECK_FALSE(connections[0].closed);
    advance(100s);
    CHECK(connections[0].closed);
    CHECK(noted(diagnostic::stream_dropped) == 1);
    dial(); // The next call has another one.
    REQUIRE(connections.size() == 2);
    CHECK(last().starts_with("INVITE "));
}

TEST_CASE_FIXTURE(exchange_by_stream,
                  "trunks::streams: a connection is not idle before its last call has left it") {
    wanted.session_expires = 0s;
    dial();
    answer(connections[0].flow, last(), "200 OK");
    advance(590s);
    running().hang_up_all("enough", now, out());
    settle();
    CHECK(last().starts_with("BYE ")); // Which nobody answers.
    advance(110s);
    CHECK(engine->idle());
    CHECK_FALSE(connections[0].closed);
    advance(500s);
    CHECK_FALSE(connections[0].closed);
    advance(200s);
    CHECK(connections[0].closed);
}

struct by_worth : exchange_by_stream {
    using worth = std::vector<flow_standing>;
    /// What one connection was worth, in turn.
    [[nodiscard]] worth of(flow_id flow) const {
        worth found;
        for (const auto& [which, as] : regarded) {
            if (which == flow) found.push_back(as);
        }
        return found;
    }
};

TEST_CASE_FIXTURE(by_worth, "trunks::streams: the driver hears which connection a call goes by") {
    add(wanted);
    const auto flow = accept(carrier_port);
    CHECK(of(flow) == worth{flow_standing::known});
    const request_text invite;
    receive(flow, over_tcp(invite.text()));
    pick_up();
    receive(flow, over_tcp(invite.ack(last())));
    CHECK(of(flow).back() == flow_standing::in_use);
    handles.back().hang_up();
    settle();
    answer(flow, last(), "200 OK");
    advance(40s);
    CHECK(of(flow) == worth{flow_standing::known, flow_standing::in_use, flow_standing::known});
}

TEST_CASE_FIXTURE(by_worth, "trunks::streams: a wide network makes nobody known, and a call does "
                            "not make him known either") {
    wanted.allow_from = {"0.0.0.0/0"};
    add(wanted);
    CHECK_FALSE(running().knows(address::v4(203, 0, 113, 66), now));
    CHECK(running().knows(address::v4(198, 51, 100, 2), now)); // A gateway.
    const auto flow = accept("203.0.113.66:1000");
    CHECK(of(flow).empty());
    const request_text invite;
    receive(flow, over_tcp(invite.text()));
    CHECK(of(flow) == worth{flow_standing::in_use});
    auto cancel = invite;
    cancel.method = "CANCEL";
    receive(flow, over_tcp(cancel.text()));
    receive(flow, over_tcp(invite.ack(last())));
    advance(40s);
    CHECK(of(flow) == worth{flow_standing::in_use, flow_standing::stranger});
}

TEST_CASE_FIXTURE(by_worth, "trunks::streams: a network up to /16 and /32 identifies its sources") {
    const auto knows = [&](const char* network, const char* source) {
        auto each = wanted;
        each.gateways = {};
        each.outbound = false;
        each.allow_from = {network};
        driver other;
        other.add(each);
        return other.running().knows(*address::parse(source), other.now);
    };
    CHECK(knows("203.0.0.0/16", "203.0.113.66"));
    CHECK_FALSE(knows("203.0.0.0/15", "203.0.113.66"));
    CHECK(knows("2001:db8::/32", "2001:db8::1"));
    CHECK_FALSE(knows("2001:db8::/31", "2001:db8::1"));
}

} // namespace
} // namespace trunkline
