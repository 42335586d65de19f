// Ranges of addresses at their first and last ones, and forms of IPv6 that stand beside the right
// ones.
#include <trunkline/core/address.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/print.hpp"

namespace trunkline {
namespace {

[[nodiscard]] address at(const std::string& text) {
    CAPTURE(text);
    const auto read = address::parse(text);
    REQUIRE(read.has_value());
    return *read;
}

// RFC 1918 section 3, RFC 6598 section 7, RFC 3927 section 2.1, RFC 4193 section 3.1, RFC
// 4291 2.5.6.
TEST_CASE("core::address: a private range begins and ends where its RFC says") {
    for (const std::string inside :
         {"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0",
          "192.168.255.255", "100.64.0.0", "100.127.255.255", "169.254.0.0", "169.254.255.255",
          "fc00::", "fdff:ffff::1", "fe80::", "febf:ffff::1"}) {
        CAPTURE(inside);
        CHECK(at(inside).is_private());
    }
    for (const std::string outside :
         {"9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255",
          "192.169.0.0", "100.63.255.255", "100.128.0.0", "169.253.255.255", "169.255.0.0",
          "fbff:ffff::1", "fe00::1", "fe7f:ffff::1", "fec0::1"}) {
        CAPTURE(outside);
        CHECK_FALSE(at(outside).is_private());
    }
}

TEST_CASE("core::address: multicast begins with 224 and with ff, and nothing below is of it") {
    CHECK(at("224.0.0.0").is_multicast());
    CHECK(at("224.0.0.1").is_multicast());
    CHECK(at("239.255.255.255").is_multicast());
    CHECK_FALSE(at("223.255.255.255").is_multicast());
    CHECK(at("ff00::").is_multicast());
    CHECK(at("ff02::1").is_multicast());
    CHECK_FALSE(at("feff:ffff::1").is_multicast());
}

TEST_CASE("core::address: loopback is 127.0.0.0/8, and of IPv6 one address alone") {
    CHECK(at("127.0.0.0").is_loopback());
    CHECK(at("127.255.255.255").is_loopback());
    CHECK_FALSE(at("126.255.255.255").is_loopback());
    CHECK_FALSE(at("128.0.0.0").is_loopback());
    CHECK(at("::1").is_loopback());
    for (const std::string other : {"2001:db8::1", "::2", "::1:1", "fe80::1", "1::1"}) {
        CAPTURE(other);
        CHECK_FALSE(at(other).is_loopback());
    }
}

// RFC 4291 section 2.2: :: stands for one group of zeros at least, and stands once.
TEST_CASE("core::address: beside :: there are seven groups at the most") {
    CHECK(at("1:2:3:4:5:6:7::") == at("1:2:3:4:5:6:7:0"));
    CHECK(at("::2:3:4:5:6:7:8") == at("0:2:3:4:5:6:7:8"));
    for (const std::string wrong : {"1:2:3:4:5:6:7::8", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
                                    "1::2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9"}) {
        CAPTURE(wrong);
        CHECK_FALSE(address::parse(wrong).has_value());
    }
}

// RFC 5952 section 4.2.
TEST_CASE(
    "core::address: :: is written for the longest run of zeros, the first of two, never for one") {
    CHECK(to_text(at("2001:db8:0:0:1:0:0:1")) == "2001:db8::1:0:0:1");
    CHECK(to_text(at("2001:0:0:1:0:0:0:1")) == "2001:0:0:1::1");
    CHECK(to_text(at("2001:0:0:0:1:0:0:1")) == "2001::1:0:0:1");
    CHECK(to_text(at("2001:db8:0:1:1:1:1:1")) == "2001:db8:0:1:1:1:1:1");
    CHECK(to_text(at("1:2:3:4:5:6:0:0")) == "1:2:3:4:5:6::");
}

} // namespace
} // namespace trunkline
