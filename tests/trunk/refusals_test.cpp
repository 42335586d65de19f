// What is refused without a state, so that no flood of it takes more than its answers.
#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "trunk/credentials.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::credentials;
using support::driver;
using support::request_text;

/// A trunk that would ring, with a password or without one.
struct house : driver {
    request_text request;
    int next = 0;

    house() {
        config.on_incoming = [](incoming_call& call) { CHECK(call.ringing()); };
    }
    void open(bool guarded, unsigned calls_per_second = 30) {
        auto wanted = carrier();
        wanted.calls_per_second = calls_per_second;
        if (guarded) wanted.inbound_auth = userpass{"carrier", "secret", "here"};
        add(wanted);
    }
    /// A request with a branch of its own, and what is said to it.
    [[nodiscard]] std::string ask(const std::string& method, const std::string& fields = {}) {
        request.method = method;
        request.branch = "z9hG4bK" + std::to_string(++next);
        request.cseq += 1;
        request.fields = fields;
        receive(request.text());
        return only();
    }
    [[nodiscard]] std::string nonce() {
        const auto line = support::header(ask("OPTIONS"), "WWW-Authenticate");
        const auto at = line.find("nonce=\"") + 7;
        return line.substr(at, line.find('"', at) - at);
    }
    /// Nothing stands of what was refused, and nothing was told the application.
    void check_bare() {
        CHECK(engine->transactions() == 0);
        CHECK(engine->calls() == 0);
        CHECK_FALSE(engine->next_deadline().has_value());
        CHECK(records.empty());
    }
};

TEST_CASE("trunks::engine: what belongs to no call is 481 before rate, password and number") {
    for (const bool guarded : {false, true}) {
        house d;
        d.open(guarded, 1);
        d.request.to = "<sip:+1999@192.0.2.1>;tag=gone";
        d.request.uri = "sip:+1999@192.0.2.1";
        for (int i = 0; i < 20; ++i) {
            for (const auto* method : {"INVITE", "OPTIONS", "BYE", "INFO", "UPDATE", "PRACK",
                                       "REFER", "NOTIFY", "MESSAGE"}) {
                CAPTURE(method);
                const auto refused = d.ask(method);
                CHECK(support::status_of(refused) == "481");
                d.receive(d.request.text());
                CHECK(d.only() == refused); // The same again, with the same tag.
            }
        }
        CHECK(d.noted(diagnostic::request_unmatched) == 2 * 20 * 9);
        d.check_bare();
        // And so where no tag says that there was a call, and the method does.
        d.request.to = "<sip:+4930123@192.0.2.1>";
        for (const auto* method : {"BYE", "INFO", "UPDATE", "PRACK", "REFER", "NOTIFY"}) {
            CAPTURE(method);
            CHECK(support::status_of(d.ask(method)) == "481");
        }
        d.check_bare();
    }
}

TEST_CASE_FIXTURE(house,
                  "trunks::engine: a BYE of no call tells nobody whether a password is good") {
    open(true);
    const auto given = nonce();
    request.to = "<sip:+4930123@192.0.2.1>;tag=gone";
    for (const auto* password : {"guess", "secret"}) {
        CAPTURE(password);
        credentials shown{.password = password, .nonce = given, .method = "BYE"};
        CHECK(support::status_of(ask("BYE", shown.line())) == "481");
    }
    check_bare();
}

TEST_CASE_FIXTURE(house,
                  "trunks::engine: a 481 without a state is sent once, and its ACK gets nothing") {
    open(false);
    request.to = "<sip:+4930123@192.0.2.1>;tag=gone";
    const auto refused = ask("INVITE");
    receive(request.ack(refused));
    CHECK(texts().empty());
    advance(1min);
    CHECK(texts().empty()); // Nor is the 481 sent again to whoever is in the source's place.
    check_bare();
}

TEST_CASE_FIXTURE(house, "trunks::engine: what begins no call is answered without a transaction") {
    open(false);
    for (const auto& [method, status] :
         {std::pair{"OPTIONS", "200"}, {"REGISTER", "405"}, {"FROB", "501"}, {"CANCEL", "481"}}) {
        const auto said = ask(method);
        CHECK(support::status_of(said) == status);
        receive(request.text());
        CHECK(only() == said);
    }
    CHECK(support::status_of(ask("OPTIONS", "Require: unheard-of\n")) == "420");
    check_bare();
}

TEST_CASE_FIXTURE(house,
                  "trunks::engine: whose password was heard is told the same a second time") {
    open(true);
    const auto given = nonce();
    unsigned count = 0;
    for (const auto& [method, status] : {std::pair{"OPTIONS", "200"}, {"REGISTER", "405"}}) {
        credentials shown{
            .nonce = given, .nc = "0000000" + std::to_string(++count), .method = method};
        const auto said = ask(method, shown.line());
        CHECK(support::status_of(said) == status);
        receive(request.text()); // Its count is used up, so that only a transaction knows it.
        CHECK(only() == said);
    }
    CHECK(engine->transactions() == 2);
    CHECK(records.empty());
    advance(40s);
    CHECK(empty());
}

TEST_CASE(
    "trunks::engine: of each kind of flood there are few records, and the others are counted") {
    house d;
    d.open(true, 10'000);
    const auto given = d.nonce();
    // Not of guesses, which are slowed: see unshown_sources_test.cpp.
    const auto elsewhere = credentials{.nonce = given, .uri = "sip:+4930999@192.0.2.1"}.line();
    const auto old = credentials{.nonce = std::string(48, '0')}.line();
    struct kind {
        diagnostic why;
        std::int64_t detail;
        int status;
        std::function<std::string()> refuse;
        std::int64_t refused = 0;
    };
    int sources = 0;
    std::vector<kind> kinds{
        {diagnostic::refused_malformed, static_cast<std::int64_t>(errc::bad_token), 400,
         [&] { return d.ask("INVITE", "Replaces: x\n"); }},
        {diagnostic::refused_unknown_source, 403, 403,
         [&] { // Some share a bucket, and are not answered.
             d.request.branch += 'x';
             d.receive("203.0.113." + std::to_string(++sources) + ":5060", d.request.text());
             const auto said = d.texts();
             return said.empty() ? std::string{} : said.back();
         }},
        {diagnostic::refused_unauthorized, 4, 400, [&] { return d.ask("INVITE", elsewhere); }},
    };
    const auto count = [](kind& one) {
        if (support::status_of(one.refuse()) == std::to_string(one.status)) ++one.refused;
    };
    // None takes a turn of another one's.
    for (int i = 0; i < 100; ++i) {
        for (auto& each : kinds) count(each);
    }
    CHECK(d.records.size() == 10 * kinds.size());
    for (auto& each : kinds) {
        CAPTURE(name(each.why));
        CHECK(each.refused > 90);
        CHECK(std::ranges::count(d.records, each.why, &call_record::refused) == 10);
        d.advance(1s);
        count(each);
        CHECK(d.records.back().refused == each.why);
        const auto& told = d.notes.back();
        CHECK(told.code == each.why);
        CHECK(told.values[0] == each.detail);
        CHECK(told.values[1] == each.status);
        CHECK(told.values[2] == each.refused - 10);
    }
    // A challenge is no refusal: neither the first one, nor one for a nonce that is old or
    // invented.
    d.advance(1s);
    const auto before = d.records.size();
    for (const auto& fields : {std::string{}, old}) {
        CHECK(support::status_of(d.ask("INVITE", fields)) == "401");
    }
    CHECK(d.records.size() == before);
    CHECK(d.engine->transactions() == 0);
}

} // namespace
} // namespace trunkline
