#include <trunkline/call/leg.hpp>

#include <fmt/core.h>

#include <trunkline/crypto/hash.hpp>

#include "support/one_leg.hpp"

#include "support/print.hpp"

namespace trunkline::calls {
namespace {

using namespace support;
using what = notice::what;

const std::string contact = "Contact: <sip:gw@192.0.2.10:5060>\n";

struct challenged : one_leg {
    challenged() {
        settings->auth_username = "alice";
        settings->auth_password = "secret";
    }
    void accept(std::string_view peer = "peer1", const std::string& fields = contact) {
        receive(answer_to(last("INVITE "), "200 OK", peer, fields, their_sdp));
    }
    void over() {
        hang_up();
        receive(answer_to(last("BYE "), "200 OK"));
        check_over();
    }
    void challenge(std::string_view status, std::string_view which, std::string_view value) {
        receive(answer_to(last("INVITE "), status, "challenger",
                          fmt::format("{}: {}\n", which, value)));
    }
};

TEST_CASE("call::leg: a challenge is answered with the digest that RFC 7616 writes") {
    for (const auto* algorithm : {"MD5", "SHA-256"}) {
        for (const bool qop : {false, true}) {
            for (const bool proxy : {false, true}) {
                CAPTURE(algorithm);
                CAPTURE(qop);
                CAPTURE(proxy);
                challenged call;
                call.invite();
                const auto first = call.last("INVITE ");
                call.challenge(proxy ? "407 Proxy Authentication Required" : "401 Unauthorized",
                               proxy ? "Proxy-Authenticate" : "WWW-Authenticate",
                               fmt::format("Digest realm=\"carrier\", nonce=\"n0\", "
                                           "algorithm={}, opaque=\"o1\"{}",
                                           algorithm, qop ? ", qop=\"auth,auth-int\"" : ""));
                const auto refusal = call.last("ACK ");
                CHECK(branch(refusal) == branch(first));
                CHECK(header(refusal, "CSeq") == "1 ACK");
                CHECK(tag(refusal, "To") == "challenger");
                const auto second = call.last("INVITE ");
                CHECK(header(second, "CSeq") == "2 INVITE");
                CHECK(header(second, "Call-ID") == header(first, "Call-ID"));
                CHECK(header(second, "From") == header(first, "From"));
                CHECK(header(second, "To") == header(first, "To"));
                CHECK(branch(second) != branch(first));
                const auto given = header(second, proxy ? "Proxy-Authorization" : "Authorization");
                const auto quoted = [&](const std::string& name) {
                    return after(replaced(given + " ", name + "=\"", name + "=\x01"),
                                 name + "=\x01");
                };
                CHECK(quoted("username") == "alice");
                CHECK(quoted("realm") == "carrier");
                CHECK(quoted("nonce") == "n0");
                CHECK(quoted("opaque") == "o1");
                CHECK(quoted("uri") == "sip:+14155550100@192.0.2.10");
                CHECK((given.find("qop=auth,") != std::string::npos) == qop);
                // RFC 7616 section 3.4.1, spelled out.
                const auto which = std::string_view{algorithm} == "MD5"
                                       ? crypto::hash_algorithm::md5
                                       : crypto::hash_algorithm::sha256;
                const auto a1 = crypto::hash(which, {"alice:carrier:secret"});
                const auto a2 = crypto::hash(which, {"INVITE:sip:+14155550100@192.0.2.10"});
                const auto middle =
                    qop ? "n0:00000001:" + quoted("cnonce") + ":auth:" : std::string{"n0:"};
                const auto wanted = crypto::hash(which, {a1.view(), ":", middle, a2.view()});
                CHECK(quoted("response") == wanted.view());
                call.accept();
                call.over();
            }
        }
    }
}

TEST_CASE("call::leg: a stale nonce is replaced, and a third challenge is the last") {
    challenged call;
    call.invite();
    call.challenge("401 No", "WWW-Authenticate", "Digest realm=\"c\", nonce=\"n0\"");
    call.challenge("401 No", "WWW-Authenticate", "Digest realm=\"c\", nonce=\"n1\", stale=true");
    CHECK(call.count("INVITE ") == 3);
    CHECK(header(call.last("INVITE "), "Authorization").find("nonce=\"n1\"") != std::string::npos);
    call.challenge("401 No", "WWW-Authenticate", "Digest realm=\"c\", nonce=\"n2\", stale=true");
    CHECK(call.count("INVITE ") == 3);
    CHECK(call.notice(what::refused).end.sip_code == 401);
    call.check_over();
}

TEST_CASE("call::leg: a wrong password is told by the second challenge") {
    challenged call;
    call.invite();
    for (int n = 0; n < 2; ++n)
        call.challenge("401 No", "WWW-Authenticate", "Digest realm=\"c\", nonce=\"n0\"");
    CHECK(call.count("INVITE ") == 2);
    CHECK(call.notice(what::refused).end.sip_code == 401);
    CHECK(call.notes.back() == diagnostic::challenge_ignored);
    call.check_over();
}

TEST_CASE("call::leg: credentials go to no other realm, nor to an algorithm that we lack") {
    for (const auto* value : {"Digest realm=\"evil\", nonce=\"n0\"",
                              "Digest realm=\"mine\", nonce=\"n0\", algorithm=WAIS",
                              "Basic realm=\"mine\"", "Digest realm=\"mine\""}) {
        challenged call;
        call.settings->auth_realm = "mine";
        call.invite();
        call.challenge("407 No", "Proxy-Authenticate", value);
        CHECK(call.count("INVITE ") == 1);
        CHECK(call.notice(what::refused).end.sip_code == 407);
        call.check_over();
    }
}

TEST_CASE("call::leg: of two challenges the one that we can answer is answered") {
    challenged call;
    call.settings->auth_realm = "mine";
    call.invite();
    call.challenge("401 No", "WWW-Authenticate",
                   "Digest realm=\"other\", nonce=\"n0\"\n"
                   "WWW-Authenticate: Digest realm=\"mine\", nonce=\"n1\"");
    CHECK(header(call.last("INVITE "), "Authorization").find("nonce=\"n1\"") != std::string::npos);
    call.accept();
    call.over();
}

TEST_CASE("call::leg: a challenge of BYE is answered though the INVITE had credentials") {
    challenged call;
    call.invite();
    call.challenge("401 No", "WWW-Authenticate", "Digest realm=\"c\", nonce=\"n0\"");
    call.accept();
    CHECK(header(call.last("ACK "), "Authorization").find("nonce=\"n0\"") != std::string::npos);
    call.hang_up();
    for (int n = 0; n < 3; ++n) {
        call.receive(answer_to(call.last("BYE "), "401 No", "",
                               "WWW-Authenticate: Digest realm=\"c\", nonce=\"spent" +
                                   std::to_string(n) + "\"\n"));
    }
    CHECK(call.count("BYE ") == 2); // The second challenge is the last.
    CHECK(header(call.last("BYE "), "Authorization").find("nonce=\"spent0\"") != std::string::npos);
    CHECK(header(call.last("BYE "), "CSeq") == "4 BYE");
    call.check_over();
}

TEST_CASE("call::leg: a proxy and the server behind it each get their own credentials, together") {
    challenged call;
    call.invite();
    call.challenge("407 Proxy Authentication Required", "Proxy-Authenticate",
                   "Digest realm=\"proxy\", nonce=\"p0\", qop=\"auth\"");
    const auto second = call.last("INVITE ");
    CHECK(header(second, "Proxy-Authorization").find("realm=\"proxy\"") != std::string::npos);
    CHECK(header(second, "Authorization").empty());
    call.challenge("401 Unauthorized", "WWW-Authenticate",
                   "Digest realm=\"server\", nonce=\"s0\", qop=\"auth\"");
    const auto third = call.last("INVITE ");
    CHECK(header(third, "CSeq") == "3 INVITE");
    CHECK(header(third, "Proxy-Authorization").find("nc=00000002") != std::string::npos);
    CHECK(header(third, "Authorization").find("realm=\"server\"") != std::string::npos);
    call.accept();
    const auto ack = call.last("ACK ");
    CHECK(header(ack, "Authorization") == header(third, "Authorization"));
    CHECK(header(ack, "Proxy-Authorization") == header(third, "Proxy-Authorization"));
    call.over();
}

TEST_CASE("call::leg: a second realm does not excuse a wrong password for the first") {
    challenged call;
    call.invite();
    const auto* const proxy = "Digest realm=\"proxy\", nonce=\"p0\", qop=\"auth\"";
    call.challenge("407 Proxy Authentication Required", "Proxy-Authenticate", proxy);
    call.challenge("401 Unauthorized", "WWW-Authenticate",
                   "Digest realm=\"server\", nonce=\"s0\", qop=\"auth\"");
    call.challenge("407 Proxy Authentication Required", "Proxy-Authenticate", proxy);
    CHECK(call.count("INVITE ") == 3);
    CHECK(call.notice(what::refused).end.sip_code == 407);
    call.check_over();
}

TEST_CASE("call::leg: who is no gateway of the trunk is shown no credentials") {
    challenged call;
    call.invite();
    call.challenge("407 No", "Proxy-Authenticate", "Digest realm=\"c\", nonce=\"n0\"");
    call.accept("peer1", "Contact: <sip:stranger@203.0.113.66>\n");
    auto moved = call.path;
    moved.peer = {address::v4(203, 0, 113, 66), 5060};
    moved.trusted = false;
    call.command([&](calls::leg& one) { one.set_path(moved, call.now, call.out); });
    CHECK(header(call.last("ACK "), "Proxy-Authorization").empty());
    call.hang_up();
    CHECK(header(call.last("BYE "), "Proxy-Authorization").empty());
    call.receive(answer_to(call.last("BYE "), "407 No", "peer1",
                           "Proxy-Authenticate: Digest realm=\"c\", nonce=\"chosen\"\n"));
    CHECK(call.count("BYE ") == 1);
    CHECK(call.notes.back() == diagnostic::challenge_ignored);
    call.check_over();
}

TEST_CASE("call::leg: a challenge by the other kind than its status names is answered by its own") {
    struct row {
        std::string_view status;
        std::string_view asks;
        std::string_view answers;
    };
    for (const auto& row :
         {row{"401 Unauthorized", "Proxy-Authenticate", "Proxy-Authorization"},
          row{"407 Proxy Authentication Required", "WWW-Authenticate", "Authorization"}}) {
        CAPTURE(row.status);
        challenged call;
        call.invite();
        call.challenge(row.status, row.asks, "Digest realm=\"c\", nonce=\"n\"");
        REQUIRE(call.count("INVITE ") == 2);
        CHECK(header(call.last("INVITE "), row.answers).starts_with("Digest username=\"alice\""));
        call.accept();
        call.over();
    }
}

TEST_CASE(
    "call::leg: of one realm a proxy and the server behind it are two, and each is answered") {
    challenged call;
    call.invite();
    const std::string_view digest = "Digest realm=\"c\", nonce=\"";
    call.receive(
        answer_to(call.last("INVITE "), "401 Unauthorized", "challenger",
                  fmt::format("WWW-Authenticate: {0}w\"\nProxy-Authenticate: {0}p\"\n", digest)));
    REQUIRE(call.count("INVITE ") == 2);
    const auto again = call.last("INVITE ");
    CHECK(header(again, "Authorization").find("nonce=\"w\"") != std::string::npos);
    CHECK(header(again, "Proxy-Authorization").find("nonce=\"p\"") != std::string::npos);
    call.accept();
    call.over();
}

TEST_CASE("call::leg: a realm of the trunk's own is compared with what the quoted one says") {
    challenged call;
    call.settings->auth_realm = "The \"Carrier\"";
    call.invite();
    call.challenge("401 Unauthorized", "WWW-Authenticate",
                   R"(Digest realm="The \"Carrier\"", nonce="n")");
    CHECK(call.count("INVITE ") == 2);
    CHECK(header(call.last("INVITE "), "Authorization").find(R"(realm="The \"Carrier\"")") !=
          std::string::npos);
    call.accept();
    call.over();
}

} // namespace
} // namespace trunkline::calls
