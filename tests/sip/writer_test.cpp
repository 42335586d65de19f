#include <trunkline/sip/writer.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "support/wire.hpp"

namespace trunkline::sip {
namespace {

using support::crlf;
using support::good;

constexpr std::string_view top = "OPTIONS sip:b@h SIP/2.0\n";
constexpr std::string_view rest = "From: \"A\" <sip:a@h>;tag=1\nTo: <sip:b@h>\nCall-ID: c\n"
                                  "CSeq: 7 OPTIONS\n\n";

[[nodiscard]] std::string answered(std::string_view vias, std::string_view from,
                                   std::string_view to_tag = "") {
    const good request{std::string{top} + std::string{vias} + std::string{rest}};
    std::array<std::byte, 2048> room{};
    writer to{room};
    to.response_head(*request, 200, "OK", to_tag, *endpoint::parse(from));
    return std::string{as_text(std::span{room}.first(to.size()))};
}

[[nodiscard]] std::string expected(std::string_view vias, std::string_view to = "<sip:b@h>") {
    return crlf("SIP/2.0 200 OK\n" + std::string{vias} + "From: \"A\" <sip:a@h>;tag=1\nTo: " +
                std::string{to} + "\nCall-ID: c\nCSeq: 7 OPTIONS\n");
}

TEST_CASE("sip::writer: a response tells the sender what the network saw, as RFC 3581 section 4") {
    struct row {
        std::string_view via;
        std::string_view source;
        std::string_view answer;
    };
    const row table[] = {
        // The example of RFC 3581 section 6.1.
        {"SIP/2.0/UDP 10.1.1.1:4540;rport;branch=z9hG4bKkjshdyff", "192.0.2.1:9988",
         "SIP/2.0/UDP 10.1.1.1:4540;branch=z9hG4bKkjshdyff;received=192.0.2.1;rport=9988"},
        // With rport received= is there even where it says what sent-by does.
        {"SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bKx", "192.0.2.1:5060",
         "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx;received=192.0.2.1;rport=5060"},
        // Without it only where they differ (RFC 3261 section 18.2.1), a name always.
        {"SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKx", "192.0.2.1:9",
         "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKx"},
        {"SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx", "192.0.2.1:9",
         "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx;received=192.0.2.1"},
        {"SIP/2.0/UDP h.example.com;branch=z9hG4bKx", "192.0.2.1:9",
         "SIP/2.0/UDP h.example.com;branch=z9hG4bKx;received=192.0.2.1"},
        {"SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bKx", "[2001:db8::1]:5061",
         "SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bKx"},
        {"SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bKx", "[2001:db8::2]:5061",
         "SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bKx;received=2001:db8::2"},
        // What the sender made up itself is not repeated.
        {"SIP/2.0/UDP 192.0.2.2;received=1.1.1.1;rport=1;branch=z9hG4bKx;ttl=1", "192.0.2.1:9",
         "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx;ttl=1;received=192.0.2.1;rport=9"},
        {"SIP/2.0/UDP 192.0.2.1", "192.0.2.1:9", "SIP/2.0/UDP 192.0.2.1"},
        // Several in one field: only the first is touched.
        {"SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx;rport , SIP/2.0/UDP o;rport;received=9.9.9.9",
         "192.0.2.1:9",
         "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx;received=192.0.2.1;rport=9 , SIP/2.0/UDP "
         "o;rport;received=9.9.9.9"},
        {"SIP/2.0/UDP 192.0.2.1, SIP/2.0/UDP o", "192.0.2.1:9",
         "SIP/2.0/UDP 192.0.2.1, SIP/2.0/UDP o"},
        {"SIP/2.0/UDP h, SIP/2.0/UDP o", "192.0.2.1:9",
         "SIP/2.0/UDP h;received=192.0.2.1, SIP/2.0/UDP o"},
        {"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx;x=\"a,;b\"", "192.0.2.1:9",
         "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx;x=\"a,;b\""},
    };
    for (const auto& row : table) {
        CAPTURE(row.via);
        const auto line = [](std::string_view via) { return "Via: " + std::string{via} + "\n"; };
        CHECK(answered(line(row.via), row.source) == expected(line(row.answer)));
    }
}

TEST_CASE("sip::writer: a response repeats every Via in order and tags a To that has no tag") {
    const std::string vias = "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\n"
                             "Via: SIP/2.0/TCP two;branch=z9hG4bKy, SIP/2.0/TCP three\n"
                             "Via: SIP/2.0/UDP four;rport\n";
    CHECK(answered(vias, "192.0.2.1:5060", "new") == expected(vias, "<sip:b@h>;tag=new"));
    CHECK(answered(vias, "192.0.2.1:5060") == expected(vias));

    const good inside{"BYE sip:b@h SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1\nFrom: sip:a@h;tag=1\n"
                      "To: sip:b@h;tag=old\nCall-ID: c\nCSeq: 8 BYE\n\n"};
    std::array<std::byte, 512> room{};
    writer to{room};
    to.response_head(*inside, 481, reason_phrase(481), "new", *endpoint::parse("192.0.2.1:1"));
    CHECK(as_text(std::span{room}.first(to.size())) ==
          crlf("SIP/2.0 481 Call/Transaction Does Not Exist\nVia: SIP/2.0/UDP 192.0.2.1\n"
               "From: sip:a@h;tag=1\nTo: sip:b@h;tag=old\nCall-ID: c\nCSeq: 8 BYE\n"));
}

TEST_CASE("sip::writer: a quoted pair that the parser took is written back, RFC 4475 3.1.1.2") {
    std::string text = crlf("OPTIONS sip:b@h SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1\nFrom: "
                            "sip:a@h;tag=1\nTo: \"NUL:\\@ DEL:\\\x7f\" <sip:b@h>\nCall-ID: c\n"
                            "CSeq: 1 OPTIONS\n\n");
    text[text.find("\\@") + 1] = '\0';
    const support::parsed request{text};
    REQUIRE(request.outcome.has_value());
    std::array<std::byte, 512> room{};
    writer to{room};
    to.response_head(*request, 200, "OK", "t", *endpoint::parse("192.0.2.1:1"));
    CHECK_FALSE(to.failed());
    const auto written = as_text(std::span{room}.first(to.size()));
    const auto value =
        text.substr(text.find("\"NUL"), text.find("\r\nCall-ID") - text.find("\"NUL"));
    CHECK(written.find("To: " + value + ";tag=t\r\n") != std::string_view::npos);
}

TEST_CASE("sip::writer: a control character from outside spoils the whole message") {
    for (int c = 0; c < 256; ++c) {
        CAPTURE(c);
        const bool control = (c < 0x20 && c != '\t') || c == 0x7f;
        const std::string value{'a', static_cast<char>(c), 'b'};
        std::array<std::byte, 256> room{};
        writer in_value{room};
        in_value.field(header::subject, value).no_body();
        CHECK(in_value.failed() == control);
        CHECK((in_value.size() == 0) == control);
        writer in_name{room};
        CHECK(in_name.field(value, "x").failed() == control);
        writer in_line{room};
        CHECK(in_line.request_line("OPTIONS", value).failed() == control);
        writer in_type{room};
        CHECK(in_type.body(value, "x").failed() == control);
    }
    for (const std::string_view value : {"a\\\r\nX: y", "a\\\n", "\\\r"}) {
        std::array<std::byte, 256> room{};
        CHECK(writer{room}.field(header::subject, value).failed());
    }
}

TEST_CASE("sip::writer: what does not fit is no message, and nothing is written past the end") {
    const auto write = [](writer& to) {
        to.request_line("OPTIONS", "sip:b@h")
            .field(header::max_forwards, 70)
            .field(header::expires, std::numeric_limits<std::uint32_t>::max())
            .field("X-Own", "1")
            .body("text/plain", "hello");
    };
    std::array<std::byte, 512> room{};
    writer whole{room};
    write(whole);
    CHECK(as_text(std::span{room}.first(whole.size())) ==
          crlf("OPTIONS sip:b@h SIP/2.0\nMax-Forwards: 70\nExpires: 4294967295\nX-Own: 1\n"
               "Content-Type: text/plain\nContent-Length: 5\n\nhello"));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        std::array<std::byte, 512> small{};
        small.fill(std::byte{0xee});
        writer to{std::span{small}.first(size)};
        write(to);
        CHECK(to.failed());
        CHECK(to.size() == 0);
        for (std::size_t i = size; i < small.size(); ++i) REQUIRE(small[i] == std::byte{0xee});
    }
    writer exact{std::span{room}.first(whole.size())};
    write(exact);
    CHECK_FALSE(exact.failed());
}

TEST_CASE("sip::writer: a body without bytes has no type, and every status has a phrase") {
    std::array<std::byte, 64> room{};
    writer to{room};
    to.body("text/plain", "");
    CHECK(as_text(std::span{room}.first(to.size())) == "Content-Length: 0\r\n\r\n");
    for (int status = 100; status < 700; ++status) CHECK_FALSE(reason_phrase(status).empty());
    CHECK(reason_phrase(486) == "Busy Here");
    CHECK(reason_phrase(699) == "Global Failure");
}

} // namespace
} // namespace trunkline::sip
