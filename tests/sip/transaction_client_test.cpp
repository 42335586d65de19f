#include <trunkline/sip/transaction_layer.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/layer.hpp"

namespace trunkline::sip {
namespace {

using namespace std::chrono_literals;
using support::crlf;
using support::layer;
using fate = transaction_layer::fate;
using why = transaction_layer::ended::why;

// Literal text both ways: neither our parser nor our writer says what is right here.
constexpr std::string_view invite = R"(INVITE sip:bob@biloxi.com SIP/2.0
Via: SIP/2.0/UDP pc33.atlanta.com;branch=BRANCH;rport
Max-Forwards: 60
Route: <sip:p1.atlanta.com;lr>
Route: <sip:p2.atlanta.com;lr>
From: Alice <sip:alice@atlanta.com>;tag=1928301774
To: Bob <sip:bob@biloxi.com>
Call-ID: a84b4c76e66710
CSeq: 314159 INVITE
Proxy-Authorization: Digest username="alice"
Contact: <sip:alice@pc33.atlanta.com>
Content-Type: application/sdp
Content-Length: 5

v=0
)";

constexpr std::string_view ack = R"(ACK sip:bob@biloxi.com SIP/2.0
Via: SIP/2.0/UDP pc33.atlanta.com;branch=BRANCH;rport
Max-Forwards: 70
Route: <sip:p1.atlanta.com;lr>
Route: <sip:p2.atlanta.com;lr>
From: Alice <sip:alice@atlanta.com>;tag=1928301774
To: Bob <sip:bob@biloxi.com>;tag=TAG
Call-ID: a84b4c76e66710
CSeq: 314159 ACK
Proxy-Authorization: Digest username="alice"
Content-Length: 0

)";

constexpr std::string_view cancel = R"(CANCEL sip:bob@biloxi.com SIP/2.0
Via: SIP/2.0/UDP pc33.atlanta.com;branch=BRANCH;rport
Max-Forwards: 70
Route: <sip:p1.atlanta.com;lr>
Route: <sip:p2.atlanta.com;lr>
From: Alice <sip:alice@atlanta.com>;tag=1928301774
To: Bob <sip:bob@biloxi.com>
Call-ID: a84b4c76e66710
CSeq: 314159 CANCEL
Content-Length: 0

)";

constexpr std::string_view options = R"(OPTIONS sip:bob@biloxi.com SIP/2.0
Via: SIP/2.0/UDP pc33.atlanta.com;branch=BRANCH;rport
From: Alice <sip:alice@atlanta.com>;tag=1928301774
To: Bob <sip:bob@biloxi.com>
Call-ID: a84b4c76e66710
CSeq: 1 OPTIONS
Content-Length: 0

)";

[[nodiscard]] std::string response(const layer& to, std::string_view line, std::string_view tag,
                                   std::string_view cseq = "314159 INVITE") {
    return "SIP/2.0 " + std::string{line} +
           "\nVia: SIP/2.0/UDP pc33.atlanta.com;branch=" + to.branch +
           ";received=192.0.2.1;rport=5060\n" +
           "From: Alice <sip:alice@atlanta.com>;tag=1928301774\n"
           "To: Bob <sip:bob@biloxi.com>" +
           (tag.empty() ? std::string{} : ";tag=" + std::string{tag}) +
           "\nCall-ID: a84b4c76e66710\nCSeq: " + std::string{cseq} + "\nContent-Length: 0\n\n";
}

[[nodiscard]] std::string with_tag(std::string text, std::string_view tag) {
    return text.replace(text.find("TAG"), 3, tag);
}

TEST_CASE("sip::transaction_layer: an INVITE that nobody answers is sent six times more and ends") {
    layer bench;
    const auto id = bench.send(method::invite, invite);
    bench.run(40s);
    CHECK(bench.times() == std::vector<duration>{500ms, 1500ms, 3500ms, 7500ms, 15500ms, 31500ms});
    for (const auto& one : bench.sent) {
        CHECK(one.text == crlf(bench.filled(invite)));
        CHECK(one.owner == owner_id{1});
    }
    REQUIRE(bench.over.size() == 1);
    CHECK(bench.over[0].what == why::timeout);
    CHECK(bench.over[0].id == id);
    CHECK(bench.over[0].owner == owner_id{1});
    CHECK(bench.transactions.size() == 0);
    CHECK(bench.wheel.size() == 0);
}

TEST_CASE("sip::transaction_layer: over a stream an INVITE is sent once, and timer B runs") {
    layer bench{1, true};
    static_cast<void>(bench.send(method::invite, invite));
    bench.run(31'999ms);
    CHECK(bench.over.empty());
    bench.run(32s);
    CHECK(bench.sent.empty());
    CHECK(bench.over.size() == 1);
    CHECK(bench.transactions.size() == 0);
}

TEST_CASE("sip::transaction_layer: a provisional response stops an INVITE's retransmissions") {
    layer bench;
    const auto id = bench.send(method::invite, invite);
    bench.run(600ms);
    CHECK(bench.sent.size() == 1);
    const auto got = bench.receive(response(bench, "100 Trying", ""));
    CHECK(got.what == fate::response);
    CHECK(got.id == id);
    CHECK(got.owner == owner_id{1});
    CHECK(bench.receive(response(bench, "180 Ringing", "x")).what == fate::response);
    bench.run(300s);
    CHECK(bench.sent.size() == 1);
    CHECK(bench.over.empty());
    CHECK(bench.transactions.size() == 1);
}

TEST_CASE("sip::transaction_layer: a failure is acknowledged, and again when it comes again") {
    for (const bool reliable : {false, true}) {
        layer bench{1, reliable};
        static_cast<void>(bench.send(method::invite, invite));
        CHECK(bench.receive(response(bench, "180 Ringing", "other")).what == fate::response);
        CHECK(bench.receive(response(bench, "486 Busy Here", "busy")).what == fate::response);
        const auto expected = crlf(with_tag(bench.filled(ack), "busy"));
        REQUIRE(bench.sent.size() == 1);
        CHECK(bench.sent[0].text == expected);
        if (!reliable) {
            bench.run(20s);
            CHECK(bench.receive(response(bench, "486 Busy Here", "busy")).what == fate::absorbed);
            REQUIRE(bench.sent.size() == 2);
            CHECK(bench.sent[1].text == expected);
            bench.run(31'999ms);
            CHECK(bench.transactions.size() == 1);
        }
        bench.run(32s);
        CHECK(bench.transactions.size() == 0);
        CHECK(bench.receive(response(bench, "486 Busy Here", "busy")).what == fate::unmatched);
        CHECK(bench.over.empty()); // The failure was its outcome.
    }
}

TEST_CASE("sip::transaction_layer: the 2xx of every fork goes up, and none is acknowledged here") {
    layer bench;
    const auto id = bench.send(method::invite, invite);
    for (const std::string_view tag : {"one", "two", "one"}) {
        const auto got = bench.receive(response(bench, "200 OK", tag));
        CHECK(got.what == fate::response);
        CHECK(got.id == id);
    }
    CHECK(bench.receive(response(bench, "486 Busy Here", "three")).what == fate::absorbed);
    CHECK(bench.sent.empty());
    bench.run(31'999ms);
    CHECK(bench.receive(response(bench, "200 OK", "two")).what == fate::response);
    bench.run(32s);
    CHECK(bench.transactions.size() == 0);
    CHECK(bench.receive(response(bench, "200 OK", "two")).what == fate::unmatched);
}

TEST_CASE("sip::transaction_layer: CANCEL has the INVITE's branch, URI, routes and number") {
    layer bench;
    const auto id = bench.send(method::invite, invite);
    CHECK(bench.receive(response(bench, "180 Ringing", "x")).what == fate::response);
    bench.run(1s);
    bench.transactions.cancel(id, bench.now, bench.out);
    bench.transactions.cancel(id, bench.now, bench.out); // Once is enough.
    bench.collect();
    REQUIRE(bench.sent.size() == 1);
    CHECK(bench.sent[0].text == crlf(bench.filled(cancel)));
    CHECK(bench.transactions.size() == 2);

    // It is a transaction of its own: timer E until its response comes.
    bench.run(2600ms);
    CHECK(bench.times() == std::vector<duration>{1s, 1500ms, 2500ms});
    CHECK(bench.sent[2].text == crlf(bench.filled(cancel)));
    CHECK(bench.receive(response(bench, "200 OK", "y", "314159 CANCEL")).what == fate::response);
    bench.run(7s);
    CHECK(bench.sent.size() == 3);
    // The INVITE ends by its own response.
    const auto got = bench.receive(response(bench, "487 Request Terminated", "x"));
    CHECK(got.what == fate::response);
    CHECK(got.id == id);
    REQUIRE(bench.sent.size() == 4);
    CHECK(bench.sent[3].text == crlf(with_tag(bench.filled(ack), "x")));
    bench.run(40s);
    CHECK(bench.transactions.size() == 0);
    CHECK(bench.over.empty());
}

TEST_CASE("sip::transaction_layer: CANCEL waits for a provisional response, RFC 3261 9.1") {
    layer bench;
    const auto id = bench.send(method::invite, invite);
    bench.transactions.cancel(id, bench.now, bench.out);
    bench.run(600ms);
    REQUIRE(bench.sent.size() == 1);
    CHECK(bench.sent[0].text == crlf(bench.filled(invite)));
    CHECK(bench.receive(response(bench, "100 Trying", "")).what == fate::response);
    REQUIRE(bench.sent.size() == 2);
    CHECK(bench.sent[1].text == crlf(bench.filled(cancel)));

    layer answered; // After a final response there is nothing to cancel.
    const auto done = answered.send(method::invite, invite);
    answered.transactions.cancel(done, answered.now, answered.out);
    CHECK(answered.receive(response(answered, "200 OK", "x")).what == fate::response);
    answered.transactions.cancel(done, answered.now, answered.out);
    answered.run(10s);
    CHECK(answered.sent.empty());
    CHECK(answered.transactions.size() == 1);
}

TEST_CASE(
    "sip::transaction_layer: a cancelled INVITE without a final ends after 64*T1, RFC 3261 9.1") {
    layer bench;
    const auto id = bench.send(method::invite, invite);
    CHECK(bench.receive(response(bench, "180 Ringing", "x")).what == fate::response);
    bench.run(10s);
    bench.transactions.cancel(id, bench.now, bench.out);
    CHECK(bench.receive(response(bench, "200 OK", "y", "314159 CANCEL")).what == fate::response);
    CHECK(bench.receive(response(bench, "180 Ringing", "x")).what == fate::response);
    bench.run(41'999ms);
    CHECK(bench.over.empty());
    bench.run(42s);
    REQUIRE(bench.over.size() == 1);
    CHECK(bench.over[0].what == why::timeout);
    CHECK(bench.over[0].id == id);
    CHECK(bench.over[0].owner == owner_id{1});
    CHECK(bench.transactions.size() == 0);
    CHECK(bench.wheel.size() == 0);
}

TEST_CASE("sip::transaction_layer: cancelling what is no INVITE of ours does nothing") {
    layer bench;
    bench.transactions.cancel({}, bench.now, bench.out);
    bench.transactions.cancel(bench.send(method::options, options), bench.now, bench.out);
    bench.transactions.cancel(bench.transactions.open(method::invite, support::flow, false, {}),
                              bench.now, bench.out); // Not sent yet.
    bench.collect();
    CHECK(bench.sent.empty());
}

TEST_CASE("sip::transaction_layer: another request is sent again up to every T2, then ends") {
    layer bench;
    static_cast<void>(bench.send(method::options, options));
    bench.run(40s);
    CHECK(bench.times() == std::vector<duration>{500ms, 1500ms, 3500ms, 7500ms, 11500ms, 15500ms,
                                                 19500ms, 23500ms, 27500ms, 31500ms});
    CHECK(bench.sent[9].text == crlf(bench.filled(options)));
    REQUIRE(bench.over.size() == 1);
    CHECK(bench.over[0].what == why::timeout);
    CHECK(bench.transactions.size() == 0);
}

TEST_CASE("sip::transaction_layer: a final response goes up once, its copies for T4 do not") {
    layer bench;
    static_cast<void>(bench.send(method::options, options));
    const auto ok = response(bench, "200 OK", "x", "1 OPTIONS");
    CHECK(bench.receive(ok).what == fate::response);
    CHECK(bench.receive(ok).what == fate::absorbed);
    bench.run(4999ms);
    CHECK(bench.receive(ok).what == fate::absorbed);
    bench.run(5s);
    CHECK(bench.transactions.size() == 0);
    CHECK(bench.receive(ok).what == fate::unmatched);
    CHECK(bench.sent.empty());
}

TEST_CASE("sip::transaction_layer: a method that we do not know has its responses matched too") {
    layer bench;
    auto text = std::string{options};
    for (auto at = text.find("OPTIONS"); at != std::string::npos; at = text.find("OPTIONS")) {
        text.replace(at, 7, "WIBBLE");
    }
    static_cast<void>(bench.send(method::other, text));
    CHECK(bench.receive(response(bench, "501 No", "x", "1 OPTIONS")).what == fate::unmatched);
    CHECK(bench.receive(response(bench, "501 No", "x", "1 WIBBLE")).what == fate::response);
}

TEST_CASE("sip::transaction_layer: a response that is not to ours is unmatched") {
    layer bench;
    static_cast<void>(bench.send(method::invite, invite));
    const auto good = response(bench, "200 OK", "x");
    const auto changed = [&](std::string_view what, std::string_view by) {
        auto text = good;
        return text.replace(text.find(what), what.size(), by);
    };
    const std::string digits = bench.branch.substr(7);
    const auto letter = std::string{bench.branch.back() == 'a' ? 'b' : 'a'};
    CHECK(bench.receive(changed(bench.branch, "z9hG4bKnobody")).what == fate::unmatched);
    CHECK(bench.receive(changed(bench.branch, bench.branch.substr(0, 40) + letter)).what ==
          fate::unmatched);
    CHECK(bench.receive(changed(digits, "tl0005" + digits.substr(6))).what == fate::unmatched);
    CHECK(bench.receive(changed(digits.substr(6, 8), "ffffffff")).what == fate::unmatched);
    CHECK(bench.receive(changed("314159 INVITE", "314159 BYE")).what == fate::unmatched);
    CHECK(bench.receive(changed("314159 INVITE", "314159 CANCEL")).what == fate::unmatched);
    CHECK(bench.receive(good).what == fate::response);
}

TEST_CASE("sip::transaction_layer: a response by a flow that may not answer is none") {
    layer bench;
    bench.transactions.set_flow_rules({.answers = [](flow_id, flow_id other) {
        return other == flow_id{7, 1};
    }});
    static_cast<void>(bench.send(method::options, options));
    const auto ok = bench.filled("SIP/2.0 200 OK\nVia: SIP/2.0/UDP pc33.atlanta.com;branch=BRANCH\n"
                                 "From: <sip:a@h>;tag=1928301774\nTo: <sip:b@h>;tag=b\n"
                                 "Call-ID: a84b4c76e66710\nCSeq: 1 OPTIONS\n\n");
    bench.comes_by = {9, 2};
    CHECK(bench.receive(ok).what == fate::unmatched);
    bench.comes_by = {7, 1};
    CHECK(bench.receive(ok).what == fate::response);
}

TEST_CASE("sip::transaction_layer: a broken flow ends what waits on it unheard, and nothing else") {
    layer bench;
    const auto first = bench.send(method::invite, invite, owner_id{1});
    const auto heard = bench.send(method::invite, invite, owner_id{2});
    CHECK(bench.receive(response(bench, "100 Trying", "")).what == fate::response);
    const auto second = bench.send(method::options, options, owner_id{3});
    const auto done = bench.send(method::options, options, owner_id{4});
    CHECK(bench.receive(response(bench, "200 OK", "x", "1 OPTIONS")).what == fate::response);
    std::vector<transaction_layer::ended> told;
    bench.transactions.flow_failed({3, 2}, bench.now, told);
    CHECK(told.empty());
    bench.transactions.flow_failed(support::flow, bench.now, told);
    REQUIRE(told.size() == 2);
    for (const auto& one : told) {
        CHECK(one.what == why::transport);
        const bool either = one.id == first || one.id == second;
        CHECK(either);
        CHECK(one.owner == (one.id == first ? owner_id{1} : owner_id{3}));
    }
    CHECK(bench.transactions.size() == 2);
    told.clear();
    bench.transactions.flow_failed(support::flow, bench.now, told);
    CHECK(told.empty());
    bench.transactions.forget(heard);
    bench.transactions.forget(heard);
    bench.transactions.forget(done);
    CHECK(bench.transactions.size() == 0);
    CHECK(bench.wheel.size() == 0);
}

TEST_CASE("sip::transaction_layer: what was disowned ends for nobody") {
    layer bench;
    bench.transactions.disown(bench.send(method::options, options));
    bench.run(32s);
    REQUIRE(bench.over.size() == 1);
    CHECK(bench.over[0].owner == owner_id::none);
}

} // namespace
} // namespace trunkline::sip
