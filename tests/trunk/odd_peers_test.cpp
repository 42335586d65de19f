// Peers that are odd but honest: what of theirs cannot be read and is not needed costs no call.
#include <string>
#include <string_view>
#include <vector>

#include "trunk/driver.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::driver;
using support::request_text;

struct answering : driver {
    std::vector<std::string> heard; ///< from, to, number of each call.
    std::string privacy;
    call_handle handle;

    answering() {
        auto wanted = carrier();
        wanted.numbers = {{"+4930123", "desk"}, {"+14155550100", "us"}};
        config.on_incoming = [this](incoming_call& call) {
            heard.push_back(std::string{call.from()} + '|' + std::string{call.to()} + '|' +
                            std::string{call.number()});
            privacy = call.header("Privacy");
            handle = call.handle();
            CHECK(call.answer(std::make_unique<trunkline::agent>()).has_value());
        };
        add(wanted);
    }
    /// The final answer to it.
    [[nodiscard]] std::string answer_of(const request_text& request) {
        static_cast<void>(texts());
        receive(request.text());
        const auto said = texts();
        return said.empty() ? std::string{} : said.back();
    }
};

TEST_CASE("trunks::engine: a header that is not needed and not readable is noted, in every part") {
    for (const std::string_view bad :
         {"Session-Expires: soon\n", "Min-SE: x\n", "Retry-After:\n", "Expires: never\n",
          "Timestamp: x\n", "Route: <sip:a b;lr>\n", "RSeq: x\n", "User-Agent: \x1b[2J\n",
          "no colon here\n"}) {
        CAPTURE(bad);
        answering d;
        request_text invite;
        invite.fields += bad;
        const auto ok = d.answer_of(invite);
        REQUIRE(support::status_of(ok) == "200");
        auto ack = invite.within("ACK", ok);
        ack.cseq = 1;
        ack.fields = bad;
        d.receive(ack.text());
        CHECK(d.noted(diagnostic::ack_missing) == 0);
        d.advance(10s);
        CHECK(d.texts().empty()); // The 200 is not repeated: its ACK was heard.
        auto bye = invite.within("BYE", ok);
        bye.fields = bad;
        CHECK(support::status_of(d.answer_of(bye)) == "200");
        REQUIRE(d.records.size() == 1);
        CHECK(d.records[0].ended_by == ended_by::caller);
        if (bad.starts_with("Timestamp")) continue; // We read none.
        CHECK(d.noted(diagnostic::header_ignored) == 3);
        for (const auto& note : d.notes) {
            if (note.code == diagnostic::header_ignored) CHECK(note.level == severity::warning);
        }
    }
}

TEST_CASE("trunks::engine: forms that other stacks take make calls") {
    struct row {
        std::string_view field; ///< Which is changed,
        std::string_view value; ///< to this.
        std::string_view heard;
    };
    const row table[] = {
        {"from", "<sip:1002#4155550123@192.0.2.1>;tag=f", "1002#4155550123|+4930123|+4930123"},
        {"from", "<sip:+1 415 555 0123@192.0.2.1>;tag=f", "+1 415 555 0123|+4930123|+4930123"},
        {"from", "<sip:@192.0.2.1>;tag=f", "|+4930123|+4930123"},
        {"from", "Smith, John <sip:+1@192.0.2.1>;tag=f", "+1|+4930123|+4930123"},
        {"from", "J\xc3\xbcrgen M\xc3\xbcller <sip:+1@192.0.2.1>;tag=f", "+1|+4930123|+4930123"},
        {"from", "ACME [x] (y) <sip:+1@192.0.2.1>;tag=f", "+1|+4930123|+4930123"},
        {"from", "<tel:4155550123;phone-context=+1>;tag=f", "+14155550123|+4930123|+4930123"},
        {"to", "<sip:1002#14155550100@192.0.2.1>", "+49170|+4930123|+4930123"},
        {"uri", "tel:4155550100;phone-context=+1", "+49170|+14155550100|+14155550100"},
        {"uri", "sip:4155550100;phone-context=+1@192.0.2.1;user=phone",
         "+49170|+14155550100|+14155550100"},
        {"uri", "sip:+49 30 123@192.0.2.1", "+49170|+49 30 123|+4930123"},
        {"contact", "<sip:PBX#1000@198.51.100.1>", "+49170|+4930123|+4930123"},
        {"contact", "<sip:@198.51.100.1>", "+49170|+4930123|+4930123"},
        {"contact", "<sip:a b@198.51.100.1>;expires=;x", "+49170|+4930123|+4930123"},
        {"fields", "Record-Route: <sip:a#b@198.51.100.1;lr>\n", "+49170|+4930123|+4930123"},
        {"fields", "P-Asserted-Identity: M\xc3\xbcller, J <sip:+1#2@h>\n",
         "+49170|+4930123|+4930123"},
    };
    for (const auto& row : table) {
        CAPTURE(row.value);
        answering d;
        request_text invite;
        auto& changed = row.field == "from"      ? invite.from
                        : row.field == "to"      ? invite.to
                        : row.field == "uri"     ? invite.uri
                        : row.field == "contact" ? invite.contact
                                                 : invite.fields;
        changed = row.value;
        const auto ok = d.answer_of(invite);
        REQUIRE(support::status_of(ok) == "200");
        REQUIRE(d.heard.size() == 1);
        CHECK(d.heard[0] == row.heard);
        auto ack = invite.within("ACK", ok);
        ack.cseq = 1;
        d.receive(ack.text());
        CHECK(support::status_of(d.answer_of(invite.within("BYE", ok))) == "200");
    }
}

TEST_CASE("trunks::engine: our BYE goes to an odd Contact as a Request-Line can hold it") {
    for (const auto& [contact, line] :
         {std::pair{"<sip:PBX#1000@198.51.100.1>", "BYE sip:PBX#1000@198.51.100.1 SIP/2.0"},
          std::pair{"<sip:a b@198.51.100.1>", "BYE sip:a%20b@198.51.100.1 SIP/2.0"},
          std::pair{"@@@", "BYE sip:+49170@198.51.100.1 SIP/2.0"}}) {
        CAPTURE(contact);
        answering d;
        request_text invite;
        invite.contact = contact;
        const auto ok = d.answer_of(invite);
        REQUIRE(support::status_of(ok) == "200");
        auto ack = invite.within("ACK", ok);
        ack.cseq = 1;
        d.receive(ack.text());
        CHECK(d.handle.hang_up());
        d.settle();
        CHECK(support::start_line(d.last()) == line);
    }
}

TEST_CASE("trunks::engine: a 400 says in its phrase which header is wrong, RFC 3261 21.4.1") {
    struct row {
        std::string_view from;
        std::string_view to;
        std::string_view phrase;
    };
    const row table[] = {
        {"<sip:+49170@198.51.100.1>;tag=theirs", "<sip:+49170@198.51.100.1;tag=theirs",
         "SIP/2.0 400 Malformed From header field"},
        {"tag=theirs", "tag=theirs;tag=other", "SIP/2.0 400 Repeated From header field"},
        {"CSeq: 1 INVITE", "CSeq: x INVITE", "SIP/2.0 400 Malformed CSeq header field"},
        {"Call-ID: call-1@198.51.100.1\r\n", "", "SIP/2.0 400 Missing Call-ID header field"},
        {"Contact: ", "Record-Route: <sip:a b;lr>\r\nContact: ",
         "SIP/2.0 400 Malformed Record-Route header field"},
        {"Contact: ", "Replaces: x\r\nContact: ", "SIP/2.0 400 Malformed Replaces header field"},
        {"application/sdp", "sdp", "SIP/2.0 400 Malformed Content-Type header field"},
        {"sip:+4930123@192.0.2.1 ", "<sip:+4930123@192.0.2.1> ", "SIP/2.0 400 Malformed Request"},
    };
    for (const auto& row : table) {
        CAPTURE(row.to);
        answering d;
        d.receive(support::replaced(request_text{}.text(), row.from, row.to));
        CHECK(support::start_line(d.last()) == row.phrase);
        REQUIRE(d.records.size() == 1);
        CHECK(d.records[0].refused == diagnostic::refused_malformed);
    }
}

TEST_CASE("trunks::engine: what nobody can answer is a warning where a trunk knows its source") {
    answering d;
    const auto count = [&](severity level, diagnostic code) {
        return std::ranges::count_if(
            d.notes, [&](const auto& one) { return one.level == level && one.code == code; });
    };
    const std::string response = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
                                 "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: c\r\n"
                                 "CSeq: x INVITE\r\n\r\n";
    d.receive(response);
    CHECK(count(severity::warning, diagnostic::datagram_malformed) == 1);
    const auto& note = d.notes.back();
    CHECK(note.values[0] == 0);
    CHECK(note.values[2] == static_cast<std::int64_t>(response.find("x INVITE")));
    CHECK(note.values[3] == static_cast<std::int64_t>(sip::header::cseq));
    d.receive(support::replaced(request_text{.method = "ACK"}.text(), "CSeq: 1", "CSeq: x"));
    CHECK(count(severity::warning, diagnostic::datagram_malformed) == 2);
    d.receive(support::stranger_at, response);
    d.receive("\r\n\r\n");
    d.receive("hello there\r\n\r\n");
    CHECK(count(severity::warning, diagnostic::datagram_malformed) == 2);
    CHECK(count(severity::trace, diagnostic::datagram_noise) == 3);
}

TEST_CASE("trunks::engine: a Privacy that cannot be read is id to the application") {
    answering d;
    request_text invite;
    invite.fields += "Privacy: @@@ ;;=,\"\n";
    REQUIRE(support::status_of(d.answer_of(invite)) == "200");
    CHECK(d.privacy == "id");
}

TEST_CASE("trunks::engine: a flood of headers that cannot be read is told ten times a second") {
    answering d;
    for (int i = 0; i < 50; ++i) {
        request_text options{.method = "OPTIONS"};
        options.branch += std::to_string(i);
        options.call_id += std::to_string(i);
        options.fields += "Expires: x\n";
        d.receive(options.text());
    }
    CHECK(d.noted(diagnostic::header_ignored) == 10);
    d.advance(200ms);
    request_text last{.method = "OPTIONS"};
    last.branch += "last";
    last.fields += "Expires: x\n";
    d.receive(last.text());
    REQUIRE(d.noted(diagnostic::header_ignored) == 11);
    const auto told = std::ranges::find_if(d.notes.rbegin(), d.notes.rend(), [](const auto& one) {
        return one.code == diagnostic::header_ignored;
    });
    CHECK(told->values[3] == 41);
}

const std::string mixed = "multipart/mixed;boundary=b1";

[[nodiscard]] std::string beside_isup(std::string_view content) {
    return "--b1\nContent-Type: application/sdp\n\n" + support::their_sdp +
           "\n--b1\nContent-Type: application/isup;version=itu-t92+\n\n" + std::string{content} +
           "\n--b1--\n";
}

struct listener : trunkline::agent {
    explicit listener(std::vector<std::string>& into) : heard{into} {}
    void on_body_part(call&, std::string_view type, std::string_view content) override {
        heard.push_back(std::string{type} + '|' + std::string{content});
    }
    std::vector<std::string>& heard;
};

TEST_CASE("trunks::engine: the parts beside a description are the application's, RFC 5621") {
    driver d;
    std::vector<std::string> asked;
    std::vector<std::string> heard;
    d.config.on_incoming = [&](incoming_call& call) {
        call.each_body_part([&](std::string_view type, std::string_view content) {
            asked.push_back(std::string{type} + '|' + std::string{content});
        });
        CHECK(call.answer(std::make_unique<listener>(heard)).has_value());
    };
    d.add(driver::carrier());
    request_text invite;
    invite.type = mixed;
    invite.body = beside_isup("IAM");
    d.receive(invite.text());
    const auto ok = d.last();
    REQUIRE(support::status_of(ok) == "200");
    CHECK(support::body(ok).find("m=audio") != std::string::npos);
    CHECK(asked == std::vector<std::string>{"application/isup;version=itu-t92+|IAM"});
    auto ack = invite.within("ACK", ok);
    ack.cseq = 1;
    d.receive(ack.text());
    CHECK(heard.empty());
    auto again = invite.within("INVITE", ok);
    again.body = beside_isup("SUS");
    d.receive(again.text());
    CHECK(support::status_of(d.last()) == "200");
    CHECK(heard == std::vector<std::string>{"application/isup;version=itu-t92+|SUS"});
}

TEST_CASE("trunks::engine: a body that may be ignored is, and one that may not is 415") {
    for (const auto& [disposition, status] :
         {std::pair{"Content-Disposition: render;handling=optional\n", "200"},
          std::pair{"Content-Disposition: render\n", "415"}, std::pair{"", "415"}}) {
        CAPTURE(disposition);
        answering d;
        request_text invite;
        invite.type = "application/vnd.example+xml";
        invite.body = "<x/>";
        invite.fields += disposition;
        const auto said = d.answer_of(invite);
        CHECK(support::status_of(said) == status);
        // The offer is then ours.
        if (status == std::string_view{"200"}) {
            CHECK(support::body(said).find("RTP/AVP 0 8 101") != std::string::npos);
        }
    }
}

TEST_CASE("trunks::engine: an Accept of which nothing can be read asks for nothing") {
    for (const auto& [accept, status] :
         {std::pair{"@@@ ;;=,\"", "200"}, std::pair{"soon", "200"}, std::pair{"text/*", "406"},
          std::pair{"text/plain, soon", "406"}, std::pair{"*/*", "200"}, std::pair{"", "406"}}) {
        CAPTURE(accept);
        answering d;
        request_text invite;
        invite.fields += "Accept: " + std::string{accept} + "\n";
        CHECK(support::status_of(d.answer_of(invite)) == status);
    }
}

} // namespace
} // namespace trunkline
