// What is left when calls are over, and what an operator may change while they are not.
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "trunk/driver.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::driver;
using support::request_text;

struct busy : driver {
    int next = 0;
    trunk_config wanted = carrier();

    busy() {
        wanted.channels = 1000;
        wanted.calls_per_second = 1000;
        wanted.gateways = {{"198.51.100.1"}, {"198.51.100.2"}};
        config.on_incoming = [this](incoming_call& c) {
            if (answers) {
                CHECK(c.answer(std::make_unique<agent>()));
            } else {
                CHECK(c.ringing());
            }
        };
        add(wanted);
    }
    [[nodiscard]] request_text fresh() {
        advance(1ms); // As often as the trunk allows.
        ++next;
        request_text made;
        made.call_id = "call-" + std::to_string(next);
        made.branch = "z9hG4bK" + std::to_string(next);
        return made;
    }
    void dial() {
        advance(1ms);
        running().dial({.to = "1", .agent = std::make_unique<agent>()}, now, out());
        settle();
    }
    bool answers = true;
};

using kind_of_call = void (*)(busy&);

/// Every way a call can go, each with a peer that behaves.
const std::array<kind_of_call, 12> kinds{
    [](busy& d) { // They hang up.
        const auto r = d.fresh();
        d.receive(r.text());
        const auto ok = d.last();
        d.receive(r.ack(ok));
        d.receive(r.within("BYE", ok).text());
    },
    [](busy& d) { // We do.
        const auto r = d.fresh();
        d.receive(r.text());
        d.receive(r.ack(d.last()));
        d.engine->hang_up_all("over", d.now, d.out());
        d.settle();
        d.receive(support::answer_to(d.last(), "200 OK"));
    },
    [](busy& d) { // They think better of it.
        d.answers = false;
        const auto r = d.fresh();
        d.receive(r.text());
        d.receive(r.cancel());
        d.receive(r.ack(d.last()));
        d.answers = true;
    },
    [](busy& d) { // We refuse.
        auto r = d.fresh();
        r.uri = "sip:nobody@192.0.2.1";
        r.to = "<sip:nobody@192.0.2.1>";
        d.receive(r.text());
        d.receive(r.ack(d.last()));
    },
    [](busy& d) { // No codec in common.
        auto r = d.fresh();
        r.body = support::replaced(r.body, "AVP 0 8 101", "AVP 18");
        d.receive(r.text());
        d.receive(r.ack(d.last()));
    },
    [](busy& d) { d.receive(d.fresh().text()); }, // No ACK ever comes.
    [](busy& d) {                                 // Out, and answered.
        d.dial();
        d.receive(support::answer_to(d.last(), "200 OK", "t",
                                     "Contact: <sip:gw@198.51.100.1:5060>\n", support::their_sdp));
        d.engine->hang_up_all("over", d.now, d.out());
        d.settle();
        d.receive(support::answer_to(d.last(), "200 OK"));
    },
    [](busy& d) { // Out, busy.
        d.dial();
        d.receive(support::answer_to(d.last(), "486 Busy Here"));
    },
    [](busy& d) { d.dial(); }, // Out, and nobody there.
    [](busy& d) {              // Out, given up while it rings.
        d.dial();
        const auto invite = d.last();
        d.receive(support::answer_to(invite, "180 Ringing"));
        d.engine->hang_up_all("over", d.now, d.out());
        d.settle();
        d.receive(support::answer_to(d.last(), "200 OK"));
        d.receive(support::answer_to(invite, "487 Request Terminated"));
    },
    [](busy& d) { // Not even ours.
        d.receive(support::stranger_at, d.fresh().text());
    },
    [](busy& d) { // A BYE that nobody answers.
        const auto r = d.fresh();
        d.receive(r.text());
        d.receive(r.ack(d.last()));
        d.engine->hang_up_all("over", d.now, d.out());
        d.settle();
    },
};

TEST_CASE_FIXTURE(busy, "trunks::engine: of two thousand calls of every kind nothing is left") {
    for (int round = 0; round < 167; ++round) {
        for (const auto kind : kinds) {
            kind(*this);
            static_cast<void>(texts());
        }
        sent.clear();
        seen = 0;
        media.clear();
        notes.clear();
        if (round % 16 == 15) advance(45s);
    }
    // No ACK is waited for 32 s, and then a BYE for as long.
    advance(40s);
    CHECK(engine->calls() == 0);
    advance(40s);
    CHECK(empty());
    CHECK(trunks[0]->channels->taken() == 0);
    CHECK(records.size() > 1'800);
}

TEST_CASE_FIXTURE(busy,
                  "trunks::engine: forty seconds after calls that end well there is nothing") {
    for (int round = 0; round < 50; ++round) {
        for (const std::size_t kind : {0U, 1U, 2U, 3U, 4U, 6U, 7U, 9U, 10U}) kinds[kind](*this);
    }
    CHECK(engine->calls() == 0);
    CHECK(engine->idle());
    advance(40s);
    CHECK(empty());
}

TEST_CASE_FIXTURE(busy, "trunks::engine: calls keep the trunk that they began with") {
    const auto r = fresh();
    receive(r.text());
    const auto ok = last();
    receive(r.ack(ok));
    dial();
    const auto invite = last();
    const auto before = trunks[0];
    trunks.clear();
    publish();
    CHECK(before->channels->taken() == 2);
    // The call goes on, its re-INVITE is answered, its failover knows the gateways of before.
    auto hold = r.within("INVITE", ok);
    hold.body = support::replaced(support::their_sdp, "a=sendrecv", "a=sendonly");
    hold.body = support::replaced(hold.body, "o=- 1 1", "o=- 1 2");
    receive(hold.text());
    CHECK(support::status_of(last()) == "200");
    receive(support::answer_to(invite, "503 Service Unavailable"));
    const auto second = last();
    CHECK(support::start_line(second) == "INVITE sip:1@198.51.100.2 SIP/2.0");
    receive(support::other_at, support::answer_to(second, "486 Busy Here"));
    // A new one is a stranger's.
    receive(fresh().text());
    CHECK(support::status_of(last()) == "403");
    auto bye = r.within("BYE", ok);
    bye.cseq = 9;
    receive(bye.text());
    CHECK(support::status_of(last()) == "200");
    CHECK(before->channels->taken() == 0);
    REQUIRE(records.size() == 3);
    for (const auto& record : records) CHECK((record.trunk == "carrier" || record.trunk.empty()));
}

TEST_CASE_FIXTURE(busy, "trunks::engine: a flow that was forgotten takes no call with it") {
    const auto r = fresh();
    receive(r.text());
    const auto ok = last();
    receive(r.ack(ok));
    answers = false;
    const auto waits = fresh();
    receive(waits.text());
    static_cast<void>(texts());
    evict(support::carrier_at);
    evict(support::carrier_at);
    // What strangers leave behind is nobody's.
    receive(support::stranger_at, fresh().text());
    evict(support::stranger_at);
    CHECK_FALSE(flows.contains(*endpoint::parse(support::stranger_at)));
    static_cast<void>(texts());
    engine->hang_up_all("over", now, out());
    settle();
    const auto left = texts();
    REQUIRE(left.size() == 2);
    CHECK(left[0].starts_with("BYE "));
    CHECK(left[1].starts_with("SIP/2.0 480 "));
    for (std::size_t i = 1; i <= 2; ++i) {
        CHECK(sent[sent.size() - i].to == *endpoint::parse(support::carrier_at));
    }
    receive(waits.ack(left[1]));
    receive(support::answer_to(left[0], "200 OK"));
    advance(40s);
    CHECK(empty());
}

TEST_CASE_FIXTURE(busy, "trunks::engine: the eleventh call of ten is 486 until one ends") {
    auto changed = wanted;
    changed.channels = 10;
    trunks.clear();
    add(changed);
    std::vector<std::pair<request_text, std::string>> calls;
    for (int i = 0; i < 10; ++i) {
        calls.emplace_back(fresh(), "");
        receive(calls.back().first.text());
        calls.back().second = last();
        CHECK(support::status_of(calls.back().second) == "200");
        receive(calls.back().first.ack(calls.back().second));
    }
    receive(fresh().text());
    CHECK(support::status_of(last()) == "486");
    dial();
    CHECK(records.back().sip_code == 0); // No message said so.
    CHECK(records.back().failure == call_failure::no_channel);
    receive(calls[3].first.within("BYE", calls[3].second).text());
    receive(fresh().text());
    CHECK(support::status_of(last()) == "200");
    CHECK(trunks[0]->channels->taken() == 10);
}

TEST_CASE("trunks::engine: draining refuses new calls and lets the others be") {
    busy d;
    const auto r = d.fresh();
    d.receive(r.text());
    const auto ok = d.last();
    d.receive(r.ack(ok));
    d.engine->drain();
    const auto late = d.fresh();
    d.receive(late.text());
    auto text = d.last();
    CHECK(support::status_of(text) == "503");
    CHECK_FALSE(support::header(text, "Retry-After").empty());
    d.receive(late.ack(text));
    d.advance(10s);
    CHECK(d.engine->calls() == 1);
    CHECK_FALSE(d.engine->idle());
    d.engine->hang_up_all("shutting down", d.now, d.out());
    d.settle();
    text = d.last();
    CHECK(text.starts_with("BYE "));
    CHECK(d.engine->calls() == 0);
    CHECK_FALSE(d.engine->idle());
    d.receive(support::answer_to(text, "200 OK"));
    CHECK(d.engine->idle());
}

TEST_CASE("trunks::engine: destroyed with calls of every kind alive it gives all back") {
    std::shared_ptr<const trunks::trunk> trunk;
    {
        busy d;
        trunk = d.trunks[0];
        d.receive(d.fresh().text());
        d.dial();
        d.hold_ports = true;
        d.receive(d.fresh().text());
        d.answers = false;
        d.receive(d.fresh().text());
        CHECK(trunk->channels->taken() == 4);
        d.trunks.clear();
    }
    CHECK(trunk->channels->taken() == 0);
}

// Configuration.

TEST_CASE("trunks::compile: names the first field that is wrong, and the rule") {
    struct row {
        void (*spoil)(trunk_config&);
        std::string field;
        std::string rule;
    };
    const std::vector<row> rows{
        {[](trunk_config& c) { c.name = ""; }, "name", "1 to 100 characters"},
        {[](trunk_config& c) { c.name = std::string(101, 'x'); }, "name", "1 to 100 characters"},
        {[](trunk_config& c) { c.name = "a\nb"; }, "name", "1 to 100 characters"},
        {[](trunk_config& c) { c.channels = 0; }, "channels", "1 to 1000"},
        {[](trunk_config& c) { c.channels = 1001; }, "channels", "1 to 1000"},
        {[](trunk_config& c) { c.calls_per_second = 0; }, "calls_per_second", "1 to 100000"},
        {[](trunk_config& c) { c.calls_per_second = 100'001; }, "calls_per_second", "1 to 100000"},
        {[](trunk_config& c) { c.codecs = {}; }, "codecs", "not empty"},
        {[](trunk_config& c) {
             c.codecs = {codec_name::pcma, codec_name::pcma};
         },
         "codecs[1]", "once"},
        {[](trunk_config& c) {
             c.gateways = {{"ok.example"}, {"not a host"}};
         },
         "gateways[1].host", "address or name"},
        {[](trunk_config& c) { c.gateways = std::vector<gateway>(9, {"a.example"}); }, "gateways",
         "at most 8"},
        {[](trunk_config& c) { c.allow_from = {}; }, "gateways", "required"},
        {[](trunk_config& c) {
             c.allow_from = {"198.51.100.0/24", "198.51.100.0/33"};
         },
         "allow_from[1]", "address or network"},
        {[](trunk_config& c) {
             c.numbers = {{"+1"}, {"1"}};
         },
         "numbers[1]", "once"},
        {[](trunk_config& c) { c.numbers = {{"call me"}}; }, "numbers[0]", "digits"},
        {[](trunk_config& c) { c.caller_id = "a b"; }, "caller_id", "digits or a name"},
        {[](trunk_config& c) {
             c.headers = {{"X-A", "1"}, {"X-B", "2\r\nVia: x"}};
         },
         "headers[1]", "ours to set"},
        {[](trunk_config& c) {
             c.headers = {{"Via", "x"}};
         },
         "headers[0]", "ours to set"},
        {[](trunk_config& c) {
             c.headers = {{"v", "x"}};
         },
         "headers[0]", "ours to set"},
        {[](trunk_config& c) {
             c.auth = userpass{"", "x"};
         },
         "auth.username", "required"},
        {[](trunk_config& c) {
             c.inbound_auth = userpass{"a\"b", "x"};
         },
         "inbound_auth.username", "characters"},
        {[](trunk_config& c) { c.media.at = "here"; }, "media.at", "address"},
        {[](trunk_config& c) { c.media.advertise = "there"; }, "media.advertise", "address"},
    };
    for (const auto& [spoil, field, rule] : rows) {
        auto config = driver::carrier();
        spoil(config);
        const auto made = trunks::compile(trunk_id{1}, config, "", nullptr, nullptr);
        const std::string where = field;
        CAPTURE(where);
        REQUIRE_FALSE(made.has_value());
        CHECK(made.reason().field == field);
        CHECK(made.reason().rule == rule);
        CHECK_FALSE(made.reason().message.empty());
    }
    CHECK(trunks::compile(trunk_id{1}, driver::carrier(), "", nullptr, nullptr).has_value());
}

} // namespace
} // namespace trunkline
