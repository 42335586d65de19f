// Challenges of REGISTER: what is answered, how often, and to whom alone.
#include <string>
#include <vector>

#include <trunkline/crypto/hash.hpp>

#include "trunk/registrant.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using crypto::hash_algorithm;
using support::after;
using support::challenge;
using support::header;
using support::registrant;

/// RFC 7616 section 3.4.1, put together here.
[[nodiscard]] std::string expected(const std::string& line, hash_algorithm how) {
    const auto hashed = [&](const std::string& text) {
        return std::string{crypto::hash(how, {text}).view()};
    };
    const auto quoted = [&](const std::string& field) {
        const auto at = line.find(field + "=\"") + field.size() + 2;
        return line.substr(at, line.find('"', at) - at);
    };
    return hashed(hashed("alice:carrier.test:secret") + ':' + quoted("nonce") + ':' +
                  after(line, "nc=") + ':' + quoted("cnonce") +
                  ":auth:" + hashed("REGISTER:sip:198.51.100.1"));
}

[[nodiscard]] std::string credentials(const registrant& d) {
    return header(d.registers().back().text, "Authorization");
}

TEST_CASE("trunks::engine: a challenged REGISTER is sent again with the digest") {
    for (const bool sha : {false, true}) {
        registrant d;
        d.add(registrant::wanted());
        d.answer("401 Unauthorized", challenge("abc", sha ? ", algorithm=SHA-256" : ""));
        REQUIRE(d.registers().size() == 2);
        const auto line = credentials(d);
        CHECK(line.starts_with("Digest username=\"alice\""));
        CHECK(line.find("uri=\"sip:198.51.100.1\"") != std::string::npos);
        const auto wanted = expected(line, sha ? hash_algorithm::sha256 : hash_algorithm::md5);
        CHECK(line.find("response=\"" + wanted + '"') != std::string::npos);
        CHECK(header(d.registers().back().text, "CSeq") == "2 REGISTER");
        CHECK(d.registers()[0].to == d.registers()[1].to);
        d.answer("200 OK");
        CHECK(d.state() == registration_state::registered);
        d.next_register();
        CHECK(after(credentials(d), "nc=") == "00000002"); // No round trip for a refresh.
    }
}

TEST_CASE_FIXTURE(registrant, "trunks::engine: 407 is answered in the header of proxies") {
    add(wanted());
    auto line = challenge("abc");
    answer("407 Proxy Authentication Required",
           support::replaced(line, "WWW-Authenticate", "Proxy-Authenticate"));
    CHECK_FALSE(header(registers().back().text, "Proxy-Authorization").empty());
    CHECK(credentials(*this).empty());
}

TEST_CASE_FIXTURE(registrant,
                  "trunks::engine: of several challenges the first that we can is answered") {
    add(wanted());
    answer("401 Unauthorized", challenge("a", ", algorithm=SHA-512-256") +
                                   challenge("b", ", algorithm=SHA-256") + challenge("c"));
    CHECK(credentials(*this).find("nonce=\"b\"") != std::string::npos);
}

TEST_CASE_FIXTURE(registrant, "trunks::engine: a wrong password is tried once, and then let be") {
    add(wanted());
    answer("401 Unauthorized", challenge("a"));
    answer("401 Unauthorized", challenge("b"));
    CHECK(registers().size() == 2);
    CHECK(state() == registration_state::waiting);
    CHECK(status().sip_code == 401);
    CHECK(*status().retry - now >= 15min);
    CHECK(noted(diagnostic::challenge_ignored) == 1);
}

TEST_CASE_FIXTURE(registrant, "trunks::engine: stale nonces are followed, and not for ever") {
    add(wanted());
    for (int i = 0; i < 10; ++i) answer("401 Unauthorized", challenge("a", ", stale=true"));
    CHECK(registers().size() == 3);
    CHECK(state() == registration_state::waiting);
}

TEST_CASE_FIXTURE(registrant, "trunks::engine: a nonce that is spent at a refresh costs nothing") {
    add(wanted());
    answer("401 Unauthorized", challenge("a"));
    for (int i = 0; i < 5; ++i) {
        answer("200 OK");
        next_register();
        CHECK_FALSE(credentials(*this).empty());
        answer("401 Unauthorized", challenge("b" + std::to_string(i)));
        CHECK(credentials(*this).find("nonce=\"b" + std::to_string(i)) != std::string::npos);
    }
    answer("200 OK");
    CHECK(state() == registration_state::registered);
}

TEST_CASE_FIXTURE(registrant, "trunks::engine: only the realm that was pinned is answered") {
    auto pinned = wanted();
    pinned.auth->realm = "carrier.test";
    add(pinned);
    answer("401 Unauthorized", challenge("a", {}, "evil.test"));
    CHECK(registers().size() == 1);
    CHECK(state() == registration_state::waiting);
    next_register();
    answer("401 Unauthorized", challenge("a", {}, "evil.test") + challenge("b"));
    CHECK(credentials(*this).find("nonce=\"b\"") != std::string::npos);
}

TEST_CASE_FIXTURE(registrant, "trunks::engine: what one address asked for no other is told") {
    auto two = wanted();
    two.gateways.push_back({"198.51.100.2"});
    add(two);
    answer("401 Unauthorized", challenge("a"));
    answer("200 OK");
    next_register();
    CHECK_FALSE(credentials(*this).empty());
    answer("503 Service Unavailable");
    CHECK(to_text(registers().back().to) == "198.51.100.2:5060");
    CHECK(credentials(*this).empty());
    answer("401 Unauthorized", challenge("z"));
    CHECK(to_text(registers().back().to) == "198.51.100.2:5060");
    CHECK(credentials(*this).find("nonce=\"z\"") != std::string::npos);
}

TEST_CASE_FIXTURE(registrant, "trunks::engine: a proxy and the registrar behind it are answered") {
    add(wanted());
    const auto proxy = support::replaced(challenge("p", {}, "proxy.test"), "WWW-Authenticate",
                                         "Proxy-Authenticate");
    answer("407 Proxy Authentication Required", proxy);
    answer("401 Unauthorized", challenge("a"));
    const auto text = registers().back().text;
    CHECK(header(text, "Proxy-Authorization").find("nonce=\"p\"") != std::string::npos);
    CHECK(credentials(*this).find("nonce=\"a\"") != std::string::npos);
    answer("200 OK");
    CHECK(state() == registration_state::registered);
}

TEST_CASE_FIXTURE(registrant, "trunks::engine: realms without end are not followed without end") {
    add(wanted());
    for (int i = 0; i < 20; ++i) {
        answer("401 Unauthorized", challenge("a", {}, "realm" + std::to_string(i)));
    }
    CHECK(registers().size() == 5);
    CHECK(state() == registration_state::waiting);
}

TEST_CASE("trunks::engine: a challenge too long for any answer gets none") {
    for (const std::size_t size : {3'800U, 5'000U, 30'000U}) {
        registrant d;
        d.add(registrant::wanted());
        for (int i = 0; i < 5; ++i) d.answer("401 Unauthorized", challenge(std::string(size, 'n')));
        for (const auto& each : d.registers()) CHECK(each.text.size() < 4'096);
        CHECK(d.registers().size() <= 2);
        CHECK(d.state() == registration_state::waiting);
    }
}

TEST_CASE_FIXTURE(registrant,
                  "trunks::engine: what is asked again after a 423 may be challenged anew") {
    add(wanted());
    // As many as there may be of one request, each time that more is asked for.
    for (const unsigned least : {600U, 1200U}) {
        for (int i = 0; i < 2; ++i) {
            const auto nonce = std::to_string(least) + "-" + std::to_string(i);
            answer("401 Unauthorized", challenge(nonce, ", stale=true"));
            CHECK(header(registers().back().text, "Authorization").find(nonce) !=
                  std::string::npos);
        }
        answer("423 Interval Too Brief", "Min-Expires: " + std::to_string(least) + "\n");
        CHECK(header(registers().back().text, "Expires") == std::to_string(least));
    }
    answer("401 Unauthorized", challenge("last", ", stale=true"));
    answer("200 OK", "Expires: 1200\n");
    CHECK(state() == registration_state::registered);
}

} // namespace
} // namespace trunkline
