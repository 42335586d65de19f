// Session timers within calls, RFC 4028, and re-INVITEs of ours.
#include <trunkline/call/leg.hpp>

#include <fmt/core.h>

#include "support/one_leg.hpp"

#include "support/print.hpp"

namespace trunkline::calls {
namespace {

using namespace support;
using what = notice::what;

const std::string contact = "Contact: <sip:gw@192.0.2.10:5060>\n";
const std::string takes_update = "Allow: INVITE, ACK, BYE, CANCEL, UPDATE\n";

/// We have called, and we refresh.
struct refreshing : one_leg {
    void established(const std::string& fields = takes_update,
                     const std::string& session = "Session-Expires: 600;refresher=uac\n") {
        invite();
        receive(
            answer_to(last("INVITE "), "200 OK", "peer1", contact + fields + session, their_sdp));
    }
    void answer(std::string_view start, std::string_view status, const std::string& fields = {},
                std::string_view sdp = {}) {
        receive(answer_to(last(start), status, "peer1", fields, sdp));
    }
    void over() {
        hang_up();
        receive(answer_to(last("BYE "), "200 OK"));
        check_over();
    }
};

TEST_CASE("call::leg: the refresher sends UPDATE at half the interval, and the call goes on") {
    refreshing call;
    call.established();
    CHECK(header(call.last("INVITE "), "Session-Expires") == "1800");
    call.pass(299s);
    CHECK(call.count("UPDATE ") == 0);
    call.pass(1s);
    const auto update = call.last("UPDATE ");
    CHECK(header(update, "Session-Expires") == "600;refresher=uac");
    CHECK(header(update, "Contact") == "<sip:trunk@198.51.100.1:5060>");
    CHECK(body(update).empty());
    call.answer("UPDATE ", "200 OK", "Session-Expires: 600;refresher=uac\n" + contact);
    call.pass(300s);
    CHECK(call.count("UPDATE ") == 2);
    call.answer("UPDATE ", "200 OK", "Session-Expires: 600;refresher=uac\n" + contact);
    CHECK(call.told(what::ended) == 0);
    call.over();
}

TEST_CASE(
    "call::leg: a peer that takes no UPDATE is refreshed by a re-INVITE that changes nothing") {
    refreshing call;
    call.established("Allow: INVITE, ACK, BYE, CANCEL\n");
    const auto first = call.last("INVITE ");
    call.pass(300s);
    const auto again = call.last("INVITE ");
    CHECK(header(again, "CSeq") == "2 INVITE");
    CHECK(tag(again, "To") == "peer1");
    CHECK(body(again) == body(first)); // The same version of o=, too (RFC 3264 section 8).
    call.answer("INVITE ", "200 OK", contact + "Session-Expires: 600;refresher=uac\n", their_sdp);
    CHECK(header(call.last("ACK "), "CSeq") == "2 ACK");
    const auto acks = call.count("ACK ");
    call.answer("INVITE ", "200 OK", contact + "Session-Expires: 600;refresher=uac\n", their_sdp);
    CHECK(call.count("ACK ") == acks + 1); // Ours was lost.
    call.pass(300s);
    CHECK(call.count("INVITE ") == 3);
    call.answer("INVITE ", "200 OK", contact, their_sdp); // It has no timer any more.
    call.pass(1'000s);
    CHECK(call.count("INVITE ") == 3);
    call.over();
}

TEST_CASE("call::leg: a 481 to a refresh says that the call is gone") {
    for (const auto* status : {"481 Call/Transaction Does Not Exist", "408 Request Timeout"}) {
        refreshing call;
        call.established();
        call.pass(300s);
        call.answer("UPDATE ", status);
        CHECK(call.notice(what::ended).end.by == ended_by::timeout);
        CHECK(call.count("BYE ") == 1);
        call.answer("BYE ", "481 Call/Transaction Does Not Exist");
        call.check_over();
    }
}

TEST_CASE("call::leg: a refresh that nobody answers ends the call by BYE") {
    refreshing call;
    call.established();
    call.pass(333s);
    CHECK(call.notice(what::ended).end.by == ended_by::timeout);
    call.answer("BYE ", "200 OK");
    call.check_over();
}

TEST_CASE("call::leg: a refresh that is refused otherwise leaves the call alone until it expires") {
    refreshing call;
    call.established();
    call.pass(300s);
    for (std::size_t tries = 1; tries <= 26; ++tries) { // Every ten seconds, until it expires.
        CHECK(call.count("UPDATE ") == tries);
        call.answer("UPDATE ", "500 Server Internal Error");
        CHECK(call.told(what::ended) == 0);
        call.pass(10s);
    }
    call.answer("UPDATE ", "500 Server Internal Error");
    call.pass(8s);
    CHECK(std::ranges::count(call.notes, diagnostic::session_expired) == 1);
    call.answer("BYE ", "200 OK");
    call.check_over();
}

TEST_CASE("call::leg: who says that it takes UPDATE and does not is asked by re-INVITE") {
    for (const std::string status : {"501 Not Implemented", "405 Method Not Allowed"}) {
        CAPTURE(status);
        refreshing call;
        call.established();
        call.pass(300s);
        call.answer("UPDATE ", status);
        REQUIRE(call.count("INVITE ") == 2);
        call.answer("INVITE ", "200 OK", contact + "Session-Expires: 600;refresher=uac\n",
                    their_sdp);
        CHECK(call.told(what::ended) == 0);
        call.over();
    }
}

TEST_CASE("call::leg: a glare is tried again after 2.1 to 4 s by who made the Call-ID") {
    refreshing call;
    call.established("Allow: INVITE, ACK, BYE\n");
    call.pass(300s);
    call.answer("INVITE ", "491 Request Pending");
    CHECK(header(call.last("ACK "), "CSeq") == "2 ACK");
    call.pass(2s);
    CHECK(call.count("INVITE ") == 2);
    call.pass(2s);
    CHECK(call.count("INVITE ") == 3);
    CHECK(header(call.last("INVITE "), "CSeq") == "3 INVITE");
    call.answer("INVITE ", "200 OK", contact + "Session-Expires: 600;refresher=uac\n", their_sdp);
    call.over();
}

TEST_CASE("call::leg: their re-INVITE is told of the glare while ours is under way") {
    refreshing call;
    call.established("Allow: INVITE, ACK, BYE\n");
    call.pass(300s);
    const auto ours = call.last("INVITE ");
    const auto theirs = [&](unsigned cseq, std::string_view sdp) {
        return message("INVITE sip:trunk@198.51.100.1:5060 SIP/2.0\n"
                       "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-r" +
                           std::to_string(cseq) + "\nFrom: " + header(ours, "To") + "\nTo: " +
                           header(ours, "From") + "\nCall-ID: " + header(ours, "Call-ID") +
                           "\nCSeq: " + std::to_string(cseq) + " INVITE\n" + contact,
                       sdp);
    };
    call.receive(theirs(1, their_sdp));
    CHECK(call.count("SIP/2.0 491") == 1);
    call.receive(theirs(2, {}));
    CHECK(call.count("SIP/2.0 491") == 2);
    call.answer("INVITE ", "200 OK", contact + "Session-Expires: 600;refresher=uac\n", their_sdp);
    call.receive(theirs(3, their_sdp));
    CHECK(header(call.last("SIP/2.0 200"), "CSeq") == "3 INVITE");
    call.over();
}

TEST_CASE("call::leg: a re-INVITE of ours is challenged, and too short for somebody") {
    refreshing call;
    call.settings->auth_username = "alice";
    call.settings->auth_password = "secret";
    call.established("Allow: INVITE, ACK, BYE\n");
    call.pass(300s);
    call.answer("INVITE ", "401 Unauthorized",
                "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", qop=\"auth\"\n");
    CHECK(header(call.last("INVITE "), "CSeq") == "3 INVITE");
    CHECK(!header(call.last("INVITE "), "Authorization").empty());
    call.answer("INVITE ", "422 Session Interval Too Small", "Min-SE: 1000\n");
    CHECK(header(call.last("INVITE "), "Session-Expires") == "1000;refresher=uac");
    CHECK(header(call.last("INVITE "), "Min-SE") == "1000");
    call.answer("INVITE ", "200 OK", contact + "Session-Expires: 1000;refresher=uac\n", their_sdp);
    CHECK(header(call.last("ACK "), "Authorization") ==
          header(call.last("INVITE "), "Authorization"));
    call.over();
}

TEST_CASE("call::leg: an INVITE that is too short for somebody is sent again as they want it") {
    one_leg call;
    call.invite();
    call.receive(answer_to(call.last("INVITE "), "422 Session Interval Too Small", "peer0",
                           "Min-SE: 3600\n"));
    const auto again = call.last("INVITE ");
    CHECK(header(again, "CSeq") == "2 INVITE");
    CHECK(header(again, "Session-Expires") == "3600");
    CHECK(header(again, "Min-SE") == "3600");
    call.receive(answer_to(again, "422 Session Interval Too Small", "peer0", "Min-SE: 3600\n"));
    CHECK(call.notice(what::refused).end.sip_code == 422);
    call.check_over();
}

TEST_CASE("call::leg: a call that is hung up in the middle of a re-INVITE leaves nothing behind") {
    for (const bool ringing : {false, true}) {
        refreshing call;
        call.established("Allow: INVITE, ACK, BYE\n");
        call.pass(300s);
        if (ringing) call.answer("INVITE ", "100 Trying");
        call.over();
    }
}

TEST_CASE("call::leg: who takes no re-INVITE is asked again later, and not as fast as it answers") {
    refreshing call;
    call.established("Allow: INVITE, ACK, BYE\n");
    call.pass(300s);
    for (const auto* status : {"405 Method Not Allowed", "501 Not Implemented"}) {
        const auto before = call.count("INVITE ");
        call.answer("INVITE ", status);
        CHECK(call.count("INVITE ") == before);
        call.pass(10s);
        CHECK(call.count("INVITE ") == before + 1);
    }
    call.over();
}

TEST_CASE("call::leg: the 200 of a re-INVITE that crosses our BYE has its ACK") {
    refreshing call;
    call.established("Allow: INVITE, ACK, BYE\n");
    call.pass(300s);
    call.answer("INVITE ", "100 Trying");
    call.hang_up();
    CHECK(call.count("CANCEL ") == 1);
    const auto before = call.count("ACK ");
    for (std::size_t i = 1; i <= 2; ++i) {
        call.answer("INVITE ", "200 OK", contact, their_sdp);
        CHECK(call.count("ACK ") == before + i);
        CHECK(header(call.last("ACK "), "CSeq") == "2 ACK");
    }
    CHECK(call.count("BYE ") == 1);
    call.receive(answer_to(call.last("BYE "), "200 OK"));
    call.check_over();
}

/// They have called, and ask for what `fields` say.
struct watched : one_leg {
    caller them{*this};

    void established(const std::string& fields) {
        receive(them.invite(their_sdp, fields));
        one_leg::answer();
        receive(them.request("ACK", 100));
    }
    void over() {
        hang_up();
        receive(answer_to(last("BYE "), "200 OK"));
        check_over();
    }
};

TEST_CASE("call::leg: a caller that refreshes keeps the call, and one that stops loses it") {
    watched call;
    call.established("Supported: timer\nSession-Expires: 90;refresher=uac\n");
    const auto ok = call.last("SIP/2.0 200");
    CHECK(header(ok, "Session-Expires") == "90;refresher=uac");
    CHECK(header(ok, "Require") == "timer");
    call.pass(45s);
    call.receive(call.them.request(
        "UPDATE", 101, {}, "Supported: timer\nSession-Expires: 90;refresher=uac\n" + contact));
    const auto refreshed = call.last("SIP/2.0 200");
    CHECK(header(refreshed, "CSeq") == "101 UPDATE");
    CHECK(header(refreshed, "Session-Expires") == "90;refresher=uac");
    call.pass(59s);
    CHECK(call.told(what::ended) == 0);
    call.pass(1s);
    CHECK(call.notice(what::ended).end.by == ended_by::timeout);
    CHECK(call.count("BYE ") == 1);
    call.receive(answer_to(call.last("BYE "), "200 OK"));
    call.check_over();
}

// RFC 3261 section 14.1: who does not own the Call-ID waits for 0 to 2 s, in steps of 10 ms.
TEST_CASE("call::leg: a glare is tried again within 2 s by who was called") {
    watched call;
    call.established(
        "Supported: timer\nSession-Expires: 600;refresher=uas\nAllow: INVITE, ACK, BYE\n");
    call.pass(300s);
    const auto first = call.last("INVITE ");
    call.receive(answer_to(first, "491 Request Pending"));
    const auto glare = call.now;
    call.pass(4s);
    const auto again = std::ranges::find_if(call.sent, [&](const auto& each) {
        return each.text.starts_with("INVITE ") &&
               header(each.text, "CSeq") != header(first, "CSeq");
    });
    REQUIRE(again != call.sent.end());
    CHECK(again->at - glare <= 2s);
    CHECK((again->at - glare) % 10ms == 0ms);
    call.receive(answer_to(call.last("INVITE "), "200 OK", "caller1",
                           contact + "Session-Expires: 600;refresher=uac\n", their_sdp));
    call.over();
}

TEST_CASE("call::leg: a caller that wants us to refresh gets UPDATE if it takes it") {
    for (const bool update : {true, false}) {
        watched call;
        call.established((update ? takes_update : std::string{"Allow: INVITE, ACK, BYE\n"}) +
                         "Supported: timer\nSession-Expires: 600;refresher=uas\n");
        call.pass(300s);
        const std::string_view method = update ? "UPDATE " : "INVITE ";
        REQUIRE(call.count(method) == 1);
        CHECK(header(call.last(method), "Session-Expires") == "600;refresher=uac");
        call.receive(answer_to(call.last(method), "200 OK", "", contact,
                               update ? std::string_view{} : std::string_view{their_sdp}));
        call.over();
    }
}

TEST_CASE("call::leg: a refresh below our Min-SE is told what is enough") {
    watched call;
    call.established("Supported: timer\nSession-Expires: 90;refresher=uac\n");
    call.receive(call.them.request("UPDATE", 101, {}, "Supported: timer\nSession-Expires: 30\n"));
    CHECK(header(call.last("SIP/2.0 422"), "Min-SE") == "90");
    call.over();
}

TEST_CASE("call::leg: a refresh of a call that came in repeats our answer, held or not") {
    one_leg call;
    caller peer{call};
    call.receive(peer.invite(their_sdp, "Supported: timer\nSession-Expires: 600;refresher=uas\n"
                                        "Allow: INVITE, ACK, BYE, CANCEL\n"));
    call.answer();
    call.receive(peer.request("ACK", 100));
    auto ours = body(call.last("SIP/2.0 200"));
    call.pass(300s);
    CHECK(body(call.last("INVITE ")) == ours);
    call.receive(answer_to(call.last("INVITE "), "200 OK", "caller1",
                           contact + "Session-Expires: 600;refresher=uac\n", their_sdp));
    call.receive(peer.request(
        "INVITE", 101,
        replaced(replaced(their_sdp, "o=- 1 1 ", "o=- 1 2 "), "a=sendrecv", "a=sendonly"),
        "Supported: timer\nSession-Expires: 600;refresher=uas\n"));
    call.receive(peer.request("ACK", 101));
    ours = body(call.last("SIP/2.0 200"));
    CHECK(ours.find("a=recvonly") != std::string::npos);
    call.pass(900s);
    CHECK(body(call.last("INVITE ")) == ours);
    call.receive(peer.request("BYE", 900));
    call.pass(70s);
    call.check_over();
}

TEST_CASE("call::leg: a refresh that is put off by Retry-After comes that much later") {
    refreshing call;
    call.established();
    call.pass(300s);
    call.answer("UPDATE ", "500 Server Internal Error", "Retry-After: 60\n");
    call.pass(59s);
    CHECK(call.count("UPDATE ") == 1);
    call.pass(1s);
    CHECK(call.count("UPDATE ") == 2);
    call.answer("UPDATE ", "200 OK", contact);
    call.over();
}

TEST_CASE("call::leg: routes that nobody reads back keep us from a re-INVITE, and end nothing") {
    refreshing call;
    std::string routes = "Record-Route: ";
    for (int n = 0; n < 32; ++n) {
        routes += fmt::format("{}<sip:{}.example;lr>", n == 0 ? "" : ",", std::string(990, 'a'));
    }
    routes += '\n';
    call.invite();
    call.receive(answer_to(call.last("INVITE "), "200 OK", "peer1",
                           routes + contact + "Session-Expires: 90;refresher=uac\n", their_sdp));
    REQUIRE(call.told(what::answered) == 1);
    call.pass(70s);
    CHECK(call.count("INVITE ") == 1);
    call.pass(60s); // Nobody could refresh it.
    CHECK(call.notice(what::ended).end.by == ended_by::timeout);
    call.receive(answer_to(call.last("BYE "), "200 OK"));
    call.check_over();
}

TEST_CASE("call::leg: what refuses a re-INVITE of ours when the call has ended has its ACK") {
    refreshing call;
    call.established("Allow: INVITE, ACK, BYE, CANCEL\n");
    call.pass(300s);
    const auto again = call.last("INVITE ");
    call.receive(answer_to(again, "100 Trying", ""));
    call.receive(message("BYE sip:trunk@198.51.100.1:5060 SIP/2.0\n"
                         "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-b1\nFrom: " +
                         header(again, "To") + "\nTo: " + header(again, "From") +
                         "\nCall-ID: " + header(again, "Call-ID") + "\nCSeq: 7 BYE\n"));
    CHECK(call.told(what::ended) == 1);
    const auto acks = call.count("ACK ");
    call.receive(answer_to(again, "487 Request Terminated", "peer1"));
    CHECK(call.count("ACK ") == acks + 1);
    CHECK(branch(call.last("ACK ")) == branch(again));
    call.check_over();
}

} // namespace
} // namespace trunkline::calls
