// Floods, limits and bans: who is let in when there are too many.
#include <trunkline/trunk/admission.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "support/counted_heap.hpp"
#include "trunk/driver.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::driver;
using support::request_text;
using reception = trunks::admission::reception;

constexpr time_point start{1000s};

// Strangers.

TEST_CASE("trunks::admission: IPv4 sources are told apart by address, IPv6 by /64") {
    seeded_entropy random{1};
    trunks::admission doors{random};
    CHECK(doors.receive(address::v4(203, 0, 113, 1), start) == reception::answer);
    CHECK(doors.receive(address::v4(203, 0, 113, 1), start) == reception::ignore);
    CHECK(doors.receive(address::v4(203, 0, 113, 2), start) == reception::answer);
    CHECK(doors.receive(*address::parse("2001:db8:0:1::1"), start) == reception::answer);
    CHECK(doors.receive(*address::parse("2001:db8:0:1:ffff::2"), start) == reception::ignore);
    CHECK(doors.receive(*address::parse("2001:db8:0:2::1"), start) == reception::answer);
    CHECK(doors.receive(address::v4(203, 0, 113, 1), start + 1s) == reception::answer);
}

TEST_CASE("trunks::admission: who goes on is banned once, until he has been quiet") {
    seeded_entropy random{1};
    trunks::admission doors{random};
    const auto source = address::v4(203, 0, 113, 1);
    auto now = start;
    std::size_t bans = 0;
    std::size_t answers = 0;
    for (; now < start + 60s; now += 10ms) {
        const auto how = doors.receive(source, now);
        if (how == reception::ban) ++bans;
        if (how == reception::answer) ++answers;
    }
    CHECK(bans == 1);
    CHECK(answers == 1);
    // Somebody else is none the worse for it.
    CHECK(doors.receive(address::v4(203, 0, 113, 2), now) == reception::answer);
    CHECK(doors.receive(source, now + 9min) == reception::banned);
    CHECK(doors.receive(source, now + 11min) == reception::answer);
}

TEST_CASE("trunks::admission: who asks once in a while is answered each time") {
    seeded_entropy random{1};
    trunks::admission doors{random};
    for (auto now = start; now < start + 1h; now += 1s) {
        REQUIRE(doors.receive(address::v4(203, 0, 113, 1), now) == reception::answer);
    }
}

TEST_CASE("trunks::engine: 100,000 sources cost no transaction, no lookup and no memory") {
    constexpr std::uint32_t sources = 100'000;
    driver d;
    d.add(driver::carrier());
    auto& engine = d.running();
    outbox out;
    request_text request;
    request.contact = "<sip:x@scanner.example.net>";
    request.fields = "Route: <sip:route.example.net;lr>\n";
    auto text = support::replaced(request.text(), "UDP 198.51.100.1:5060", "UDP via.example.net");
    const auto at = text.find("z9hG4bKone") + 7;
    std::size_t answered = 0;
    const auto flood = [&](duration lasting) {
        for (std::uint32_t i = 0; i < sources; ++i) {
            d.now += lasting / sources;
            const auto from =
                address::v4(203, static_cast<std::uint8_t>(i >> 16),
                            static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i));
            const flow_id flow{1, i + 1};
            for (std::size_t j = 0; j < 3; ++j)
                text[at + j] = static_cast<char>('a' + (i >> 4 * j) % 16);
            auto bytes = text; // Unfolded in place, and in a driver's buffer.
            const auto counted = support::allocations();
            engine.receive(inputs::flow_up{flow,
                                           {transport::udp,
                                            listener_id{0},
                                            {address::v4(192, 0, 2, 1), 5060},
                                            {from, 5060}},
                                           token::none},
                           d.now, out);
            engine.receive(inputs::packet{flow, std::as_writable_bytes(std::span{bytes})}, d.now,
                           out);
            std::size_t events = 0;
            for (const auto& what : out) {
                REQUIRE_FALSE(std::holds_alternative<effects::resolve>(what));
                REQUIRE_FALSE(std::holds_alternative<effects::connect>(what));
                if (std::holds_alternative<effects::send>(what)) ++answered;
                if (const auto* event = std::get_if<effects::event>(&what)) {
                    engine.deliver(*event, d.now, out);
                    ++events;
                }
            }
            out.clear();
            // What is told of the few that are answered is the application's to keep.
            if (events == 0 && i > 1000) REQUIRE(support::allocations() == counted);
        }
    };
    flood({});
    // As many as there are buckets, whatever the number of sources.
    CHECK(answered <= 4096);
    CHECK(answered > 3000);
    CHECK(d.records.size() == 10);
    answered = 0;
    flood(10s);
    CHECK(answered >
          20'000); // Each bucket answers once a second, and nobody has a record of his own.
    CHECK(d.records.size() <= 10 + 100);
    CHECK(d.records.size() >= 10 + 90);
    CHECK(engine.transactions() == 0);
    CHECK(engine.calls() == 0);
    CHECK_FALSE(engine.next_deadline().has_value());
}

TEST_CASE("trunks::engine: with 100 gateways by name a stranger's request allocates nothing") {
    driver d;
    for (int i = 0; i < 20; ++i) {
        trunk_config wanted;
        wanted.name = "carrier " + std::to_string(i);
        for (int j = 0; j < 5; ++j) {
            const auto host = "gateway-" + std::to_string(5 * i + j) + ".carrier.example.net";
            wanted.gateways.push_back({.host = host, .port = 5060});
        }
        d.add(wanted);
    }
    for (const auto& each : std::exchange(d.questions, {})) {
        d.answer(each, {address::v4(198, 51, 100, static_cast<std::uint8_t>(each.name[8]))});
    }
    auto& engine = d.running();
    outbox out;
    const flow_id flow{1, 1};
    const endpoint from{address::v4(203, 0, 113, 1), 5060};
    engine.receive(
        inputs::flow_up{flow, {transport::udp, {}, {address::v4(192, 0, 2, 1), 5060}, from}}, d.now,
        out);
    const auto text = request_text{.method = "OPTIONS"}.text();
    for (int i = 0; i < 3; ++i) {
        auto bytes = text;
        const auto counted = support::allocations();
        engine.receive(inputs::packet{flow, std::as_writable_bytes(std::span{bytes})}, d.now, out);
        if (i > 0) CHECK(support::allocations() == counted); // The first one makes rooms.
        out.clear();
        d.now += 1s; // And each is answered.
    }
    CHECK(engine.transactions() == 0);
}

/// Rings, and remembers.
struct crowded : driver {
    request_text request;
    int next = 0;

    crowded() {
        config.on_incoming = [](incoming_call& call) { CHECK(call.ringing()); };
    }
    /// A call of its own, and what is said to it last.
    [[nodiscard]] std::string call(const std::string& from = support::carrier_at) {
        request.branch = "z9hG4bK" + std::to_string(++next);
        request.call_id = "call-" + std::to_string(next);
        receive(from, request.text());
        const auto said = texts();
        return said.empty() ? std::string{} : said.back();
    }
};

TEST_CASE_FIXTURE(crowded, "trunks::engine: a stranger's flood is no trouble to a trunk's calls") {
    add(carrier());
    for (int i = 0; i < 10; ++i) {
        for (int j = 0; j < 200; ++j) static_cast<void>(call(support::stranger_at));
        CHECK(support::status_of(call()) == "180");
    }
    CHECK(noted(diagnostic::source_banned) == 1);
    CHECK(engine->calls() == 10);
    CHECK(engine->transactions() == 10);
}

TEST_CASE_FIXTURE(crowded, "trunks::engine: a trunk's address is limited, and never banned") {
    add(carrier());
    request.uri = "sip:+1999@192.0.2.1";
    request.to = "<sip:+1999@192.0.2.1>";
    for (int i = 0; i < 1000; ++i) static_cast<void>(call());
    CHECK(noted(diagnostic::source_banned) == 0);
    request.uri = request_text{}.uri;
    request.to = request_text{}.to;
    CHECK(support::status_of(call()) == "503");
    advance(1s);
    CHECK(support::status_of(call()) == "180");
}

// A trunk's rate.

TEST_CASE_FIXTURE(crowded, "trunks::engine: over calls_per_second a trunk's calls are 503") {
    auto wanted = carrier();
    wanted.calls_per_second = 4;
    add(wanted);
    auto other = carrier();
    other.name = "other";
    other.allow_from = {"192.0.2.128/25"};
    add(other);
    for (int i = 0; i < 4; ++i) CHECK(support::status_of(call()) == "180");
    const auto refused = call();
    CHECK(support::start_line(refused) == "SIP/2.0 503 Service Unavailable");
    CHECK(support::status_of(call("192.0.2.200:5060")) == "180");
    REQUIRE(records.size() == 1);
    CHECK(records[0].refused == diagnostic::refused_rate);
    CHECK(records[0].trunk == "carrier");
    // OPTIONS begins no call.
    CHECK(support::status_of(call()) == "503");
    request.method = "OPTIONS";
    CHECK(support::status_of(call()) == "200");
    request.method = "INVITE";
    advance(250ms);
    CHECK(support::status_of(call()) == "180");
    CHECK(support::status_of(call()) == "503");
}

TEST_CASE_FIXTURE(crowded, "trunks::engine: with a password, who shows none takes no turn") {
    auto wanted = carrier();
    wanted.calls_per_second = 2;
    wanted.inbound_auth = userpass{"carrier", "secret", "here"};
    add(wanted);
    for (int i = 0; i < 20; ++i) CHECK(support::status_of(call()) == "401");
    CHECK(engine->transactions() == 0);
    // Nor does who was never challenged: anybody can write a carrier's source and such a line.
    const auto guess = [&](std::string_view nonce) {
        request.fields = "Authorization: Digest username=\"carrier\",realm=\"here\",nonce=\"" +
                         std::string{nonce} +
                         "\",uri=\"sip:+4930123@192.0.2.1\",response=\"guess\"\n";
    };
    guess("x");
    for (int i = 0; i < 20; ++i) CHECK(support::status_of(call()) == "401");
    // Nor does a guess: those have a number of their own, for each source, and no more are heard
    // at once than calls would be.
    const auto challenged = [&](const std::string& method) {
        request.method = method;
        request.fields.clear();
        guess(support::after(call(), "nonce=\""));
        --next; // The nonce is for its call.
        request.cseq = 2;
        const auto answer = call();
        request.cseq = 1;
        return support::status_of(answer);
    };
    for (const auto* status : {"401", "401", "503", "503"}) CHECK(challenged("INVITE") == status);
    CHECK(challenged("OPTIONS") == "503");
    // Nor are there guesses behind lines that are no credentials: what is checked is what was
    // counted.
    request.method = "INVITE";
    request.fields.clear();
    guess(support::after(call(), "nonce=\""));
    request.fields = "Authorization: Digest x=1\nAuthorization: Digest y=2\n" + request.fields;
    --next;
    request.cseq = 2;
    CHECK(support::status_of(call()) == "503");
    CHECK(engine->transactions() == 0);
    CHECK(trunks[0]->rate->admit(now));
    CHECK(trunks[0]->rate->admit(now));
    CHECK_FALSE(trunks[0]->rate->admit(now));
}

// Stateless answers.

TEST_CASE_FIXTURE(crowded, "trunks::engine: a stateless 503 is the same again, and so is its tag") {
    config.max_calls = 0;
    add(carrier());
    std::set<std::string> waits;
    std::set<std::string> tags;
    for (int i = 0; i < 40; ++i) {
        const auto refused = call();
        CHECK(support::status_of(refused) == "503");
        receive(request.text());
        CHECK(only() == refused);
        receive(request.ack(refused));
        CHECK(texts().empty());
        waits.insert(support::header(refused, "Retry-After"));
        tags.insert(support::tag(refused, "To"));
    }
    CHECK(waits == std::set<std::string>{"1", "2", "3", "4", "5"});
    CHECK(tags.size() == 40);
    CHECK_FALSE(tags.contains(""));
    CHECK(noted(diagnostic::ack_unmatched) == 0);
    CHECK(engine->transactions() == 0);
    CHECK_FALSE(engine->next_deadline().has_value());
    // An ACK with another tag is for nobody.
    auto stray = request;
    stray.to += ";tag=other";
    stray.method = "ACK";
    receive(stray.text());
    CHECK(noted(diagnostic::ack_unmatched) == 1);
}

TEST_CASE_FIXTURE(crowded, "trunks::engine: a flood of refusals is told in few records") {
    config.max_calls = 0;
    add(carrier());
    for (int i = 0; i < 1000; ++i) static_cast<void>(call());
    CHECK(records.size() == 10);
    advance(1s);
    static_cast<void>(call());
    REQUIRE(records.size() == 11);
    CHECK(records.back().refused == diagnostic::refused_overload);
    const auto told = std::ranges::find(notes.rbegin(), notes.rend(), diagnostic::refused_overload,
                                        &effects::note::code);
    REQUIRE(told != notes.rend());
    CHECK(told->values[1] == 503);
    CHECK(told->values[2] == 1000 - 10 + 1);
}

TEST_CASE_FIXTURE(crowded, "trunks::engine: with all transactions taken nothing makes another") {
    config.max_transactions = 0;
    add(carrier());
    CHECK(support::status_of(call()) == "503");
    request.method = "OPTIONS";
    CHECK(support::status_of(call()) == "503");
    // What may belong to a call is told that it does not.
    for (const auto* method : {"BYE", "PRACK", "CANCEL", "INFO"}) {
        request.method = method;
        request.to = "<sip:+4930123@192.0.2.1>;tag=gone";
        CHECK(support::status_of(call()) == "481");
    }
    CHECK(engine->transactions() == 0);
}

TEST_CASE_FIXTURE(crowded, "trunks::engine: what belongs to a call passes in any overload") {
    auto wanted = carrier();
    wanted.calls_per_second = 2;
    config.max_calls = 2;
    config.max_transactions = 2;
    std::vector<call_handle> handles;
    config.on_incoming = [&](incoming_call& call) {
        handles.push_back(call.handle());
        CHECK(call.ringing());
    };
    add(wanted);
    static_cast<void>(call());
    const auto first = request;
    static_cast<void>(call());
    const auto second = request;
    handles[0].post([](trunkline::call& one) { CHECK(one.answer(std::make_unique<agent>())); });
    settle();
    const auto accepted = last();
    CHECK(support::status_of(accepted) == "200");
    CHECK(support::status_of(call()) == "503"); // From here on there is room for nobody else.
    receive(first.ack(accepted));
    CHECK(texts().empty());
    advance(1s);
    CHECK(texts().empty()); // The 200 is not sent again: its ACK was heard.
    unsigned cseq = 1;
    for (const auto* method : {"INFO", "OPTIONS", "UPDATE", "INVITE"}) {
        auto within = first.within(method, accepted);
        within.cseq = ++cseq;
        receive(within.text());
        const auto said = last();
        CAPTURE(method);
        CHECK(support::status_of(said) == "200");
        if (within.method == "INVITE") receive(within.ack(said));
    }
    receive(second.cancel());
    const auto said = texts();
    REQUIRE(said.size() == 2);
    CHECK(support::status_of(said[0]) == "200");
    CHECK(support::status_of(said[1]) == "487");
    receive(second.ack(said[1]));
    auto bye = first.within("BYE", accepted);
    bye.cseq = ++cseq;
    receive(bye.text());
    CHECK(support::status_of(last()) == "200");
    advance(40s);
    CHECK(empty());
    CHECK(support::status_of(call()) == "180");
}

} // namespace
} // namespace trunkline
