// From where requests of a dialog may come: the rule by itself.
#include <trunkline/trunk/dialog_peers.hpp>

#include <doctest/doctest.h>

#include <string>

#include "support/sip_text.hpp"

namespace trunkline::trunks {
namespace {

using verdict = dialog_peers::verdict;

constexpr address hop = address::v4(198, 51, 100, 1);
constexpr address other = address::v4(203, 0, 113, 9);

[[nodiscard]] flow_info from(const address& source, transport over = transport::udp,
                             std::uint16_t port = 5060) {
    return {over, listener_id{0}, {address::v4(192, 0, 2, 1), 5060}, {source, port}};
}

/// The dialog of an INVITE with this Contact and these lines.
[[nodiscard]] sip::dialog dialog_of(const std::string& contact, const std::string& fields = {}) {
    auto text = support::message("INVITE sip:x@192.0.2.1 SIP/2.0\n"
                                 "Via: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bKa\n"
                                 "Max-Forwards: 70\nFrom: <sip:a@a.example>;tag=1\n"
                                 "To: <sip:x@192.0.2.1>\nCall-ID: c\nCSeq: 1 INVITE\n"
                                 "Contact: " +
                                 contact + '\n' + fields);
    sip::message_view invite;
    REQUIRE(invite.parse(std::span{text.data(), text.size()}, false).has_value());
    return sip::dialog::as_callee(invite, "ours");
}

const std::string plain = "<sip:a@198.51.100.1>";

TEST_CASE("trunks::dialog_peers: the hop of the INVITE speaks, from any port and by UDP or TCP") {
    for (const auto began : {transport::udp, transport::tcp}) {
        const dialog_peers peers{hop, began};
        for (const auto over : {transport::udp, transport::tcp, transport::tls}) {
            CHECK(peers.judge(from(hop, over, 40'000), dialog_of(plain)) == verdict::peer);
            CHECK(peers.judge_cancel(from(hop, over, 40'000)) == verdict::peer);
            CHECK(peers.judge(from(other, over), dialog_of(plain)) == verdict::unknown);
            CHECK(peers.judge_cancel(from(other, over)) == verdict::unknown);
        }
    }
}

TEST_CASE("trunks::dialog_peers: what began by TLS goes on by TLS, whoever speaks") {
    const dialog_peers peers{hop, transport::tls};
    for (const auto over : {transport::udp, transport::tcp}) {
        CHECK(peers.judge(from(hop, over), dialog_of(plain)) == verdict::insecure);
        CHECK(peers.judge(from(other, over), dialog_of(plain)) == verdict::insecure);
        CHECK(peers.judge_cancel(from(hop, over)) == verdict::insecure);
    }
    CHECK(peers.judge(from(hop, transport::tls), dialog_of(plain)) == verdict::peer);
    CHECK(peers.judge_cancel(from(hop, transport::tls)) == verdict::peer);
}

TEST_CASE("trunks::dialog_peers: the hosts of Contact and of each Record-Route speak") {
    const dialog_peers peers{hop, transport::udp};
    const auto judged = [&](const std::string& contact, const std::string& fields = {}) {
        return peers.judge(from(other), dialog_of(contact, fields));
    };
    CHECK(judged("<sip:a@203.0.113.9>") == verdict::peer);
    CHECK(judged("<sip:a@203.0.113.9:5099;transport=tcp>") == verdict::peer);
    CHECK(judged("<sips:203.0.113.9>") == verdict::peer);
    CHECK(judged("<sip:a@host.example;maddr=203.0.113.9>") == verdict::peer);
    CHECK(judged("<sip:a@203.0.113.9;maddr=198.51.100.1>") == verdict::unknown);
    CHECK(judged("<sip:203.0.113.9@198.51.100.1>") == verdict::unknown);
    CHECK(judged(plain, "Record-Route: <sip:203.0.113.9;lr>\n") == verdict::peer);
    CHECK(judged(plain, "Record-Route: <sip:198.51.100.7;lr>, <sip:p@203.0.113.9:5070;lr>\n") ==
          verdict::peer);
    CHECK(judged(plain, "Record-Route: <sip:198.51.100.7;lr>\nRecord-Route: "
                        "<sip:203.0.113.9;lr>\n") == verdict::peer);
    CHECK(judged(plain, "Record-Route: <sip:203.0.113.10;lr>\n") == verdict::unknown);
    // Whoever is named in other places is no hop.
    CHECK(judged(plain, "Route: <sip:203.0.113.9;lr>\nVia: SIP/2.0/UDP 203.0.113.9\n") ==
          verdict::unknown);
}

TEST_CASE("trunks::dialog_peers: an IPv6 Contact speaks") {
    const auto six = *address::parse("2001:db8::9");
    const dialog_peers peers{hop, transport::udp};
    CHECK(peers.judge(from(six), dialog_of("<sip:a@[2001:db8::9]:5062>")) == verdict::peer);
    CHECK(peers.judge(from(six), dialog_of("<sip:a@[2001:db8::8]:5062>")) == verdict::unknown);
}

TEST_CASE("trunks::dialog_peers: who answered our INVITE speaks, but cancels nothing") {
    dialog_peers peers{hop, transport::udp};
    peers.answered_from(other);
    CHECK(peers.judge(from(other), dialog_of(plain)) == verdict::peer);
    CHECK(peers.judge_cancel(from(other)) == verdict::unknown);
}

TEST_CASE("trunks::dialog_peers: eight sources of responses are remembered, not more") {
    dialog_peers peers{hop, transport::udp};
    for (std::uint8_t n = 1; n <= 9; ++n) peers.answered_from(address::v4(203, 0, 113, n));
    CHECK(peers.judge(from(address::v4(203, 0, 113, 8)), dialog_of(plain)) == verdict::peer);
    CHECK(peers.judge(from(address::v4(203, 0, 113, 9)), dialog_of(plain)) == verdict::unknown);
    CHECK(peers.judge(from(hop), dialog_of(plain)) == verdict::peer);
}

TEST_CASE("trunks::dialog_peers: a dialog that moved is heard from both places, and cancelled from "
          "the new one") {
    dialog_peers peers{hop, transport::udp};
    peers.move_to(other);
    CHECK(peers.judge(from(other), dialog_of(plain)) == verdict::peer);
    CHECK(peers.judge(from(hop), dialog_of(plain)) == verdict::peer);
    CHECK(peers.judge_cancel(from(other)) == verdict::peer);
    CHECK(peers.judge_cancel(from(hop)) == verdict::unknown);
}

TEST_CASE("trunks::dialog_peers: names are what is no address, once each and in lower case") {
    const auto names = dialog_peers::names_of(
        dialog_of("<sip:a@Phone.Example:5070;transport=TCP>",
                  "Record-Route: <sip:p1.example;lr>, <sip:198.51.100.1;lr>, <sips:p2.example;lr>, "
                  "<sip:p1.example;lr>\n"));
    REQUIRE(names.size() == 3);
    CHECK(names[0] == gateway_name{"phone.example", 5070, transport::tcp});
    CHECK(names[1] == gateway_name{"p1.example", 0, transport::udp});
    CHECK(names[2] == gateway_name{"p2.example", 0, transport::tls});
}

TEST_CASE("trunks::dialog_peers: a refusal is first once for each source, and eight times") {
    dialog_peers peers{hop, transport::udp};
    CHECK(peers.first_refusal(other));
    CHECK_FALSE(peers.first_refusal(other));
    for (std::uint8_t n = 1; n <= 7; ++n) CHECK(peers.first_refusal(address::v4(192, 0, 2, n)));
    CHECK_FALSE(peers.first_refusal(address::v4(192, 0, 2, 8)));
}

} // namespace
} // namespace trunkline::trunks
