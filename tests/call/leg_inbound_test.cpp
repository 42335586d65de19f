#include <trunkline/call/leg.hpp>

#include "support/one_leg.hpp"

#include "support/print.hpp"

namespace trunkline::calls {
namespace {

using namespace support;
using what = notice::what;

struct inbound : one_leg {
    caller peer{*this};
};

TEST_CASE("call::leg: an offer is answered in the 200, and the BYE of the caller ends the call") {
    inbound call;
    call.receive(call.peer.invite(their_sdp, "Record-Route: <sip:p2.example.net;lr>\n"
                                             "Record-Route: <sip:p1.example.net;lr>\n"));
    REQUIRE(call.incoming.has_value());
    call.answer();
    const auto ok = call.last("SIP/2.0 200");
    CHECK(start_line(ok) == "SIP/2.0 200 OK");
    CHECK(header(ok, "Via") == "SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-first");
    CHECK(header(ok, "From") == "<sip:+12125550199@192.0.2.10>;tag=caller1");
    CHECK(header(ok, "CSeq") == "100 INVITE");
    CHECK(header(ok, "Contact") == "<sip:+14155550100@198.51.100.1:5060>");
    CHECK(headers(ok, "Record-Route") ==
          std::vector<std::string>{"<sip:p2.example.net;lr>", "<sip:p1.example.net;lr>"});
    CHECK(body(ok).find("m=audio 40000 RTP/AVP 0 101\r\n") != std::string::npos);
    CHECK(body(ok).find("c=IN IP4 198.51.100.1\r\n") != std::string::npos);
    call.receive(call.peer.request("ACK", 100));
    call.receive(call.peer.request("BYE", 101, {}, "Reason: Q.850;cause=16\n"));
    const auto bye = call.last("SIP/2.0 200");
    CHECK(header(bye, "CSeq") == "101 BYE");
    const auto& end = call.notice(what::ended).end;
    CHECK(end.by == ended_by::caller);
    CHECK(end.carrier_words == "Q.850;cause=16");
    call.check_over();
}

TEST_CASE("call::leg: a late offer is made in the 200 and answered in the ACK") {
    inbound call;
    call.receive(call.peer.invite({}));
    CHECK_FALSE(call.leg->progress(call.now, call.out).has_value());
    call.answer();
    CHECK(body(call.last("SIP/2.0 200")).find("m=audio 40000 RTP/AVP 0 8 101") !=
          std::string::npos);
    CHECK(call.media.empty());
    call.receive(call.peer.request("ACK", 100, their_sdp));
    call.pass(100ms);
    CHECK(call.media.size() >= 5);
    call.hang_up();
    call.receive(answer_to(call.last("BYE "), "200 OK"));
    call.check_over();
}

TEST_CASE("call::leg: a late offer that the ACK does not answer ends in BYE") {
    inbound call;
    call.receive(call.peer.invite({}));
    call.answer();
    call.receive(call.peer.request("ACK", 100));
    CHECK(call.notice(what::ended).end.sip_code == 488);
    call.receive(answer_to(call.last("BYE "), "200 OK"));
    call.check_over();
}

TEST_CASE("call::leg: hung up before the ACK of a late offer, the answer starts no media") {
    inbound call;
    call.receive(call.peer.invite({}));
    call.answer();
    call.hang_up();
    CHECK(call.count("BYE ") == 0); // Section 15: not before the ACK.
    call.receive(call.peer.request("ACK", 100, their_sdp));
    CHECK(call.count("BYE ") == 1);
    call.pass(1s);
    CHECK(std::ranges::none_of(call.media, [](const auto& one) { return !one.rtcp; }));
    call.receive(answer_to(call.last("BYE "), "200 OK"));
    call.check_over();
}

TEST_CASE("call::leg: 180, 183 with SDP and the same SDP in the 200 bear one To tag") {
    inbound call;
    call.receive(call.peer.invite());
    call.command([&](leg& one) { CHECK(one.ringing(call.now, call.out).has_value()); });
    call.command([&](leg& one) { CHECK(one.progress(call.now, call.out).has_value()); });
    call.pass(1s);
    const auto progress = call.last("SIP/2.0 183");
    CHECK(!call.media.empty()); // Early media flows.
    call.answer();
    const auto ok = call.last("SIP/2.0 200");
    CHECK(body(ok) == body(progress));
    CHECK(tag(call.last("SIP/2.0 180"), "To") == tag(ok, "To"));
    CHECK(tag(progress, "To") == tag(ok, "To"));
    call.receive(call.peer.request("ACK", 100));
    call.receive(call.peer.request("BYE", 101));
    call.check_over();
}

TEST_CASE("call::leg: an INVITE that comes again gets the last response again") {
    inbound call;
    call.receive(call.peer.invite());
    call.command([&](leg& one) { CHECK(one.ringing(call.now, call.out).has_value()); });
    call.receive(call.peer.invite());
    CHECK(call.count("SIP/2.0 180") == 2);
    call.command([&](leg& one) {
        one.reject(486, "Busy Here", "X-Why: test\r\n", {ended_by::application, 486, "busy", {}},
                   call.now, call.out);
    });
    call.receive(call.peer.invite());
    CHECK(call.count("SIP/2.0 486") == 2);
    CHECK(header(call.last("SIP/2.0 486"), "X-Why") == "test");
    CHECK(headers(call.last("SIP/2.0 486"), "Contact").empty());
    const auto ack = replaced(replaced(call.peer.invite({}), "INVITE sip", "ACK sip"),
                              "CSeq: 100 INVITE", "CSeq: 100 ACK");
    call.receive(ack);
    call.pass(3s);
    CHECK(call.count("SIP/2.0 486") == 2);
    call.check_over();
}

TEST_CASE("call::leg: a CANCEL gets 487, before and after a 180 and while media is opened") {
    for (int stage = 0; stage < 3; ++stage) {
        CAPTURE(stage);
        inbound call;
        call.open_at_once = false;
        call.receive(call.peer.invite());
        if (stage > 0)
            call.command([&](leg& one) { CHECK(one.ringing(call.now, call.out).has_value()); });
        if (stage > 1) call.answer();
        const auto cancel = replaced(replaced(call.peer.invite({}), "INVITE sip", "CANCEL sip"),
                                     "CSeq: 100 INVITE", "CSeq: 100 CANCEL");
        call.receive(cancel);
        CHECK(call.count("SIP/2.0 487") == 1);
        CHECK(call.notice(what::ended).end.by == ended_by::caller);
        if (stage > 1) {
            CHECK_FALSE(call.finished()); // Somebody has to close what is being opened.
            call.answer_media(call.asked.front());
            CHECK(call.count("SIP/2.0 200") == 0);
        }
        call.check_over();
    }
}

TEST_CASE("call::leg: a BYE in the early dialog gets 200, and its INVITE 487") {
    inbound call;
    call.receive(call.peer.invite());
    call.command([&](leg& one) { CHECK(one.ringing(call.now, call.out).has_value()); });
    call.receive(call.peer.request("BYE", 101));
    CHECK(header(call.last("SIP/2.0 200"), "CSeq") == "101 BYE");
    CHECK(header(call.last("SIP/2.0 487"), "CSeq") == "100 INVITE");
    call.check_over();
}

TEST_CASE("call::leg: the 200 is repeated at T1, 2 T1, ... T2 until BYE at 64 T1 without an ACK") {
    inbound call;
    call.receive(call.peer.invite());
    call.answer();
    const auto answered = call.now;
    call.pass(40s);
    std::vector<std::int64_t> at;
    for (const auto& one : call.sent) {
        if (one.text.starts_with("SIP/2.0 200")) at.push_back((one.at - answered) / 1ms);
    }
    CHECK(at == std::vector<std::int64_t>{0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500,
                                          27500, 31500});
    const auto bye = std::ranges::find_if(
        call.sent, [](const auto& one) { return one.text.starts_with("BYE "); });
    REQUIRE(bye != call.sent.end());
    CHECK(bye->at - answered == 32s);
    CHECK(call.notice(what::ended).end.by == ended_by::timeout);
    call.receive(answer_to(bye->text, "481 Gone"));
    call.check_over();
}

TEST_CASE("call::leg: an ACK that was lost and comes late stops the repeating") {
    inbound call;
    call.receive(call.peer.invite());
    call.answer();
    call.pass(5s);
    const auto sent = call.count("SIP/2.0 200");
    CHECK(sent == 4);
    call.receive(call.peer.request("ACK", 100));
    call.receive(call.peer.request("ACK", 100)); // And the ones for the other repetitions.
    call.pass(40s);
    CHECK(call.count("SIP/2.0 200") == sent);
    CHECK(call.count("BYE ") == 0);
    call.hang_up();
    call.receive(answer_to(call.last("BYE "), "200 OK"));
    call.check_over();
}

TEST_CASE("call::leg: our BYE goes to the Contact through the recorded routes, in their order") {
    inbound call;
    call.receive(call.peer.invite(their_sdp, "Record-Route: <sip:192.0.2.10;lr>\n"
                                             "Record-Route: <sip:p1.example.net;lr>\n"));
    call.answer();
    call.receive(call.peer.request("ACK", 100));
    call.hang_up();
    const auto bye = call.last("BYE ");
    CHECK(start_line(bye) == "BYE sip:gw@192.0.2.10:5060 SIP/2.0");
    CHECK(headers(bye, "Route") ==
          std::vector<std::string>{"<sip:192.0.2.10;lr>", "<sip:p1.example.net;lr>"});
    CHECK(header(bye, "To") == "<sip:+12125550199@192.0.2.10>;tag=caller1");
    CHECK(tag(bye, "From") == tag(call.last("SIP/2.0 200"), "To"));
    call.pass(40s); // Nobody answers it.
    CHECK(call.count("BYE ") == 11);
    call.check_over();
}

TEST_CASE("call::leg: without a media port the caller gets 503") {
    inbound call;
    call.media_refused = true;
    call.receive(call.peer.invite());
    call.answer();
    CHECK(call.count("SIP/2.0 503") == 1);
    CHECK(header(call.last("SIP/2.0 503"), "Retry-After") == "5");
    call.check_over();
}

TEST_CASE("call::leg: answered without media while a pair is opened, no 183 follows the 200") {
    inbound call;
    call.open_at_once = false;
    call.receive(call.peer.invite());
    call.command([&](leg& one) { CHECK(one.progress(call.now, call.out).has_value()); });
    call.command([&](leg& one) { CHECK(one.answer(false, call.now, call.out).has_value()); });
    call.answer_media(call.asked.front());
    CHECK(call.count("SIP/2.0 183") == 0);
    CHECK(body(call.last("SIP/2.0 200")).find("a=inactive") != std::string::npos);
    call.receive(call.peer.request("ACK", 100));
    call.receive(call.peer.request("BYE", 101));
    call.check_over();
}

TEST_CASE("call::leg: an offer without a codec of ours is refused, and so is no SDP at all") {
    for (const auto& sdp :
         {replaced(their_sdp, "RTP/AVP 0 8 101", "RTP/AVP 18"), std::string{"hello\n"}}) {
        inbound call;
        call.receive(call.peer.invite(sdp));
        CHECK_FALSE(call.incoming.has_value());
        call.command([&](leg& one) {
            one.reject(488, "Not Acceptable Here", {}, {ended_by::application, 488, {}, {}},
                       call.now, call.out);
        });
        CHECK(call.count("SIP/2.0 488") >= 1);
        call.check_over();
    }
}

TEST_CASE("call::leg: hang_up before the answer is 480, and 500 for an agent that failed") {
    for (const auto by : {ended_by::application, ended_by::agent}) {
        inbound call;
        call.receive(call.peer.invite());
        call.command([&](leg& one) { one.hang_up(by, 0, "no", call.now, call.out); });
        CHECK(call.count(by == ended_by::agent ? "SIP/2.0 500" : "SIP/2.0 480") == 1);
        call.check_over();
    }
}

TEST_CASE("call::leg: destroyed in any state, it leaves no timer and no endless transaction") {
    for (int stage = 0; stage < 4; ++stage) {
        CAPTURE(stage);
        inbound call;
        call.receive(call.peer.invite());
        if (stage > 0)
            call.command([&](leg& one) { CHECK(one.progress(call.now, call.out).has_value()); });
        if (stage > 1) call.answer();
        if (stage > 2) call.receive(call.peer.request("ACK", 100));
        call.leg.reset();
        call.pass(70s);
        CHECK(call.transactions.size() == 0);
        CHECK(call.wheel.size() == 0);
    }
}

TEST_CASE("call::leg: who rings says so again every minute") {
    one_leg call;
    caller peer{call};
    call.receive(peer.invite());
    call.command([&](calls::leg& one) { CHECK(one.ringing(call.now, call.out)); });
    CHECK(call.count("SIP/2.0 180") == 1);
    call.pass(59s);
    CHECK(call.count("SIP/2.0 180") == 1);
    call.pass(61s);
    CHECK(call.count("SIP/2.0 180") == 3);
    call.command([&](calls::leg& one) { CHECK(one.progress(call.now, call.out)); });
    const auto progress = call.last("SIP/2.0 183");
    call.pass(60s);
    CHECK(call.count("SIP/2.0 183") == 2);
    CHECK(body(call.last("SIP/2.0 183")) == body(progress));
    call.answer();
    call.receive(peer.request("ACK", 100));
    const auto sent = call.sent.size();
    call.pass(10min);
    CHECK(call.sent.size() == sent);
    call.receive(peer.request("BYE", 101));
    call.check_over();
}

TEST_CASE("call::leg: why a caller gave up stands in the CANCEL, and is remembered") {
    one_leg call;
    caller peer{call};
    call.receive(peer.invite());
    auto cancel = replaced(peer.invite({}), "INVITE sip:", "CANCEL sip:");
    cancel = replaced(cancel, "100 INVITE", "100 CANCEL");
    cancel = replaced(cancel, "Max-Forwards",
                      "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\nMax-Forwards");
    call.receive(cancel);
    CHECK(call.notice(notice::what::ended).end.carrier_words ==
          "SIP;cause=200;text=\"Call completed elsewhere\"");
    call.receive(
        replaced(replaced(peer.invite({}), "INVITE sip:", "ACK sip:"), "100 INVITE", "100 ACK"));
    call.check_over();
}

} // namespace
} // namespace trunkline::calls
