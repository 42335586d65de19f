// What goes to a source that has shown nothing: one answer, small and seldom, or none. And
// guessers of passwords, whom nobody else pays for.
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

const std::string caller_at = "203.0.113.8:5060";
const std::string guesser_at = "203.0.113.77:5060";

struct open_door : driver {
    trunk_config wanted = carrier();
    std::vector<login_refusal> refused;
    int next = 0;

    open_door() {
        wanted.allow_from = {"0.0.0.0/0", "::/0"};
        config.on_incoming = [](incoming_call& call) { CHECK(call.ringing()); };
        config.on_login_refused = [this](const login_refusal& one) { refused.push_back(one); };
    }
    void with_password() { wanted.inbound_auth = userpass{"carrier", "secret", "here"}; }

    [[nodiscard]] request_text fresh() {
        request_text made;
        ++next;
        made.branch += std::to_string(next);
        made.call_id = std::to_string(next) + "@203.0.113.8";
        return made;
    }
    /// A call with a password, and how it was answered in the end; empty: not at all.
    [[nodiscard]] std::string attempt(const std::string& from, const std::string& password) {
        auto request = fresh();
        receive(from, request.text());
        const auto challenge = texts();
        if (challenge.empty()) return {};
        if (support::status_of(challenge.back()) != "401")
            return support::status_of(challenge.back());
        const auto line = support::header(challenge.back(), "WWW-Authenticate");
        request.branch += 'x';
        request.cseq = 2;
        request.fields = credentials{.algorithm = crypto::hash_algorithm::sha256,
                                     .password = password,
                                     .nonce = support::after(line, "nonce=\"")}
                             .line();
        receive(from, request.text());
        const auto said = texts();
        return said.empty() ? std::string{} : support::status_of(said.back());
    }
};

TEST_CASE_FIXTURE(open_door,
                  "trunks::engine: a guesser costs the right caller of his trunk nothing") {
    with_password();
    add(wanted);
    std::vector<std::string> told;
    for (int n = 0; n < 200; ++n) {
        told.push_back(attempt(guesser_at, "guess" + std::to_string(n)));
        // Who never called before is served, too.
        if (n % 10 == 5) {
            CHECK(attempt("203.0.113." + std::to_string(100 + n / 10) + ":5060", "secret") ==
                  "180");
        }
        advance(50ms);
    }
    CHECK(told.front() == "401");
    CHECK(told.back().empty());
    CHECK(std::ranges::count(told, "401") <= 10);
    CHECK(std::ranges::count(told, "180") == 0);
    REQUIRE_FALSE(refused.empty());
    CHECK(refused.front().trunk == "carrier");
    CHECK(refused.front().user == "carrier");
    CHECK(to_text(refused.front().source) == guesser_at);
    CHECK_FALSE(refused.front().banned);
    CHECK(refused.back().banned);
    for (const auto& each : refused) CHECK(to_text(each.source) == guesser_at);
    // The right password is not looked at from there, until the ban is over.
    CHECK(attempt(guesser_at, "secret").empty());
    advance(10min);
    CHECK(attempt(guesser_at, "secret") == "180");
}

TEST_CASE_FIXTURE(open_door,
                  "trunks::engine: a wrong answer counts where its nonce was sent only") {
    with_password();
    add(wanted);
    // Somebody's nonce, in the name of the caller: forged.
    auto request = fresh();
    receive(guesser_at, request.text());
    const auto nonce = support::after(support::header(last(), "WWW-Authenticate"), "nonce=\"");
    for (int n = 0; n < 50; ++n) {
        request.branch += 'x';
        request.fields = credentials{.password = "guess", .nonce = nonce}.line();
        receive(caller_at, request.text());
        static_cast<void>(texts());
    }
    CHECK(refused.empty());
    advance(10s);
    CHECK(attempt(caller_at, "secret") == "180");
}

TEST_CASE_FIXTURE(open_door, "trunks::engine: a source that has shown a password is slowed, and "
                             "never banned") {
    with_password();
    add(wanted);
    CHECK(attempt(caller_at, "secret") == "180");
    CHECK(running().knows(address::v4(203, 0, 113, 8), now));
    for (int n = 0; n < 100; ++n) {
        const auto how = attempt(caller_at, "guess");
        CHECK((how == "401" || how == "503"));
    }
    for (const auto& each : refused) CHECK_FALSE(each.banned);
    CHECK(refused.size() == 7);
    advance(61s);
    CHECK(attempt(caller_at, "secret") == "180");
    advance(1h);
    CHECK_FALSE(running().knows(address::v4(203, 0, 113, 8), now));
}

/// What one datagram of a source that has shown nothing makes us send.
void check_small(open_door& d, const std::string& text, const std::string& status) {
    CAPTURE(text);
    const auto before = d.sent.size();
    d.receive(guesser_at, text);
    d.advance(40s); // Nothing of it is sent again.
    std::size_t bytes = 0;
    for (auto at = before; at < d.sent.size(); ++at) bytes += d.sent[at].text.size();
    CHECK(d.sent.size() - before == (status.empty() ? 0 : 1));
    if (d.sent.size() > before) CHECK(support::status_of(d.sent[before].text) == status);
    CHECK(2 * bytes <= 3 * text.size());
    static_cast<void>(d.texts());
}

struct odd_request {
    const char* status;
    void (*change)(request_text&);
};

const odd_request odd[] = {
    {"404", [](request_text& r) { r.uri = r.to = "sip:+4930999@192.0.2.1"; }},
    {"405", [](request_text& r) { r.method = "REGISTER"; }},
    {"501", [](request_text& r) { r.method = "DANCE"; }},
    {"420", [](request_text& r) { r.fields = "Require: nothing-we-know\n"; }},
    {"415", [](request_text& r) { r.fields = "Content-Encoding: gzip\n"; }},
    {"406", [](request_text& r) { r.fields = "Accept: text/plain\n"; }},
    {"422", [](request_text& r) { r.fields = "Session-Expires: 30\nSupported: timer\n"; }},
    {"481", [](request_text& r) { r.method = "BYE"; }},
    {"481", [](request_text& r) { r.to += ";tag=gone"; }},
    {"400", [](request_text& r) { r.from = "<sip:a@b"; }},
    {"200", [](request_text& r) { r.method = "OPTIONS"; }},
    {"488",
     [](request_text& r) {
         r.body = support::replaced(support::replaced(r.body, "AVP 0 8 101", "AVP 18"),
                                    "a=rtpmap:0 PCMU/8000", "a=rtpmap:18 G729/8000");
     }},
};

TEST_CASE("trunks::engine: who has shown nothing gets one small answer, which is never repeated") {
    for (const auto& [status, change] : odd) {
        open_door d;
        d.add(d.wanted);
        auto request = d.fresh();
        request.uri = "sip:+4930123@192.0.2.1";
        change(request);
        check_small(d, request.text(), status);
        CHECK(d.engine->calls() == 0);
    }
}

TEST_CASE("trunks::engine: where a password is wanted, who has shown none gets one small 401") {
    for (const auto& [status, change] : odd) {
        open_door d;
        d.with_password();
        d.add(d.wanted);
        auto request = d.fresh();
        change(request);
        const std::string without = status;
        const bool before = without == "481" || without == "400";
        check_small(d, request.text(), before ? without : "401");
        CHECK(d.engine->transactions() == 0);
    }
}

TEST_CASE_FIXTURE(open_door,
                  "trunks::engine: a challenge that would be too large offers MD5 alone, "
                  "or is not sent") {
    with_password();
    add(wanted);
    const std::string tiny = support::crlf("INVITE sip:1@a SIP/2.0\n"
                                           "v:SIP/2.0/UDP a;branch=z9hG4bK1\n"
                                           "f:<sip:a>;tag=1\n"
                                           "t:<sip:a>\n"
                                           "i:1\n"
                                           "CSeq:1 INVITE\n"
                                           "Max-Forwards:9\n");
    std::vector<std::size_t> lines;
    for (std::size_t more = 0; more < 400; more += 10) {
        const auto text = tiny + (more == 0 ? "" : "s:" + std::string(more, 'x') + "\r\n") + "\r\n";
        advance(1s);
        receive(guesser_at, text);
        const auto said = texts();
        REQUIRE(said.size() <= 1);
        lines.push_back(said.empty() ? 0 : support::headers(said[0], "WWW-Authenticate").size());
        if (said.empty()) continue;
        CHECK(2 * said[0].size() <= 3 * text.size());
        if (lines.back() == 1) CHECK(said[0].find("algorithm=MD5") != std::string::npos);
    }
    CHECK(lines.front() == 0);
    CHECK(lines.back() == 2);
    CHECK(std::ranges::count(lines, std::size_t{1}) > 0);
    CHECK(std::ranges::is_sorted(lines));
}

TEST_CASE_FIXTURE(open_door, "trunks::engine: a network that has shown nothing gets few answers a "
                             "second, and who has shown a password all") {
    with_password();
    add(wanted);
    CHECK(attempt(caller_at, "secret") == "180");
    std::size_t answered = 0;
    for (int n = 0; n < 2000; ++n) {
        receive("203.0.113." + std::to_string(100 + n % 100) + ":5060", fresh().text());
        answered += texts().size();
    }
    CHECK(answered <= 128);
    CHECK(answered >= 120);
    CHECK(attempt(caller_at, "secret") == "180");
    receive("203.0.114.1:5060", fresh().text()); // Another /24.
    CHECK(texts().size() == 1);
    advance(1s);
    answered = 0;
    for (int n = 0; n < 2000; ++n) {
        receive("203.0.113.200:5060", fresh().text());
        answered += texts().size();
    }
    CHECK(answered <= 11);
    CHECK(answered >= 9);
    // By a connection there is nobody to be flooded.
    const auto flow = accept("203.0.113.200:4000");
    receive(flow, support::replaced(fresh().text(), "SIP/2.0/UDP", "SIP/2.0/TCP"));
    CHECK(texts().size() == 1);
}

TEST_CASE_FIXTURE(open_door, "trunks::engine: a stranger's network is paced as well") {
    wanted.allow_from = {"198.51.100.0/28"};
    add(wanted);
    std::size_t answered = 0;
    for (int n = 1; n < 255; ++n) {
        receive("203.0.113." + std::to_string(n) + ":5060", fresh().text());
        answered += texts().size();
    }
    CHECK(answered <= 128);
    CHECK(answered >= 120);
}

} // namespace
} // namespace trunkline
