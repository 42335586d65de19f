// Of several challenges each: by header, by realm, by algorithm, and how often.
#include <trunkline/call/credentials.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

#include <trunkline/core/text.hpp>

#include "support/sip_text.hpp"

#include "support/print.hpp"

namespace trunkline::calls {
namespace {

using verdict = credentials::verdict;
using support::headers;

const std::string server = "WWW-Authenticate: ";
const std::string proxy = "Proxy-Authenticate: ";

struct account {
    credentials kept;
    leg_settings settings;
    seeded_entropy random{7};

    account() {
        settings.auth_username = "alice";
        settings.auth_password = "secret";
    }
    [[nodiscard]] verdict take(int status, const std::string& fields) {
        const auto parsed = sip::message::parse(
            support::message("SIP/2.0 " + std::to_string(status) +
                             " No\nVia: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bK1\n"
                             "From: <sip:a@198.51.100.1>;tag=1\nTo: <sip:b@192.0.2.10>;tag=2\n"
                             "Call-ID: 1@198.51.100.1\nCSeq: 1 INVITE\n" +
                             fields));
        REQUIRE(parsed.has_value());
        return kept.take(**parsed, settings);
    }
    /// What is sent with the next request: header lines behind one that only begins.
    [[nodiscard]] std::string written() {
        std::array<std::byte, 4096> room{};
        sip::writer to{room};
        kept.write(to, "INVITE", "sip:b@192.0.2.10", settings, random);
        CHECK_FALSE(to.failed());
        return "INVITE\r\n" + std::string{as_text(std::span{room}.first(to.size()))} + "\r\n";
    }
};

std::string challenge(std::string_view realm, std::string_view nonce,
                      std::string_view more = ", qop=\"auth\"") {
    return "Digest realm=\"" + std::string{realm} + "\", nonce=\"" + std::string{nonce} + '"' +
           std::string{more} + '\n';
}

bool names(const std::string& line, std::string_view nonce) {
    return line.find("nonce=\"" + std::string{nonce} + '"') != std::string::npos;
}

// RFC 3261 section 22.1: a proxy's protection space is its own, whatever its realm is called.
TEST_CASE("calls::credentials: a proxy and a server of one realm have credentials of their own") {
    account of;
    CHECK(of.take(407, proxy + challenge("carrier", "p0")) == verdict::answered);
    CHECK(of.take(401, server + challenge("carrier", "s0")) == verdict::answered);
    const auto text = of.written();
    REQUIRE(headers(text, "Proxy-Authorization").size() == 1);
    REQUIRE(headers(text, "Authorization").size() == 1);
    CHECK(names(headers(text, "Proxy-Authorization")[0], "p0"));
    CHECK(names(headers(text, "Authorization")[0], "s0"));
}

// RFC 3261 section 22.3: each proxy that forked may ask, and all are answered together.
TEST_CASE("calls::credentials: the second realm of one response is answered beside the first") {
    account of;
    CHECK(of.take(407, proxy + challenge("one", "n1") + proxy + challenge("two", "n2")) ==
          verdict::answered);
    const auto lines = headers(of.written(), "Proxy-Authorization");
    REQUIRE(lines.size() == 2);
    CHECK(names(lines[0], "n1"));
    CHECK(names(lines[1], "n2"));
}

TEST_CASE("calls::credentials: a wrong password for the second realm is told as for the first") {
    account of;
    CHECK(of.take(407, proxy + challenge("one", "n1") + proxy + challenge("two", "n2")) ==
          verdict::answered);
    CHECK(of.take(407, proxy + challenge("two", "n3")) == verdict::repeated);
}

TEST_CASE("calls::credentials: a realm is answered twice, and its third challenge is the last") {
    account of;
    const std::string stale = ", stale=true, qop=\"auth\"";
    CHECK(of.take(401, server + challenge("carrier", "n0")) == verdict::answered);
    CHECK(of.take(401, server + challenge("carrier", "n1", stale)) == verdict::answered);
    CHECK(of.take(401, server + challenge("carrier", "n2", stale)) == verdict::repeated);
}

TEST_CASE("calls::credentials: four realms are answered, and a fifth is not") {
    account of;
    for (const std::string realm : {"1", "2", "3", "4"}) {
        CHECK(of.take(407, proxy + challenge(realm, "n" + realm)) == verdict::answered);
    }
    CHECK(of.take(407, proxy + challenge("5", "n5")) == verdict::not_understood);
    const auto lines = headers(of.written(), "Proxy-Authorization");
    REQUIRE(lines.size() == 4);
    CHECK(names(lines[3], "n4"));
}

// RFC 8760 section 2.4: the algorithms stand in the order of preference, and one of them is taken.
TEST_CASE("calls::credentials: the second algorithm of a realm is no second challenge of it") {
    account of;
    CHECK(of.take(401, server + challenge("carrier", "n1", ", algorithm=SHA-256, qop=\"auth\"") +
                           server + challenge("carrier", "n2", ", algorithm=MD5, qop=\"auth\"")) ==
          verdict::answered);
    const auto lines = headers(of.written(), "Authorization");
    REQUIRE(lines.size() == 1);
    CHECK(names(lines[0], "n1"));
    CHECK(lines[0].find("algorithm=SHA-256") != std::string::npos);
}

TEST_CASE("calls::credentials: where the account is of one realm, the second of two is answered") {
    account of;
    of.settings.auth_realm = "carrier";
    CHECK(of.take(407, proxy + challenge("other", "n1") + proxy + challenge("carrier", "n2")) ==
          verdict::answered);
    const auto lines = headers(of.written(), "Proxy-Authorization");
    REQUIRE(lines.size() == 1);
    CHECK(names(lines[0], "n2"));
    CHECK(of.take(407, proxy + challenge("other", "n3")) == verdict::other_realm);
}

} // namespace
} // namespace trunkline::calls
