#include <trunkline/sip/multipart.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/print.hpp"
#include "support/wire.hpp"

namespace trunkline::sip {
namespace {

using support::crlf;

/// As read: type, content, and what its disposition says.
[[nodiscard]] std::vector<std::string> parts_of(std::string_view type, std::string_view body) {
    body_parts parts;
    std::vector<std::string> made;
    if (const auto read = parts.read(type, body); !read) made.emplace_back("failed");
    for (const auto& one : parts.all()) {
        made.push_back(std::string{one.type()} + '|' + std::string{one.content} +
                       (one.is_optional() ? "|optional" : "") +
                       (one.is_required() ? "|required" : "") + (one.encoded ? "|encoded" : ""));
    }
    return made;
}

using list = std::vector<std::string>;

TEST_CASE("sip::multipart: SDP and ISUP as RFC 3204 section 3.1 has them") {
    const auto body = crlf("--unique-boundary-1\nContent-Type: application/SDP; charset=ISO-10646\n"
                           "\nv=0\no=x\n\n--unique-boundary-1\n"
                           "Content-type:application/ISUP; version=nxv3; base=etsi121\n"
                           "Content-Disposition: signal; handling=optional\n\n") +
                      std::string{"\x01\x00\n--\r\n\x00", 8} + crlf("\n--unique-boundary-1--\n");
    CHECK(parts_of("multipart/mixed; boundary=unique-boundary-1", body) ==
          list{"application/SDP|v=0\r\no=x\r\n",
               "application/ISUP|" + std::string{"\x01\x00\n--\r\n\x00", 8} + "|optional"});
    body_parts parts;
    REQUIRE(parts.read("multipart/mixed; boundary=unique-boundary-1", body).has_value());
    REQUIRE(parts.find("application/sdp") != nullptr);
    CHECK(parts.find("application/isup") == &parts.all()[1]);
    CHECK(parts.find("text/plain") == nullptr);
    CHECK(parts.all()[1].content_type == "application/ISUP; version=nxv3; base=etsi121");
}

TEST_CASE("sip::multipart: preamble, epilogue, padding, folds and bare line feeds are no part") {
    CHECK(
        parts_of("Multipart/Related;type=\"a;b\";\r\n BOUNDARY=\"b 1\"",
                 "before\r\n--b 1 \t\r\nc: application/sdp;\r\n x=y\r\nContent-ID: <a@b>\r\n\r\nv=0"
                 "\r\n--b 1--\r\nafter --b 1\r\n--b 1\r\n\r\nx") == list{"application/sdp|v=0"});
    CHECK(parts_of("multipart/mixed;boundary=b",
                   "--b\nContent-Type: application/sdp\n\nv=0\n\n--b\n\nplain\n--b--") ==
          list{"application/sdp|v=0\n", "|plain"});
    // A boundary that begins as ours is another one's, and one in mid-line is none.
    CHECK(parts_of("multipart/mixed;boundary=b", "--b\r\n\r\nx --b\r\n--bc\r\ny\r\n--b--") ==
          list{"|x --b\r\n--bc\r\ny"});
    // Cut off by a gateway.
    CHECK(parts_of("multipart/mixed;boundary=b", "--b\r\n\r\nv=0\r\n") == list{"|v=0\r\n"});
    CHECK(parts_of("multipart/mixed;boundary=b", "--b--") == list{});
    CHECK(parts_of("multipart/mixed;boundary=b", "--b\r\n--b--") == list{"|"});
}

TEST_CASE("sip::multipart: nested parts stand in the place of their whole, three deep") {
    const auto nested = [](unsigned depth) {
        std::string text = "Content-Type: application/sdp\r\n\r\nv=0";
        for (unsigned i = 0; i < depth; ++i) {
            const auto b = "b" + std::to_string(i);
            text = "Content-Type: multipart/mixed;boundary=" + b + "\r\n\r\n--" + b + "\r\n" +
                   text + "\r\n--" + b + "--";
        }
        return "--out\r\n" + text + "\r\n--out\r\n\r\nlast\r\n--out--";
    };
    for (const unsigned depth : {0U, 1U, 2U}) {
        CAPTURE(depth);
        CHECK(parts_of("multipart/mixed;boundary=out", nested(depth)) ==
              list{"application/sdp|v=0", "|last"});
    }
    CHECK(parts_of("multipart/mixed;boundary=out", nested(3)).front() == "failed");
}

TEST_CASE("sip::multipart: every limit holds at its value and is refused beyond") {
    const auto of = [](std::size_t count) {
        std::string text;
        for (std::size_t i = 0; i < count; ++i) text += "--b\r\n\r\nx\r\n";
        return text + "--b--";
    };
    body_parts parts;
    CHECK(parts.read("multipart/mixed;boundary=b", of(limits::body_parts)).has_value());
    CHECK(parts.all().size() == limits::body_parts);
    const auto more = parts.read("multipart/mixed;boundary=b", of(limits::body_parts + 1));
    REQUIRE_FALSE(more.has_value());
    CHECK(more.reason().code == errc::limit_exceeded);
    const std::string longest(70, 'x');
    CHECK(parts.read("multipart/mixed;boundary=" + longest, "--" + longest + "--").has_value());
    const auto longer = parts.read("multipart/mixed;boundary=" + longest + "x", "--");
    REQUIRE_FALSE(longer.has_value());
    CHECK(longer.reason().code == errc::limit_exceeded);
    for (const std::string_view type :
         {"multipart/mixed", "multipart/mixed;boundary=", "multipart/mixed;boundary=\"\"",
          "multipart/mixed;boundary=c"}) {
        CAPTURE(type);
        const auto none = parts.read(type, of(1));
        REQUIRE_FALSE(none.has_value());
        CHECK(none.reason().code == errc::missing);
    }
}

TEST_CASE("sip::multipart: a body of one type is one part, with the message's own disposition") {
    const support::good message{"INVITE sip:b@h SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\n"
                                "From: <sip:a@h>;tag=1\nTo: <sip:b@h>\nCall-ID: c\nCSeq: 1 INVITE\n"
                                "Content-Disposition: render;handling=optional\n"
                                "Content-Encoding: gzip\nContent-Type: text/plain\n\nx"};
    body_parts parts;
    REQUIRE(parts.read(*message).has_value());
    REQUIRE(parts.all().size() == 1);
    CHECK(parts.all()[0].is_optional());
    CHECK(parts.all()[0].encoded);
    CHECK(parts.all()[0].content == "x");
    CHECK(parts_of("text/plain", "").empty());
    for (const std::string_view how : {"7bit", "BINARY", "8bit"}) {
        CHECK(parts_of("multipart/mixed;boundary=b",
                       "--b\r\nContent-Transfer-Encoding: " + std::string{how} +
                           "\r\n\r\nx\r\n--b--") == list{"|x"});
    }
    CHECK(parts_of("multipart/mixed;boundary=b",
                   "--b\r\nContent-Transfer-Encoding: base64\r\n\r\nx\r\n--b--") ==
          list{"|x|encoded"});
}

} // namespace
} // namespace trunkline::sip
