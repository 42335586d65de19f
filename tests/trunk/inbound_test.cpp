// Calls in: whose they are, and the first thing that is wrong with them.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "trunk/driver.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::driver;
using support::request_text;

/// Rings, and remembers.
struct ringing : driver {
    std::vector<std::string> called;
    std::vector<call_handle> handles;

    ringing() {
        config.on_incoming = [this](incoming_call& call) {
            called.push_back(std::string{call.trunk()} + ' ' + std::string{call.number()} + ' ' +
                             std::string{call.agent_name()});
            handles.push_back(call.handle());
            CHECK(call.ringing());
        };
    }
};

// One wrong thing each, in the order in which they have to be found. Each leaves all else alone, so
// that any two of them can be done to one request.
struct wrong {
    std::string status;
    diagnostic why;
    std::function<void(request_text&)> request;
    std::function<void(driver&, trunk_config&)> around;
};

[[nodiscard]] std::vector<wrong> everything_wrong() {
    const auto nothing = [](driver&, trunk_config&) {};
    const auto as_it_was = [](request_text&) {};
    return {
        {"400", diagnostic::refused_malformed,
         [](request_text& r) { r.from = "<sip:+49170@198.51.100.1;tag=theirs"; }, nothing},
        {"505", diagnostic::refused_version, [](request_text& r) { r.version = "SIP/3.0"; },
         nothing},
        {"401", diagnostic::refused_unauthorized, as_it_was,
         [](driver&, trunk_config& c) {
             c.inbound_auth = userpass{"carrier", "secret", "here"};
         }},
        {"405", diagnostic::refused_method, [](request_text& r) { r.method = "SUBSCRIBE"; },
         nothing},
        {"416", diagnostic::refused_uri_scheme, [](request_text& r) { r.uri = "fax:+4930123"; },
         nothing},
        // The first of the two that merge rings already, under a branch of its own.
        {"482", diagnostic::refused_merged, as_it_was,
         [](driver& d, trunk_config&) {
             request_text first;
             first.branch += "first";
             d.receive(first.text());
             CHECK(support::status_of(d.last()) == "180");
         }},
        {"420", diagnostic::refused_extension,
         [](request_text& r) { r.fields += "Require: precondition\n"; }, nothing},
        {"415", diagnostic::refused_content_type, [](request_text& r) { r.type = "text/plain"; },
         nothing},
        {"406", diagnostic::refused_accept, [](request_text& r) { r.fields += "Accept: text/*\n"; },
         nothing},
        {"422", diagnostic::refused_session_interval,
         [](request_text& r) { r.fields += "Supported: timer\nSession-Expires: 30\n"; }, nothing},
        {"421", diagnostic::refused_unreliable, as_it_was,
         [](driver&, trunk_config& c) { c.prack = prack_policy::required; }},
        {"403", diagnostic::refused_trunk_disabled, as_it_was,
         [](driver&, trunk_config& c) { c.inbound = false; }},
        {"404", diagnostic::refused_number_unknown, as_it_was,
         [](driver&, trunk_config& c) { c.numbers = {{"+4930999"}}; }},
        {"486", diagnostic::refused_channels_full, as_it_was,
         [](driver& d, trunk_config& c) {
             c.channels = 1;
             request_text other;
             other.call_id = "other-call";
             other.branch += "other";
             other.from += "2";
             d.receive(other.text());
             CHECK(d.trunks.front()->channels->taken() == 1);
         }},
        {"488", diagnostic::refused_offer,
         [](request_text& r) {
             r.body = support::replaced(support::replaced(r.body, "AVP 0 8 101", "AVP 18"),
                                        "a=rtpmap:0 PCMU/8000", "a=rtpmap:18 G729/8000");
         },
         nothing},
        {"503", diagnostic::refused_draining, as_it_was,
         [](driver& d, trunk_config&) { d.engine->drain(); }},
    };
}

/// What has to ring first is let in by a trunk that is still as it was; the configuration changes
/// under it, as an operator would change it.
void prepare(driver& d, const std::vector<wrong>& faults, request_text& request) {
    auto config = driver::carrier();
    config.channels = 1;
    const bool filled =
        std::ranges::any_of(faults, [](const wrong& each) { return each.status == "486"; });
    if (!filled) config.channels = 10;
    const auto first = d.add(config);
    for (const auto& fault : faults) fault.around(d, config);
    for (const auto& fault : faults) fault.request(request);
    auto changed =
        trunks::compile(first->id, config, "trunkline test", first->channels, first->rate);
    REQUIRE(changed.has_value());
    d.trunks = {*changed};
    d.publish();
    d.notes.clear();
    d.records.clear();
    static_cast<void>(d.texts());
}

void check_refused(const std::vector<wrong>& faults) {
    ringing d;
    request_text request;
    prepare(d, faults, request);
    const auto alive = d.engine->calls();
    d.receive(request.text());
    const auto& first = faults.front();
    CAPTURE(first.status);
    CAPTURE(faults.back().status);
    const auto texts = d.texts();
    REQUIRE_FALSE(texts.empty());
    CHECK(support::status_of(texts.back()) == first.status);
    CHECK(d.engine->calls() == alive);
    // A challenge is how digest begins, and a method that is no INVITE is no call: neither is a
    // refused call.
    const bool counted = request.method == "INVITE" && first.status != "401";
    REQUIRE(d.records.size() == (counted ? 1 : 0));
    if (!counted) return;
    CHECK(d.noted(first.why) == 1);
    CHECK(d.records[0].refused == first.why);
    CHECK(std::to_string(d.records[0].sip_code) == first.status);
    CHECK(d.records[0].call_id == "call-1@198.51.100.1");
    std::size_t refusals = 0;
    for (const auto& note : d.notes) {
        const auto code = static_cast<int>(note.code);
        refusals += (code >= 200 && code < 300) || note.code == diagnostic::datagram_malformed;
    }
    CHECK(refusals == 1);
}

TEST_CASE("trunks::engine: each thing that is wrong has its own answer, note and record") {
    for (const auto& fault : everything_wrong()) check_refused({fault});
}

TEST_CASE("trunks::engine: of two things that are wrong the first one answers") {
    const auto all = everything_wrong();
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t j = i + 1; j < all.size(); ++j) {
            // An unknown method has no offer, no type and no merging; nobody rings on a full trunk
            // of a request that merges with the one that fills it.
            check_refused({all[i], all[j]});
        }
    }
}

TEST_CASE("trunks::engine: a refusal says what would have been right") {
    for (const auto& fault : everything_wrong()) {
        ringing d;
        request_text request;
        prepare(d, {fault}, request);
        d.receive(request.text());
        const auto text = d.last();
        CAPTURE(text);
        if (fault.status == "405") {
            CHECK(support::header(text, "Allow") ==
                  "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY");
        }
        if (fault.status == "420") CHECK(support::header(text, "Unsupported") == "precondition");
        if (fault.status == "415") CHECK(support::header(text, "Accept") == "application/sdp");
        if (fault.status == "406") CHECK(support::header(text, "Warning").starts_with("399 "));
        if (fault.status == "488") CHECK(support::header(text, "Warning").starts_with("305 "));
        if (fault.status == "503") CHECK(support::header(text, "Retry-After") == "30");
        // Section 8.2.6: Via with where it came from, and a tag of ours.
        CHECK(support::header(text, "Via").find(";received=198.51.100.1;rport=5060") !=
              std::string::npos);
        CHECK_FALSE(support::tag(text, "To").empty());
        CHECK(support::header(text, "Server").empty());
    }
}

TEST_CASE("trunks::engine: an unknown method is 501, a known one that is not ours 405") {
    ringing d;
    d.add(driver::carrier());
    for (const auto* method : {"REGISTER", "SUBSCRIBE", "MESSAGE", "PUBLISH"}) {
        d.receive(request_text{.method = method, .branch = std::string{"z9hG4bK"} + method}.text());
        CHECK(support::status_of(d.only()) == "405");
    }
    for (const auto* method : {"BYE", "INFO", "UPDATE", "PRACK", "REFER", "NOTIFY"}) {
        d.receive(request_text{.method = method, .branch = std::string{"z9hG4bK"} + method}.text());
        CHECK(support::status_of(d.only()) == "481");
    }
    d.receive(request_text{.method = "FROB", .branch = "z9hG4bKfrob"}.text());
    const auto text = d.only();
    CHECK(support::status_of(text) == "501");
    CHECK_FALSE(support::header(text, "Allow").empty());
    CHECK(d.records.empty());
}

TEST_CASE("trunks::engine: over max_calls an INVITE is 503 with Retry-After") {
    ringing d;
    d.config.max_calls = 1;
    d.add(driver::carrier());
    d.receive(request_text{}.text());
    CHECK(support::status_of(d.last()) == "180");
    d.receive(request_text{.from = "<sip:2@b>;tag=2", .call_id = "2", .branch = "z9hG4bK2"}.text());
    const auto text = d.last();
    CHECK(support::status_of(text) == "503");
    const auto seconds = std::stoi(support::header(text, "Retry-After"));
    CHECK((seconds >= 1 && seconds <= 5));
    REQUIRE(d.records.size() == 1);
    CHECK(d.records[0].refused == diagnostic::refused_overload);
}

TEST_CASE("trunks::engine: 100 is sent at once, before anybody is asked") {
    driver d;
    d.add(driver::carrier());
    std::size_t sent_before = 0;
    d.config.on_incoming = [](incoming_call&) {};
    d.engine.reset();
    d.config.on_incoming = [&](incoming_call&) { sent_before = d.sent.size(); };
    d.publish();
    d.receive(request_text{}.text());
    CHECK(sent_before == 1);
    const auto text = d.only();
    CHECK(support::status_of(text) == "100");
    CHECK(support::tag(text, "To").empty());
    // The INVITE again gets the same again, and nobody is asked twice.
    d.receive(request_text{}.text());
    CHECK(d.only() == text);
    CHECK(d.engine->calls() == 1);
}

TEST_CASE("trunks::engine: without anybody to ask an INVITE is 404, and says so") {
    driver d;
    d.add(driver::carrier());
    d.receive(request_text{}.text());
    CHECK(support::status_of(d.last()) == "404");
    CHECK(d.noted(diagnostic::refused_no_agent) == 1);
    REQUIRE(d.records.size() == 1);
    CHECK(d.records[0].refused == diagnostic::refused_no_agent);
}

TEST_CASE("trunks::engine: a call that nobody decides about ends with 480 in time") {
    ringing d;
    auto config = driver::carrier();
    config.ringing_timeout = 20s;
    d.add(config);
    const request_text request;
    d.receive(request.text());
    d.advance(19s);
    CHECK(d.records.empty());
    d.advance(2s);
    const auto text = d.last();
    CHECK(support::status_of(text) == "480");
    REQUIRE(d.records.size() == 1);
    CHECK(d.records[0].ended_by == ended_by::timeout);
    CHECK(d.records[0].sip_code == 480);
    d.receive(request.ack(text));
    d.advance(40s);
    CHECK(d.empty());
}

// Strangers.

TEST_CASE("trunks::engine: a stranger gets one short 403 a second and then silence") {
    ringing d;
    d.add(driver::carrier());
    request_text request;
    const auto call = [&](const std::string& from) {
        request.branch += 'x';
        request.call_id += 'x';
        d.receive(from, request.text());
        return d.texts();
    };
    const auto first = call(support::stranger_at);
    REQUIRE(first.size() == 1);
    CHECK(support::start_line(first[0]) == "SIP/2.0 403 Forbidden");
    CHECK(first[0].size() < request.text().size());
    CHECK(support::header(first[0], "Server").empty());
    CHECK(support::header(first[0], "User-Agent").empty());
    CHECK(support::header(first[0], "Allow").empty());
    CHECK(call(support::stranger_at).empty());
    CHECK(call("203.0.113.66:9999").empty()); // Another port is no other source.
    CHECK(call("203.0.113.67:5060").size() == 1);
    d.advance(999ms);
    CHECK(call(support::stranger_at).empty());
    d.advance(1ms);
    CHECK(call(support::stranger_at).size() == 1);
    // One record for each answer; what is met with silence costs nothing.
    REQUIRE(d.records.size() == 3);
    CHECK(d.records[0].refused == diagnostic::refused_unknown_source);
    CHECK(d.records[0].trunk.empty());
    CHECK(d.records[0].sip_code == 403);
    CHECK(d.called.empty());
    CHECK(d.engine->transactions() == 0);
}

TEST_CASE("trunks::engine: ACKs, responses and noise are never answered, whoever sends them") {
    ringing d;
    d.add(driver::carrier());
    const request_text ack{.method = "ACK"};
    auto broken = ack.text();
    broken.replace(broken.find("CSeq: 1"), 7, "CSeq: x");
    const auto response = support::answer_to(request_text{}.text(), "200 OK");
    auto broken_response = response;
    broken_response.replace(broken_response.find("CSeq: 1"), 7, "CSeq: x");
    for (const auto& from : {support::carrier_at, support::stranger_at}) {
        for (const auto& text :
             {ack.text(), broken, response, broken_response, std::string{"\r\n\r\n"},
              std::string{"\r\n"}, std::string(1, '\0'), std::string{"GET / HTTP/1.1\r\n\r\n"},
              std::string{"INVITE"}, std::string{"INVITE sip:a@b SIP/2.0\r\n\r\n"},
              std::string(200, '\xff')}) {
            CAPTURE(text);
            d.advance(2s);
            d.receive(from, text);
            CHECK(d.texts().empty());
        }
    }
    CHECK(d.records.empty());
}

TEST_CASE("trunks::engine: with answer_strangers off there is silence, and still a record") {
    ringing d;
    d.config.answer_strangers = false;
    d.add(driver::carrier());
    d.receive(support::stranger_at, request_text{}.text());
    d.receive(support::stranger_at, request_text{.method = "OPTIONS", .branch = "z9hG4bKo"}.text());
    auto broken = request_text{.from = "broken", .branch = "z9hG4bKb"};
    d.receive(support::stranger_at, broken.text()); // One a second is told of.
    CHECK(d.records.size() == 1);
    d.advance(1s);
    d.receive(support::stranger_at, broken.text());
    CHECK(d.texts().empty());
    REQUIRE(d.records.size() == 2);
    CHECK(d.records[0].sip_code == 0);
}

TEST_CASE("trunks::engine: a stranger's malformed request is never answered with more than 403") {
    ringing d;
    d.add(driver::carrier());
    d.receive(support::stranger_at, request_text{.from = "broken"}.text());
    for (const auto& text : d.texts()) CHECK(support::status_of(text) == "403");
}

// Whose call it is.

struct number_case {
    std::string did;
    std::string uri;
    std::string to;
    bool found;
};

TEST_CASE("trunks::engine: numbers match with and without +, Request-URI first, To after it") {
    const std::string elsewhere = "<sip:other@192.0.2.1>";
    for (const auto& [did, uri, to, found] : std::vector<number_case>{
             {"+4930123", "sip:+4930123@192.0.2.1", elsewhere, true},
             {"+4930123", "sip:4930123@192.0.2.1", elsewhere, true},
             {"4930123", "sip:+4930123@192.0.2.1", elsewhere, true},
             {"4930123", "sip:4930123@192.0.2.1", elsewhere, true},
             {"+4930123", "sips:+4930123@192.0.2.1", elsewhere, true},
             {"+4930123", "tel:+49-30-123", elsewhere, true},
             {"+4930123", "sip:%2b4930123@192.0.2.1", elsewhere, true},
             {"+4930123", "sip:+4930123;npdi@192.0.2.1;user=phone", elsewhere, true},
             {"+4930123", "sip:+4930123@192.0.2.1:5060;user=phone", elsewhere, true},
             {"+4930123", "sip:+493012@192.0.2.1", elsewhere, false},
             {"+4930123", "sip:+49301234@192.0.2.1", elsewhere, false},
             {"+4930123", "sip:++4930123@192.0.2.1", elsewhere, false},
             {"+4930123", "sip:192.0.2.1", elsewhere, false},
             {"+4930123", "sip:trunk-user@192.0.2.1", "<sip:+4930123@192.0.2.1>", true},
             {"+4930123", "sip:192.0.2.1", "<sip:4930123@192.0.2.1>", true},
             {"*", "sip:anything@192.0.2.1", elsewhere, true},
             {"*", "sip:+1@192.0.2.1", elsewhere, true},
             {"*", "sip:192.0.2.1", "<sip:192.0.2.1>", false}}) {
        const std::string row = did + " by " + uri;
        CAPTURE(row);
        ringing d;
        auto config = driver::carrier();
        config.numbers = {{did, "someone"}};
        d.add(config);
        d.receive(request_text{.uri = uri, .to = to}.text());
        CHECK(support::status_of(d.last()) == (found ? "180" : "404"));
        if (!found) continue;
        REQUIRE(d.called.size() == 1);
        CHECK(d.called[0] == "carrier " + did + " someone");
    }
}

TEST_CASE("trunks::engine: the Request-URI's number wins over the To's, a number over *") {
    ringing d;
    auto config = driver::carrier();
    config.numbers = {{"*", "any"}, {"+1", "one"}, {"+2"}};
    config.default_agent = "default";
    d.add(config);
    d.receive(request_text{.uri = "sip:+1@a", .to = "<sip:+2@a>"}.text());
    d.receive(request_text{.uri = "sip:2@a", .call_id = "b", .branch = "z9hG4bKb"}.text());
    d.receive(request_text{.uri = "sip:3@a", .call_id = "c", .branch = "z9hG4bKc"}.text());
    const std::vector<std::string> expected{"carrier +1 one", "carrier +2 default",
                                            "carrier * any"};
    CHECK(d.called == expected);
}

TEST_CASE("trunks::engine: two trunks behind one address are told apart by number") {
    ringing d;
    auto config = driver::carrier();
    config.name = "first";
    config.numbers = {{"+1"}};
    d.add(config);
    config.name = "second";
    config.numbers = {{"+2"}};
    d.add(config);
    config.name = "third";
    config.numbers = {{"*"}};
    config.allow_from = {"198.51.100.9"};
    d.add(config);
    d.receive(request_text{.uri = "sip:2@a", .to = "<sip:x@a>"}.text());
    CHECK(support::status_of(d.last()) == "180");
    d.receive(
        request_text{.uri = "sip:1@a", .to = "<sip:x@a>", .call_id = "b", .branch = "z9hG4bKb"}
            .text());
    CHECK(support::status_of(d.last()) == "180");
    d.receive(
        request_text{.uri = "sip:3@a", .to = "<sip:x@a>", .call_id = "c", .branch = "z9hG4bKc"}
            .text());
    CHECK(support::status_of(d.last()) == "404");
    const std::vector<std::string> expected{"second +2 ", "first +1 "};
    CHECK(d.called == expected);
}

TEST_CASE("trunks::engine: allow_from decides before the addresses of gateways") {
    ringing d;
    auto config = driver::carrier();
    config.name = "by gateway";
    config.allow_from = {};
    config.gateways = {{"198.51.100.1"}};
    d.add(config);
    config.name = "by list";
    config.gateways = {};
    config.allow_from = {"198.51.100.1"};
    d.add(config);
    d.receive(request_text{}.text());
    REQUIRE(d.called.size() == 1);
    CHECK(d.called[0].starts_with("by list"));
    // Where neither has the number, it is the listed one that says so.
    d.receive(
        request_text{.uri = "sip:9@a", .to = "<sip:9@a>", .call_id = "b", .branch = "z9hG4bKb"}
            .text());
    CHECK(support::status_of(d.last()) == "404");
    REQUIRE(d.records.size() == 1);
    CHECK(d.records[0].trunk == "by list");
}

TEST_CASE("trunks::engine: a disabled trunk gives way to another that has the number too") {
    ringing d;
    auto config = driver::carrier();
    config.name = "off";
    config.inbound = false;
    d.add(config);
    config.name = "on";
    config.inbound = true;
    d.add(config);
    d.receive(request_text{}.text());
    REQUIRE(d.called.size() == 1);
    CHECK(d.called[0].starts_with("on "));
}

// What else comes from a known source.

TEST_CASE("trunks::engine: OPTIONS says what is spoken, and 503 while draining") {
    ringing d;
    d.add(driver::carrier());
    request_text request{.method = "OPTIONS", .uri = "sip:192.0.2.1"};
    d.receive(request.text());
    auto text = d.only();
    CHECK(support::status_of(text) == "200");
    CHECK(support::header(text, "Allow") ==
          "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY");
    CHECK(support::header(text, "Accept") == "application/sdp");
    d.receive(request.text());
    CHECK(d.only() == text);
    d.engine->drain();
    request.branch += "2";
    d.receive(request.text());
    text = d.only();
    CHECK(support::status_of(text) == "503");
    CHECK(support::header(text, "Retry-After") == "30");
}

TEST_CASE("trunks::engine: CANCEL is 200 and its INVITE 487, with one tag") {
    ringing d;
    d.add(driver::carrier());
    const request_text request;
    d.receive(request.text());
    const auto ringing = d.last();
    d.receive(request.cancel());
    const auto texts = d.texts();
    REQUIRE(texts.size() == 2);
    CHECK(support::start_line(texts[0]) == "SIP/2.0 200 OK");
    CHECK(support::header(texts[0], "CSeq") == "1 CANCEL");
    CHECK(support::start_line(texts[1]) == "SIP/2.0 487 Request Terminated");
    CHECK(support::header(texts[1], "CSeq") == "1 INVITE");
    CHECK(support::tag(texts[0], "To") == support::tag(ringing, "To"));
    CHECK(support::tag(texts[1], "To") == support::tag(ringing, "To"));
    REQUIRE(d.records.size() == 1);
    CHECK(d.records[0].ended_by == ended_by::caller);
    CHECK(d.records[0].sip_code == 487);
    d.receive(request.ack(texts[1]));
    d.receive(request.cancel()); // Late, and again: absorbed.
    CHECK(support::header(d.only(), "CSeq") == "1 CANCEL");
    d.advance(40s);
    CHECK(d.empty());
}

TEST_CASE("trunks::engine: CANCEL of nothing is 481, of a removed trunk's call it works") {
    ringing d;
    d.add(driver::carrier());
    request_text request;
    d.receive(request_text{.branch = "z9hG4bKnone"}.cancel());
    CHECK(support::status_of(d.only()) == "481");
    d.receive(request.text());
    d.trunks.clear();
    d.publish();
    static_cast<void>(d.texts());
    d.receive(request.cancel());
    const auto texts = d.texts();
    REQUIRE(texts.size() == 2);
    CHECK(support::status_of(texts[0]) == "200");
    CHECK(support::status_of(texts[1]) == "487");
}

TEST_CASE("trunks::engine: requests in a call may come from its Contact, others from nowhere") {
    ringing d;
    d.add(driver::carrier());
    request_text request;
    request.contact = "<sip:media@203.0.113.9>";
    d.receive(request.text());
    REQUIRE(d.handles.size() == 1);
    d.handles[0].post([](call& which) { CHECK(which.answer(std::make_unique<agent>())); });
    d.settle();
    const auto ok = d.last();
    REQUIRE(support::status_of(ok) == "200");
    // From an address that no trunk knows, and the caller's Contact names.
    d.receive("203.0.113.9:5060", request.ack(ok));
    d.advance(1s);
    CHECK(d.texts().empty());
    // A tag that is not quite ours is nobody's, and a Call-ID that is not the call's either.
    auto forged = request.within("BYE", ok);
    forged.to.back() = forged.to.back() == 'a' ? 'b' : 'a';
    d.receive(support::stranger_at, forged.text());
    CHECK(support::status_of(d.only()) == "403");
    forged = request.within("BYE", ok);
    forged.call_id = "guessed";
    forged.branch += "2";
    d.receive("203.0.113.67:5060", forged.text());
    CHECK(support::status_of(d.only()) == "481");
    CHECK(d.engine->calls() == 1);
    d.receive("203.0.113.9:5060", request.within("BYE", ok).text());
    CHECK(support::status_of(d.only()) == "200");
    CHECK(d.sent.back().to == *endpoint::parse("203.0.113.9:5060"));
    REQUIRE(d.records.size() == 1);
    CHECK(d.records[0].ended_by == ended_by::caller);
    CHECK(d.records[0].answered.has_value());
    d.advance(40s);
    CHECK(d.empty());
}

TEST_CASE("trunks::engine: a call is remembered with all that is known of it") {
    ringing d;
    d.add(driver::carrier());
    const request_text request;
    d.receive(request.text());
    d.advance(3s);
    d.handles[0].post([](call& which) { CHECK(which.answer(std::make_unique<agent>())); });
    d.settle();
    const auto ok = d.last();
    d.receive(request.ack(ok));
    d.advance(1s);
    for (std::uint16_t i = 0; i < 10; ++i) d.rtp("192.0.2.20:30000", i);
    d.advance(4s);
    auto bye = request.within("BYE", ok);
    bye.fields = "Reason: Q.850;cause=16;text=\"Normal call clearing\"\n";
    d.receive(bye.text());
    REQUIRE(d.records.size() == 1);
    const auto& record = d.records[0];
    CHECK(record.call_id == request.call_id);
    CHECK(record.direction == direction::inbound);
    CHECK(record.trunk == "carrier");
    CHECK(record.source == "198.51.100.1:5060");
    CHECK(record.from == "+49170");
    CHECK(record.to == "+4930123");
    CHECK(record.number == "+4930123");
    CHECK(record.agent == "desk");
    CHECK(record.started == time_point{1'000s});
    CHECK(record.ringing == 0s);
    CHECK(record.answered == 3s);
    CHECK(record.first_heard == 4s);
    CHECK_FALSE(record.first_said.has_value());
    CHECK(record.lasted == 8s);
    CHECK(record.ended_by == ended_by::caller);
    CHECK(record.codec == "PCMU");
    CHECK(record.media.received == 10);
    CHECK(record.media.sent > 200);
    CHECK(record.carrier_words == "Q.850;cause=16;text=\"Normal call clearing\"");
    CHECK(record.refused == diagnostic::none);
    CHECK(record.attempts.empty());
}

// RFC 3261 section 8.2.6.1.
TEST_CASE("trunks::engine: a 100 has the request's Timestamp, where that is a number") {
    for (const auto& [given, back] : std::vector<std::pair<std::string, std::string>>{
             {"54", "54"}, {"1234567.25", "1234567.25"}, {"yesterday", ""}, {"", ""}, {".", ""}}) {
        CAPTURE(given);
        ringing d;
        d.add(driver::carrier());
        request_text request;
        request.fields += "Timestamp: " + given + "\n";
        d.receive(request.text());
        const auto texts = d.texts();
        REQUIRE(texts.size() == 2);
        CHECK(support::status_of(texts[0]) == "100");
        CHECK(support::header(texts[0], "Timestamp") == back);
        CHECK(support::header(texts[1], "Timestamp").empty());
    }
}

// Timer A sends it again until it is answered (section 17.1.1.2), and each copy is answered.
TEST_CASE_FIXTURE(ringing, "trunks::engine: a malformed INVITE that is repeated is one record") {
    add(carrier());
    request_text request;
    request.from = "<sip:+49170@198.51.100.1;tag=theirs";
    for (int copy = 0; copy < 5; ++copy) {
        receive(request.text());
        CHECK(support::status_of(last()) == "400");
        advance(2s);
    }
    CHECK(records.size() == 1);
    CHECK(noted(diagnostic::refused_malformed) == 1);
    request.branch += "other";
    request.call_id += "other";
    receive(request.text());
    CHECK(records.size() == 2);
}

TEST_CASE("trunks::engine: a 302 of ours says where to, or is an error that names Contact") {
    for (const bool with : {false, true}) {
        CAPTURE(with);
        driver d;
        d.config.on_incoming = [&](incoming_call& call) {
            const std::vector<std::string> targets{"sip:+4930111@203.0.113.9"};
            const auto bare = call.reject(302);
            REQUIRE_FALSE(bare);
            CHECK(bare.reason().code == errc::missing);
            CHECK(bare.reason().field == static_cast<std::uint8_t>(sip::header::contact));
            CHECK(call.reject(486, {}, targets).reason().code == errc::mismatch);
            const std::vector<std::string> broken{"sip:a@b>\r\nX: y"};
            CHECK(call.reject(302, {}, broken).reason().code == errc::bad_address);
            if (with) CHECK(call.reject(302, {}, targets));
        };
        d.add(driver::carrier());
        d.receive(request_text{}.text());
        if (!with) continue;
        const auto text = d.last();
        CHECK(support::status_of(text) == "302");
        CHECK(support::header(text, "Contact") == "<sip:+4930111@203.0.113.9>");
    }
}

} // namespace
} // namespace trunkline
