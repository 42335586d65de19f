// What an application does with a call beside talking: transfers, and what headers say about who
// calls.
#include <string>
#include <utility>
#include <vector>

#include "trunk/driver.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::driver;
using support::other_at;
using support::request_text;

struct clerk final : agent {
    std::vector<std::string>* told;
    bool takes_referrals;
    clerk(std::vector<std::string>& into, bool takes) : told{&into}, takes_referrals{takes} {}
    void on_transfer(call&, const transfer_progress& what) override {
        constexpr std::array<std::string_view, 5> names{"accepted", "trying", "succeeded", "failed",
                                                        "unknown"};
        told->push_back(std::string{names[static_cast<std::size_t>(what.state)]} + ' ' +
                        std::to_string(what.status));
    }
    void on_referred(call& c, std::string_view target) override {
        told->push_back("referred to " + std::string{target});
        if (takes_referrals) return;
        agent::on_referred(c, target);
    }
    void on_ended(call&, const call_record&) override { told->push_back("ended"); }
};

struct office : driver {
    std::vector<std::string> told;
    bool takes_referrals = false;
    call_handle handle;
    request_text request;
    std::string ok;

    office() {
        config.on_incoming = [this](incoming_call& call) {
            handle = call.handle();
            CHECK(call.answer(std::make_unique<clerk>(told, takes_referrals)));
        };
    }
    void answered(trunk_config wanted = carrier()) {
        add(std::move(wanted));
        receive(request.text());
        ok = last();
        REQUIRE(support::status_of(ok) == "200");
        receive(request.ack(ok));
        static_cast<void>(texts());
    }
    void transfer(const std::string& to, bool good = true) {
        REQUIRE(handle.post([=](call& c) { CHECK(c.transfer(to).has_value() == good); }));
        settle();
    }
    [[nodiscard]] std::string within(std::string method, unsigned cseq, const std::string& fields,
                                     const std::string& said = {}) {
        auto made = request.within(std::move(method), ok);
        made.cseq = cseq;
        made.branch += std::to_string(cseq);
        made.fields = fields;
        auto text = made.text();
        if (said.empty()) return text;
        return support::replaced(text, "Content-Length: 0\r\n\r\n",
                                 "Content-Type: message/sipfrag\r\nContent-Length: " +
                                     std::to_string(said.size()) + "\r\n\r\n" + said);
    }
};

TEST_CASE_FIXTURE(office, "trunks::engine: no peer is asked to call what the trunk does not dial") {
    answered();
    for (const std::string to :
         {"+19005551234", "tel:+1-900-555-1234", "sip:%2B1900%35551234@carrier.example;user=phone",
          "tel:5551234;phone-context=+1900", "008821234567", "+870773111632", "911",
          "sip:911@carrier.example", "sip:911@[2001:db8::1]", "tel:112"}) {
        CAPTURE(to);
        REQUIRE(handle.post([=](call& c) {
            const auto done = c.transfer(to);
            REQUIRE_FALSE(done);
            CHECK(done.reason().code == errc::forbidden);
        }));
        settle();
        CHECK(texts().empty());
    }
    // And the call can still be transferred elsewhere.
    transfer("tel:+4930777");
    CHECK(support::header(only(), "Refer-To") == "<tel:+4930777>");
}

TEST_CASE_FIXTURE(office,
                  "trunks::engine: an agent transfers a call, and the call is still its own") {
    answered();
    transfer("sip:+4930777@carrier.example");
    const auto refer = only();
    CHECK(support::header(refer, "Refer-To") == "<sip:+4930777@carrier.example>");
    receive(support::answer_to(refer, "202 Accepted", ""));
    receive(within("NOTIFY", 10, "Event: refer\nSubscription-State: terminated\n",
                   "SIP/2.0 486 Busy Here\r\n"));
    CHECK(told == std::vector<std::string>{"accepted 202", "failed 486"});
    CHECK(engine->calls() == 1);
    CHECK(handle.hang_up());
    settle();
    CHECK(told.back() == "ended");
}

TEST_CASE_FIXTURE(office,
                  "trunks::engine: a number is transferred to by way of the trunk's gateway") {
    auto wanted = carrier();
    wanted.gateways = {{"sip.carrier.example"}, {"198.51.100.2"}};
    answered(wanted);
    transfer("+4930777");
    const auto all = texts();
    CHECK(support::header(all.back(), "Refer-To") == "<sip:+4930777@sip.carrier.example>");
    transfer("+4930778", false); // One is under way.
    receive(within("BYE", 10, {}));
    CHECK(told == std::vector<std::string>{"unknown 0", "ended"});
}

TEST_CASE_FIXTURE(office, "trunks::engine: without a gateway a number is one of who called") {
    answered();
    transfer("+4930777");
    CHECK(support::header(only(), "Refer-To") == "<sip:+4930777@198.51.100.1>");
}

TEST_CASE_FIXTURE(office, "trunks::engine: a REFER that no agent wants is declined by NOTIFY") {
    answered();
    receive(within("REFER", 10, "Refer-To: <tel:+4930777>\n"));
    const auto all = texts();
    REQUIRE(all.size() == 3);
    CHECK(support::status_of(all[0]) == "202");
    CHECK(support::body(all[1]) == "SIP/2.0 100 Trying\r\n");
    CHECK(support::body(all[2]) == "SIP/2.0 603 Decline\r\n");
    CHECK(told == std::vector<std::string>{"referred to tel:+4930777"});
}

TEST_CASE_FIXTURE(office,
                  "trunks::engine: an agent that takes a REFER reports what becomes of it") {
    takes_referrals = true;
    answered();
    receive(within("REFER", 10, "Refer-To: <tel:+4930777>\n"));
    REQUIRE(handle.post([](call& c) {
        CHECK(c.report_referral(180));
        CHECK(c.report_referral(200));
        CHECK_FALSE(c.report_referral(200));
    }));
    settle();
    const auto all = texts();
    CHECK(support::body(all[all.size() - 2]) == "SIP/2.0 180 Ringing\r\n");
    CHECK(support::body(all.back()) == "SIP/2.0 200 OK\r\n");
}

TEST_CASE_FIXTURE(driver,
                  "trunks::engine: an application reads what the INVITE says about who calls") {
    std::vector<std::string> read;
    int fields = 0;
    config.on_incoming = [&](incoming_call& call) {
        for (const auto* name : {"Diversion", "p-asserted-identity", "PRIVACY", "Identity",
                                 "X-Carrier-Account", "s", "X-Absent"}) {
            read.emplace_back(call.header(name));
        }
        call.each_header([&](std::string_view, std::string_view) { ++fields; });
        CHECK(call.reject(603));
    };
    add(carrier());
    request_text request;
    request.fields = "Diversion: <sip:+49301@h>;reason=no-answer\nDiversion: <sip:+49302@h>\n"
                     "P-Asserted-Identity: \"A\" <sip:+49170@h>\nPrivacy: id\n"
                     "Identity: eyJhbGciOi;info=<https://c.example/c>;alg=ES256\n"
                     "x-carrier-account: 7\nSubject: hello\n";
    receive(request.text());
    CHECK(read == std::vector<std::string>{
                      "<sip:+49301@h>;reason=no-answer", "\"A\" <sip:+49170@h>", "id",
                      "eyJhbGciOi;info=<https://c.example/c>;alg=ES256", "7", "hello", ""});
    CHECK(fields >= 15);
}

struct dialler : driver {
    void dial(dial_request what) {
        running().dial(std::move(what), now, out());
        settle();
    }
    void refused(const std::string& fields) {
        receive(support::answer_to(last(), "503 Service Unavailable", "x", fields));
    }
};

TEST_CASE_FIXTURE(dialler, "trunks::engine: an anonymous caller is known to the carrier alone") {
    auto wanted = carrier();
    wanted.gateways = {{"198.51.100.1"}};
    wanted.headers = {{"X-Account", "7"}};
    add(wanted);
    dial({.to = "+4930999", .from = "+493012345", .anonymous = true, .headers = {{"X-Case", "8"}}});
    const auto invite = only();
    CHECK(support::header(invite, "From")
              .starts_with("\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag="));
    CHECK(support::header(invite, "Privacy") == "id");
    CHECK(support::header(invite, "Contact") == "<sip:anonymous@192.0.2.1:5060>");
    CHECK(support::header(invite, "P-Asserted-Identity") == "<sip:+493012345@192.0.2.1>");
    CHECK(support::header(invite, "X-Account") == "7");
    CHECK(support::header(invite, "X-Case") == "8");
    // What is wanted more exactly is said once. (The trunk takes so many calls a second.)
    now += 1s;
    dial({.to = "1", .anonymous = true, .headers = {{"Privacy", "header;id"}}});
    const auto exactly = last();
    CHECK(support::headers(exactly, "Privacy") == std::vector<std::string>{"header;id"});
}

TEST_CASE_FIXTURE(dialler,
                  "trunks::engine: headers that the library writes are not the caller's to set") {
    auto wanted = carrier();
    wanted.gateways = {{"198.51.100.1"}};
    add(wanted);
    for (const auto& [name, value] : {std::pair{"Via", "SIP/2.0/UDP h"}, std::pair{"X A", "1"},
                                      std::pair{"X-A", "1\r\nVia: x"}}) {
        CAPTURE(name);
        dial({.to = "+4930999", .headers = {{name, value}}});
        CHECK(records.back().failure == call_failure::not_dialable);
    }
    CHECK(texts().empty());
}

TEST_CASE_FIXTURE(dialler,
                  "trunks::engine: a gateway that says for how long it is overloaded is let rest") {
    auto wanted = carrier();
    wanted.gateways = {{"198.51.100.1"}, {"198.51.100.2"}};
    add(wanted);
    dial({.to = "+4930999"});
    refused("Retry-After: 5\n");                                         // By the first,
    receive(other_at, support::answer_to(last(), "486 Busy Here", "x")); // and the second has it.
    static_cast<void>(texts());
    advance(100ms); // The trunk's own rate has been kept.
    dial({.to = "+4930998"});
    REQUIRE(sent.back().text.starts_with("INVITE "));
    CHECK(to_text(sent.back().to) == other_at);
    receive(other_at,
            support::answer_to(last(), "503 Service Unavailable", "x", "Retry-After: 900\n"));
    CHECK(records.back().sip_code == 503);
    CHECK(records.back().attempts.size() == 2);
    advance(5s);
    dial({.to = "+4930997"});
    CHECK(to_text(sent.back().to) == support::carrier_at);
    receive(support::answer_to(last(), "486 Busy Here", "x"));
    advance(56s); // Nobody closes a gateway for a quarter of an hour.
    wanted.gateways = {{"198.51.100.2"}};
    trunks.clear();
    add(wanted);
    dial({.to = "+4930996"});
    CHECK(to_text(sent.back().to) == support::other_at);
}

TEST_CASE("trunks::compile: a session interval that nobody could keep is refused") {
    const auto compiled = [](std::chrono::seconds expires, std::chrono::seconds least) {
        auto wanted = driver::carrier();
        wanted.session_expires = expires;
        wanted.min_se = least;
        return trunks::compile(trunk_id{1}, wanted, "", std::make_shared<local_channels>(1U),
                               std::make_shared<local_call_rate>(30U));
    };
    CHECK(compiled(0s, 90s).has_value());
    CHECK(compiled(-1s, 90s).reason().field == "session_expires");
    CHECK(compiled(1800s, -1s).reason().field == "min_se");
    CHECK(compiled(90s, 90s).has_value());
    CHECK(compiled(1800s, 89s).reason().field == "min_se");
    CHECK(compiled(1800s, 3601s).reason().field == "min_se");
    CHECK(compiled(100s, 120s).reason().field == "session_expires");
    CHECK(compiled(86'401s, 90s).reason().field == "session_expires");
}

TEST_CASE("trunks::compile: a time to wait that is negative, nothing or days is named") {
    const auto field = [](std::chrono::milliseconds gateway, std::chrono::seconds ringing) {
        auto wanted = driver::carrier();
        wanted.gateway_timeout = gateway;
        wanted.ringing_timeout = ringing;
        const auto made =
            trunks::compile(trunk_id{1}, wanted, "", std::make_shared<local_channels>(1U),
                            std::make_shared<local_call_rate>(30U));
        return made ? std::string{} : made.reason().field;
    };
    CHECK(field(1ms, 1s).empty());
    CHECK(field(3'600'000ms, 86'400s).empty());
    CHECK(field(0ms, 60s) == "gateway_timeout");
    CHECK(field(-1ms, 60s) == "gateway_timeout");
    CHECK(field(3'600'001ms, 60s) == "gateway_timeout");
    CHECK(field(5s, 0s) == "ringing_timeout");
    CHECK(field(5s, -1s) == "ringing_timeout");
    CHECK(field(5s, 86'401s) == "ringing_timeout");
}

} // namespace
} // namespace trunkline
