#include <trunkline/call/leg.hpp>

#include "support/one_leg.hpp"

#include "support/print.hpp"

namespace trunkline::calls {
namespace {

using namespace support;
using what = notice::what;

struct talking : one_leg {
    caller peer{*this};
    talking() { peer.established(); }

    [[nodiscard]] std::size_t rtp() const {
        return static_cast<std::size_t>(
            std::ranges::count(media, false, &one_leg::media_sent::rtcp));
    }
    void over() {
        receive(peer.request("BYE", 900));
        check_over();
    }
};

std::string with_version(std::string sdp, int version) {
    return replaced(std::move(sdp), "o=- 1 1 ", "o=- 1 " + std::to_string(version) + " ");
}

TEST_CASE("call::leg: a re-INVITE holds with sendonly, and the next one takes it back") {
    talking call;
    call.receive(call.peer.request(
        "INVITE", 101, replaced(with_version(their_sdp, 2), "a=sendrecv", "a=sendonly")));
    CHECK(body(call.last("SIP/2.0 200")).find("a=recvonly") != std::string::npos);
    call.receive(call.peer.request("ACK", 101));
    const auto before = call.rtp();
    call.pass(1s);
    CHECK(call.rtp() == before);
    call.receive(call.peer.request("INVITE", 102, with_version(their_sdp, 3)));
    CHECK(body(call.last("SIP/2.0 200")).find("a=sendrecv") != std::string::npos);
    call.receive(call.peer.request("ACK", 102));
    call.pass(1s);
    CHECK(call.rtp() >= before + 50);
    call.over();
}

TEST_CASE("call::leg: hold as before RFC 3264, with c=0.0.0.0, sends nothing at all") {
    talking call;
    call.pass(100ms);
    call.receive(call.peer.request(
        "INVITE", 101,
        replaced(with_version(their_sdp, 2), "c=IN IP4 192.0.2.20", "c=IN IP4 0.0.0.0")));
    call.receive(call.peer.request("ACK", 101));
    call.media.clear();
    call.pass(20s);
    CHECK(call.media.empty());
    call.receive(call.peer.request("INVITE", 102, with_version(their_sdp, 3)));
    call.receive(call.peer.request("ACK", 102));
    call.pass(100ms);
    REQUIRE(!call.media.empty());
    CHECK(call.media.back().to == endpoint{address::v4(192, 0, 2, 20), 30'000});
    call.over();
}

TEST_CASE("call::leg: a re-INVITE changes the codec and the address that we send to") {
    talking call;
    auto sdp = replaced(with_version(their_sdp, 2), "RTP/AVP 0 8 101", "RTP/AVP 8 101");
    sdp = replaced(sdp, "c=IN IP4 192.0.2.20", "c=IN IP4 192.0.2.21");
    call.receive(call.peer.request("INVITE", 101, sdp));
    CHECK(body(call.last("SIP/2.0 200")).find("m=audio 40000 RTP/AVP 8 101") != std::string::npos);
    call.receive(call.peer.request("ACK", 101));
    call.pass(100ms);
    CHECK((call.media.back().bytes[1] & std::byte{0x7f}) == std::byte{8});
    CHECK(call.media.back().bytes[12] == std::byte{0xd5});
    CHECK(call.media.back().to == endpoint{address::v4(192, 0, 2, 21), 30'000});
    call.over();
}

TEST_CASE("call::leg: an offerless re-INVITE is offered all that we have, answered in the ACK") {
    talking call;
    call.receive(call.peer.request("INVITE", 101));
    CHECK(body(call.last("SIP/2.0 200")).find("RTP/AVP 0 8 101") != std::string::npos);
    call.receive(call.peer.request(
        "ACK", 101, replaced(with_version(their_sdp, 2), "RTP/AVP 0 8 101", "RTP/AVP 8 101")));
    call.pass(100ms);
    CHECK((call.media.back().bytes[1] & std::byte{0x7f}) == std::byte{8});
    call.over();
}

TEST_CASE("call::leg: an offerless re-INVITE whose ACK has no answer blocks no later offer") {
    talking call;
    call.receive(call.peer.request("INVITE", 101));
    call.receive(call.peer.request("ACK", 101));
    call.receive(call.peer.request("INVITE", 102, with_version(their_sdp, 2)));
    CHECK(header(call.last("SIP/2.0 200"), "CSeq") == "102 INVITE");
    call.receive(call.peer.request("ACK", 102));
    call.over();
}

TEST_CASE("call::leg: a re-INVITE that is refused leaves the call and its target as they were") {
    talking call;
    call.receive(call.peer.request("INVITE", 101,
                                   replaced(their_sdp, "RTP/AVP 0 8 101", "RTP/AVP 18"),
                                   "Contact: <sip:gw@203.0.113.77:5060>\n"));
    CHECK(header(call.last("SIP/2.0 488"), "CSeq") == "101 INVITE");
    CHECK(header(call.last("SIP/2.0 488"), "Warning").starts_with("305 "));
    CHECK(call.told(what::reroute) == 0);
    const auto before = call.rtp();
    call.pass(1s);
    CHECK(call.rtp() >= before + 50);
    call.hang_up();
    CHECK(start_line(call.last("BYE ")) == "BYE sip:gw@192.0.2.10:5060 SIP/2.0");
    call.receive(answer_to(call.last("BYE "), "200 OK"));
    call.check_over();
}

TEST_CASE("call::leg: a re-INVITE before the ACK of the last gets 500 with Retry-After") {
    one_leg call;
    caller peer{call};
    call.receive(peer.invite());
    call.answer();
    call.receive(peer.request("INVITE", 101, their_sdp));
    const auto refused = call.last("SIP/2.0 500");
    CHECK(header(refused, "CSeq") == "101 INVITE");
    CHECK(header(refused, "Retry-After").size() == 1);
    call.receive(peer.request("ACK", 100));
    call.receive(peer.request("BYE", 102));
    call.check_over();
}

TEST_CASE("call::leg: a second INVITE before the first is answered gets 500 with Retry-After") {
    one_leg call;
    caller peer{call};
    call.receive(peer.invite());
    call.command([&](leg& one) { CHECK(one.ringing(call.now, call.out).has_value()); });
    call.receive(peer.request("INVITE", 101, their_sdp));
    CHECK(header(call.last("SIP/2.0 500"), "CSeq") == "101 INVITE");
    call.receive(peer.request("UPDATE", 102, their_sdp));
    CHECK(header(call.last("SIP/2.0 500"), "CSeq") == "102 UPDATE");
    call.receive(peer.request("UPDATE", 103));
    CHECK(header(call.last("SIP/2.0 200"), "CSeq") == "103 UPDATE");
    call.answer();
    call.receive(peer.request("ACK", 100));
    call.receive(peer.request("BYE", 104));
    call.check_over();
}

TEST_CASE("call::leg: a late ACK of the first INVITE does not stop the 200 of the second") {
    talking call;
    call.receive(call.peer.request("INVITE", 101, with_version(their_sdp, 2)));
    call.receive(call.peer.request("ACK", 100));
    const auto before = call.count("SIP/2.0 200");
    call.pass(600ms);
    CHECK(call.count("SIP/2.0 200") == before + 1);
    call.receive(call.peer.request("ACK", 101));
    call.pass(40s);
    CHECK(call.count("SIP/2.0 200") == before + 1);
    CHECK(call.count("BYE ") == 0);
    call.over();
}

TEST_CASE("call::leg: the 200 of a re-INVITE that nobody acknowledges ends in BYE") {
    talking call;
    call.receive(call.peer.request("INVITE", 101, with_version(their_sdp, 2)));
    call.pass(33s);
    CHECK(call.count("BYE ") >= 1);
    CHECK(call.notice(what::ended).end.by == ended_by::timeout);
    call.receive(answer_to(call.last("BYE "), "200 OK"));
    call.check_over();
}

TEST_CASE("call::leg: responses go by the flow that their request came on, again and again") {
    talking call;
    const flow_id other{5, 2};
    call.sent.clear();
    call.receive(call.peer.request("INVITE", 101, with_version(their_sdp, 2)), other);
    call.pass(600ms);
    REQUIRE(call.count("SIP/2.0 200") == 2);
    for (const auto& one : call.sent) CHECK(one.flow == other);
    call.receive(call.peer.request("ACK", 101), other);
    call.over();
}

TEST_CASE("call::leg: an UPDATE is a sign of life, or an offer of its own") {
    talking call;
    call.receive(call.peer.request("UPDATE", 101));
    CHECK(header(call.last("SIP/2.0 200"), "Contact") == "<sip:+14155550100@198.51.100.1:5060>");
    CHECK(body(call.last("SIP/2.0 200")).empty());
    call.receive(call.peer.request(
        "UPDATE", 102, replaced(with_version(their_sdp, 2), "a=sendrecv", "a=inactive")));
    CHECK(body(call.last("SIP/2.0 200")).find("a=inactive") != std::string::npos);
    const auto before = call.rtp();
    call.pass(1s);
    CHECK(call.rtp() == before);
    call.over();
}

TEST_CASE("call::leg: INFO carries digits as dtmf-relay and as dtmf") {
    talking call;
    struct {
        const char* type;
        const char* text;
        char digit;
    } const cases[] = {
        {"application/dtmf-relay", "Signal=5\nDuration=160\n", '5'},
        {"application/dtmf-relay", "Signal= #\nDuration= 100\n", '#'},
        {"application/dtmf-relay", "Signal=10\nDuration=100\n", '*'},
        {"application/dtmf-relay", "Signal=11\r\nDuration=100\r\n", '#'},
        {"application/dtmf-relay", "Signal=12\r\n", 'A'},
        {"application/dtmf-relay", "Signal=15\r\n", 'D'},
        {"application/dtmf-relay", "Signal=16\r\n", 0}, // The hook flash.
        {"application/dtmf-relay", "Signal=55\r\n", 0},
        {"application/dtmf-relay", "signal=3\r\nduration=160\r\n", '3'},
        {"application/dtmf-relay", "SIGNAL = b\r\n", 'B'},
        {"application/dtmf-relay", "Duration=160\r\nSignal=4\r\n", '4'},
        {"application/dtmf-relay", "Signal=6\rDuration=160", '6'},
        {"application/dtmf-relay; charset=utf-8", "Signal=6\nDuration=160", '6'},
        {"application/dtmf-relay", "d=8\r\n", '8'},
        {"APPLICATION/DTMF-Relay", "D= *\r\n", '*'},
        {"application/vnd.nortelnetworks.digits", "p=Digit-Collection\r\ny=Digits\r\nd=5\r\n", '5'},
        {"application/DTMF", "7\r\n", '7'},
        {"application/dtmf", "\r\n 10 \r\n", '*'},
        {"application/dtmf", "Signal=2\r\n", '2'},
        {"application/dtmf", "x", 0},
        {"application/dtmf", "", 0},
        {"application/dtmf", "7", '7'},
        {"application/dtmf-relay", "Duration=100\n", 0},
        {"application/dtmf-relay", "Signal\n", 0},
        {"text/plain", "Signal=5\n", 0}};
    unsigned cseq = 200;
    for (const auto& one : cases) {
        CAPTURE(one.text);
        call.events.clear();
        call.receive(call.peer.request("INFO", ++cseq, one.text, {}, one.type));
        CHECK(header(call.last("SIP/2.0 200"), "CSeq") == std::to_string(cseq) + " INFO");
        if (one.digit == 0) {
            CHECK(call.events.empty());
        } else {
            REQUIRE(call.events.size() == 1);
            CHECK(call.events[0].code == event::digit);
            CHECK(call.events[0].values[0] == one.digit);
        }
    }
    call.over();
}

TEST_CASE("call::leg: OPTIONS tells what is allowed, and what is not allowed is told so") {
    talking call;
    call.receive(call.peer.request("OPTIONS", 101));
    CHECK(header(call.last("SIP/2.0 200"), "Allow").find("INVITE, ACK, CANCEL, BYE") == 0);
    call.receive(call.peer.request("SUBSCRIBE", 102));
    CHECK(header(call.last("SIP/2.0 405"), "Allow").find("INVITE") == 0);
    call.receive(call.peer.request("DANCE", 103));
    CHECK(header(call.last("SIP/2.0 501"), "CSeq") == "103 DANCE");
    call.over();
}

TEST_CASE("call::leg: a flood within a call costs no transactions, and ends it no worse") {
    talking call;
    for (unsigned i = 0; i < 700; ++i) call.receive(call.peer.request("OPTIONS", 101 + i));
    CHECK(call.count("SIP/2.0 500") > 150);
    CHECK(call.transactions.size() < 600);
    call.receive(call.peer.request("BYE", 900));
    CHECK(header(call.last("SIP/2.0 200"), "CSeq") == "900 BYE");
    call.check_over();
}

TEST_CASE("call::leg: what is of no dialog is 481, and costs no transaction") {
    talking call;
    const auto before = call.transactions.size();
    call.receive(replaced(call.peer.request("INFO", 101), "tag=caller1", "tag=caller2"));
    CHECK(call.count("SIP/2.0 481") == 1);
    CHECK(call.transactions.size() == before);
    call.over();
}

TEST_CASE("call::leg: an older CSeq is out of order, a retransmission is not") {
    talking call;
    const auto info = call.peer.request("INFO", 105, "Signal=5\n", {}, "application/dtmf-relay");
    call.receive(info);
    call.receive(info);
    CHECK(call.events.size() == 1);
    CHECK(call.count("SIP/2.0 200") == 3);
    call.receive(call.peer.request("INFO", 104, "Signal=5\n", {}, "application/dtmf-relay"));
    CHECK(header(call.last("SIP/2.0 500"), "CSeq") == "104 INFO");
    CHECK(call.events.size() == 1);
    call.over();
}

TEST_CASE("call::leg: a request with another tag is not of this dialog") {
    talking call;
    for (const auto* name : {"From", "To"}) {
        auto stranger = call.peer.request("BYE", 300);
        stranger = replaced(stranger, tag(stranger, name), "somebody-else");
        call.receive(stranger);
        CHECK(header(call.last("SIP/2.0 481"), name).find("somebody-else") != std::string::npos);
    }
    CHECK_FALSE(call.leg->over());
    call.over();
}

TEST_CASE("call::leg: BYEs of both sides may cross") {
    talking call;
    call.hang_up();
    call.receive(call.peer.request("BYE", 101));
    CHECK(header(call.last("SIP/2.0 200"), "CSeq") == "101 BYE");
    call.receive(answer_to(call.last("BYE "), "481 Gone"));
    call.check_over();
}

TEST_CASE("call::leg: what comes after the end is answered 481 and starts nothing") {
    talking call;
    call.hang_up();
    call.receive(call.peer.request("INVITE", 101, with_version(their_sdp, 2)));
    CHECK(header(call.last("SIP/2.0 481"), "CSeq") == "101 INVITE");
    call.receive(answer_to(call.last("BYE "), "200 OK"));
    call.receive(call.peer.request("INFO", 102));
    CHECK(header(call.last("SIP/2.0 481"), "CSeq") == "102 INFO");
    call.check_over();
}

TEST_CASE("call::leg: an UPDATE between hanging up and the ACK starts no media") {
    one_leg call;
    caller peer{call};
    call.receive(peer.invite());
    call.answer();
    call.hang_up();
    call.media.clear();
    call.receive(peer.request("UPDATE", 101, with_version(their_sdp, 2)));
    call.pass(1s);
    CHECK(call.media.empty());
    call.receive(peer.request("ACK", 100));
    call.receive(answer_to(call.last("BYE "), "200 OK"));
    call.check_over();
}

TEST_CASE("call::leg: a Contact elsewhere asks for a way there, and BYE waits for it") {
    one_leg call;
    caller peer{call};
    call.receive(replaced(peer.invite(), "<sip:gw@192.0.2.10:5060>", "<sip:gw@203.0.113.5:5070>"));
    call.answer();
    call.receive(peer.request("ACK", 100));
    CHECK(call.notice(what::reroute).target == endpoint{address::v4(203, 0, 113, 5), 5070});
    call.hang_up();
    CHECK(call.count("BYE ") == 0);
    auto elsewhere = call.path;
    elsewhere.flow = {8, 1};
    elsewhere.peer = {address::v4(203, 0, 113, 5), 5070};
    call.command([&](leg& one) { one.set_path(elsewhere, call.now, call.out); });
    REQUIRE(call.count("BYE ") == 1);
    CHECK(call.sent.back().flow == flow_id{8, 1});
    call.receive(answer_to(call.last("BYE "), "200 OK"), {8, 1});
    call.check_over();
}

TEST_CASE("call::leg: an offer within the call that is refused is told what is wrong with it") {
    const auto refused = [](std::string_view sdp) {
        talking call;
        call.receive(call.peer.request("INVITE", 101, sdp));
        const auto answer = call.last("SIP/2.0 488");
        call.receive(call.peer.request("ACK", 101));
        call.over();
        return header(answer, "Warning");
    };
    CHECK(
        refused(replaced(their_sdp, "RTP/AVP 0 8 ", "RTP/AVP 18 ")).starts_with("305 trunkline "));
    CHECK(refused("v=0\nrubbish\n").starts_with("399 trunkline \"the SDP is wrong at byte "));
}

TEST_CASE("call::leg: a body that is no SDP is refused within the call as it is outside") {
    talking call;
    call.receive(call.peer.request("UPDATE", 101, "--b", {}, "multipart/mixed"));
    const auto answer = call.last("SIP/2.0 415");
    CHECK(header(answer, "Accept") == "application/sdp");
    call.receive(call.peer.request("OPTIONS", 102));
    const auto options = call.sent.back().text;
    CHECK(header(options, "Accept") == "application/sdp");
    CHECK(header(options, "Supported").find("timer") != std::string::npos);
    call.over();
}

} // namespace
} // namespace trunkline::calls
