// A copy of a parsed message, which is made without parsing a second time.
#include <trunkline/sip/message.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "support/wire.hpp"

namespace trunkline::sip {
namespace {

using support::crlf;

void check_same(const message_view& kept, const message_view& parsed) {
    CHECK(kept.is_request() == parsed.is_request());
    CHECK(kept.method_text() == parsed.method_text());
    CHECK(kept.reason() == parsed.reason());
    CHECK(kept.request_uri().text == parsed.request_uri().text);
    CHECK(kept.request_uri().user == parsed.request_uri().user);
    CHECK(kept.request_uri().host == parsed.request_uri().host);
    CHECK(kept.request_uri().parameters == parsed.request_uri().parameters);
    CHECK(kept.request_uri().headers == parsed.request_uri().headers);
    CHECK(kept.top_via() == parsed.top_via());
    CHECK(kept.top_via().branch == parsed.top_via().branch);
    CHECK(kept.top_via().host == parsed.top_via().host);
    for (const auto party : {&message_view::from, &message_view::to}) {
        CHECK((kept.*party)().display == (parsed.*party)().display);
        CHECK((kept.*party)().uri.password == (parsed.*party)().uri.password);
        CHECK((kept.*party)().parameters.text() == (parsed.*party)().parameters.text());
        CHECK((kept.*party)().tag() == (parsed.*party)().tag());
    }
    REQUIRE((kept.contact() == nullptr) == (parsed.contact() == nullptr));
    if (kept.contact() != nullptr) CHECK(kept.contact()->uri.text == parsed.contact()->uri.text);
    CHECK(kept.cseq() == parsed.cseq());
    CHECK(kept.body() == parsed.body());
    CHECK(kept.size() == parsed.size());
    REQUIRE(kept.fields().size() == parsed.fields().size());
    for (std::size_t i = 0; i < kept.fields().size(); ++i) {
        CHECK(kept.fields()[i].name == parsed.fields()[i].name);
        CHECK(kept.fields()[i].value == parsed.fields()[i].value);
    }
}

TEST_CASE("sip::message: a copy of a parsed message reads the same when the text is gone") {
    for (const auto& text : {crlf("INVITE sip:+4915550100@example.net;user=phone SIP/2.0\n"
                                  "Via: SIP/2.0/UDP a.example:5070;branch=z9hG4bKx;rport\n"
                                  "Via: SIP/2.0/TCP b.example;branch=z9hG4bKy\n"
                                  "From: \"A. B.\" <sip:ab:secret@example.net>;tag=1\n"
                                  "To: <sip:c@example.net>\nCall-ID: 1@a\nCSeq: 7 INVITE\n"
                                  "Contact: <sip:ab@192.0.2.1>;x=y, <sip:z@z>\n"
                                  "Subject: folded\n  over two\nX-Empty:\n"
                                  "Content-Type: application/sdp\nContent-Length: 4\n\nv=0\n"),
                             "\r\n\r\n" + crlf("SIP/2.0 183 Session Progress\nVia: SIP/2.0/UDP a\n"
                                               "From: <sip:a@b>;tag=1\nTo: <sip:c@d>;tag=2\n"
                                               "Call-ID: 1\nCSeq: 7 INVITE\n\n")}) {
        CAPTURE(text);
        auto bytes = text;
        message_view view;
        REQUIRE(view.parse(bytes).has_value());
        const message kept{view};
        std::fill(bytes.begin(), bytes.end(), '\0');
        const auto parsed = message::parse(text);
        REQUIRE(parsed.has_value());
        check_same(*kept, **parsed);
    }
}

} // namespace
} // namespace trunkline::sip
