// What we do not need cannot cost a call: RFC 3261 sections 8.2.2, 13.2.2.4 and 18.3.
#include <trunkline/sip/message.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "support/print.hpp"
#include "support/wire.hpp"

namespace trunkline::sip {
namespace {

using support::crlf;
using support::parsed;

/// A request of `method` with lines of its own; within a dialog when it has a `to_tag`.
[[nodiscard]] std::string request(std::string_view method, std::string_view lines,
                                  std::string_view to_tag = {}, std::string_view body = {}) {
    const std::string verb{method};
    std::string text = verb + " sip:b@h SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\n" +
                       "From: <sip:a@h>;tag=1\nTo: <sip:b@h>" + std::string{to_tag} +
                       "\nCall-ID: c\nCSeq: 1 " + verb + "\n" + std::string{lines} + "\n" +
                       std::string{body};
    return crlf(text);
}

[[nodiscard]] std::string response(std::string_view lines, std::string_view body = {}) {
    return crlf("SIP/2.0 200 OK\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:a@h>;tag=1\n"
                "To: <sip:b@h>;tag=2\nCall-ID: c\nCSeq: 1 INVITE\n" +
                std::string{lines} + "\n" + std::string{body});
}

TEST_CASE("sip::message: an optional header that cannot be read is noted and as good as absent") {
    struct row {
        std::string_view line;
        header which;
    };
    const row table[] = {
        {"Session-Expires: soon\n", header::session_expires},
        {"x: ;refresher=uas\n", header::session_expires},
        {"Session-Expires: 90\nSession-Expires: 100\n", header::session_expires},
        {"Min-SE: x\n", header::min_se},
        {"Expires: -1\n", header::expires},
        {"Min-Expires:\n", header::min_expires},
        {"Retry-After:\n", header::retry_after},
        {"RSeq: x\n", header::rseq},
        {"Max-Forwards: many\n", header::max_forwards},
        {"Route: <sip:a b;lr>\n", header::route},
        {"Route: @@@ ;;=,\"\n", header::route},
        {"Contact: @@@\n", header::contact},
        {"Contact:\n", header::contact},
        {"Content-Type: nonsense\n", header::content_type},
        {"Subject: a\x01z\n", header::subject},
        {"User-Agent: \x1b[2J\n", header::user_agent},
        {"Supported: timer\x07\n", header::supported},
        {"Privacy: @@@ ;;=,\"\n", header::privacy},
        {"X-Own: \x01\n", header::other},
        {"no colon here\n", header::other},
    };
    for (const auto& row : table) {
        for (const auto& text :
             {request("INVITE", row.line), request("INVITE", row.line, ";tag=2"),
              request("BYE", row.line, ";tag=2"), request("ACK", row.line, ";tag=2"),
              request("CANCEL", row.line), response(row.line)}) {
            CAPTURE(text);
            const parsed message{text};
            CHECK(message.outcome.has_value());
            REQUIRE(message->ignored().has_value());
            CHECK(static_cast<header>(message->ignored()->field) == row.which);
            CHECK(message->unreadable(row.which));
            const auto found = text.find(row.line.substr(0, row.line.find_first_of(" :")));
            CHECK(message->ignored()->offset >= found);
            CHECK_FALSE(message->unreadable(header::accept));
            // No control character gets any further.
            for (const auto& field : message->fields()) {
                CHECK(field.value.find_first_of("\x01\x07\x1b") == std::string_view::npos);
            }
        }
    }
    const parsed timer{request("INVITE", "Session-Expires: soon\nMin-SE: 90\n")};
    CHECK_FALSE(timer->has(header::session_expires));
    CHECK_FALSE(timer->seconds(header::session_expires).has_value());
    CHECK(timer->seconds(header::min_se) == 90);
    CHECK_FALSE(parsed { request("INVITE", "Min-SE: 90\n") } -> ignored().has_value());
}

TEST_CASE("sip::message: what changes the meaning of a request is never ignored in it") {
    const std::string_view sdp = "v=0\n";
    struct row {
        std::string_view method;
        std::string_view lines;
        std::string_view to_tag;
        bool refused;
    };
    const row table[] = {
        {"INVITE", "Require: a\x01\n", "", true},
        {"BYE", "Require: a\x01\n", ";tag=2", true},
        {"ACK", "Require: a\x01\n", ";tag=2", false},
        {"INVITE", "Proxy-Require: a\x01\n", "", true},
        {"INVITE", "Record-Route: <sip:a b;lr>\n", "", true},
        {"INVITE", "Record-Route: <sip:p;lr>,\n", "", true},
        {"INVITE", "Record-Route: <sip:a b;lr>\n", ";tag=2", false}, // It makes no dialog.
        {"BYE", "Record-Route: <sip:a b;lr>\n", ";tag=2", false},
        {"INVITE", "Replaces: abc\n", "", true},
        {"INVITE", "Replaces: abc;to-tag=1\n", "", true},
        {"INVITE", "Replaces:\n", "", true},
        {"INVITE", "Replaces: abc;to-tag=1;from-tag=2\n", "", false},
        {"INVITE", "Replaces: a;to-tag=1;from-tag=2\nReplaces: b;to-tag=1;from-tag=2\n", "", true},
        {"BYE", "Replaces: abc\n", ";tag=2", false},
        {"REGISTER", "Contact: @@@\n", "", true},
        {"INVITE", "Content-Type: x\nContent-Length: 5\n", "", true},
        {"UPDATE", "Content-Type: x\nContent-Length: 5\n", ";tag=2", true},
        {"BYE", "Content-Type: x\nContent-Length: 5\n", ";tag=2", false},
        {"ACK", "Content-Type: x\nContent-Length: 5\n", ";tag=2", false},
        {"INVITE", "Content-Encoding: \x01\nContent-Length: 5\n", "", true},
        {"INVITE", "Content-Type: x\nContent-Length: 0\n", "", false}, // There is no body.
        {"INVITE", "Content-Length: x\n", "", true},
        {"INVITE", "Content-Length: 6\n", "", true},
        {"INVITE", "Content-Length: 5\nl: 5\n", "", true},
        {"OPTIONS", "Content-Length: x\n", "", true},
        {"BYE", "Content-Length: x\n", ";tag=2", false},
        {"BYE", "Content-Length: 6\n", ";tag=2", false},
        {"ACK", "Content-Length: -1\n", ";tag=2", false},
        {"CANCEL", "Content-Length: 9999\n", "", false},
    };
    for (const auto& row : table) {
        const auto text = request(row.method, row.lines, row.to_tag, sdp);
        CAPTURE(text);
        const parsed message{text};
        CHECK(message.outcome.has_value() == !row.refused);
        if (!row.refused && row.lines.starts_with("Content-Length")) {
            CHECK(message->body().empty());
            CHECK_FALSE(message->has(header::content_length));
        }
    }
    const parsed control{request("BYE", "Content-Length: 0\x01\n", ";tag=2")};
    CHECK(control.outcome.has_value());
    CHECK(control->fields().back().value.empty());
    // A stream is cut by that header, whatever the method is.
    CHECK_FALSE(parsed(request("BYE", "Content-Length: x\n", ";tag=2"), true).outcome.has_value());
}

TEST_CASE("sip::message: a response is used where Via, CSeq, Call-ID and tags can be read") {
    for (const std::string_view lines :
         {"Record-Route: <sip:a b;lr>\n", "Record-Route: \x01\n", "Require: \x01\n",
          "Contact: <sip:a b\n", "Content-Type: x\nContent-Length: 3\n", "Content-Length: x\n",
          "Content-Length: 5\nContent-Length: 4\n", "Replaces: x\n", "Retry-After: x\n",
          "Via: nonsense\n", "Route: x\n", "Refer-To: x\nRefer-To: y\n"}) {
        CAPTURE(lines);
        const parsed message{response(lines, "v=0\n")};
        CHECK(message.outcome.has_value());
        CHECK(message->ignored().has_value());
        CHECK(message->top_via().branch == "z9hG4bK1");
        CHECK(message->from().tag() == "1");
        CHECK(message->to().tag() == "2");
    }
    // Section 18.3: a response that ends too soon is discarded.
    CHECK_FALSE(parsed{response("Content-Length: 9\n", "v=0\n")}.outcome.has_value());
    CHECK(parsed { response("Content-Length: x\n", "v=0\n") } -> body().empty());
    const auto changed = [](std::string_view from, std::string_view to) {
        auto text = response({});
        return text.replace(text.find(from), from.size(), to);
    };
    for (const auto& [from, to] : {std::pair{"<sip:b@h>;tag=2", "\"B <sip:b@h>;tag=2"},
                                   std::pair{"<sip:b@h>;tag=2", "<sip:b@h@h>;x=;tag=2"},
                                   std::pair{"<sip:b@h>;tag=2", "nobody ; TAG = 2"},
                                   std::pair{"<sip:a@h>;tag=1", "<sip:a b;c>;x=\";tag=1"},
                                   std::pair{"branch=z9hG4bK1", "branch=z9hG4bK1;received="}}) {
        CAPTURE(to);
        const parsed message{changed(from, to)};
        CHECK(message.outcome.has_value());
        CHECK(message->ignored().has_value());
        CHECK(message->top_via().branch == "z9hG4bK1");
        CHECK(message->from().tag() == "1");
        CHECK(message->to().tag() == "2");
    }
    for (const auto& [from, to] :
         {std::pair{"branch=z9hG4bK1", "received=;branch=z9hG4bK1"},
          std::pair{"<sip:b@h>;tag=2", "<sip:b b>"}, std::pair{"<sip:b@h>;tag=2", "<sip:b b>;tag="},
          std::pair{"<sip:a@h>;tag=1", "<sip:a@h>;tag=1;tag=1"},
          std::pair{"<sip:a@h>;tag=1", "<sip:a a>;tag=1;tag=2"},
          std::pair{"<sip:a@h>;tag=1", "\"\x01\" <sip:a a>;tag=1"},
          std::pair{"Call-ID: c", "Call-ID: c d"}, std::pair{"CSeq: 1 INVITE", "CSeq: x INVITE"}}) {
        CAPTURE(to);
        CHECK_FALSE(parsed{changed(from, to)}.outcome.has_value());
    }
}

TEST_CASE("sip::message: of a request in a dialog the tags say which, and no name is needed") {
    const auto changed = [](std::string text, std::string_view from, std::string_view to) {
        return text.replace(text.find(from), from.size(), to);
    };
    for (const auto* method : {"BYE", "ACK", "INVITE", "OPTIONS"}) {
        CAPTURE(method);
        const auto within = request(method, {}, ";tag=2");
        const parsed from{changed(within, "<sip:a@h>;tag=1", "\"A <sip:a@h>;tag=1")};
        CHECK(from.outcome.has_value());
        CHECK(from->from().tag() == "1");
        CHECK(static_cast<header>(from->ignored()->field) == header::from);
        const parsed to{changed(within, "<sip:b@h>;tag=2", "<sip:b b>;tag=2")};
        CHECK(to.outcome.has_value());
        CHECK(to->to().tag() == "2");
        // What begins one needs to be read.
        CHECK_FALSE(parsed{changed(request(method, {}), "<sip:a@h>;tag=1", "\"A <sip:a@h>;tag=1")}
                        .outcome.has_value());
    }
    const parsed twice{changed(request("INVITE", {}), "tag=1", "tag=1;tag=2")};
    REQUIRE_FALSE(twice.outcome.has_value());
    CHECK(twice.outcome.reason().code == errc::duplicate);
    CHECK(static_cast<header>(twice.outcome.reason().field) == header::from);
}

TEST_CASE("sip::message: a display name that wants quotes costs no call, and a ping its answer") {
    const auto named = [](std::string_view method, std::string_view name) {
        auto text = request(method, {});
        return text.insert(text.find("<sip:a@h>"), std::string{name} + ' ');
    };
    for (const auto* name : {"Smith, John", "J\xc3\xbcrgen", "J\xfcrgen", "ACME [x]", "A; B"}) {
        CAPTURE(name);
        const parsed invite{named("INVITE", name)};
        CHECK(invite.outcome.has_value());
        CHECK(invite->from().display == name);
        CHECK(invite->from().uri.user == "a");
        CHECK(invite->from().tag() == "1");
        CHECK_FALSE(invite->ignored().has_value());
    }
    // RFC 4475 section 3.1.2.15 has that one refused.
    CHECK_FALSE(parsed{named("OPTIONS", "Smith, John")}.outcome.has_value());
    CHECK(parsed{named("OPTIONS", "J\xc3\xbcrgen")}.outcome.has_value());
}

TEST_CASE("sip::message: in a list one bad element loses no other") {
    for (const std::string_view contact :
         {"<sip:x y>, <sip:me@h>;expires=60", "Doe, Jane <sip:me@h>", "<sip:me@h>;expires=;x",
          "@@@, <sip:me@h>", "\nContact: <sip:me@h>", "J\xc3\xbcrgen <sip:me@h>;=x"}) {
        CAPTURE(contact);
        const parsed message{response("Contact: " + std::string{contact} + "\n")};
        CHECK(message.outcome.has_value());
        REQUIRE(message->contact() != nullptr);
        CHECK(message->contact()->uri.user == "me");
    }
    const parsed hash{response("Contact: <sip:PBX#1000@h>\nRecord-Route: <sip:a#b@p;lr>\n")};
    CHECK(hash->contact()->uri.user == "PBX#1000");
    CHECK_FALSE(hash->ignored().has_value());
    const parsed route{request("INVITE", "Record-Route: Proxy, A <sip:p;lr>, <sip:a b@q;lr>\n")};
    CHECK(route.outcome.has_value());
}

TEST_CASE("sip::message: a Privacy that cannot be read asks for the caller's identity") {
    CHECK(parsed { request("INVITE", "Privacy: header;user\n") } -> privacy() == "header;user");
    CHECK(parsed { request("INVITE", "Privacy: id, critical\n") } -> privacy() == "id, critical");
    CHECK(parsed { request("INVITE", {}) } -> privacy().empty());
    for (const auto* value : {"", "@@@ ;;=,\"", "i\x01", "user;;id", "none of it"}) {
        CAPTURE(value);
        CHECK(parsed { request("INVITE", "Privacy: " + std::string{value} + "\n") }
              -> privacy() == "id");
    }
}

TEST_CASE("sip::message: a space in the user part leaves the version the last word") {
    const auto line = [](std::string_view uri) {
        auto text = request("INVITE", {});
        return text.replace(text.find("sip:b@h"), 7, uri);
    };
    const parsed message{line("sip:+1 415 555 0100@h")};
    CHECK(message.outcome.has_value());
    CHECK(message->request_uri().user == "+1 415 555 0100");
    // RFC 4475 sections 3.1.2.8 and 3.1.2.9.
    CHECK_FALSE(parsed{line("sip:b@h; lr")}.outcome.has_value());
    CHECK_FALSE(parsed{line(" sip:b@h")}.outcome.has_value());
    CHECK_FALSE(parsed{line("sip:b@h ")}.outcome.has_value());
    CHECK(parsed { line("sip:1002#4155550123@h") } -> request_uri().user == "1002#4155550123");
}

} // namespace
} // namespace trunkline::sip
