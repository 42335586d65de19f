// Reliable provisional responses, RFC 3262, both sides.
#include <trunkline/call/leg.hpp>

#include <fmt/core.h>

#include "support/one_leg.hpp"

#include "support/print.hpp"

namespace trunkline::calls {
namespace {

using namespace support;
using what = notice::what;

const std::string contact = "Contact: <sip:gw@192.0.2.10:5060>\n";

struct callee : one_leg {
    caller them{*this};

    void called(std::string_view fields = "Require: 100rel\n", std::string_view sdp = their_sdp) {
        receive(them.invite(sdp, fields));
    }
    void ringing() {
        command([&](calls::leg& one) { CHECK(one.ringing(now, out).has_value()); });
    }
    void progress() {
        command([&](calls::leg& one) { CHECK(one.progress(now, out).has_value()); });
    }
    void prack(const std::string& response, unsigned cseq, std::string_view sdp = {}) {
        receive(
            them.request("PRACK", cseq, sdp,
                         fmt::format("RAck: {} 100 INVITE\n", support::header(response, "RSeq"))));
    }
    void over(unsigned cseq = 200) {
        receive(them.request("BYE", cseq));
        check_over();
    }
};

TEST_CASE(
    "call::leg: a 180 is reliable where the INVITE requires it, and is repeated until PRACK") {
    callee call;
    call.called();
    call.ringing();
    const auto first = call.last("SIP/2.0 180");
    CHECK(support::header(first, "Require") == "100rel");
    const auto number = std::stoul(support::header(first, "RSeq"));
    CHECK(number > 0);
    CHECK(number < 0x8000'0000);
    call.pass(400ms);
    CHECK(call.count("SIP/2.0 180") == 1);
    call.pass(7s); // After 0.5, 1.5, 3.5, 7.5 and 15.5 s: it doubles, and not only up to T2,
    CHECK(call.count("SIP/2.0 180") == 4);
    call.pass(4200ms); // by which there would be another after 11.5 s.
    CHECK(call.count("SIP/2.0 180") == 5);
    call.pass(3800ms);
    CHECK(call.count("SIP/2.0 180") == 5);
    call.pass(200ms);
    CHECK(call.count("SIP/2.0 180") == 6);
    call.prack(first, 101);
    CHECK(support::header(call.last("SIP/2.0 200"), "CSeq") == "101 PRACK");
    call.pass(20s);
    CHECK(call.count("SIP/2.0 180") == 6);
    call.answer();
    CHECK(support::body(call.last("SIP/2.0 200")).find("m=audio 40000") != std::string::npos);
    call.receive(call.them.request("ACK", 100));
    call.over();
}

TEST_CASE("call::leg: without a PRACK for 32 s the INVITE is refused by 504") {
    callee call;
    call.called();
    call.ringing();
    call.pass(32'001ms);
    CHECK(call.count("SIP/2.0 504") >= 1);
    CHECK(call.notice(what::ended).end.sip_code == 504);
    CHECK(std::ranges::count(call.notes, diagnostic::prack_missing) == 1);
    call.check_over();
}

TEST_CASE("call::leg: a PRACK for something else is 481, and nothing is acknowledged by it") {
    callee call;
    call.called();
    call.ringing();
    const auto ringing = call.last("SIP/2.0 180");
    const auto number = std::stoul(support::header(ringing, "RSeq"));
    unsigned cseq = 100;
    for (const auto& rack :
         {fmt::format("{} 100 INVITE", number + 1), fmt::format("{} 99 INVITE", number),
          fmt::format("{} 100 BYE", number), fmt::format("{} 100", number), std::string{"INVITE"},
          std::string{"4294967296 100 INVITE"}, fmt::format("{} 100 INVITE x", number)}) {
        CAPTURE(rack);
        call.receive(call.them.request("PRACK", ++cseq, {}, "RAck: " + rack + "\n"));
        CHECK(support::header(call.last("SIP/2.0 481"), "CSeq") == fmt::format("{} PRACK", cseq));
    }
    call.receive(call.them.request("PRACK", ++cseq));
    CHECK(support::header(call.last("SIP/2.0 481"), "CSeq") == fmt::format("{} PRACK", cseq));
    call.pass(600ms);
    CHECK(call.count("SIP/2.0 180") == 2);
    call.prack(ringing, ++cseq);
    call.prack(ringing, ++cseq); // A second time there is nothing to acknowledge.
    CHECK(support::header(call.last("SIP/2.0 481"), "CSeq") == fmt::format("{} PRACK", cseq));
    call.answer();
    call.receive(call.them.request("ACK", 100));
    call.over();
}

TEST_CASE(
    "call::leg: the next reliable response and the 200 wait for the PRACK of the one before") {
    callee call;
    call.called();
    call.ringing();
    call.progress();
    CHECK(call.count("SIP/2.0 183") == 0);
    const auto ringing = call.last("SIP/2.0 180");
    call.prack(ringing, 101);
    const auto progress = call.last("SIP/2.0 183");
    CHECK(std::stoul(support::header(progress, "RSeq")) ==
          std::stoul(support::header(ringing, "RSeq")) + 1);
    call.answer();
    CHECK(call.told(what::answered) == 0);
    call.prack(progress, 102);
    CHECK(call.told(what::answered) == 1);
    const auto ok = call.last("SIP/2.0 200");
    CHECK(support::header(ok, "CSeq") == "100 INVITE");
    CHECK(support::body(ok).empty()); // The 183 has said it, and was acknowledged.
    call.receive(call.them.request("ACK", 100));
    call.over();
}

TEST_CASE("call::leg: a late offer is made in a reliable 183, and its PRACK answers") {
    callee call;
    call.called("Require: 100rel\n", {});
    call.progress();
    const auto progress = call.last("SIP/2.0 183");
    CHECK(support::body(progress).find("m=audio 40000") != std::string::npos);
    call.prack(progress, 101, their_sdp);
    call.pass(100ms);
    CHECK_FALSE(call.media.empty());
    call.answer();
    CHECK(support::body(call.last("SIP/2.0 200")).empty());
    call.receive(call.them.request("ACK", 100));
    CHECK(call.told(what::ended) == 0);
    call.over();
}

TEST_CASE("call::leg: without 100rel a late offer waits for the 200") {
    callee call;
    call.called({}, {});
    call.command(
        [&](calls::leg& one) { CHECK_FALSE(one.progress(call.now, call.out).has_value()); });
    call.answer();
    call.receive(call.them.request("ACK", 100, their_sdp));
    call.over();
}

TEST_CASE("call::leg: a PRACK may bring an offer of its own, and an UPDATE after it") {
    callee call;
    call.called();
    call.progress();
    call.prack(call.last("SIP/2.0 183"), 101, replaced(their_sdp, "30000", "30002"));
    CHECK(support::body(call.last("SIP/2.0 200")).find("m=audio 40000") != std::string::npos);
    call.receive(call.them.request("UPDATE", 102, replaced(their_sdp, "30000", "30004")));
    const auto answered = call.last("SIP/2.0 200");
    CHECK(support::header(answered, "CSeq") == "102 UPDATE");
    CHECK(support::body(answered).find("m=audio 40000") != std::string::npos);
    call.pass(100ms);
    CHECK(call.media.back().to.port == 30'004);
    call.answer();
    call.receive(call.them.request("ACK", 100));
    call.over();
}

TEST_CASE("call::leg: a CANCEL ends a ringing that nobody acknowledged") {
    callee call;
    call.called();
    call.ringing();
    call.command([&](calls::leg& one) { one.cancelled({}, call.now, call.out); });
    CHECK(call.count("SIP/2.0 487") == 1);
    call.pass(3s);
    CHECK(call.count("SIP/2.0 180") == 1);
    call.check_over();
}

TEST_CASE("call::leg: what the trunk wants decides whether a response is reliable") {
    struct row {
        reliability wanted;
        const char* fields;
        bool reliable;
    };
    for (const auto& [wanted, fields, reliable] :
         {row{reliability::supported, "Supported: 100rel\n", false},
          row{reliability::supported, "Require: 100rel\n", true},
          row{reliability::required, "Supported: 100rel\n", true},
          row{reliability::off, "Supported: 100rel\n", false}}) {
        CAPTURE(fields);
        callee call;
        call.settings->provisionals = wanted;
        call.called(fields);
        call.ringing();
        CHECK(support::header(call.last("SIP/2.0 180"), "RSeq").empty() != reliable);
        call.command([&](calls::leg& one) { one.cancelled({}, call.now, call.out); });
        call.check_over();
    }
}

struct outbound : one_leg {
    void rings(unsigned rseq, std::string_view status = "180 Ringing",
               std::string_view peer = "peer1", std::string_view sdp = {}) {
        receive(answer_to(last("INVITE "), status, peer,
                          fmt::format("{}Require: 100rel\nRSeq: {}\n", contact, rseq), sdp));
    }
    void over() {
        receive(answer_to(last("INVITE "), "200 OK", "peer1", contact, their_sdp));
        hang_up();
        receive(answer_to(last("BYE "), "200 OK"));
        check_over();
    }
};

TEST_CASE("call::leg: a reliable response of theirs gets its PRACK, once, in the dialog it makes") {
    outbound call;
    call.invite();
    CHECK(support::header(call.last("INVITE "), "Supported") == "timer, 100rel");
    call.rings(7);
    const auto prack = call.last("PRACK ");
    CHECK(start_line(prack) == "PRACK sip:gw@192.0.2.10:5060 SIP/2.0");
    CHECK(support::header(prack, "RAck") == "7 1 INVITE");
    CHECK(support::header(prack, "CSeq") == "2 PRACK");
    CHECK(support::tag(prack, "To") == "peer1");
    CHECK(call.told(what::ringing) == 1);
    call.rings(7); // Repeated: PRACK repeats itself.
    CHECK(call.count("PRACK ") == 1);
    CHECK(call.told(what::ringing) == 1);
    call.rings(9); // Before its turn.
    CHECK(call.count("PRACK ") == 1);
    call.receive(answer_to(prack, "200 OK"));
    call.rings(8, "183 Session Progress", "peer1", their_sdp);
    CHECK(support::header(call.last("PRACK "), "CSeq") == "3 PRACK");
    CHECK(call.told(what::early_media) == 1);
    call.receive(answer_to(call.last("PRACK "), "200 OK"));
    call.receive(answer_to(call.last("INVITE "), "200 OK", "peer1", contact));
    CHECK(call.told(what::answered) == 1);
    call.hang_up();
    CHECK(support::header(call.last("BYE "), "CSeq") == "4 BYE");
    call.receive(answer_to(call.last("BYE "), "200 OK"));
    call.check_over();
}

TEST_CASE("call::leg: an RSeq that cannot be read makes a response that is not reliable") {
    for (const auto* rseq : {"RSeq: x\n", "RSeq: 0\n", "RSeq: 4294967296\n", "RSeq:\n", ""}) {
        CAPTURE(rseq);
        outbound call;
        call.invite();
        call.receive(answer_to(call.last("INVITE "), "180 Ringing", "peer1",
                               contact + "Require: 100rel\n" + rseq));
        CHECK(call.count("PRACK ") == 0);
        CHECK(call.told(what::ringing) == 1);
        call.over();
    }
}

TEST_CASE("call::leg: each fork that rings reliably has a count of its own") {
    outbound call;
    call.invite();
    call.rings(7, "180 Ringing", "peer1");
    call.rings(500, "180 Ringing", "peer2");
    CHECK(call.count("PRACK ") == 2);
    CHECK(support::tag(call.last("PRACK "), "To") == "peer2");
    CHECK(support::header(call.last("PRACK "), "CSeq") == "2 PRACK");
    for (const auto& one : call.all("PRACK ")) call.receive(answer_to(one, "200 OK"));
    call.over();
}

TEST_CASE("call::leg: a PRACK that is challenged is sent again with credentials, once") {
    outbound call;
    call.settings->auth_username = "alice";
    call.settings->auth_password = "secret";
    call.invite();
    call.rings(7);
    const std::string challenge =
        "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", qop=\"auth\"\n";
    call.receive(
        answer_to(call.last("PRACK "), "407 Proxy Authentication Required", "", challenge));
    const auto again = call.last("PRACK ");
    CHECK(support::header(again, "CSeq") == "3 PRACK");
    CHECK(support::header(again, "RAck") == "7 1 INVITE");
    CHECK(support::header(again, "Proxy-Authorization").find("uri=\"sip:gw@192.0.2.10:5060\"") !=
          std::string::npos);
    call.receive(answer_to(again, "407 Proxy Authentication Required", "", challenge));
    CHECK(call.count("PRACK ") == 2);
    call.over();
}

TEST_CASE("call::leg: a PRACK that nobody answers does not end the call") {
    outbound call;
    call.invite();
    call.rings(7);
    call.pass(33s);
    CHECK(call.told(what::refused) + call.told(what::ended) == 0);
    call.over();
}

TEST_CASE("call::leg: a callee that rings may change the media by UPDATE") {
    outbound call;
    call.invite();
    call.rings(7, "183 Session Progress", "peer1", their_sdp);
    call.receive(answer_to(call.last("PRACK "), "200 OK"));
    const auto invite = call.last("INVITE ");
    call.receive(message(
        "UPDATE sip:trunk@198.51.100.1:5060 SIP/2.0\n"
        "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-u1\n"
        "From: " +
            support::header(invite, "To") + ";tag=peer1\nTo: " + support::header(invite, "From") +
            "\nCall-ID: " + support::header(invite, "Call-ID") + "\nCSeq: 1 UPDATE\n" + contact,
        replaced(their_sdp, "30000", "30010")));
    CHECK(support::header(call.last("SIP/2.0 200"), "CSeq") == "1 UPDATE");
    call.pass(100ms);
    CHECK(call.media.back().to.port == 30'010);
    call.receive(answer_to(invite, "200 OK", "peer1", contact));
    CHECK(call.told(what::answered) == 1);
    call.hang_up();
    call.receive(answer_to(call.last("BYE "), "200 OK"));
    call.check_over();
}

TEST_CASE("call::leg: where 100rel is off or required, the INVITE says so") {
    outbound call;
    call.settings->provisionals = reliability::required;
    call.invite();
    CHECK(support::header(call.last("INVITE "), "Require") == "100rel");
    call.over();
    outbound plain;
    plain.settings->provisionals = reliability::off;
    plain.invite();
    CHECK(support::header(plain.last("INVITE "), "Supported") == "timer");
    plain.over();
}

} // namespace
} // namespace trunkline::calls
