// Calls by connections: which one, what becomes of them when it goes, and what is too large for
// UDP.
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "trunk/by_stream.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::carrier_port;
using support::exchange_by_stream;
using support::over_tcp;
using support::request_text;

TEST_CASE_FIXTURE(exchange_by_stream, "trunks::streams: calls to a gateway share one connection") {
    dial();
    REQUIRE(connections.size() == 1);
    CHECK(connections[0].peer == *endpoint::parse("198.51.100.1:5060"));
    const auto invite = last();
    CHECK(invite.find("Via: SIP/2.0/TCP 192.0.2.1:5060;") != std::string::npos);
    CHECK(support::header(invite, "Contact").ends_with(";transport=tcp>"));
    answer(connections[0].flow, invite, "486 Busy Here");
    CHECK(last().starts_with("ACK "));
    advance(1s); // A trunk makes so many calls a second, and no more.
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
    advance(1s);
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
                  "trunks::streams: where it hung up at once, a BYE gets another connection") {
    dial();
    answer(connections[0].flow, last(), "200 OK");
    hang_up(connections[0].flow);
    connections.clear(); // All of it: nothing that is sent gets there.
    static_cast<void>(texts());
    SUBCASE("") {
        running().hang_up_all("enough", now, out());
        settle();
        REQUIRE(connections.size() == 1);
        const auto bye = last();
        CHECK(bye.starts_with("BYE "));
        CHECK(sent.back().to == *endpoint::parse("198.51.100.1:5060"));
        answer(connections[0].flow, bye, "200 OK");
    }
    SUBCASE("and is given up where there is none") {
        unreachable.insert(*endpoint::parse("198.51.100.1:5060"));
        running().hang_up_all("enough", now, out());
        settle();
        CHECK(texts().empty());
    }
    SUBCASE("and only one") {
        running().hang_up_all("enough", now, out());
        settle();
        hang_up(connections[0].flow);
        CHECK(connections.size() == 1);
    }
    CHECK(running().idle());
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
    advance(9min);
    static_cast<void>(texts());
    dial();
    CHECK(held_connects.empty());
    CHECK(last().starts_with("INVITE "));
    give_up();
    advance(2min); // Eleven since it was refused, however many went by UDP meanwhile.
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
