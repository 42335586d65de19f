#include <trunkline/sip/transaction_layer.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "support/counted_heap.hpp"
#include "support/layer.hpp"

namespace trunkline::sip {
namespace {

using namespace std::chrono_literals;
using support::crlf;
using support::good;
using support::layer;
using fate = transaction_layer::fate;
using why = transaction_layer::ended::why;

[[nodiscard]] std::string request(std::string_view method,
                                  std::string_view via = "h;branch=z9hG4bK1",
                                  std::string_view to = "<sip:b@h>", std::string_view cseq = "1",
                                  std::string_view uri = "sip:b@h") {
    return std::string{method} + " " + std::string{uri} + " SIP/2.0\nVia: SIP/2.0/UDP " +
           std::string{via} + "\nFrom: <sip:a@h>;tag=a\nTo: " + std::string{to} +
           "\nCall-ID: c\nCSeq: " + std::string{cseq} + " " + std::string{method} + "\n\n";
}

constexpr std::string_view ringing = "SIP/2.0 180 Ringing\nX-A: first\n\n";
constexpr std::string_view busy = "SIP/2.0 486 Busy Here\n\n";
constexpr std::string_view ok = "SIP/2.0 200 OK\n\n";

TEST_CASE("sip::transaction_layer: an INVITE that comes again gets the last response again") {
    layer bench;
    const auto id = bench.accept(request("INVITE"));
    CHECK(bench.receive(request("INVITE")).what == fate::absorbed);
    CHECK(bench.sent.empty()); // There is none yet.
    bench.respond(id, 100, "SIP/2.0 100 Trying\n\n");
    bench.respond(id, 180, ringing);
    const auto got = bench.receive(request("INVITE"));
    CHECK(got.what == fate::absorbed);
    CHECK(got.id == id);
    CHECK(got.owner == owner_id{2});
    REQUIRE(bench.sent.size() == 1);
    CHECK(bench.sent[0].text == crlf(ringing));
    bench.respond(id, 486, busy);
    CHECK(bench.receive(request("INVITE")).what == fate::absorbed);
    REQUIRE(bench.sent.size() == 2);
    CHECK(bench.sent[1].text == crlf(busy));
}

TEST_CASE("sip::transaction_layer: by UDP the answer goes where the request came from last") {
    constexpr flow_id anew{9, 2};
    for (const std::string method : {"INVITE", "OPTIONS"}) {
        CAPTURE(method);
        layer bench;
        const auto id = bench.accept(request(method));
        bench.respond(id, 486, busy);
        bench.comes_by = bench.path = anew;
        CHECK(bench.receive(request(method)).what == fate::absorbed);
        REQUIRE(bench.sent.size() == 1);
        CHECK(bench.sent[0].text == crlf(busy));
        bench.run(2s); // Timer G sends there, too.
        CHECK(bench.sent.size() == (method == "INVITE" ? 3 : 1));
    }
    // What came by a connection is answered by it.
    layer bench{1, true};
    const auto id = bench.accept(request("INVITE"));
    bench.respond(id, 180, ringing);
    bench.comes_by = anew;
    CHECK(bench.receive(request("INVITE")).what == fate::absorbed);
    CHECK(bench.sent.size() == 1);
}

TEST_CASE("sip::transaction_layer: a copy from another host is absorbed, and moves no answer") {
    for (const std::string method : {"INVITE", "OPTIONS"}) {
        CAPTURE(method);
        layer bench;
        bench.transactions.set_flow_rules({.same_host = [](flow_id, flow_id) { return false; }});
        const auto id = bench.accept(request(method));
        bench.respond(id, 486, busy);
        bench.comes_by = {9, 2}; // layer::collect() sees that nothing goes there.
        CHECK(bench.receive(request(method)).what == fate::absorbed);
        CHECK(bench.sent.empty());
        bench.comes_by = bench.path;
        CHECK(bench.receive(request(method)).what == fate::absorbed);
        CHECK(bench.sent.size() == 1);
    }
    // An ACK asks for nothing, and stops what is repeated.
    layer bench;
    bench.transactions.set_flow_rules({.same_host = [](flow_id, flow_id) { return false; }});
    bench.respond(bench.accept(request("INVITE")), 486, busy);
    bench.comes_by = {9, 2};
    CHECK(bench.receive(request("ACK")).what == fate::absorbed);
    bench.run(10s);
    CHECK(bench.sent.empty());
}

TEST_CASE("sip::transaction_layer: a failure is repeated until its ACK, which goes no further") {
    layer bench;
    const auto id = bench.accept(request("INVITE"));
    bench.respond(id, 486, busy);
    bench.respond(id, 200, ok); // Too late: section 17.2.1 discards it.
    bench.run(4s);
    CHECK(bench.times() == std::vector<duration>{500ms, 1500ms, 3500ms});
    for (const auto& one : bench.sent) CHECK(one.text == crlf(busy));
    CHECK(bench.receive(request("ACK")).what == fate::absorbed);
    CHECK(bench.receive(request("ACK")).what == fate::absorbed);
    bench.run(8999ms);
    CHECK(bench.sent.size() == 3);
    CHECK(bench.transactions.size() == 1);
    bench.run(9s); // Timer I is T4.
    CHECK(bench.transactions.size() == 0);
    CHECK(bench.over.empty());
}

TEST_CASE("sip::transaction_layer: a failure without an ACK ends by timer H, and its owner hears") {
    for (const bool reliable : {false, true}) {
        layer bench{1, reliable};
        const auto id = bench.accept(request("INVITE"));
        bench.respond(id, 486, busy);
        bench.run(32s);
        CHECK(bench.sent.size() == (reliable ? 0 : 10));
        REQUIRE(bench.over.size() == 1);
        CHECK(bench.over[0].what == why::no_ack);
        CHECK(bench.over[0].id == id);
        CHECK(bench.transactions.size() == 0);
        CHECK(bench.wheel.size() == 0);
    }
}

TEST_CASE("sip::transaction_layer: over a stream an acknowledged failure is over at once") {
    layer bench{1, true};
    bench.respond(bench.accept(request("INVITE")), 486, busy);
    CHECK(bench.receive(request("ACK")).what == fate::absorbed);
    bench.run(1ms);
    CHECK(bench.transactions.size() == 0);
}

TEST_CASE("sip::transaction_layer: the ACK of a 2xx is the dialog's, and timer L ends") {
    layer bench;
    const auto id = bench.accept(request("INVITE"));
    bench.respond(id, 200, ok);
    CHECK(bench.receive(request("INVITE")).what == fate::absorbed);
    CHECK(bench.sent.empty()); // The dialog repeats its 2xx, RFC 6026 section 7.1.
    const auto fresh = bench.receive(request("ACK", "h;branch=z9hG4bK2", "<sip:b@h>;tag=b"));
    CHECK(fresh.what == fate::ack);
    CHECK_FALSE(static_cast<bool>(fresh.id));
    const auto same = bench.receive(request("ACK", "h;branch=z9hG4bK1", "<sip:b@h>;tag=b"));
    CHECK(same.what == fate::ack);
    CHECK(same.id == id);
    bench.run(31'999ms);
    CHECK(bench.transactions.size() == 1);
    bench.run(32s);
    CHECK(bench.transactions.size() == 0);
    CHECK(bench.over.empty());
}

TEST_CASE("sip::transaction_layer: CANCEL finds its INVITE and is a transaction of its own") {
    layer bench;
    const auto id = bench.accept(request("INVITE"), owner_id{7});
    good cancel{request("CANCEL")};
    CHECK(bench.transactions.receive(*cancel, support::flow, bench.now, bench.out).what ==
          fate::fresh);
    const auto found = bench.transactions.cancelled(*cancel);
    REQUIRE(found.has_value());
    CHECK(found->id == id);
    CHECK(found->owner == owner_id{7});
    const auto own = bench.accept(request("CANCEL"));
    bench.respond(own, 200, ok);
    CHECK(bench.receive(request("CANCEL")).what == fate::absorbed);
    CHECK(bench.sent.size() == 1);
    for (const auto& other :
         {request("CANCEL", "h;branch=z9hG4bK2"), request("CANCEL", "g;branch=z9hG4bK1")}) {
        CHECK_FALSE(bench.transactions.cancelled(*good{other}).has_value());
    }
    // Case of host and branch does not matter, that of nothing else is looked at.
    CHECK(bench.transactions.cancelled(*good{request("CANCEL", "H;branch=Z9HG4BK1")}).has_value());
    CHECK(bench.transactions.cancelled(*good{request("CANCEL", "H;branch=z9hG4bK1")}).has_value());
}

TEST_CASE("sip::transaction_layer: without the cookie RFC 2543's fields decide, 17.2.3") {
    layer bench;
    const std::string_view old = "h;branch=1";
    const auto id = bench.accept(request("INVITE", old));
    bench.respond(id, 180, ringing);
    CHECK(bench.receive(request("INVITE", old)).what == fate::absorbed);
    CHECK(bench.transactions.cancelled(*good{request("CANCEL", old)}).has_value());
    struct row {
        std::string text;
        std::string_view what;
    };
    const row others[] = {
        {request("INVITE", old, "<sip:b@h>;tag=b", "2"), "number"},
        {request("INVITE", "h;branch=2", "<sip:b@h>;tag=b"), "branch"},
        {request("INVITE", "g;branch=1", "<sip:b@h>;tag=b"), "sent-by"},
        {request("INVITE", "h", "<sip:b@h>;tag=b"), "no branch"},
        {request("INVITE", old, "<sip:b@h>;tag=b", "1", "sip:c@h"), "uri"},
        {request("BYE", old, "<sip:b@h>;tag=b"), "method"},
    };
    for (const auto& row : others) {
        CAPTURE(row.what);
        CHECK(bench.receive(row.text).what == fate::fresh);
    }
    // 65 and 97 are "A" and "a" as bytes, and different numbers.
    static_cast<void>(bench.accept(request("INVITE", old, "<sip:b@h>;tag=b", "65")));
    CHECK(bench.receive(request("INVITE", old, "<sip:b@h>;tag=b", "97")).what == fate::fresh);
    bench.respond(id, 486, busy);
    CHECK(bench.receive(request("ACK", old, "<sip:b@h>;tag=b")).what == fate::absorbed);
    bench.run(6s);
    CHECK(bench.transactions.size() == 1);
}

TEST_CASE("sip::transaction_layer: branch and sent-by are read without case, and whole") {
    for (std::size_t length = 1; length <= 40; ++length) {
        CAPTURE(length);
        std::string small;
        std::string large;
        for (std::size_t i = 0; i < length; ++i) {
            small += "abcxyz09-.!%*_+`'~"[i % 18];
            large += "ABCXYZ09-.!%*_+`'~"[i % 18];
        }
        layer bench;
        static_cast<void>(bench.accept(request("INVITE", "host.example;branch=z9hG4bK" + small)));
        CHECK(bench.receive(request("INVITE", "HOST.Example;branch=z9hG4bK" + large)).what ==
              fate::absorbed);
        // Each of its characters counts.
        for (std::size_t i = 0; i < length; ++i) {
            auto other = large;
            other[i] = other[i] == 'Q' ? 'R' : 'Q';
            REQUIRE(bench.receive(request("INVITE", "host.example;branch=z9hG4bK" + other)).what ==
                    fate::merged);
        }
    }
}

TEST_CASE("sip::transaction_layer: a branch may be longer than any buffer") {
    layer bench;
    const auto via = [](std::string_view host, char last) {
        return std::string{host} + ";branch=z9hG4bK" + std::string(2000, 'x') + last;
    };
    const auto id = bench.accept(request("INVITE", via("h", '1')));
    CHECK(bench.receive(request("INVITE", via("h", '1'))).id == id);
    CHECK(bench.receive(request("BYE", via("h", '1'), "<sip:b@h>;tag=b")).what == fate::fresh);
    CHECK(bench.receive(request("INVITE", via("h", '2'), "<sip:b@h>;tag=b")).what == fate::fresh);
    CHECK(bench.receive(request("INVITE", via("g", '1'), "<sip:b@h>;tag=b")).what == fate::fresh);
}

TEST_CASE(
    "sip::transaction_layer: a request merges with one that proceeds, not with one that did") {
    layer bench;
    const auto id = bench.accept(request("INVITE"));
    const auto other = request("INVITE", "h;branch=z9hG4bK2");
    CHECK(bench.receive(other).what == fate::merged);
    bench.respond(id, 180, ringing);
    CHECK(bench.receive(other).what == fate::merged);
    // In a dialog, or with another number, it is another request (section 8.2.2.2).
    CHECK(bench.receive(request("INVITE", "h;branch=z9hG4bK2", "<sip:b@h>;tag=b")).what ==
          fate::fresh);
    CHECK(bench.receive(request("INVITE", "h;branch=z9hG4bK2", "<sip:b@h>", "2")).what ==
          fate::fresh);
    CHECK(bench.receive(request("OPTIONS", "h;branch=z9hG4bK2")).what == fate::fresh);
    bench.respond(id, 486, busy);
    CHECK(bench.receive(other).what == fate::fresh);
    bench.run(32s);
    CHECK(bench.receive(other).what == fate::fresh);
    CHECK(bench.transactions.size() == 0);

    const auto forgotten = bench.accept(request("INVITE"));
    bench.transactions.forget(forgotten);
    CHECK(bench.receive(other).what == fate::fresh);
}

TEST_CASE("sip::transaction_layer: another request gets its final again for timer J") {
    for (const bool reliable : {false, true}) {
        layer bench{1, reliable};
        const auto id = bench.accept(request("OPTIONS"));
        CHECK(bench.receive(request("OPTIONS")).what == fate::absorbed);
        CHECK(bench.sent.empty());
        bench.respond(id, 200, ok);
        bench.respond(id, 500, "SIP/2.0 500 Late\n\n");
        if (!reliable) {
            bench.run(31'999ms);
            CHECK(bench.receive(request("OPTIONS")).what == fate::absorbed);
            REQUIRE(bench.sent.size() == 1);
            CHECK(bench.sent[0].text == crlf(ok));
        }
        bench.run(32s);
        CHECK(bench.transactions.size() == 0);
        CHECK(bench.wheel.size() == 0);
        CHECK(bench.receive(request("OPTIONS")).what == fate::fresh);
    }
}

/// One life of each kind, to its very end; returns the number of effects.
void live(layer& bench, good& invite, good& ack, good& bye, std::string& text, good& response) {
    auto& all = bench.transactions;
    auto got = all.receive(*invite, support::flow, bench.now, bench.out);
    REQUIRE(got.what == fate::fresh);
    const auto id = all.accept(*invite, support::flow, false, owner_id{1});
    all.responded(id, 100, as_bytes(text), bench.now);
    all.responded(id, 486, as_bytes(text), bench.now);
    got = all.receive(*ack, support::flow, bench.now, bench.out);
    REQUIRE(got.what == fate::absorbed);
    got = all.receive(*bye, support::flow, bench.now, bench.out);
    REQUIRE(got.what == fate::fresh);
    all.responded(all.accept(*bye, support::flow, false, owner_id{1}), 200, as_bytes(text),
                  bench.now);
    const auto own = all.open(method::invite, support::flow, false, owner_id{1});
    all.sent(own, as_bytes(text), bench.now);
    // The response was parsed with another branch; only the figure's part of the work is meant.
    got = all.receive(*response, support::flow, bench.now, bench.out);
    REQUIRE(got.what == fate::unmatched);
    bench.now += 600ms;
    const auto fire = [&](timer_node& node) {
        static_cast<void>(all.fire(node, bench.now, bench.out));
    };
    bench.wheel.advance(bench.now, fire);
    REQUIRE_FALSE(bench.out.empty()); // The INVITE again.
    bench.out.clear();
    bench.now += 40s;
    bench.wheel.advance(bench.now, fire);
    bench.out.clear();
}

TEST_CASE("sip::transaction_layer: once warm, a thousand transactions allocate nothing") {
    layer bench;
    good invite{request("INVITE")};
    good ack{request("ACK")};
    good bye{request("BYE", "h;branch=z9hG4bK2", "<sip:b@h>;tag=b")};
    good response{"SIP/2.0 200 OK\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\nFrom: sip:a@h\nTo: sip:b@h\n"
                  "Call-ID: c\nCSeq: 1 INVITE\n\n"};
    std::string text = crlf(request("INVITE"));
    for (int i = 0; i < 3; ++i) live(bench, invite, ack, bye, text, response);
    const auto before = support::allocations();
    for (int i = 0; i < 334; ++i) live(bench, invite, ack, bye, text, response);
    CHECK(support::allocations() == before);
    CHECK(bench.transactions.size() == 0);
    CHECK(bench.wheel.size() == 0);
}

TEST_CASE("sip::transaction_layer: acknowledging and cancelling allocate nothing once warm") {
    layer bench;
    const std::string lines = ";rport\nFrom: <sip:a@h>;tag=a\nTo: <sip:b@h>\nCall-ID: c\n"
                              "CSeq: 1 INVITE\n\n";
    std::size_t before = 0;
    std::string made;
    made.reserve(4096);
    std::string answer;
    answer.reserve(4096);
    message_view view;
    const auto head = crlf("INVITE sip:b@h SIP/2.0\nVia: SIP/2.0/UDP h;branch=");
    const auto ringing_head = crlf("SIP/2.0 180 Ringing\nVia: SIP/2.0/UDP h;branch=");
    const auto busy_head = crlf("SIP/2.0 486 Busy\nVia: SIP/2.0/UDP h;branch=");
    const auto tail = crlf(lines);
    auto& all = bench.transactions;
    for (int i = 0; i < 300; ++i) {
        if (i == 3) before = support::allocations();
        const auto id = all.open(method::invite, support::flow, false, owner_id{1});
        made.assign(head).append(all.branch(id)).append(tail);
        all.sent(id, as_bytes(made), bench.now);
        all.cancel(id, bench.now, bench.out);
        for (const auto* first : {&ringing_head, &busy_head, &busy_head}) {
            answer.assign(*first).append(all.branch(id)).append(tail);
            REQUIRE(view.parse(answer).has_value());
            REQUIRE(all.receive(view, support::flow, bench.now, bench.out).what != fate::unmatched);
        }
        bench.out.clear();
        bench.now += 40s;
        bench.wheel.advance(bench.now, [&](timer_node& node) {
            static_cast<void>(all.fire(node, bench.now, bench.out));
        });
        bench.out.clear();
    }
    CHECK(support::allocations() == before);
    CHECK(all.size() == 0);
}

} // namespace
} // namespace trunkline::sip
