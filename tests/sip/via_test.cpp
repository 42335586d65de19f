#include <trunkline/sip/via.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string_view>

#include "support/print.hpp"

namespace trunkline::sip {
namespace {

TEST_CASE("sip::via: takes the examples of RFC 3261 20.42 and RFC 3581 apart") {
    struct row {
        std::string_view text;
        std::string_view transport;
        std::string_view host;
        int port; ///< -1 is none.
        std::string_view branch;
        std::string_view sent_protocol;
        std::string_view sent_by;
    };
    const row table[] = {
        {"SIP/2.0/UDP erlang.bell-telephone.com:5060;branch=z9hG4bK87asdks7", "UDP",
         "erlang.bell-telephone.com", 5060, "z9hG4bK87asdks7", "SIP/2.0/UDP",
         "erlang.bell-telephone.com:5060"},
        {"SIP / 2.0 / UDP first.example.com: 4000;ttl=16  ;maddr=224.2.0.1 "
         ";branch=z9hG4bKa7c6a8dlze.1",
         "UDP", "first.example.com", 4000, "z9hG4bKa7c6a8dlze.1", "SIP / 2.0 / UDP",
         "first.example.com: 4000"},
        {"sip/2.0/tls [2001:db8::9:255]:5061 ; branch = z9hG4bKas3-111", "tls", "[2001:db8::9:255]",
         5061, "z9hG4bKas3-111", "sip/2.0/tls", "[2001:db8::9:255]:5061"},
        {"SIP/2.0/UDP 10.1.1.1:4540;rport;branch=z9hG4bKkjshdyff", "UDP", "10.1.1.1", 4540,
         "z9hG4bKkjshdyff", "SIP/2.0/UDP", "10.1.1.1:4540"},
        {"SIP/2.0/UDP\th", "UDP", "h", -1, "", "SIP/2.0/UDP", "h"},
        {"SIP/7.0/SCTP h ; x", "SCTP", "h", -1, "", "SIP/7.0/SCTP", "h"},
    };
    for (const auto& row : table) {
        CAPTURE(row.text);
        const auto read = via_view::parse(row.text);
        CHECK(read.has_value());
        if (!read) continue;
        CHECK(read->transport == row.transport);
        CHECK(read->host == row.host);
        CHECK((read->has_port ? read->port : -1) == row.port);
        CHECK(read->branch == row.branch);
        CHECK(read->sent_protocol == row.sent_protocol);
        CHECK(read->sent_by == row.sent_by);
    }
}

TEST_CASE("sip::via: says what is wrong, and where") {
    struct row {
        std::string_view text;
        errc code;
        std::uint32_t offset;
    };
    const row table[] = {
        {"", errc::bad_token, 0},
        {"SIPS/2.0/UDP h", errc::bad_token, 0},
        {"SIP//UDP h", errc::bad_token, 4},
        {"SIP/2.0 UDP h", errc::bad_token, 8},
        {"SIP/2.0/UDP", errc::bad_token, 11},
        {"SIP/2.0/UDP ", errc::bad_address, 12},
        {"SIP/2.0/UDP ;branch=x", errc::bad_address, 12},
        {"SIP/2.0/UDP [::1", errc::bad_address, 12},
        {"SIP/2.0/UDP 256.1.1.1", errc::bad_address, 12},
        {"SIP/2.0/UDP h:", errc::bad_number, 14},
        {"SIP/2.0/UDP h:99999", errc::bad_number, 14},
        {"SIP/2.0/UDP h;", errc::need_more, 14},
        {"SIP/2.0/UDP h;branch=", errc::need_more, 21},
        {"SIP/2.0/UDP h;branch=a b", errc::trailing_bytes, 23},
        {"SIP/2.0/UDP h;branch=\"a", errc::bad_quote, 21},
        {"SIP/2.0/UDP h x", errc::trailing_bytes, 14},
        {"SIP/2.0/UDP h, SIP/2.0/UDP i", errc::trailing_bytes, 13},
    };
    for (const auto& row : table) {
        CAPTURE(row.text);
        const auto read = via_view::parse(row.text);
        CHECK_FALSE(read.has_value());
        if (read) continue;
        CHECK(read.reason() == error{.code = row.code, .offset = row.offset});
    }
}

TEST_CASE("sip::via: only a branch that goes on after the cookie is one to match by") {
    const auto cookie = [](std::string_view text) { return via_view::parse(text)->has_cookie(); };
    CHECK(cookie("SIP/2.0/UDP h;branch=z9hG4bKx"));
    CHECK_FALSE(cookie("SIP/2.0/UDP h;branch=z9hG4bK"));
    CHECK_FALSE(cookie("SIP/2.0/UDP h;branch=1"));
    CHECK_FALSE(cookie("SIP/2.0/UDP h"));
}

} // namespace
} // namespace trunkline::sip
