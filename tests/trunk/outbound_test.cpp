// Calls out: which gateway is tried, what it is sent, and when the next one has its turn.
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "trunk/driver.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::driver;

struct listener final : agent {
    std::vector<std::string>* told;
    std::vector<std::string>* initiated; ///< The numbers.
    listener(std::vector<std::string>& into, std::vector<std::string>& numbers)
        : told{&into},
          initiated{&numbers} {}
    void on_initiated(call& c) override { initiated->push_back(std::string{c.to()}); }
    void on_ringing(call&) override { told->push_back("ringing"); }
    void on_progress(call&, int code) override { told->push_back(std::to_string(code)); }
    void on_early_media(call&) override { told->push_back("early media"); }
    void on_answered(call&) override { told->push_back("answered"); }
    void on_ended(call&, const call_record&) override { told->push_back("ended"); }
};

struct dialler : driver {
    std::vector<std::string> told;
    std::vector<std::string> initiated;
    trunk_config wanted = carrier();

    dialler() {
        wanted.gateways = {{"198.51.100.1"}, {"198.51.100.2"}, {"198.51.100.3"}};
        wanted.caller_id = "+493012345";
    }
    void dial(dial_request what) {
        if (trunks.empty()) add(wanted);
        what.agent = std::make_unique<listener>(told, initiated);
        running().dial(std::move(what), now, out());
        settle();
    }
    /// calls_per_second keeps one from following the other at once.
    void take_turns() { advance(40ms); }
    void call(std::string to = "+4930999") {
        dial_request made;
        made.to = std::move(to);
        dial(std::move(made));
    }
    [[nodiscard]] std::vector<text_sent> invites() const {
        std::vector<text_sent> found;
        std::set<std::string> branches;
        for (const auto& each : sent) {
            if (!each.text.starts_with("INVITE ")) continue;
            if (branches.insert(support::branch(each.text)).second) found.push_back(each);
        }
        return found;
    }
    void answer(const std::string& request, const std::string& status) {
        receive(support::answer_to(request, status, "peer1",
                                   "Contact: <sip:gw@198.51.100.1:5060>\n",
                                   status.starts_with("2") ? support::their_sdp : std::string{}));
    }
    [[nodiscard]] std::string to_whom(std::size_t which) const {
        return to_text(invites()[which].to);
    }
    [[nodiscard]] const call_record& record() const {
        REQUIRE(records.size() == 1);
        return records[0];
    }
};

TEST_CASE_FIXTURE(dialler, "trunks::engine: what the dialling guard forbids rings no gateway") {
    for (const std::string to :
         {"+19005551234", "011870773111632", "tel:+1-900-555-1234",
          "sip:%2B19005551234@example.net", "911", "+911", "+1 900 5551234"}) {
        CAPTURE(to);
        records.clear();
        call(to);
        CHECK(texts().empty());
        CHECK(record().sip_code == 0);
        CHECK(record().failure == call_failure::not_dialable);
        CHECK(record().ended_by == ended_by::local_error);
        const bool emergency = to.ends_with("911");
        CHECK(record().reason.find(emergency ? "allow_emergency" : "deny_prefixes") !=
              std::string::npos);
        CHECK(trunks[0]->channels->taken() == 0);
    }
    CHECK(told == std::vector<std::string>(7, "ended"));
}

TEST_CASE_FIXTURE(dialler, "trunks::engine: a short code is dialled as it stands") {
    wanted.allow_emergency = true;
    SUBCASE("with leading_plus") {}
    SUBCASE("without leading_plus") {
        wanted.leading_plus = false;
    }
    for (const std::string to : {"911", "112", "1001", "116123", "tel:911;phone-context=+1"}) {
        CAPTURE(to);
        call(to);
        const auto digits = to.starts_with("tel:") ? std::string{"911"} : to;
        CHECK(support::start_line(only()) == "INVITE sip:" + digits + "@198.51.100.1 SIP/2.0");
        take_turns();
    }
    call("1161234");
    const auto seven = wanted.leading_plus ? "+1161234" : "1161234";
    CHECK(support::start_line(only()) ==
          "INVITE sip:" + std::string{seven} + "@198.51.100.1 SIP/2.0");
}

TEST_CASE_FIXTURE(dialler,
                  "trunks::engine: a token has no more calls at a time than its trunk says") {
    wanted.calls_per_token = 2;
    const auto by = [&](std::string token) {
        dial_request made;
        made.to = "+4930999";
        made.token = std::move(token);
        take_turns();
        dial(std::move(made));
        return texts().size();
    };
    CHECK(by("crm") == 1);
    const auto second = [&] {
        dial_request made;
        made.to = "+4930998";
        made.token = "crm";
        take_turns();
        dial(std::move(made));
        return only();
    }();
    CHECK(by("crm") == 0);
    CHECK(record().failure == call_failure::no_channel);
    CHECK(record().reason.find("calls_per_token") != std::string::npos);
    CHECK(by("batch") == 1); // Of another token,
    CHECK(by("") == 1);      // and of none.
    // One that has ended makes room for one.
    receive(support::answer_to(second, "486 Busy Here", "peer1"));
    static_cast<void>(texts());
    CHECK(by("crm") == 1);
    CHECK(by("crm") == 0);
}

TEST_CASE_FIXTURE(dialler, "trunks::engine: an INVITE says who calls whom, by way of whom") {
    wanted.headers = {{"P-Asserted-Identity", "<sip:+493012345@example.org>"}, {"X-Account", "7"}};
    call();
    const auto text = only();
    CHECK(support::start_line(text) == "INVITE sip:+4930999@198.51.100.1 SIP/2.0");
    CHECK(support::header(text, "From").starts_with("<sip:+493012345@192.0.2.1>;tag="));
    CHECK(support::header(text, "To") == "<sip:+4930999@198.51.100.1>");
    CHECK(support::header(text, "Contact") == "<sip:+493012345@192.0.2.1:5060>");
    CHECK(support::header(text, "Via").starts_with("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK"));
    CHECK(support::header(text, "Via").ends_with(";rport"));
    CHECK(support::header(text, "Max-Forwards") == "70");
    CHECK(support::header(text, "CSeq") == "1 INVITE");
    CHECK(support::header(text, "User-Agent") == "trunkline test");
    CHECK(support::header(text, "P-Asserted-Identity") == "<sip:+493012345@example.org>");
    CHECK(support::header(text, "X-Account") == "7");
    CHECK(support::header(text, "Content-Type") == "application/sdp");
    CHECK(support::header(text, "Content-Length") == std::to_string(support::body(text).size()));
    CHECK(support::body(text).find("m=audio 20002 RTP/AVP 0 8 ") != std::string::npos);
    CHECK(support::body(text).find("c=IN IP4 192.0.2.1\r\n") != std::string::npos);
}

TEST_CASE_FIXTURE(dialler, "trunks::engine: an agent knows its call before anything was sent") {
    call("4930999");
    CHECK(initiated == std::vector<std::string>{"+4930999"});
    CHECK(told.empty());
    call("a b"); // One that cannot be made was a call all the same.
    CHECK(initiated.size() == 2);
    CHECK(told == std::vector<std::string>{"ended"});
}

TEST_CASE("trunks::engine: dialled numbers begin with + or never do, names stay as they are") {
    struct row {
        bool plus;
        std::string dialled;
        std::string sent;
    };
    for (const auto& [plus, dialled, user] :
         std::vector<row>{{true, "4930999", "+4930999"},
                          {true, "+4930999", "+4930999"},
                          {false, "4930999", "4930999"},
                          {false, "+4930999", "4930999"},
                          {true, "alice", "alice"},
                          {true, "*97", "*97"},
                          {true, "tel:+49-30-999;x=1", "+4930999"},
                          {false, "tel:+49(30)999", "4930999"},
                          {true, "tel:", ""},
                          {false, "a b", ""},
                          {false, "", ""},
                          {false, "a@b", ""},
                          {false, "x\r\nVia: y", ""},
                          {true, "50%", "50%25"}}) {
        const std::string number = dialled;
        CAPTURE(number);
        dialler d;
        d.wanted.leading_plus = plus;
        d.call(dialled);
        if (user.empty()) {
            CHECK(d.sent.empty());
            CHECK(d.record().sip_code == 0);
            CHECK(d.record().failure == call_failure::not_dialable);
            continue;
        }
        CHECK(support::start_line(d.only()) == "INVITE sip:" + user + "@198.51.100.1 SIP/2.0");
    }
}

TEST_CASE_FIXTURE(dialler, "trunks::engine: a caller of one's own takes the place of caller_id") {
    dial({.to = "1", .from = "bob"});
    CHECK(support::header(only(), "From").starts_with("<sip:bob@192.0.2.1>;tag="));
    wanted.name = "anonymous";
    wanted.caller_id = "";
    add(wanted);
    dial({.to = "1", .trunk = "anonymous"});
    CHECK(support::header(last(), "From").starts_with("<sip:192.0.2.1>;tag="));
}

TEST_CASE_FIXTURE(dialler,
                  "trunks::engine: gateways are tried by priority, equal ones as they stand") {
    wanted.gateways = {
        {"198.51.100.1", 5070, 3}, {"198.51.100.2", 0, 1}, {"198.51.100.3", 5062, 1}};
    call();
    for (std::size_t i = 0; i < 3; ++i) answer(invites()[i].text, "503 Service Unavailable");
    REQUIRE(invites().size() == 3);
    CHECK(to_whom(0) == "198.51.100.2:5060");
    CHECK(to_whom(1) == "198.51.100.3:5062");
    CHECK(to_whom(2) == "198.51.100.1:5070");
    CHECK(support::start_line(invites()[1].text) ==
          "INVITE sip:+4930999@198.51.100.3:5062 SIP/2.0");
    REQUIRE(record().attempts.size() == 3);
    CHECK(record().attempts[0].gateway == "198.51.100.2");
    CHECK(record().attempts[1].gateway == "198.51.100.3:5062");
    CHECK(record().attempts[2].gateway == "198.51.100.1:5070");
    CHECK(record().sip_code == 503);
    CHECK(record().ended_by == ended_by::carrier);
    // Each INVITE is a call of its own.
    std::set<std::string> ids;
    for (const auto& each : invites()) ids.insert(support::header(each.text, "Call-ID"));
    CHECK(ids.size() == 3);
    CHECK(told == std::vector<std::string>{"ended"});
}

TEST_CASE("trunks::engine: the next gateway after 408, 478 and 5xx, after nothing else") {
    for (int status = 300; status < 700; ++status) {
        CAPTURE(status);
        dialler d;
        d.call();
        const auto first = d.only();
        d.answer(first, std::to_string(status) + " Words of theirs");
        const bool next = status == 408 || status == 478 || (status >= 500 && status < 600);
        CHECK(d.invites().size() == (next ? 2 : 1));
        CHECK(d.records.size() == (next ? 0 : 1));
        // Whatever it was, it is acknowledged by the transaction.
        const auto texts = d.texts();
        REQUIRE_FALSE(texts.empty());
        CHECK(support::start_line(texts[0]) == "ACK sip:+4930999@198.51.100.1 SIP/2.0");
        CHECK(support::branch(texts[0]) == support::branch(first));
        if (next) {
            d.answer(d.invites()[1].text, "486 Busy Here");
            CHECK(d.record().attempts.size() == 2);
            CHECK(d.record().attempts[0].reason.starts_with("Words of theirs"));
        }
        const bool callee = next || status == 486 || status == 600 || status == 603;
        CHECK(d.record().ended_by == (callee ? ended_by::callee : ended_by::carrier));
        CHECK(d.record().sip_code == (next ? 486 : status));
        CHECK(d.told == std::vector<std::string>{"ended"});
        d.advance(40s);
        CHECK(d.empty());
    }
}

TEST_CASE_FIXTURE(dialler, "trunks::engine: after early media there is no other gateway") {
    call();
    const auto invite = only();
    receive(support::answer_to(invite, "183 Session Progress", "peer1", {}, support::their_sdp));
    answer(invite, "503 Service Unavailable");
    CHECK(invites().size() == 1);
    CHECK(record().sip_code == 503);
    CHECK(told == std::vector<std::string>{"early media", "ended"});
}

TEST_CASE_FIXTURE(dialler, "trunks::engine: after ringing alone there still is") {
    call();
    const auto invite = only();
    receive(support::answer_to(invite, "180 Ringing"));
    answer(invite, "503 Service Unavailable");
    REQUIRE(invites().size() == 2);
    answer(invites()[1].text, "200 OK");
    CHECK(told == std::vector<std::string>{"ringing", "answered"});
}

TEST_CASE_FIXTURE(dialler, "trunks::engine: each gateway has its own time to say anything at all") {
    wanted.gateway_timeout = 3s;
    call();
    const auto began = now;
    advance(20s);
    REQUIRE(invites().size() == 3);
    CHECK(invites()[1].at == began + 3s);
    CHECK(invites()[2].at == began + 6s);
    CHECK(record().lasted == 9s);
    CHECK(record().sip_code == 0); // Nobody has sent a 408.
    CHECK_FALSE(record().by_wire);
    CHECK(record().failure == call_failure::gateway_silent);
    CHECK(record().ended_by == ended_by::timeout);
    REQUIRE(record().attempts.size() == 3);
    for (const auto& each : record().attempts) {
        CHECK(each.sip_code == 0);
        CHECK(each.failure == call_failure::gateway_silent);
        CHECK(each.took == 3s);
    }
    advance(100s);
    CHECK(empty());
}

TEST_CASE_FIXTURE(dialler, "trunks::engine: one that came to life too late is told to stop") {
    wanted.gateway_timeout = 1s;
    wanted.gateways.resize(2);
    call();
    advance(1s);
    REQUIRE(invites().size() == 2);
    answer(invites()[1].text, "200 OK");
    static_cast<void>(texts());
    // The first one rings after all, and then answers before it has read the CANCEL.
    receive(support::answer_to(invites()[0].text, "180 Ringing"));
    CHECK(support::start_line(only()).starts_with("CANCEL "));
    answer(invites()[0].text, "200 OK");
    const auto left = texts();
    REQUIRE(left.size() == 2);
    CHECK(left[0].starts_with("ACK "));
    CHECK(left[1].starts_with("BYE "));
    answer(left[1], "200 OK");
    CHECK(engine->calls() == 1);
    CHECK(told == std::vector<std::string>{"answered"});
    CHECK(open_ports.size() == 1);
}

TEST_CASE_FIXTURE(dialler,
                  "trunks::engine: 100 is a sign of life, ringing_timeout counts from the dial") {
    wanted.gateway_timeout = 2s;
    dial({.to = "1", .ringing_timeout = 10s});
    const auto invite = only();
    receive(support::answer_to(invite, "100 Trying", ""));
    advance(9s);
    CHECK(invites().size() == 1);
    CHECK(records.empty());
    advance(2s);
    const auto cancel = last();
    CHECK(support::start_line(cancel) == "CANCEL sip:1@198.51.100.1 SIP/2.0");
    CHECK(support::branch(cancel) == support::branch(invite));
    CHECK(support::header(cancel, "CSeq") == "1 CANCEL");
    CHECK(record().ended_by == ended_by::timeout);
    CHECK(record().sip_code == 0);
    CHECK(record().failure == call_failure::not_answered);
    CHECK(record().lasted == 10s);
    REQUIRE(record().attempts.size() == 1);
    CHECK(record().attempts[0].gateway == "198.51.100.1");
    CHECK(told == std::vector<std::string>{"ended"});
    answer(cancel, "200 OK");
    answer(invite, "487 Request Terminated");
    CHECK(support::start_line(last()).starts_with("ACK "));
    advance(40s);
    CHECK(empty());
}

TEST_CASE_FIXTURE(dialler,
                  "trunks::engine: a carrier that says 100 and nothing more leaves nothing") {
    wanted.channels = 100;
    for (int i = 0; i < 20; ++i) {
        advance(100ms); // The trunk's rate is not what this is about.
        dial({.to = "1", .ringing_timeout = 5s});
        receive(support::answer_to(last(), "100 Trying", ""));
    }
    advance(10 * 64 * 500ms);
    CHECK(records.size() == 20);
    CHECK(empty());
}

TEST_CASE_FIXTURE(dialler, "trunks::engine: an unreachable gateway gives way at once") {
    unreachable.insert(*endpoint::parse("198.51.100.1:5060"));
    call();
    REQUIRE(invites().size() == 1);
    CHECK(to_whom(0) == "198.51.100.2:5060");
    // ICMP, when the INVITE has left already.
    running().receive(
        inputs::send_failed{flow_of(*endpoint::parse("198.51.100.2:5060")), {}, cause::unreachable},
        now, out());
    settle();
    REQUIRE(invites().size() == 2);
    CHECK(to_whom(1) == "198.51.100.3:5060");
    // Once somebody is there, a stray ICMP does not end the call.
    receive(support::answer_to(invites()[1].text, "180 Ringing"));
    running().receive(
        inputs::send_failed{flow_of(*endpoint::parse("198.51.100.3:5060")), {}, cause::unreachable},
        now, out());
    settle();
    answer(invites()[1].text, "200 OK");
    CHECK(told == std::vector<std::string>{"ringing", "answered"});
}

TEST_CASE_FIXTURE(
    dialler, "trunks::engine: where nobody can be reached no status is made up, by no carrier") {
    for (const auto* gone : {"198.51.100.1:5060", "198.51.100.2:5060", "198.51.100.3:5060"}) {
        unreachable.insert(*endpoint::parse(gone));
    }
    call();
    CHECK(sent.empty());
    CHECK(record().sip_code == 0);
    CHECK_FALSE(record().by_wire);
    CHECK(record().ended_by == ended_by::local_error);
    CHECK(record().failure == call_failure::not_reached);
    REQUIRE(record().attempts.size() == 3);
    for (const auto& each : record().attempts) {
        CHECK(each.sip_code == 0);
        CHECK(each.failure == call_failure::not_reached);
        CHECK(each.reason.starts_with("the gateway cannot be reached: "));
    }
    CHECK(trunks[0]->channels->taken() == 0);
    CHECK(empty());
}

// RFC 3261 section 21.1 and RFC 6228: each says something of its own.
TEST_CASE_FIXTURE(dialler, "trunks::engine: 180 alone is ringing, the others are told by name") {
    call();
    const auto invite = only();
    receive(support::answer_to(invite, "100 Trying", ""));
    for (const auto* status :
         {"181 Forwarded", "182 Queued", "183 Session Progress", "199 Gone", "182 Queued, still"}) {
        receive(support::answer_to(invite, status));
        advance(100ms);
    }
    CHECK(told == std::vector<std::string>{"181", "182", "183", "199", "182"});
    receive(support::answer_to(invite, "180 Ringing"));
    receive(support::answer_to(invite, "183 Progress", "peer1", {}, support::their_sdp));
    answer(invite, "486 Busy Here");
    CHECK(told == std::vector<std::string>{"181", "182", "183", "199", "182", "ringing",
                                           "early media", "ended"});
    CHECK(record().ringing == 500ms);
    std::vector<int> codes;
    for (const auto& one : record().progress) codes.push_back(one.sip_code);
    CHECK(codes == std::vector<int>{181, 182, 183, 199, 180});
    CHECK(record().progress[1].at == 100ms);
    CHECK(provisional_words(181) == "call is being forwarded");
    CHECK(provisional_words(182) == "queued");
    CHECK(provisional_words(183) == "session progress");
    CHECK(provisional_words(199) == "early dialog terminated");
}

TEST_CASE_FIXTURE(dialler, "trunks::engine: early media without a 180 is no ringing") {
    call();
    receive(support::answer_to(only(), "183 Progress", "peer1", {}, support::their_sdp));
    answer(invites()[0].text, "486 Busy Here");
    CHECK_FALSE(record().ringing);
}

TEST_CASE_FIXTURE(dialler, "trunks::engine: where a 302 says the callee is stands in the record") {
    call();
    receive(support::answer_to(only(), "302 Moved Temporarily", "peer1",
                               "Contact: <sip:+4930111@203.0.113.9:5070>;q=0.9, "
                               "\"B\" <sip:b@example.net>;q=0.1\n"));
    CHECK(record().sip_code == 302);
    CHECK(record().by_wire);
    REQUIRE(record().attempts.size() == 1);
    CHECK(record().attempts[0].targets ==
          std::vector<std::string>{"sip:+4930111@203.0.113.9:5070", "sip:b@example.net"});
}

TEST_CASE_FIXTURE(dialler, "trunks::engine: a ringing_timeout that is none is named") {
    for (const auto wrong : {-1s, 0s, 86'401s}) {
        dial({.to = "1", .ringing_timeout = wrong});
        CHECK(records.back().failure == call_failure::not_dialable);
        CHECK(records.back().reason.starts_with("ringing_timeout "));
    }
    CHECK(texts().empty());
}

TEST_CASE_FIXTURE(dialler,
                  "trunks::engine: a sole gateway that rests is asked by one call a second") {
    wanted.gateways.resize(1);
    wanted.channels = 100;
    const auto busy = [&](const std::string& fields) {
        receive(support::answer_to(last(), "503 Service Unavailable", "x", fields));
    };
    call();
    busy("Retry-After: 30\n");
    std::size_t asked = 1;
    for (int tenth = 1; tenth <= 35; ++tenth) {
        advance(100ms);
        call();
        if (invites().size() == asked) continue;
        ++asked;
        busy("Retry-After: 30\n");
        CHECK(tenth % 10 == 0);
    }
    CHECK(asked == 4); // The first one, and one in each of three seconds.
    CHECK(records.back().failure == call_failure::gateway_resting);
    CHECK(records.back().sip_code == 0);
}

// RFC 3261 section 21.5.4 gives Retry-After this meaning in a 503; in a 486 it is the callee's.
TEST_CASE_FIXTURE(dialler, "trunks::engine: Retry-After in other failures lets no gateway rest") {
    for (const auto* status : {"480 Temporarily Unavailable", "486 Busy Here", "404 Not Found",
                               "600 Busy Everywhere", "603 Decline"}) {
        CAPTURE(status);
        const auto before = invites().size();
        call();
        REQUIRE(invites().size() == before + 1);
        CHECK(to_whom(before) == "198.51.100.1:5060");
        receive(support::answer_to(invites().back().text, status, "x", "Retry-After: 60\n"));
        advance(100ms);
    }
}

// The vector of RFC 7616 section 3.9.1 is an HTTP one; the formula is the same. Here it is computed
// by hand, with the hash alone taken from the library.
[[nodiscard]] std::string quoted(const std::string& line, std::string_view name) {
    const auto at = line.find(std::string{name} + "=\"");
    if (at == std::string::npos) return {};
    const auto start = at + name.size() + 2;
    return line.substr(start, line.find('"', start) - start);
}

TEST_CASE("trunks::engine: answers a challenge of the carrier, proxy or not, MD5 or SHA-256") {
    for (const auto& [status, asks, answers] : std::vector<std::array<std::string, 3>>{
             {"401 Unauthorized", "WWW-Authenticate", "Authorization"},
             {"407 Proxy Authentication Required", "Proxy-Authenticate", "Proxy-Authorization"}}) {
        for (const auto algorithm : {crypto::hash_algorithm::md5, crypto::hash_algorithm::sha256}) {
            dialler d;
            d.wanted.auth = userpass{"user", "secret"};
            d.call();
            const auto invite = d.only();
            const std::string named = algorithm == crypto::hash_algorithm::md5 ? "MD5" : "SHA-256";
            d.receive(support::answer_to(invite, status, "peer1",
                                         asks + ": Digest realm=\"them\",nonce=\"abc\",algorithm=" +
                                             named + ",qop=\"auth\",opaque=\"xyz\"\n"));
            const auto texts = d.texts();
            REQUIRE(texts.size() == 2);
            CHECK(texts[0].starts_with("ACK "));
            const auto& again = texts[1];
            CHECK(support::header(again, "CSeq") == "2 INVITE");
            CHECK(support::header(again, "Call-ID") == support::header(invite, "Call-ID"));
            CHECK(support::tag(again, "From") == support::tag(invite, "From"));
            CHECK(support::branch(again) != support::branch(invite));
            CHECK(support::tag(again, "To").empty());
            const auto line = support::header(again, answers);
            CHECK(quoted(line, "username") == "user");
            CHECK(quoted(line, "realm") == "them");
            CHECK(quoted(line, "opaque") == "xyz");
            CHECK(quoted(line, "uri") == "sip:+4930999@198.51.100.1");
            CHECK(line.find(",nc=00000001,") != std::string::npos);
            const auto a1 = crypto::hash(algorithm, {"user:them:secret"});
            const auto a2 = crypto::hash(algorithm, {"INVITE:sip:+4930999@198.51.100.1"});
            const auto expected =
                crypto::hash(algorithm, {a1.view(), ":abc:00000001:", quoted(line, "cnonce"),
                                         ":auth:", a2.view()});
            CHECK(quoted(line, "response") == expected.view());
            // Challenged again without stale, the password is wrong: no endless loop, no failover.
            d.receive(
                support::answer_to(again, status, "peer1",
                                   asks + ": Digest realm=\"them\",nonce=\"def\",qop=\"auth\"\n"));
            CHECK(d.invites().size() == 2);
            CHECK(std::to_string(d.record().sip_code) == status.substr(0, 3));
            CHECK(d.noted(diagnostic::challenge_ignored) == 1);
        }
    }
}

TEST_CASE_FIXTURE(dialler, "trunks::engine: a call out ends with BYE and frees its channel") {
    wanted.channels = 1;
    call();
    answer(only(), "200 OK");
    CHECK(trunks[0]->channels->taken() == 1);
    call("2");
    REQUIRE(records.size() == 1);
    CHECK(records[0].sip_code == 0);
    CHECK(records[0].failure == call_failure::no_channel);
    CHECK(records[0].ended_by == ended_by::local_error);
    auto bye = support::request_text{.method = "BYE", .branch = "z9hG4bKbye"};
    const auto invite = invites()[0].text;
    bye.from = support::header(invite, "To") + ";tag=peer1";
    bye.to = support::header(invite, "From");
    bye.call_id = support::header(invite, "Call-ID");
    receive(bye.text());
    CHECK(support::status_of(last()) == "200");
    REQUIRE(records.size() == 2);
    CHECK(records[1].ended_by == ended_by::callee);
    REQUIRE(records[1].attempts.size() == 1);
    CHECK(records[1].attempts[0].reason == "answered");
    CHECK(trunks[0]->channels->taken() == 0);
    advance(40s);
    CHECK(empty());
}

TEST_CASE("trunks::engine: what cannot be dialled is told by on_ended, and takes no channel") {
    const auto check = [](const std::function<void(dialler&)>& prepare, std::string trunk,
                          call_failure why) {
        dialler d;
        prepare(d);
        dial_request wanted;
        wanted.to = "1";
        wanted.trunk = std::move(trunk);
        d.dial(std::move(wanted));
        CHECK(d.record().sip_code == 0);
        CHECK(d.record().failure == why);
        CHECK(d.record().ended_by == ended_by::local_error);
        CHECK(d.told == std::vector<std::string>{"ended"});
        CHECK(d.sent.empty());
        for (const auto& each : d.trunks) CHECK(each->channels->taken() == 0);
        CHECK(d.empty());
    };
    check([](dialler& d) { d.wanted.outbound = false; }, "", call_failure::no_route);
    check([](dialler& d) { d.wanted.outbound = false; }, "carrier", call_failure::no_route);
    check([](dialler&) {}, "nobody", call_failure::no_route);
    check([](dialler& d) { d.wanted.gateways.clear(); }, "carrier", call_failure::no_route);
    check([](dialler& d) { d.running().drain(); }, "", call_failure::draining);
}

TEST_CASE_FIXTURE(dialler,
                  "trunks::engine: without a port for its media a call out ends in words of ours") {
    ports_left = false;
    call();
    CHECK(sent.empty());
    CHECK(record().ended_by == ended_by::local_error);
    CHECK(record().sip_code == 0);
    CHECK(record().failure == call_failure::no_media);
    CHECK(told == std::vector<std::string>{"ended"});
    CHECK(engine->idle());
}

// Names.

struct named : dialler {
    const address one = address::v4(198, 51, 100, 21);
    const address two = address::v4(198, 51, 100, 22);
    const address six = *address::parse("2001:db8::5");

    named() {
        wanted.allow_from = {};
        wanted.gateways = {{"sip.example.net", 5060}}; // With a port: addresses and nothing else.
        config.on_incoming = [](incoming_call& c) { CHECK(c.ringing()); };
    }
    [[nodiscard]] std::string call_from(const std::string& where) {
        request.branch += 'x';
        request.call_id += 'x';
        advance(1s); // So that a stranger is told.
        receive(where, request.text());
        return support::status_of(last());
    }
    support::request_text request;
};

TEST_CASE_FIXTURE(named,
                  "trunks::engine: all addresses of a name are tried, then the next gateway") {
    wanted.gateways.push_back({"198.51.100.3"});
    add(wanted);
    REQUIRE(questions.size() == 2);
    call();
    CHECK(sent.empty()); // It waits for the name.
    resolve("sip.example.net", {one, two}, 60, 0, {six});
    for (std::size_t i = 0; i < 4; ++i) {
        REQUIRE(invites().size() == i + 1);
        answer(invites()[i].text, "503 Service Unavailable");
    }
    CHECK(to_whom(0) == "198.51.100.21:5060");
    CHECK(to_whom(1) == "198.51.100.22:5060");
    CHECK(to_whom(2) == "[2001:db8::5]:5060");
    CHECK(to_whom(3) == "198.51.100.3:5060");
    // The name stays in the Request-URI, whichever address it is sent to.
    CHECK(support::start_line(invites()[1].text) == "INVITE sip:+4930999@sip.example.net SIP/2.0");
    CHECK(record().attempts.size() == 4);
}

TEST_CASE_FIXTURE(named, "trunks::engine: a name that nobody knows is told as that, at once") {
    add(wanted);
    call();
    resolve("sip.example.net", {}, 60, 3);
    CHECK(record().sip_code == 0);
    CHECK(record().ended_by == ended_by::local_error);
    CHECK(record().failure == call_failure::name_unresolved);
    CHECK(record().reason == "'sip.example.net' cannot be resolved");
    REQUIRE(record().attempts.size() == 1);
    CHECK(record().attempts[0].failure == call_failure::name_unresolved);
    CHECK(sent.empty());
}

TEST_CASE_FIXTURE(named, "trunks::engine: nobody waits for a name longer than two seconds") {
    wanted.gateways.push_back({"198.51.100.3"});
    add(wanted);
    call();
    advance(1900ms);
    CHECK(sent.empty());
    advance(200ms);
    REQUIRE(invites().size() == 1);
    CHECK(to_whom(0) == "198.51.100.3:5060");
}

TEST_CASE_FIXTURE(named, "trunks::engine: while a name is looked up the ringing timeout runs") {
    add(wanted);
    dial({.to = "1", .ringing_timeout = 1s});
    advance(1500ms);
    CHECK(record().ended_by == ended_by::timeout);
    CHECK(trunks[0]->channels->taken() == 0);
    resolve("sip.example.net", {one});
    CHECK(sent.empty());
}

TEST_CASE_FIXTURE(named,
                  "trunks::engine: a carrier is known by what its gateways' names stand for") {
    add(wanted);
    CHECK(call_from("198.51.100.21:5060") == "403");
    resolve("sip.example.net", {one}, 60, 0, {six});
    CHECK(call_from("198.51.100.21:5060") == "180");
    CHECK(call_from("198.51.100.21:7777") == "180"); // From whatever port.
    CHECK(call_from("[2001:db8::5]:5060") == "180");
    CHECK(call_from("198.51.100.22:5060") == "403");
}

TEST_CASE_FIXTURE(named, "trunks::engine: names are looked up again when their time is over") {
    add(wanted);
    resolve("sip.example.net", {one}, 60, 0, {six});
    CHECK(questions.empty());
    advance(57s);
    CHECK(questions.empty());
    advance(2s); // Before it is over, so that there never is a gap.
    REQUIRE(questions.size() == 2);
    resolve("sip.example.net", {two}, 60, 0, {six});
    CHECK(call_from("198.51.100.22:5060") == "180");
    CHECK(call_from("198.51.100.21:5060") == "403");
    // A TTL of nothing does not mean to ask without end, nor a long one to ask never.
    advance(60s);
    const auto asked_at = now;
    resolve("sip.example.net", {one}, 0, 0, {six});
    advance(4s);
    CHECK(questions.empty());
    advance(2s);
    CHECK(questions.size() == 2);
    resolve("sip.example.net", {one}, 1'000'000, 0, {six});
    advance(299s);
    CHECK(questions.empty());
    advance(2s);
    CHECK(questions.size() == 2);
    CHECK(asked_at < now);
}

TEST_CASE_FIXTURE(named, "trunks::engine: a name server that fails takes no gateway away") {
    add(wanted);
    resolve("sip.example.net", {one}, 30, 0, {six});
    for (const auto rcode :
         {std::optional<unsigned>{2}, std::optional<unsigned>{5}, std::optional<unsigned>{}}) {
        advance(40s);
        REQUIRE(questions.size() == 2);
        resolve("sip.example.net", {}, 30, rcode);
        CHECK(call_from("198.51.100.21:5060") == "180");
        CHECK(questions.empty());
    }
    CHECK(noted(diagnostic::resolve_failed) == 6);
    // Bytes that are no answer are no answer.
    advance(15s);
    for (const auto& each : std::exchange(questions, {})) {
        std::array<std::byte, 13> broken{};
        broken[5] = std::byte{9};
        broken[7] = std::byte{9};
        running().receive(inputs::resolved{each.asked, broken, {}}, now, out());
        settle();
    }
    CHECK(call_from("198.51.100.21:5060") == "180");
}

TEST_CASE_FIXTURE(named, "trunks::engine: what the hosts file says is an answer, too") {
    add(wanted);
    const std::array<address, 1> hosts{one};
    for (const auto& each : std::exchange(questions, {})) {
        const bool v4 = each.type == record_type::a;
        running().receive(
            inputs::resolved{each.asked, {}, v4 ? std::span{hosts} : std::span<const address>{}},
            now, out());
        settle();
    }
    CHECK(call_from("198.51.100.21:5060") == "180");
}

TEST_CASE_FIXTURE(named, "trunks::engine: names of trunks that went are forgotten") {
    add(wanted);
    resolve("sip.example.net", {one}, 30);
    trunks.clear();
    publish();
    CHECK_FALSE(engine->next_deadline());
    CHECK(call_from("198.51.100.21:5060") == "403");
    advance(100s);
    CHECK(questions.empty());
}

} // namespace
} // namespace trunkline
