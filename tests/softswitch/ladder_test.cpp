#include "ladder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace softswitch {
namespace {

using namespace std::chrono_literals;

[[nodiscard]] std::vector<trunkline::trunk_config> two_trunks() {
    std::vector<trunkline::trunk_config> made(2);
    made[0].name = "alpha";
    made[0].gateways = {{.host = "192.0.2.1"}};
    made[0].allow_from = {"198.51.100.0/24"};
    made[1].name = "beta";
    made[1].gateways = {{.host = "sip.example.net"}};
    return made;
}

[[nodiscard]] tapped message(std::string text, std::string_view peer = "192.0.2.1:5060",
                             trunkline::duration at = 0ns, bool outgoing = false) {
    return {trunkline::time_point{at}, outgoing, *trunkline::endpoint::parse("203.0.113.7:5060"),
            *trunkline::endpoint::parse(peer), std::move(text)};
}

[[nodiscard]] std::string invite(std::string_view call_id, std::string_view to = "+14155550100",
                                 std::string_view host = "203.0.113.7",
                                 std::string_view more = "") {
    return fmt::format("INVITE sip:{0}@{1} SIP/2.0\r\n"
                       "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\n"
                       "f: <sip:+19995550199@192.0.2.1>;tag=1\r\n"
                       "To: <sip:{0}@203.0.113.7>\r\n"
                       "Call-ID: {2}\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
                       "Contact: <sip:192.0.2.1>\r\n{3}"
                       "Content-Length: 0\r\n\r\n",
                       to, host, call_id, more);
}

TEST_CASE("softswitch::ladder: draws who sent what to whom, when in the call, without secrets") {
    ladder drawer{"", {}};
    const auto first =
        drawer.draw(message(invite("aaaaaaaaaaaabbbbbbbbbbbb@host", "+1", "203.0.113.7",
                                   "Authorization: Digest username=\"u\", response=\"secret\"\r\n"),
                            "192.0.2.1:5060", 5s));
    CHECK(first.starts_with("bbbbbbbbbbbb |   +0.000  192.0.2.1:5060 -> 203.0.113.7:5060  "
                            "INVITE sip:+1@203.0.113.7\n"));
    CHECK(first.find("bbbbbbbbbbbb |             From: <sip:+19995550199@192.0.2.1>;tag=1\n") !=
          std::string::npos);
    CHECK(first.find("Authorization: Digest username=\"u\", response=***\n") != std::string::npos);
    CHECK(first.find("secret") == std::string::npos);
    CHECK(first.find("Max-Forwards") == std::string::npos);

    const auto answer = drawer.draw(message("SIP/2.0 486 Busy Here\r\n"
                                            "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\n"
                                            "From: <sip:+1@192.0.2.1>;tag=1\r\n"
                                            "To: <sip:+1@203.0.113.7>;tag=2\r\n"
                                            "Call-ID: aaaaaaaaaaaabbbbbbbbbbbb@host\r\n"
                                            "CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
                                            "192.0.2.1:5060", 6'500ms, true));
    CHECK(answer.starts_with("bbbbbbbbbbbb |   +1.500  203.0.113.7:5060 -> 192.0.2.1:5060  "
                             "486 Busy Here\n"));
}

TEST_CASE("softswitch::ladder: shows the media of SDP and masks its keys") {
    ladder drawer{"", {}};
    const std::string body = "v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/SAVP 0\r\n"
                             "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:secret\r\na=mid:x\r\n";
    auto text = invite("1");
    text.resize(text.size() - std::string_view{"Content-Length: 0\r\n\r\n"}.size());
    text += fmt::format("c: application/sdp\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
    const auto drawn = drawer.draw(message(text));
    CHECK(drawn.find("m=audio 4000 RTP/SAVP 0\n") != std::string::npos);
    CHECK(drawn.find("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:***\n") != std::string::npos);
    CHECK(drawn.find("a=mid") == std::string::npos);
}

TEST_CASE("softswitch::ladder: a trunk is known by its addresses, and by its name in a request") {
    const auto trunks = two_trunks();
    ladder alpha{"alpha", trunks};
    CHECK(alpha.means_something());
    CHECK(!alpha.draw(message(invite("1"), "192.0.2.1:5060")).empty());
    CHECK(!alpha.draw(message(invite("2"), "198.51.100.77:1234")).empty());
    CHECK(alpha.draw(message(invite("3"), "192.0.2.2:5060")).empty());

    ladder beta{"beta", trunks};
    CHECK(beta.draw(message(invite("1"), "192.0.2.1:5060")).empty());
    CHECK(!beta.draw(message(invite("2", "+1", "sip.example.net"), "192.0.2.3:5060")).empty());
    // The answers do not say so, but they are of a call that did.
    CHECK(!beta.draw(message("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\n"
                             "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: 2\r\n"
                             "CSeq: 1 INVITE\r\nContact: <sip:a@b>\r\nContent-Length: 0\r\n\r\n",
                             "192.0.2.3:5060"))
               .empty());
}

TEST_CASE("softswitch::ladder: a number is looked for in From, To and the Request-URI") {
    ladder drawer{"+4155550100", {}};
    CHECK(drawer.means_something());
    CHECK(!drawer.draw(message(invite("1"))).empty());
    CHECK(drawer.draw(message(invite("2", "+14155550101"))).empty());
    ladder caller{"9995550199", {}};
    CHECK(!caller.draw(message(invite("1"))).empty());
    CHECK(!ladder{"gamma", two_trunks()}.means_something());
}

TEST_CASE("softswitch::ladder: what is no SIP is one printable line, and a keep-alive is none") {
    ladder drawer{"", {}};
    CHECK(drawer.draw(message("\r\n\r\n")).empty());
    const auto drawn = drawer.draw(message("INVITE \x1b[2J sip:a SIP/2.0\r\n\r\n"));
    CHECK(drawn.find("not SIP") != std::string::npos);
    CHECK(std::ranges::count(drawn, '\n') == 1);
    CHECK(drawn.find('\x1b') == std::string::npos);
}

TEST_CASE("softswitch::ladder: remembers a bounded number of calls") {
    ladder drawer{"beta", two_trunks()};
    for (std::size_t i = 0; i < ladder::most_calls + 10; ++i) {
        static_cast<void>(drawer.draw(message(invite(std::to_string(i), "+1", "sip.example.net"))));
    }
    // The oldest was forgotten, and its next message begins at zero.
    const auto again = drawer.draw(
        message(invite("0", "+1", "sip.example.net"), "192.0.2.1:5060", std::chrono::hours{1}));
    CHECK(again.find("+0.000") != std::string::npos);
}

} // namespace
} // namespace softswitch
