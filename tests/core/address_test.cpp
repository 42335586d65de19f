#include <trunkline/core/address.hpp>

#include <doctest/doctest.h>

#include <string>

#include "support/print.hpp"

namespace trunkline {
namespace {

TEST_CASE("core::address: reads and writes IPv4 and IPv6, and nothing else") {
    for (const auto* same : {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::1",
                             "2001:db8:0:1:1:1:1:1", "1:0:0:1::", "fe80::1:2"}) {
        CAPTURE(same);
        const auto read = address::parse(same);
        REQUIRE(read);
        CHECK(to_text(*read) == same);
    }
    CHECK(to_text(*address::parse("::ffff:192.0.2.1")) == "192.0.2.1");
    CHECK(to_text(*address::parse("[2001:DB8:0:0:0:0:0:1]")) == "2001:db8::1");
    CHECK(to_text(*address::parse("2001:db8:::192.0.2.1")) ==
          "2001:db8::c000:201"); // RFC 5118 4.10
    for (const auto* bad : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ", ":1", "1::2::3",
                            "1:2:3:4:5:6:7:8:9", "12345::", "[::1", "a.example", "1:2:3:4:5:6:7"}) {
        CAPTURE(bad);
        CHECK_FALSE(address::parse(bad));
    }
}

TEST_CASE("core::endpoint: needs a port, and brackets around IPv6") {
    CHECK(to_text(*endpoint::parse("192.0.2.1:5060")) == "192.0.2.1:5060");
    CHECK(to_text(*endpoint::parse("[::1]:65535")) == "[::1]:65535");
    for (const auto* bad :
         {"192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "::1:5060", "host:5060"}) {
        CAPTURE(bad);
        CHECK_FALSE(endpoint::parse(bad));
    }
}

TEST_CASE("core::cidr: holds the addresses of its network, in both families") {
    const auto net = *cidr::parse("198.51.100.0/23");
    CHECK(net.contains(*address::parse("198.51.101.255")));
    CHECK_FALSE(net.contains(*address::parse("198.51.102.0")));
    CHECK_FALSE(net.contains(*address::parse("::1")));
    CHECK(cidr::parse("0.0.0.0/0")->contains(*address::parse("203.0.113.9")));
    CHECK_FALSE(cidr::parse("0.0.0.0/0")->contains(*address::parse("2001:db8::1")));
    CHECK(cidr::parse("192.0.2.7")->contains(*address::parse("192.0.2.7")));
    CHECK_FALSE(cidr::parse("192.0.2.7")->contains(*address::parse("192.0.2.6")));
    CHECK(cidr::parse("2001:db8::/33")->contains(*address::parse("2001:db8:7fff::1")));
    CHECK_FALSE(cidr::parse("2001:db8::/33")->contains(*address::parse("2001:db8:8000::1")));
    CHECK(to_text(net) == "198.51.100.0/23");
    for (const auto* bad : {"1.2.3.4/33", "1.2.3.4/", "::/129", "x/8", "1.2.3.4/-1"}) {
        CAPTURE(bad);
        CHECK_FALSE(cidr::parse(bad));
    }
}

TEST_CASE("core::address: knows what a carrier cannot reach") {
    for (const auto* inside : {"10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "fd00::1"}) {
        CHECK(address::parse(inside)->is_private());
    }
    for (const auto* outside : {"172.32.0.1", "8.8.8.8", "2001:db8::1"}) {
        CHECK_FALSE(address::parse(outside)->is_private());
    }
}

} // namespace
} // namespace trunkline
