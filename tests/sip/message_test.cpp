#include <trunkline/sip/message.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/print.hpp"
#include "support/wire.hpp"

namespace trunkline::sip {
namespace {

using support::crlf;
using support::good;
using support::parsed;

constexpr std::string_view options = R"(OPTIONS sip:bob@example.com SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1
From: <sip:alice@example.com>;tag=a
To: <sip:bob@example.com>
Call-ID: 1@192.0.2.1
CSeq: 1 OPTIONS

)";

/// The request above with more header lines at its end.
[[nodiscard]] std::string with(std::string_view lines) {
    return crlf(std::string{options.substr(0, options.size() - 1)} + std::string{lines} + "\n");
}

/// The request above with something in it replaced.
[[nodiscard]] std::string replaced(std::string_view what, std::string_view by) {
    std::string text{options};
    return crlf(text.replace(text.find(what), what.size(), by));
}

TEST_CASE("sip::message: reads the INVITE of RFC 3261 24.2") {
    const good invite{R"(INVITE sip:bob@biloxi.example.com SIP/2.0
Via: SIP/2.0/UDP bigbox3.site3.atlanta.com;branch=z9hG4bK77ef4c2312983.1
Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds;received=192.0.2.1
Max-Forwards: 69
To: Bob <sip:bob@biloxi.example.com>
From: Alice <sip:alice@atlanta.com>;tag=1928301774
Call-ID: a84b4c76e66710
CSeq: 314159 INVITE
Contact: <sip:alice@pc33.atlanta.com>
Content-Type: application/sdp
Content-Length: 4

v=0
)"};
    CHECK(invite->is_request());
    CHECK(invite->method() == method::invite);
    CHECK(invite->method_text() == "INVITE");
    CHECK(invite->request_uri().text == "sip:bob@biloxi.example.com");
    CHECK(invite->top_via().branch == "z9hG4bK77ef4c2312983.1");
    CHECK(invite->max_forwards() == 69);
    CHECK(invite->to().display == "Bob");
    CHECK(invite->to().tag().empty());
    CHECK(invite->from().tag() == "1928301774");
    CHECK(invite->call_id() == "a84b4c76e66710");
    CHECK(invite->cseq() == cseq_view{314159, "INVITE"});
    REQUIRE(invite->contact() != nullptr);
    CHECK(invite->contact()->uri.host == "pc33.atlanta.com");
    CHECK(invite->content_type() == "application/sdp");
    CHECK(invite->body() == "v=0\r"); // Four bytes were declared, the fifth is beside the message.
    CHECK(invite->size() == invite.bytes.size() - 1);
    std::size_t vias = 0;
    invite->each(header::via, [&](std::string_view) { ++vias; });
    CHECK(vias == 2);
}

TEST_CASE("sip::message: compact, odd-cased, folded and spaced-out names are the same headers") {
    const good message{"MESSAGE sip:b@h SIP/2.0\n"
                       "v: SIP/2.0/UDP\n one;branch=z9hG4bK1\n ,\n\tSIP/2.0/TCP two\n"
                       "f:<sip:a@h>;tag=1\n"
                       "T  \t: \"x\n y\" <sip:b@h>\n"
                       "i:c\n"
                       "cSEQ: 7 \n MESSAGE\n"
                       "m: <sip:m@h>\n"
                       "k: timer , 100REL\nSupported:\nSUPPORTED: path\n"
                       "c:  text/plain ; charset=utf-8\n"
                       "x: 1800;refresher=uac\n"
                       "X-Own:\n  one\n  two  \n"
                       "l: 2\n\nhi"};
    CHECK(message->top_via().host == "one");
    CHECK(message->value(header::via) ==
          "SIP/2.0/UDP   one;branch=z9hG4bK1   ,  \tSIP/2.0/TCP two");
    CHECK(message->to().display == "\"x   y\"");
    CHECK(message->cseq() == cseq_view{7, "MESSAGE"});
    CHECK(message->contact()->uri.user == "m");
    CHECK(message->lists(header::supported, "100rel"));
    CHECK(message->lists(header::supported, "path"));
    CHECK_FALSE(message->lists(header::supported, "100"));
    CHECK_FALSE(message->lists(header::require, "path"));
    CHECK(message->content_type() == "text/plain");
    CHECK(message->seconds(header::session_expires) == 1800);
    CHECK_FALSE(message->seconds(header::expires).has_value());
    CHECK(message->body() == "hi");
    const auto& own = message->fields()[message->fields().size() - 2];
    CHECK(own.id == header::other);
    CHECK(own.name == "X-Own");
    CHECK(own.value == "one    two");
}

TEST_CASE("sip::message: responses have a status and a reason, even an empty one") {
    const auto response = [](std::string_view line) {
        return std::string{line} +
               "\r\nVia: SIP/2.0/UDP h\r\nFrom: sip:a@h;tag=1\r\nTo: sip:b@h;tag=2\r\n"
               "Call-ID: c\r\nCSeq: 1 BYE\r\n\r\n";
    };
    struct row {
        std::string_view line;
        int status;
        std::string_view reason;
    };
    const row table[] = {
        {"SIP/2.0 200 OK", 200, "OK"}, {"sip/2.0 180 ", 180, ""},
        {"SIP/2.0 100", 100, ""},      {"SIP/2.0 699 \xd0\xbd  x", 699, "\xd0\xbd  x"},
        {"SIP/2.0 200 \x01", 200, ""}, // The code says it all, and no control character is told.
    };
    for (const auto& row : table) {
        CAPTURE(row.line);
        const parsed message{response(row.line)};
        CHECK(message.outcome.has_value());
        CHECK_FALSE(message->is_request());
        CHECK(message->status() == row.status);
        CHECK(message->reason() == row.reason);
        CHECK(message->cseq().method == "BYE");
    }
    for (const std::string_view line :
         {"SIP/2.0 99 x", "SIP/2.0 2000 OK", "SIP/2.0 700 x", "SIP/2.0 20", "SIP/2.0  200 OK",
          "SIP/2.0 2x0 OK", "SIP/2.0 200\tOK", "SIP/2.0 "}) {
        CAPTURE(line);
        const parsed message{response(line)};
        CHECK_FALSE(message.outcome.has_value());
        CHECK_FALSE(message->is_request()); // Nobody may answer it.
        CHECK_FALSE(message->answerable());
    }
}

TEST_CASE("sip::message: says which header is wrong, and where") {
    struct row {
        std::string text;
        errc code;
        header field;
        std::string_view at;  ///< How the text goes on where the error points.
        bool ignored = false; ///< An OPTIONS does without it.
    };
    const row table[] = {
        {with("Subject: a\x01z\n"), errc::bad_token, header::subject, "\x01z\r\n", true},
        {with("X-A: a\x7f\n"), errc::bad_token, header::other, "\x7f\r\n", true},
        {with("No colon\n"), errc::bad_token, header::other, "colon", true},
        {with(": empty\n"), errc::bad_token, header::other, ": empty", true},
        {with("Max-Forwards: -1\n"), errc::bad_number, header::max_forwards, "-1", true},
        {with("Max-Forwards: 7x\n"), errc::bad_number, header::max_forwards, "7x", true},
        {with("Max-Forwards: \n"), errc::bad_number, header::max_forwards, "\r\n", true},
        {with("Expires: soon\n"), errc::bad_number, header::expires, "soon", true},
        {with("CSeq: 1 OPTIONS\n"), errc::duplicate, header::cseq, "CSeq: 1"},
        {with("i: 1@192.0.2.1\n"), errc::duplicate, header::call_id, "i: 1"},
        {with("Content-Length: 0\nl: 0\n"), errc::duplicate, header::content_length, "l: 0"},
        {with("Content-Length: 1\n"), errc::bad_length, header::content_length, "1\r\n"},
        {with("Content-Length: 99999999999999999999\n"), errc::bad_length, header::content_length,
         "999"},
        {with("Content-Length: +0\n"), errc::bad_number, header::content_length, "+0"},
        {with("Content-Length: 0x0\n"), errc::bad_number, header::content_length, "0x0"},
        {with("Content-Type: text\n"), errc::bad_token, header::content_type, "\r\n", true},
        {with("Content-Type: text/plain;x=\n"), errc::bad_token, header::content_type, "\r\n",
         true},
        {with("Contact: <sip:a@b>,\n"), errc::bad_token, header::contact, "\r\n", true},
        {with("Contact: <sip:a@b>, <sip:a b>\n"), errc::trailing_bytes, header::contact, " b>",
         true},
        {with("Route: \n"), errc::need_more, header::route, "\r\n", true},
        {with("Record-Route: <sip:p;lr>,,<sip:q;lr>\n"), errc::need_more, header::record_route,
         ",<sip:q", true},
        {with("Via: SIP/2.0/UDP x, y\n"), errc::bad_token, header::via, "y\r\n"},
        {replaced("z9hG4bK1", "z9hG4bK"), errc::bad_token, header::via, "z9hG4bK\r\n"},
        {replaced("1 OPTIONS\n", "1 BYE\n"), errc::mismatch, header::cseq, "BYE"},
        {replaced("1 OPTIONS\n", "1 options\n"), errc::mismatch, header::cseq, "options"},
        {replaced("CSeq: 1 ", "CSeq: 2147483648 "), errc::bad_number, header::cseq, "8 OPTIONS"},
        {replaced("1@192.0.2.1", "a b"), errc::bad_token, header::call_id, "a b"},
        {replaced("1@192.0.2.1", "@h"), errc::bad_token, header::call_id, "@h"},
        {replaced("1@192.0.2.1", std::string(513, 'x')), errc::limit_exceeded, header::call_id,
         "xxx"},
        {replaced("<sip:bob@example.com>\n", "<sip:bob@example.com\n"), errc::need_more, header::to,
         "\r\nCall-ID"},
        {replaced("SIP/2.0\n", "SIP/3.0\n"), errc::bad_version, header::other, "SIP/3.0"},
        {replaced("SIP/2.0\n", "HTTP/1.1\n"), errc::bad_token, header::other, "HTTP/1.1"},
        {replaced("OPTIONS sip", "OPTIONS  sip"), errc::need_more, header::other, " sip:bob"},
        {replaced("example.com SIP", "example.com  SIP"), errc::bad_token, header::other,
         " SIP/2.0"},
        {replaced("example.com SIP", "example.com?x=y SIP"), errc::bad_token, header::other, "x=y"},
        {replaced("OPTIONS sip", "OPT@ONS sip"), errc::bad_token, header::other, "@ONS"},
        {replaced("SIP/2.0\n", "SIP/2.0\n folded: 1\n"), errc::bad_token, header::other, "folded",
         true},
    };
    for (const auto& row : table) {
        CAPTURE(row.text);
        const parsed message{row.text};
        CHECK(message.outcome.has_value() == row.ignored);
        CHECK(message->ignored().has_value() == row.ignored);
        if (message.outcome.has_value() != message->ignored().has_value()) continue;
        const auto reason = row.ignored ? *message->ignored() : message.outcome.reason();
        CHECK(reason.code == row.code);
        CHECK(static_cast<header>(reason.field) == row.field);
        REQUIRE(reason.offset <= message.bytes.size());
        CHECK(std::string_view{message.bytes}.substr(reason.offset).substr(0, row.at.size()) ==
              row.at);
    }
}

TEST_CASE("sip::message: of two things that are wrong the first is reported, as it was written") {
    const parsed message{with("Call-ID: x\nFrom: y\nVia: nonsense\n")};
    REQUIRE_FALSE(message.outcome.has_value());
    CHECK(static_cast<header>(message.outcome.reason().field) == header::call_id);
    const parsed ignored{with("Expires: x\nSubject: \x01\nMin-SE: nonsense\n")};
    REQUIRE(ignored.outcome.has_value());
    REQUIRE(ignored->ignored().has_value());
    CHECK(static_cast<header>(ignored->ignored()->field) == header::expires);
    // 505 is for what is right but for its version; all else is 400 first.
    const parsed both{replaced("SIP/2.0\n", "SIP/3.0\nVia: nonsense\n")};
    REQUIRE_FALSE(both.outcome.has_value());
    CHECK(static_cast<header>(both.outcome.reason().field) == header::via);
    const parsed version{replaced("SIP/2.0\n", "SIP/3.0\n")};
    REQUIRE_FALSE(version.outcome.has_value());
    CHECK(version.outcome.reason().code == errc::bad_version);
}

TEST_CASE("sip::message: what is mandatory has to be there") {
    struct row {
        std::string_view line;
        header field;
    };
    const row table[] = {
        {"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\n", header::via},
        {"From: <sip:alice@example.com>;tag=a\n", header::from},
        {"To: <sip:bob@example.com>\n", header::to},
        {"Call-ID: 1@192.0.2.1\n", header::call_id},
        {"CSeq: 1 OPTIONS\n", header::cseq},
    };
    for (const auto& row : table) {
        CAPTURE(row.line);
        const parsed message{replaced(row.line, "")};
        CHECK_FALSE(message.outcome.has_value());
        if (message.outcome) continue;
        CHECK(message.outcome.reason().code == errc::missing);
        CHECK(static_cast<header>(message.outcome.reason().field) == row.field);
        CHECK(message->answerable() == (row.field != header::via));
    }
}

TEST_CASE("sip::message: a request is answerable by the Via that came first, or not at all") {
    const parsed second{replaced("Via: ", "Via: nonsense\nVia: ")};
    CHECK_FALSE(second.outcome.has_value());
    CHECK_FALSE(second->answerable());
    const parsed first{replaced("From: ", "Via: nonsense\nFrom: ")};
    CHECK_FALSE(first.outcome.has_value());
    CHECK(first->answerable());
    CHECK(first->top_via().host == "192.0.2.1");
    const parsed ack{crlf("ACK sip:a@h SIP/2.0\nVia: SIP/2.0/UDP h\n\n")};
    CHECK_FALSE(ack->answerable());
}

TEST_CASE("sip::message: a lone CR, a lone LF and a NUL are refused wherever they stand") {
    const auto text = crlf(options);
    for (const char bad : {'\r', '\n', '\0'}) {
        for (std::size_t at = 0; at < text.size() - 2; ++at) {
            // Beside a line break it makes or folds another line; that is not what is tried here.
            if (text[at] == '\r' || text[at] == '\n' || (at > 0 && text[at - 1] == '\n')) continue;
            auto broken = text;
            broken.insert(at, 1, bad);
            if (broken.find("\r\n\r\n") != broken.size() - 4) continue;
            CAPTURE(at);
            CAPTURE(static_cast<int>(bad));
            CHECK_FALSE(parsed{broken}.outcome.has_value());
        }
    }
}

TEST_CASE("sip::message: line breaks before it are keep-alives, and counted") {
    const parsed message{"\r\n\r\n" + crlf(options)};
    CHECK(message.outcome.has_value());
    CHECK(message->size() == message.bytes.size());
    for (const std::string_view alone : {"", "\r\n", "\r\n\r\n", "\r", "\r\n\r"}) {
        const parsed nothing{std::string{alone}};
        REQUIRE_FALSE(nothing.outcome.has_value());
        CHECK(nothing.outcome.reason().code == errc::need_more);
        CHECK_FALSE(nothing->answerable());
    }
}

TEST_CASE(
    "sip::message: a datagram's body goes to its end or as far as declared, a stream's is told") {
    CHECK(parsed { crlf(options) + "tail" } -> body() == "tail");
    const parsed shorter{with("Content-Length: 3\n") + "bodytail"};
    CHECK(shorter.outcome.has_value());
    CHECK(shorter->body() == "bod");
    CHECK(shorter->size() == shorter.bytes.size() - 5);

    const parsed untold{crlf(options), true};
    REQUIRE_FALSE(untold.outcome.has_value());
    CHECK(untold.outcome.reason().code == errc::missing);
    CHECK(static_cast<header>(untold.outcome.reason().field) == header::content_length);
    const parsed told{with("Content-Length: 4\n") + "body", true};
    CHECK(told.outcome.has_value());
    CHECK(told->body() == "body");
    const parsed early{with("Content-Length: 5\n") + "body", true};
    REQUIRE_FALSE(early.outcome.has_value());
    CHECK(early.outcome.reason().code == errc::bad_length);
}

TEST_CASE("sip::message: every limit holds at its value and is refused beyond") {
    const auto lines = [](std::string_view line, std::size_t count) {
        std::string text;
        for (std::size_t i = 0; i < count; ++i) text += line;
        return with(text);
    };
    const auto code = [](const std::string& text) -> errc {
        const parsed message{text};
        return message.outcome ? errc{} : message.outcome.reason().code;
    };
    CHECK(code(lines("X-A: y\n", limits::headers - 5)) == errc{});
    CHECK(code(lines("X-A: y\n", limits::headers - 4)) == errc::limit_exceeded);
    CHECK(code(lines("X-A: y\n", 130)) == errc::limit_exceeded);
    CHECK(code(lines("Via: SIP/2.0/UDP h\n", limits::vias - 1)) == errc{});
    CHECK(code(lines("Via: SIP/2.0/UDP h\n", limits::vias)) == errc::limit_exceeded);
    std::string list = "Via: SIP/2.0/UDP h";
    for (std::size_t i = 1; i < limits::vias; ++i) list += ", SIP/2.0/UDP h";
    CHECK(code(with(list + "\n")) == errc::limit_exceeded); // 71 with the one that stood there.
    CHECK(code(lines("Route: <sip:p;lr>\n", limits::routes)) == errc{});
    CHECK(code(lines("Route: <sip:p;lr>\n", limits::routes + 1)) == errc{}); // Not ours to follow.
    CHECK(code(with("X-A: " + std::string(32'000, 'x') + "\n")) == errc{});
    CHECK(code(with("X-A: " + std::string(33 * 1024, 'x') + "\n")) == errc::limit_exceeded);
    CHECK(code(lines("X-A:" + std::string(400, ' ') + "\n", 100)) == errc::limit_exceeded);
    CHECK(code(crlf(options) + std::string(limits::body, 'b')) == errc{});
    CHECK(code(crlf(options) + std::string(limits::body + 1, 'b')) == errc::limit_exceeded);
    std::string folded = "X-A: y";
    for (int i = 0; i < 12'000; ++i) folded += "\n z";
    CHECK(code(with(folded + "\n")) == errc::limit_exceeded);
}

TEST_CASE("sip::message: one that owns its bytes outlives the text, and can be moved") {
    auto text = crlf(options);
    auto owned = message::parse(text);
    REQUIRE(owned.has_value());
    std::fill(text.begin(), text.end(), '\0');
    const auto moved = *std::move(owned);
    CHECK(moved->call_id() == "1@192.0.2.1");
    CHECK((*moved).to().uri.user == "bob");
    CHECK_FALSE(message::parse("").has_value());
}

} // namespace
} // namespace trunkline::sip
