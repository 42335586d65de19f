#include <trunkline/sip/framer.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include <trunkline/core/text.hpp>

#include "support/print.hpp"

namespace trunkline::sip {
namespace {

using kind = framer::kind;

std::string message(std::string_view body, std::string_view length_header) {
    return "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c;branch=z9hG4bKx\r\n" +
           std::string{length_header} + "\r\n\r\n" + std::string{body};
}

/// What comes out when the stream is cut at every `step` bytes: messages as they are, "ping",
/// "broken" and by what.
std::vector<std::string> cut(std::string_view stream, std::size_t step) {
    framer frames;
    std::vector<std::string> seen;
    for (std::size_t at = 0; at < stream.size(); at += step) {
        frames.feed(as_bytes(stream.substr(at, step)));
        while (true) {
            const auto one = frames.next();
            if (one.kind == kind::need_more) break;
            if (one.kind == kind::broken) {
                seen.push_back("broken by " + std::string{one.bytes.data(), one.bytes.size()});
                return seen;
            }
            seen.emplace_back(one.kind == kind::ping
                                  ? std::string{"ping"}
                                  : std::string{one.bytes.data(), one.bytes.size()});
        }
    }
    return seen;
}

TEST_CASE("sip::framer: cuts anywhere, the same messages come out") {
    const auto first = message("v=0\r\n\r\nx", "Content-Length: 8");
    const auto second = message("", "l:0");
    const auto third = message("12345", "Content-Length :\r\n 5");
    const auto stream =
        "\r\n" + first + second + "\r\n\r\n" + third + "\r\n\r\n\r\n" + second + second;
    const std::vector<std::string> expected{first, second, "ping", third, "ping", second, second};
    for (std::size_t step = 1; step <= stream.size(); ++step) {
        CAPTURE(step);
        CHECK(cut(stream, step) == expected);
    }
}

TEST_CASE("sip::framer: what says not where it ends breaks the stream, once and for all") {
    for (const auto* header :
         {"Subject: none", "Content-Length: -1", "Content-Length: five", "Content-Length: 5 6",
          "Content-Length: 4294967301", "Content-Length: 65536", "l: 1\r\nContent-Length: 1",
          "Content-Length:"}) {
        CAPTURE(header);
        const auto stream = message("12345", header) + message("", "l: 0");
        for (const std::size_t step : {std::size_t{1}, std::size_t{7}, stream.size()}) {
            CHECK(cut(stream, step) == std::vector{"broken by " + message("", header)});
        }
    }
    framer frames;
    const auto endless = message("", "Subject: none");
    frames.feed(as_bytes("\r\n" + endless + "12345"));
    const auto last = frames.next();
    CHECK(last.reason.code == errc::missing);
    CHECK(std::string{last.bytes.data(), last.bytes.size()} == endless);
    frames.feed(as_bytes(message("", "l: 0")));
    CHECK(frames.next().kind == kind::broken);
    CHECK(frames.next().bytes.empty()); // It was told of once.
    CHECK(frames.pending() == 0);
}

TEST_CASE("sip::framer: an endless header section is bounded") {
    framer frames;
    const std::string line = "X-Filler: " + std::string(1000, 'x') + "\r\n";
    frames.feed(as_bytes("INVITE sip:a@b SIP/2.0\r\n"));
    auto last = kind::need_more;
    for (int n = 0; n < 100 && last == kind::need_more; ++n) {
        frames.feed(as_bytes(line));
        last = frames.next().kind;
        CHECK(frames.pending() <= limits::header_section + 2 * line.size());
    }
    CHECK(last == kind::broken);
    CHECK(frames.next().bytes.empty());
}

} // namespace
} // namespace trunkline::sip
