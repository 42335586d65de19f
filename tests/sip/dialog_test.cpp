#include <trunkline/sip/dialog.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "support/wire.hpp"

namespace trunkline::sip {
namespace {

using support::crlf;
using support::good;

[[nodiscard]] std::string head(const dialog& of, method what = method::bye,
                               std::uint32_t cseq = 2) {
    std::array<std::byte, 2048> room{};
    writer to{room};
    of.write_head(to, what, cseq, "z9hG4bKx", "UDP", "192.0.2.9:5060");
    return std::string{as_text(std::span{room}.first(to.size()))};
}

[[nodiscard]] std::string invite(std::string_view lines) {
    return "INVITE sip:callee@u2.domain.com SIP/2.0\nVia: SIP/2.0/UDP p;branch=z9hG4bKp\n" +
           std::string{lines} +
           "From: \"C\" <sip:caller@u1.example.com>;tag=from\nTo: <sip:callee@domain.com>\n"
           "Call-ID: c1\nCSeq: 314159 INVITE\n\n";
}

[[nodiscard]] std::string response(int status, std::string_view lines) {
    return "SIP/2.0 " + std::to_string(status) + " x\nVia: SIP/2.0/UDP u1;branch=z9hG4bKu\n" +
           std::string{lines} +
           "From: <sip:caller@u1.example.com>;tag=from\nTo: <sip:callee@domain.com>;tag=to\n"
           "Call-ID: c1\nCSeq: 1 INVITE\n\n";
}

TEST_CASE("sip::dialog: the callee goes back by the route as it came, RFC 3261 16.12.1.1") {
    const good request{invite("Contact: <sip:caller@u1.example.com>\n"
                              "Record-Route: <sip:p2.domain.com;lr>\n"
                              "Record-Route: <sip:p1.example.com;lr>\n")};
    const auto made = dialog::as_callee(*request, "mine");
    CHECK(head(made) == crlf(R"(BYE sip:caller@u1.example.com SIP/2.0
Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKx;rport
Max-Forwards: 70
Route: <sip:p2.domain.com;lr>
Route: <sip:p1.example.com;lr>
From: <sip:callee@domain.com>;tag=mine
To: "C" <sip:caller@u1.example.com>;tag=from
Call-ID: c1
CSeq: 2 BYE
)"));
    CHECK(made.next_hop() == "sip:p2.domain.com;lr");
    CHECK(made.call_id() == "c1");
    CHECK(made.remote_tag() == "from");
    CHECK(made.local_cseq() == 0);
}

TEST_CASE("sip::dialog: the caller goes by the reversed route") {
    const good answer{response(200, "Contact: <sip:callee@u2.domain.com>\nRecord-Route: "
                                    "<sip:p2.domain.com;lr>, \"p,1\" <sip:p1.example.com;lr>;x=1\n"
                                    "Record-Route: <sip:p0.example.com;lr>\n")};
    auto made = dialog::as_caller(*answer);
    CHECK(head(made, method::ack, 1) == crlf(R"(ACK sip:callee@u2.domain.com SIP/2.0
Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKx;rport
Max-Forwards: 70
Route: <sip:p0.example.com;lr>
Route: "p,1" <sip:p1.example.com;lr>;x=1
Route: <sip:p2.domain.com;lr>
From: <sip:caller@u1.example.com>;tag=from
To: <sip:callee@domain.com>;tag=to
Call-ID: c1
CSeq: 1 ACK
)"));
    CHECK(made.next_hop() == "sip:p0.example.com;lr");
    CHECK(made.next_cseq() == 2);
    CHECK(made.next_cseq() == 3);
}

TEST_CASE("sip::dialog: a strict router finds itself in the Request-URI, RFC 3261 16.12.1.2") {
    const good request{invite("Contact: <sip:caller@u1.example.com;x=y>\n"
                              "Record-Route: <sip:p3.middle.com>, <sip:p2.example.com;lr>\n")};
    const auto made = dialog::as_callee(*request, "mine");
    CHECK(head(made).starts_with(crlf(R"(BYE sip:p3.middle.com SIP/2.0
Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKx;rport
Max-Forwards: 70
Route: <sip:p2.example.com;lr>
Route: <sip:caller@u1.example.com;x=y>
From: )")));
    CHECK(made.next_hop() == "sip:p3.middle.com");

    // Alone it leaves only the target; one behind a loose router is that router's affair.
    const good alone{invite("Contact: <sip:u1>\nRecord-Route: <sip:p3>\n")};
    CHECK(head(dialog::as_callee(*alone, "m")).find("70\r\nRoute: <sip:u1>\r\nFrom") !=
          std::string::npos);
    const good behind{invite("Contact: <sip:u1>\nRecord-Route: <sip:p2;lr>, <sip:p3>\n")};
    CHECK(head(dialog::as_callee(*behind, "m")).find("BYE sip:u1 SIP/2.0\r\n") !=
          std::string::npos);
    CHECK(head(dialog::as_callee(*behind, "m"))
              .find("Route: <sip:p2;lr>\r\nRoute: <sip:p3>\r\nFrom") != std::string::npos);
}

TEST_CASE("sip::dialog: the 2xx fixes route set and target anew, RFC 3261 13.2.2.4") {
    const good early{response(180, "Contact: <sip:early>\nRecord-Route: <sip:p1;lr>\n")};
    auto made = dialog::as_caller(*early);
    CHECK(made.remote_target() == "sip:early");
    const good final{response(200, "Contact: <sip:late>\nRecord-Route: <sip:p3;lr>,<sip:p2;lr>\n")};
    made.confirm(*final);
    CHECK(made.remote_target() == "sip:late");
    CHECK(made.next_hop() == "sip:p2;lr");
    const good bare{response(200, "")};
    made.confirm(*bare);
    CHECK(made.next_hop() == "sip:late"); // No route, and the target stays for want of another.
}

TEST_CASE("sip::dialog: a target refresh changes the target and not the route") {
    const good request{invite("Contact: <sip:u1>\nRecord-Route: <sip:p1;lr>\n")};
    auto made = dialog::as_callee(*request, "mine");
    const good again{invite("Contact: \"new\" <sip:u7;ob>\nRecord-Route: <sip:other;lr>\n")};
    made.refresh(*again);
    CHECK(made.remote_target() == "sip:u7;ob");
    CHECK(made.next_hop() == "sip:p1;lr");
    const good none{invite("")};
    made.refresh(*none);
    CHECK(made.remote_target() == "sip:u7;ob");
    // Without any Contact, as before RFC 3261, the From has to do.
    CHECK(dialog::as_callee(*none, "m").remote_target() == "sip:caller@u1.example.com");
}

TEST_CASE("sip::dialog: the peer's CSeq only goes up, RFC 3261 12.2.2") {
    const good request{invite("")};
    auto callee = dialog::as_callee(*request, "mine");
    CHECK_FALSE(callee.take_cseq(314158));
    CHECK_FALSE(callee.take_cseq(314159));
    CHECK(callee.take_cseq(314160));
    CHECK_FALSE(callee.take_cseq(314160));
    CHECK(callee.take_cseq(cseq_view::max_number));
    CHECK_FALSE(callee.take_cseq(1));
    const good answer{response(200, "")};
    auto caller = dialog::as_caller(*answer);
    CHECK(caller.take_cseq(0)); // Its first may be any.
    CHECK_FALSE(caller.take_cseq(0));
    CHECK(caller.take_cseq(1));
}

TEST_CASE("sip::dialog: a message belongs by Call-ID and both tags") {
    const good request{invite("")};
    const auto made = dialog::as_callee(*request, "mine");
    const auto bye = [](std::string_view call, std::string_view from, std::string_view to) {
        return "BYE sip:x SIP/2.0\nVia: SIP/2.0/UDP h\nFrom: <sip:caller@u1>;tag=" +
               std::string{from} + "\nTo: sip:callee;tag=" + std::string{to} +
               "\nCall-ID: " + std::string{call} + "\nCSeq: 2 BYE\n\n";
    };
    CHECK(made.matches(*good{bye("c1", "from", "mine")}, true));
    CHECK(made.matches(*good{bye("c1", "mine", "from")}, false));
    CHECK_FALSE(made.matches(*good{bye("c1", "mine", "from")}, true));
    CHECK_FALSE(made.matches(*good{bye("c2", "from", "mine")}, true));
    CHECK_FALSE(made.matches(*good{bye("c1", "from", "yours")}, true));
    CHECK_FALSE(made.matches(*good{bye("c1", "other", "mine")}, true));
}

} // namespace
} // namespace trunkline::sip
