// Descriptions among other parts, RFC 5621, in every message that may bear one.
#include <trunkline/call/leg.hpp>
#include <trunkline/call/session_body.hpp>

#include <string>
#include <string_view>

#include "support/one_leg.hpp"
#include "support/print.hpp"

namespace trunkline::calls {
namespace {

using namespace support;
using what = notice::what;

const std::string contact = "Contact: <sip:gw@192.0.2.10:5060>\n";
const std::string mixed = "multipart/mixed;boundary=b1";

/// The description beside ISUP, as RFC 3204 section 3.1 has it.
[[nodiscard]] std::string beside_isup(const std::string& sdp) {
    return "--b1\nContent-Type: application/sdp\n\n" + sdp +
           "\n--b1\nContent-Type: application/isup;version=itu-t92+\n"
           "Content-Disposition: signal;handling=optional\n\n\x01\x60\x01\n--b1--\n";
}

[[nodiscard]] session_body of(std::string_view method, const std::string& type,
                              const std::string& body, const std::string& fields = {}) {
    const std::string verb{method};
    std::string head = "Via: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:a@h>;tag=1\n"
                       "To: <sip:b@h>;tag=2\nCall-ID: c\nCSeq: 1 " +
                       (verb == "200" ? "INVITE" : verb) + "\n" + fields;
    if (!type.empty()) head += "Content-Type: " + type + "\n";
    head = (verb == "200" ? "SIP/2.0 200 OK\n" : verb + " sip:b@h SIP/2.0\n") + head + "\n" + body;
    static std::string kept; // What is borrowed of the message is compared below.
    kept = crlf(head);
    static sip::message_view read;
    REQUIRE(read.parse(kept).has_value());
    return session_of(read);
}

TEST_CASE("call::session_body: whatever stands beside a description, it is found") {
    const auto part = [](const std::string& headers, const std::string& content) {
        return "--b1\n" + headers + "\n\n" + content + "\n";
    };
    const auto sdp = part("Content-Type: application/sdp", "v=0");
    const auto pidf = part("Content-Type: application/pidf+xml\nContent-ID: <a@b>", "<p/>");
    struct row {
        std::string type;
        std::string body;
        std::string_view sdp;
        int refused;
    };
    const row table[] = {
        {"application/sdp", "v=0", "v=0", 0},
        {"Application/SDP; charset=\"UTF-8\"", "v=0", "v=0", 0},
        {mixed, sdp + "--b1--", "v=0", 0},
        {mixed, sdp + pidf + "--b1--", "v=0", 0},
        {mixed, pidf + sdp + "--b1--", "v=0", 0},
        {"multipart/related;type=\"application/sdp\";boundary=\"b1\"", sdp + pidf + "--b1--", "v=0",
         0},
        {mixed,
         sdp +
             part("Content-Type: application/rs-metadata+xml\n"
                  "Content-Disposition: recording-session;handling=required",
                  "<r/>") +
             "--b1--",
         "v=0", 0},
        {mixed,
         sdp + part("Content-Type: x/y\nContent-Disposition: a;handling=optional", "z") + "--b1--",
         "v=0", 0},
        {mixed, sdp + part("Content-Type: x/y", "z") + "--b1--", "v=0", 0},
        {mixed,
         sdp + part("Content-Type: x/y\nContent-Disposition: a;handling=required", "z") + "--b1--",
         "", 415},
        {mixed, pidf + "--b1--", "", 0}, // The offer is left to us.
        {mixed,
         part("Content-Type: application/sdp\nContent-Transfer-Encoding: base64", "dg==") +
             "--b1--",
         "", 415},
        {"multipart/mixed", sdp, "", 415},
        {"text/plain", "x", "", 415},
        {"", "v=0", "", 415},
    };
    for (const auto& row : table) {
        CAPTURE(row.type);
        CAPTURE(row.body);
        for (const auto* method : {"INVITE", "UPDATE", "PRACK"}) {
            const auto said = of(method, row.type, row.body);
            CHECK(said.refused == row.refused);
            CHECK(said.sdp == row.sdp);
        }
        // Of these nothing can be refused, and without a type they are what they were always.
        for (const auto* method : {"ACK", "200"}) {
            const auto said = of(method, row.type, row.body);
            CHECK(said.refused == 0);
            CHECK(said.sdp == (row.type.empty() ? "v=0" : row.sdp));
        }
    }
    const std::string optional = "Content-Disposition: render;handling=optional\n";
    CHECK(of("INVITE", "application/vnd.example+xml", "<x/>", optional).refused == 0);
    CHECK(of("INVITE", "application/vnd.example+xml", "<x/>", optional).sdp.empty());
    const std::string required = "Content-Disposition: session;handling=required\n";
    CHECK(of("INVITE", "application/sdp", "v=0", required).sdp == "v=0");
    for (const auto& [coding, refused] :
         {std::pair{"identity", 0}, std::pair{"", 0}, std::pair{"gzip", 415}}) {
        CAPTURE(coding);
        const auto fields = "Content-Encoding: " + std::string{coding} + "\n";
        CHECK(of("UPDATE", "application/sdp", "v=0", fields).refused == refused);
        CHECK(of("200", "application/sdp", "v=0", fields).sdp == (refused == 0 ? "v=0" : ""));
    }
}

struct parts_told : one_leg {
    [[nodiscard]] std::size_t parts() const {
        return static_cast<std::size_t>(
            std::ranges::count(events, event::body_part, &event_told::code));
    }
};

TEST_CASE("call::session_body: of two Content-Types none says what the body is") {
    // Section 7.3.1: the header may stand once. An answer or an ACK is used, its body is not.
    for (const std::string_view method : {"200", "ACK"}) {
        CAPTURE(method);
        for (const auto* other : {"Content-Type: text/plain\n", "c: application/sdp\n"}) {
            const auto found = of(method, "application/sdp", "v=0", other);
            CHECK(found.sdp.empty());
            CHECK(found.refused == 0);
        }
    }
}

TEST_CASE("call::leg: an offer beside ISUP is answered, in INVITE, re-INVITE, UPDATE and PRACK") {
    parts_told call;
    caller peer{call};
    call.settings->provisionals = reliability::supported;
    call.receive(replaced(peer.invite(beside_isup(their_sdp), "Require: 100rel\n"),
                          "application/sdp", mixed));
    REQUIRE(call.incoming.has_value());
    call.command([&](leg& one) { CHECK(one.progress(call.now, call.out).has_value()); });
    const auto progress = call.last("SIP/2.0 183");
    CHECK(body(progress).find("m=audio 40000 RTP/AVP 0 101") != std::string::npos);
    call.receive(peer.request("PRACK", 101, beside_isup(replaced(their_sdp, "1 1 IN", "1 2 IN")),
                              "RAck: " + header(progress, "RSeq") + " 100 INVITE\n", mixed));
    CHECK(body(call.last("SIP/2.0 200")).find("m=audio 40000") != std::string::npos);
    call.answer();
    call.receive(peer.request("ACK", 100));
    unsigned cseq = 102;
    for (const auto* method : {"UPDATE", "INVITE"}) {
        CAPTURE(method);
        call.receive(peer.request(method, cseq, beside_isup(replaced(their_sdp, "30000", "30500")),
                                  contact, mixed));
        const auto ok = call.last("SIP/2.0 200");
        CHECK(header(ok, "CSeq") == std::to_string(cseq) + " " + method);
        CHECK(body(ok).find("m=audio 40000") != std::string::npos);
        if (std::string_view{method} == "INVITE") call.receive(peer.request("ACK", cseq));
        ++cseq;
    }
    CHECK(call.parts() == 3);
    const auto& told = call.events.back();
    CHECK(as_text(std::span{told.bytes}) == "application/isup;version=itu-t92+\n\x01\x60\x01");
    call.receive(peer.request("UPDATE", cseq, their_sdp, "Content-Encoding: gzip\n"));
    CHECK(header(call.last("SIP/2.0 415"), "Accept-Encoding") == "identity");
    call.receive(peer.request("UPDATE", cseq + 1, "x", {}, "text/plain"));
    CHECK(header(call.last("SIP/2.0 415"), "Accept") == "application/sdp");
    call.receive(peer.request("UPDATE", cseq + 2, "x",
                              "Content-Disposition: render;handling=optional\n", "text/plain"));
    CHECK(header(call.last("SIP/2.0 200"), "CSeq") == std::to_string(cseq + 2) + " UPDATE");
    call.receive(peer.request("BYE", cseq + 3));
    call.check_over();
}

TEST_CASE("call::leg: an answer beside ISUP is taken, in 183, 200 and ACK") {
    for (const auto* status : {"183 Session Progress", "200 OK"}) {
        CAPTURE(status);
        parts_told call;
        call.invite();
        call.receive(replaced(
            answer_to(call.last("INVITE "), status, "peer1", contact, beside_isup(their_sdp)),
            "application/sdp", mixed));
        CHECK(call.parts() == 1);
        call.pass(100ms);
        CHECK_FALSE(call.media.empty());
        if (call.count("ACK ") == 0) {
            CHECK(call.told(what::early_media) == 1);
            // ISUP alone says nothing about the session.
            call.receive(replaced(answer_to(call.last("INVITE "), "200 OK", "peer1", contact,
                                            "--b1\nContent-Type: application/isup\n\nx\n--b1--"),
                                  "application/sdp", mixed));
        }
        CHECK(call.told(what::answered) == 1);
        call.hang_up();
        call.receive(answer_to(call.last("BYE "), "200 OK"));
        call.check_over();
    }
    parts_told call;
    caller peer{call};
    call.receive(peer.invite({}));
    call.answer();
    call.receive(peer.request("ACK", 100, beside_isup(their_sdp), {}, mixed));
    CHECK(call.parts() == 1);
    call.pass(100ms);
    CHECK_FALSE(call.media.empty());
    call.receive(peer.request("BYE", 101));
    call.check_over();
}

TEST_CASE("call::leg: every 2xx has its ACK, whatever of it cannot be read") {
    struct row {
        std::string fields;
        bool lives;
    };
    const row table[] = {
        {"Contact: <sip:PBX#1000@192.0.2.10>\n", true},
        {"Contact: @@@\n", true},
        {contact + "Session-Expires: soon\n", true},
        {contact + "Require: \x01\n", true},
        {contact + "no colon\n", true},
        {contact + "Record-Route: <sip:a b;lr>\n", false},
        {contact + "Content-Encoding: gzip\n", false},
    };
    for (const auto& row : table) {
        CAPTURE(row.fields);
        one_leg call;
        call.invite();
        call.receive(answer_to(call.last("INVITE "), "200 OK", "peer1", row.fields, their_sdp));
        CHECK(call.count("ACK ") == 1);
        CHECK(header(call.last("ACK "), "CSeq") == "1 ACK");
        CHECK(call.told(what::answered) == (row.lives ? 1 : 0));
        if (row.lives) call.hang_up();
        REQUIRE(call.count("BYE ") == 1);
        call.receive(answer_to(call.last("BYE "), "200 OK"));
        call.check_over();
    }
}

TEST_CASE("call::leg: the words of a 200 that cannot be used say what is wrong with it") {
    struct row {
        std::string_view connection;
        std::string_view words;
    };
    for (const auto& row :
         {row{"IP4 media.example.com", "the answer names a host in c=, and none is looked up"},
          row{"IP6 2001:db8::7",
              "the answer is at an address of the other IP version, and there is none here"}}) {
        CAPTURE(row.connection);
        one_leg call;
        call.invite();
        call.receive(answer_to(
            call.last("INVITE "), "200 OK", "peer1", contact,
            replaced(their_sdp, "c=IN IP4 192.0.2.20", "c=IN " + std::string{row.connection})));
        CHECK(call.count("ACK ") == 1);
        CHECK(call.count("BYE ") == 1);
        CHECK(call.notice(what::ended).end.reason == row.words);
        call.receive(answer_to(call.last("BYE "), "200 OK"));
        call.check_over();
    }
}

TEST_CASE("call::leg: an offer that no answer leaves audio of is 488, and the call goes on") {
    struct row {
        std::string sdp;
        std::string_view warning;
    };
    const auto image = "m=image 40100 udptl t38\na=T38FaxVersion:0\n";
    const row table[] = {
        {replaced(their_sdp, "m=audio 30000", "m=audio 0") + image,
         "305 trunkline \"no codec or transport in common\""},
        {replaced(their_sdp, "m=audio 30000", "m=video 0") + image,
         "305 trunkline \"no codec or transport in common\""},
        {replaced(their_sdp, "c=IN IP4 192.0.2.20", "c=IN IP6 2001:db8::7"),
         "300 trunkline \"media of the other IP version: there is no such address here\""},
        {replaced(their_sdp, "c=IN IP4 192.0.2.20", "c=IN IP4 media.example.com"),
         "301 trunkline \"a host name in c= is not looked up: write its address\""},
    };
    for (const auto& row : table) {
        CAPTURE(row.sdp);
        one_leg first;
        caller begins{first};
        first.receive(begins.invite(row.sdp));
        CHECK_FALSE(first.incoming.has_value());

        one_leg call;
        caller peer{call};
        peer.established();
        call.receive(peer.request("INVITE", 101, row.sdp, contact));
        const auto refusal = call.last("SIP/2.0 488");
        CHECK(header(refusal, "Warning") == row.warning);
        CHECK(call.told(what::ended) == 0);
        call.receive(peer.request("BYE", 102));
        call.check_over();
    }
    // Only an offer that asks for nothing is answered with nothing, and :: is how IPv6 holds.
    for (const auto& sdp : {replaced(their_sdp, "m=audio 30000", "m=audio 0"),
                            replaced(their_sdp, "c=IN IP4 192.0.2.20", "c=IN IP6 ::")}) {
        one_leg call;
        caller peer{call};
        peer.established();
        call.receive(peer.request("INVITE", 101, sdp, contact));
        CHECK(header(call.last("SIP/2.0 200"), "CSeq") == "101 INVITE");
        call.receive(peer.request("ACK", 101));
        call.receive(peer.request("BYE", 102));
        call.check_over();
    }
}

} // namespace
} // namespace trunkline::calls
