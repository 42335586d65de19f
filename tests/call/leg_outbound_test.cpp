#include <trunkline/call/leg.hpp>

#include "support/one_leg.hpp"

#include "support/print.hpp"

namespace trunkline::calls {
namespace {

using namespace support;
using what = notice::what;

const std::string contact = "Contact: <sip:gw@192.0.2.10:5060>\n";

struct outbound : one_leg {
    void accept(std::string_view peer = "peer1", const std::string& fields = contact) {
        receive(answer_to(last("INVITE "), "200 OK", peer, fields, their_sdp));
    }
    void over() {
        hang_up();
        receive(answer_to(last("BYE "), "200 OK"));
        check_over();
    }
};

TEST_CASE("call::leg: an INVITE with an offer, 180, 200, ACK, and BYE of the callee") {
    outbound call;
    call.invite();
    const auto invite = call.last("INVITE ");
    CHECK(start_line(invite) == "INVITE sip:+14155550100@192.0.2.10 SIP/2.0");
    CHECK(header(invite, "Via").starts_with("SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bK"));
    CHECK(header(invite, "CSeq") == "1 INVITE");
    CHECK(header(invite, "Max-Forwards") == "70");
    CHECK(header(invite, "To") == "<sip:+14155550100@192.0.2.10>");
    CHECK(header(invite, "Contact") == "<sip:trunk@198.51.100.1:5060>");
    CHECK(header(invite, "P-Asserted-Identity") == "<sip:+12125550199@198.51.100.1>");
    CHECK(body(invite).find("m=audio 40000 RTP/AVP 0 8 101\r\n") != std::string::npos);
    call.receive(answer_to(invite, "100 Trying", ""));
    CHECK(call.notices.empty());
    call.receive(answer_to(invite, "180 Ringing"));
    CHECK(call.told(what::ringing) == 1);
    CHECK(call.media.empty());
    call.accept();
    CHECK(call.told(what::answered) == 1);
    const auto ack = call.last("ACK ");
    CHECK(start_line(ack) == "ACK sip:gw@192.0.2.10:5060 SIP/2.0");
    CHECK(header(ack, "CSeq") == "1 ACK");
    CHECK(tag(ack, "To") == "peer1");
    CHECK(tag(ack, "From") == tag(invite, "From"));
    CHECK(branch(ack) != branch(invite));
    call.accept(); // Our ACK was lost.
    CHECK(call.count("ACK ") == 2);
    CHECK(call.told(what::answered) == 1);
    const auto bye = message("BYE sip:trunk@198.51.100.1:5060 SIP/2.0\n"
                             "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-b1\n"
                             "From: " +
                             header(ack, "To") + "\nTo: " + header(ack, "From") +
                             "\nCall-ID: " + header(ack, "Call-ID") + "\nCSeq: 7 BYE\n");
    call.receive(bye);
    CHECK(call.notice(what::ended).end.by == ended_by::callee);
    call.check_over();
}

TEST_CASE("call::leg: a 183 with SDP opens early media, and a bare 200 keeps it") {
    outbound call;
    call.invite();
    call.receive(
        answer_to(call.last("INVITE "), "183 Session Progress", "peer1", contact, their_sdp));
    CHECK(call.told(what::early_media) == 1);
    call.pass(100ms);
    CHECK(call.media.size() == 6);
    call.receive(answer_to(call.last("INVITE "), "200 OK", "peer1", contact));
    CHECK(call.told(what::answered) == 1);
    call.over();
}

TEST_CASE("call::leg: of several forks that ring, the one that answers gets the call") {
    outbound call;
    call.invite();
    const auto invite = call.last("INVITE ");
    const auto other = replaced(their_sdp, "m=audio 30000", "m=audio 31000");
    call.receive(answer_to(invite, "183 Session Progress", "fork1", contact, their_sdp));
    call.receive(answer_to(invite, "183 Session Progress", "fork2", contact, other));
    call.receive(answer_to(invite, "180 Ringing", "fork3", contact));
    call.receive(answer_to(invite, "200 OK", "fork2", contact, other));
    CHECK(tag(call.last("ACK "), "To") == "fork2");
    call.media.clear();
    call.pass(100ms);
    REQUIRE(!call.media.empty());
    CHECK(call.media.back().to.port == 31'000);
    call.over();
}

TEST_CASE("call::leg: a second fork that answers is acknowledged each time and left once") {
    outbound call;
    call.invite();
    call.accept("fork1");
    call.accept("fork2", "Contact: <sip:gw2@192.0.2.10:5060>\n");
    call.accept("fork2", "Contact: <sip:gw2@192.0.2.10:5060>\n");
    CHECK(call.count("ACK ") == 3);
    CHECK(call.count("BYE ") == 1);
    const auto bye = call.last("BYE ");
    CHECK(start_line(bye) == "BYE sip:gw2@192.0.2.10:5060 SIP/2.0");
    CHECK(tag(bye, "To") == "fork2");
    call.receive(answer_to(bye, "200 OK"));
    CHECK_FALSE(call.leg->over());
    for (int n = 0; n < 100; ++n) call.accept("fork-" + std::to_string(n));
    CHECK(call.count("BYE ") < 20);
    call.over();
}

TEST_CASE("call::leg: ACK and BYE take the recorded route, the nearest proxy first") {
    outbound call;
    call.invite();
    call.accept("peer1", contact + "Record-Route: <sip:p2.example.net;lr>\n"
                                   "Record-Route: <sip:192.0.2.10;lr>\n");
    call.hang_up();
    for (const auto& one : {call.last("ACK "), call.last("BYE ")}) {
        CHECK(start_line(one).find(" sip:gw@192.0.2.10:5060 ") != std::string::npos);
        CHECK(headers(one, "Route") ==
              std::vector<std::string>{"<sip:192.0.2.10;lr>", "<sip:p2.example.net;lr>"});
    }
    CHECK(header(call.last("BYE "), "CSeq") == "2 BYE");
    call.receive(answer_to(call.last("BYE "), "200 OK"));
    call.check_over();
}

TEST_CASE("call::leg: the headers of a Contact stay out of the Request-URI") {
    outbound call;
    call.invite();
    call.accept("peer1", "Contact: <sip:gw@192.0.2.10:5060?X-Evil=1>\n");
    CHECK(start_line(call.last("ACK ")) == "ACK sip:gw@192.0.2.10:5060 SIP/2.0");
    call.over();
}

TEST_CASE("call::leg: a strict router finds itself in the Request-URI") {
    outbound call;
    call.invite();
    call.accept("peer1", contact + "Record-Route: <sip:p2.example.net;lr>, <sip:192.0.2.10>\n");
    const auto ack = call.last("ACK ");
    CHECK(start_line(ack) == "ACK sip:192.0.2.10 SIP/2.0");
    CHECK(headers(ack, "Route") ==
          std::vector<std::string>{"<sip:p2.example.net;lr>", "<sip:gw@192.0.2.10:5060>"});
    call.over();
}

TEST_CASE("call::leg: a Contact elsewhere is asked the way to, and the ACK waits for it") {
    outbound call;
    call.invite();
    const std::string far = "Contact: <sip:gw@203.0.113.5:5070>\n";
    call.accept("peer1", far);
    CHECK(call.notice(what::reroute).target == endpoint{address::v4(203, 0, 113, 5), 5070});
    call.accept("peer1", far);
    CHECK(call.count("ACK ") == 0);
    auto elsewhere = call.path;
    elsewhere.flow = {8, 1};
    elsewhere.peer = {address::v4(203, 0, 113, 5), 5070};
    call.command([&](leg& one) { one.set_path(elsewhere, call.now, call.out); });
    CHECK(call.count("ACK ") == 1);
    CHECK(call.sent.back().flow == flow_id{8, 1});
    call.accept("peer1", far);
    CHECK(call.count("ACK ") == 2);
    call.over();
}

TEST_CASE("call::leg: a refusal is acknowledged and told in the carrier's own words") {
    outbound call;
    call.invite();
    const auto invite = call.last("INVITE ");
    call.receive(answer_to(invite, "486 Besetzt", "peer1",
                           "Reason: Q.850;cause=17;text=\"user busy\"\n"
                           "Warning: 399 gw \"line 7\"\nX-Carrier-Error: 4711\n"));
    CHECK(branch(call.last("ACK ")) == branch(invite));
    const auto& end = call.notice(what::refused).end;
    CHECK(end.by == ended_by::callee);
    CHECK(end.sip_code == 486);
    CHECK(end.carrier_words == "Besetzt; Q.850;cause=17;text=\"user busy\"; 399 gw \"line 7\"; "
                               "X-Carrier-Error: 4711");
    call.check_over();
}

TEST_CASE("call::leg: 503 hands on how long the gateway wants to be left alone") {
    outbound call;
    call.invite();
    call.receive(answer_to(call.last("INVITE "), "503 Full", "peer1", "Retry-After: 30\n"));
    CHECK(call.notice(what::refused).retry_after == 30);
    CHECK(call.notice(what::refused).end.by == ended_by::carrier);
    call.check_over();
}

TEST_CASE("call::leg: nobody answers: seven INVITEs in 32 seconds, then refused") {
    outbound call;
    call.invite();
    call.pass(31'999ms);
    CHECK(call.notices.empty());
    call.pass(1ms);
    CHECK(call.count("INVITE ") == 7);
    CHECK(call.notice(what::refused).end.by == ended_by::timeout);
    call.check_over();
}

TEST_CASE("call::leg: ICMP refuses the INVITE, and no longer once somebody answered") {
    outbound call;
    call.invite();
    call.flow_failed();
    CHECK(call.notice(what::refused).end.sip_code == 503);
    call.check_over();
    outbound other;
    other.invite();
    other.receive(answer_to(other.last("INVITE "), "180 Ringing"));
    other.flow_failed();
    CHECK(other.told(what::refused) == 0);
    other.accept();
    other.over();
}

TEST_CASE("call::leg: CANCEL waits for a provisional response and ends in 487") {
    outbound call;
    call.invite();
    const auto invite = call.last("INVITE ");
    call.hang_up();
    CHECK(call.count("CANCEL ") == 0);
    call.receive(answer_to(invite, "100 Trying", ""));
    const auto cancel = call.last("CANCEL ");
    CHECK(start_line(cancel) == "CANCEL sip:+14155550100@192.0.2.10 SIP/2.0");
    CHECK(headers(cancel, "Via") == headers(invite, "Via"));
    CHECK(header(cancel, "To") == header(invite, "To"));
    CHECK(header(cancel, "CSeq") == "1 CANCEL");
    CHECK(header(cancel, "Reason").ends_with(";text=\"bye\"")); // RFC 3326
    call.receive(answer_to(invite, "180 Ringing"));
    CHECK(call.count("CANCEL ") == 1);
    call.receive(answer_to(cancel, "200 OK"));
    call.receive(answer_to(invite, "487 Request Terminated"));
    CHECK(branch(call.last("ACK ")) == branch(invite));
    CHECK(call.told(what::ended) == 1);
    call.check_over();
}

TEST_CASE("call::leg: a call given up without any response ends with Timer B") {
    outbound call;
    call.invite();
    call.hang_up();
    call.pass(33s);
    CHECK(call.count("CANCEL ") == 0);
    call.check_over();
}

TEST_CASE("call::leg: a CANCEL that is never followed by a final response ends all the same") {
    outbound call;
    call.invite();
    call.receive(answer_to(call.last("INVITE "), "180 Ringing"));
    call.hang_up();
    call.receive(answer_to(call.last("CANCEL "), "200 OK"));
    call.pass(65s);
    call.check_over();
}

TEST_CASE("call::leg: a 200 that crosses our CANCEL is acknowledged and ended by BYE") {
    outbound call;
    call.invite();
    const auto invite = call.last("INVITE ");
    call.receive(answer_to(invite, "180 Ringing"));
    call.hang_up();
    call.accept();
    CHECK(call.count("ACK ") == 1);
    CHECK(call.count("BYE ") == 1);
    CHECK(call.told(what::answered) == 0);
    call.receive(answer_to(call.last("CANCEL "), "481 Gone"));
    call.receive(answer_to(call.last("BYE "), "200 OK"));
    call.check_over();
}

TEST_CASE("call::leg: hung up before its media pair came, nothing is sent and the pair is closed") {
    outbound call;
    call.open_at_once = false;
    call.invite();
    call.hang_up();
    CHECK_FALSE(call.finished());
    call.answer_media(call.asked.front());
    CHECK(call.sent.empty());
    call.check_over();
}

TEST_CASE("call::leg: no media pair, no INVITE") {
    outbound call;
    call.media_refused = true;
    call.invite();
    CHECK(call.sent.empty());
    CHECK(call.notice(what::ended).end.by == ended_by::local_error);
    call.check_over();
}

TEST_CASE("call::leg: a 200 without a usable answer is acknowledged and ended by BYE") {
    for (const auto& sdp : {std::string{}, std::string{"hello\n"},
                            replaced(their_sdp, "RTP/AVP 0 8 101", "RTP/AVP 18")}) {
        outbound call;
        call.invite();
        call.receive(answer_to(call.last("INVITE "), "200 OK", "peer1", contact, sdp));
        CHECK(call.count("ACK ") == 1);
        CHECK(call.notice(what::ended).end.sip_code == 488);
        call.receive(answer_to(call.last("BYE "), "200 OK"));
        call.check_over();
    }
}

TEST_CASE("call::leg: a header with a line break in it is never sent") {
    outbound call;
    call.make(direction::outbound);
    call.command([&](leg& one) {
        one.invite({.request_uri = "sip:a@192.0.2.10",
                    .from = "<sip:b@198.51.100.1>",
                    .to = "<sip:a@192.0.2.10>",
                    .headers = {{"X-Name", "a\r\nRoute: <sip:evil>"}}},
                   call.now, call.out);
    });
    CHECK(call.sent.empty());
    CHECK(call.notice(what::ended).end.by == ended_by::local_error);
    call.check_over();
}

TEST_CASE("call::leg: an outbound leg destroyed in any state leaves nothing behind") {
    for (int stage = 0; stage < 4; ++stage) {
        CAPTURE(stage);
        outbound call;
        call.invite();
        if (stage > 0) call.receive(answer_to(call.last("INVITE "), "180 Ringing"));
        if (stage > 1) call.accept();
        if (stage > 2) call.hang_up();
        call.leg.reset();
        call.pass(70s);
        CHECK(call.transactions.size() == 0);
        CHECK(call.wheel.size() == 0);
    }
}

} // namespace
} // namespace trunkline::calls
