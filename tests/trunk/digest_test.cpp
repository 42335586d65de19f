// Challenges of calls in: sent only where inbound_auth is set, and telling a guesser nothing.
#include <string>
#include <utility>
#include <vector>

#include "trunk/credentials.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using crypto::hash_algorithm;
using support::credentials;
using support::driver;
using support::request_text;

TEST_CASE("trunks::engine: these tests compute digests as RFC 7616 section 3.9.1 does") {
    credentials vector{.username = "Mufasa",
                       .password = "Circle of Life",
                       .realm = "http-auth@example.org",
                       .nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
                       .cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
                       .method = "GET",
                       .uri = "/dir/index.html"};
    CHECK(vector.response() == "8ca523f5e9506fed4657c9700eebdbec");
    vector.algorithm = hash_algorithm::sha256;
    CHECK(vector.response() == "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

struct guarded : driver {
    request_text request;

    guarded() {
        auto wanted = carrier();
        wanted.inbound_auth = userpass{"carrier", "secret", "here"};
        config.on_incoming = [](incoming_call& c) { CHECK(c.ringing()); };
        add(wanted);
    }
    [[nodiscard]] std::string ask(const std::string& fields = {}) {
        request.branch += 'x';
        request.cseq += 1;
        request.fields = fields;
        receive(request.text());
        return last();
    }
    [[nodiscard]] std::string nonce() {
        const auto challenge = ask();
        CHECK(support::status_of(challenge) == "401");
        const auto line = support::header(challenge, "WWW-Authenticate");
        const auto at = line.find("nonce=\"") + 7;
        return line.substr(at, line.find('"', at) - at);
    }
};

/// Without what differs from one answer to the next whoever asks.
[[nodiscard]] std::string same(std::string text) {
    for (const auto& part :
         {support::branch(text), support::tag(text, "To"), support::header(text, "CSeq")}) {
        text = support::replaced(text, part, "*");
    }
    return text;
}

TEST_CASE_FIXTURE(guarded, "trunks::engine: a challenge offers SHA-256, then MD5, in our realm") {
    const auto lines = support::headers(ask(), "WWW-Authenticate");
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].starts_with("Digest realm=\"here\",nonce=\""));
    CHECK(lines[0].find(",algorithm=SHA-256,qop=\"auth\"") != std::string::npos);
    CHECK(lines[1].find(",algorithm=MD5,qop=\"auth\"") != std::string::npos);
    CHECK(lines[0].find("stale") == std::string::npos);
    CHECK(records.empty()); // That is how digest begins, and nothing to tell of.
}

TEST_CASE("trunks::engine: the right password is let in, by MD5 and by SHA-256") {
    for (const auto algorithm : {hash_algorithm::md5, hash_algorithm::sha256}) {
        guarded d;
        const credentials right{.algorithm = algorithm, .nonce = d.nonce()};
        CHECK(support::status_of(d.ask(right.line())) == "180");
        CHECK(d.engine->calls() == 1);
        CHECK(d.records.empty());
    }
}

TEST_CASE_FIXTURE(guarded,
                  "trunks::engine: a wrong password and an unknown user are told the same") {
    const auto given = nonce();
    const auto first = same(ask());
    for (const auto algorithm : {hash_algorithm::md5, hash_algorithm::sha256}) {
        const credentials wrong{.algorithm = algorithm, .password = "guess", .nonce = given};
        CHECK(same(ask(wrong.line())) == first);
        const credentials unknown{.algorithm = algorithm, .username = "nobody", .nonce = given};
        CHECK(same(ask(unknown.line())) == first);
        const credentials elsewhere{.algorithm = algorithm, .realm = "there", .nonce = given};
        CHECK(same(ask(elsewhere.line())) == first);
    }
    REQUIRE(records.size() == 6);
    for (const auto& record : records) {
        CHECK(record.refused == diagnostic::refused_unauthorized);
        CHECK(record.sip_code == 401);
    }
    // The nonce was not used up by guesses.
    CHECK(support::status_of(ask(credentials{.nonce = given}.line())) == "180");
}

TEST_CASE_FIXTURE(guarded, "trunks::engine: what is no digest is as good as nothing") {
    const auto first = same(ask());
    for (const auto* line :
         {"Authorization: Basic Y2FycmllcjpzZWNyZXQ=\n",
          "Authorization: NoOneKnowsThisScheme opaque-data=here\n", "Authorization: Digest\n",
          "Authorization: Digest username=\n", "Authorization: Digest username=\"carrier\n"}) {
        CHECK(same(ask(line)) == first);
    }
}

TEST_CASE_FIXTURE(guarded,
                  "trunks::engine: any password with an old nonce, or an invented one, is stale") {
    const auto given = nonce();
    advance(33s);
    const auto stale = ask(credentials{.nonce = given}.line());
    CHECK(support::status_of(stale) == "401");
    CHECK(support::header(stale, "WWW-Authenticate").ends_with(",stale=true"));
    const auto wrong = ask(credentials{.password = "guess", .nonce = given}.line());
    // What the password is makes no difference: nobody guesses at it with nonces of his own.
    CHECK(support::header(wrong, "WWW-Authenticate").ends_with(",stale=true"));
    const auto invented = ask(credentials{.nonce = std::string(48, '0')}.line());
    CHECK(support::header(invented, "WWW-Authenticate").ends_with(",stale=true"));
    CHECK(support::status_of(ask(credentials{.nonce = nonce()}.line())) == "180");
}

TEST_CASE_FIXTURE(guarded, "trunks::engine: credentials that were heard once are no good again") {
    const credentials right{.nonce = nonce()};
    const auto line = right.line();
    CHECK(support::status_of(ask(line)) == "180");
    CHECK(support::status_of(ask(line)) == "401");
    // Nor from another address, nor for another call.
    const credentials other{.nonce = nonce()};
    request.branch += 'y';
    request.cseq += 1;
    request.fields = other.line();
    receive(support::other_at, request.text());
    CHECK(support::status_of(last()) == "401");
    request.call_id = "another";
    CHECK(support::status_of(ask(other.line())) == "401");
}

TEST_CASE_FIXTURE(guarded,
                  "trunks::engine: credentials for another number are 400, whoever shows them") {
    const auto given = nonce();
    for (const auto* user : {"carrier", "nobody"}) {
        const credentials other{.username = user, .nonce = given, .uri = "sip:+4930999@192.0.2.1"};
        CHECK(support::status_of(ask(other.line())) == "400");
    }
    REQUIRE(records.size() == 2);
    CHECK(records[0].refused == diagnostic::refused_unauthorized);
    CHECK(support::status_of(ask(credentials{.nonce = given}.line())) == "180");
}

TEST_CASE_FIXTURE(guarded,
                  "trunks::engine: nobody has a transaction who has not shown a password") {
    const auto challenge = ask();
    receive(request.text()); // Again: what it is told differs in the nonce at most.
    CHECK(support::tag(last(), "To") == support::tag(challenge, "To"));
    receive(request.ack(challenge));
    CHECK(texts().empty());
    CHECK(noted(diagnostic::ack_unmatched) == 0);
    CHECK(support::status_of(ask(credentials{.password = "guess", .nonce = "x"}.line())) == "401");
    CHECK(engine->transactions() == 0);
    CHECK_FALSE(engine->next_deadline().has_value());
}

TEST_CASE_FIXTURE(guarded, "trunks::engine: OPTIONS is challenged too, ACK and CANCEL never are") {
    request.method = "OPTIONS";
    CHECK(support::status_of(ask()) == "401");
    request.method = "INVITE";
    CHECK(support::status_of(ask(credentials{.nonce = nonce()}.line())) == "180");
    receive(request.cancel());
    const auto texts = this->texts();
    REQUIRE(texts.size() == 2);
    CHECK(support::status_of(texts[0]) == "200");
    CHECK(support::status_of(texts[1]) == "487");
    receive(request.ack(texts[1]));
    CHECK(this->texts().empty());
}

TEST_CASE("trunks::engine: without inbound_auth nobody is challenged, whatever he brings") {
    driver d;
    d.config.on_incoming = [](incoming_call& c) { CHECK(c.ringing()); };
    d.add(driver::carrier());
    d.receive(request_text{.fields = credentials{.nonce = "x"}.line()}.text());
    CHECK(support::status_of(d.last()) == "180");
}

TEST_CASE("trunks::engine: without a realm of its own a trunk's name is the realm") {
    driver d;
    auto wanted = driver::carrier();
    wanted.inbound_auth = userpass{"carrier", "secret"};
    d.add(wanted);
    d.receive(request_text{}.text());
    CHECK(support::header(d.last(), "WWW-Authenticate").starts_with("Digest realm=\"carrier\","));
}

TEST_CASE("trunks::compile: a name with quotes is no realm") {
    auto wanted = driver::carrier();
    wanted.inbound_auth = userpass{"carrier", "secret"};
    for (const auto* name : {"the \"best\"", "back\\slash"}) {
        CAPTURE(name);
        wanted.name = name;
        wanted.inbound_auth->realm.clear();
        const auto refused = trunks::compile(trunk_id{1}, wanted, "", nullptr, nullptr);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.reason().field == "inbound_auth.realm");
        wanted.inbound_auth->realm = "here";
        CHECK(trunks::compile(trunk_id{1}, wanted, "", nullptr, nullptr).has_value());
    }
    wanted.inbound_auth->realm = "a \"realm\"";
    CHECK(trunks::compile(trunk_id{1}, wanted, "", nullptr, nullptr).reason().field ==
          "inbound_auth.realm");
    wanted.inbound_auth.reset();
    CHECK(trunks::compile(trunk_id{1}, wanted, "", nullptr, nullptr).has_value());
}

} // namespace
} // namespace trunkline
