#include <trunkline/core/address.hpp>

#include <doctest/doctest.h>

#include <string_view>

#include "support/print.hpp"

namespace trunkline {
namespace {

TEST_CASE("core::cidr: holds the addresses of its network and no others") {
    struct row {
        std::string_view network;
        std::string_view inside;
        std::string_view outside;
    };
    const row table[] = {
        {"198.51.100.0/24", "198.51.100.255", "198.51.101.0"},
        {"198.51.100.0/24", "::ffff:198.51.100.1", "::198.51.100.1"},
        {"198.51.100.77/24", "198.51.100.1", "198.51.99.77"}, // Host bits do not count.
        {"10.0.0.0/8", "10.255.255.255", "11.0.0.0"},
        {"203.0.113.128/25", "203.0.113.128", "203.0.113.127"},
        {"203.0.113.4/30", "203.0.113.7", "203.0.113.8"},
        {"203.0.113.4/31", "203.0.113.5", "203.0.113.6"},
        {"203.0.113.4/32", "203.0.113.4", "203.0.113.5"},
        {"203.0.113.4", "203.0.113.4", "203.0.113.5"},
        {"0.0.0.0/0", "255.255.255.255", "2001:db8::1"}, // All of IPv4, and that only.
        {"128.0.0.0/1", "255.0.0.1", "127.255.255.255"},
        {"2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"},
        {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::"},
        {"2001:db8::1", "2001:db8::1", "2001:db8::2"},
        {"[2001:db8::]/64", "2001:db8::ffff", "2001:db8:0:1::"},
    };
    for (const auto& row : table) {
        CAPTURE(row.network);
        const auto network = cidr::parse(row.network);
        REQUIRE(network.has_value());
        CHECK(network->contains(*address::parse(row.inside)));
        CHECK_FALSE(network->contains(*address::parse(row.outside)));
    }
    CHECK(cidr::parse("::/0")->contains(*address::parse("2001:db8::1")));
}

TEST_CASE("core::cidr: every prefix holds what shares its bits") {
    const auto base = *address::parse("2001:db8:5555:aaaa:5555:aaaa:5555:aaaa");
    for (unsigned prefix = 0; prefix <= 128; ++prefix) {
        CAPTURE(prefix);
        const cidr network{base, static_cast<std::uint8_t>(prefix)};
        for (unsigned bit = 0; bit < 128; ++bit) {
            auto other = base;
            other.bytes[bit / 8] =
                static_cast<std::uint8_t>(other.bytes[bit / 8] ^ 0x80 >> bit % 8);
            REQUIRE(network.contains(other) == (bit >= prefix));
        }
    }
}

TEST_CASE("core::cidr: says what is wrong, and where") {
    struct row {
        std::string_view text;
        errc code;
        std::uint32_t offset;
    };
    const row table[] = {
        {"", errc::bad_address, 0},
        {"/24", errc::bad_address, 0},
        {"example.com/24", errc::bad_address, 0},
        {"198.51.100/24", errc::bad_address, 0},
        {"198.51.100.0/", errc::bad_number, 13},
        {"198.51.100.0/33", errc::bad_number, 13},
        {"198.51.100.0/-1", errc::bad_number, 13},
        {"198.51.100.0/+1", errc::bad_number, 13},
        {"198.51.100.0/24 ", errc::bad_number, 13},
        {"198.51.100.0/24/1", errc::bad_number, 13},
        {"198.51.100.0/4294967320", errc::bad_number, 13},
        {"2001:db8::/129", errc::bad_number, 11},
    };
    for (const auto& row : table) {
        CAPTURE(row.text);
        const auto read = cidr::parse(row.text);
        REQUIRE_FALSE(read.has_value());
        CHECK(read.reason() == error{.code = row.code, .offset = row.offset});
    }
}

TEST_CASE("core::cidr: is written as it is read") {
    for (const std::string_view text :
         {"198.51.100.0/24", "0.0.0.0/0", "192.0.2.1/32", "2001:db8::/32", "::/0", "::1/128"}) {
        CHECK(to_text(*cidr::parse(text)) == text);
    }
    CHECK(to_text(*cidr::parse("192.0.2.1")) == "192.0.2.1/32");
}

TEST_CASE("core::cidr: a wide network permits and identifies nobody") {
    for (const std::string_view narrow :
         {"198.51.0.0/16", "198.51.100.7", "2001:db8::/32", "2001:db8::1"}) {
        CAPTURE(narrow);
        CHECK(cidr::parse(narrow)->identifies());
    }
    for (const std::string_view wide :
         {"198.50.0.0/15", "10.0.0.0/8", "0.0.0.0/0", "2001::/31", "::/0"}) {
        CAPTURE(wide);
        CHECK_FALSE(cidr::parse(wide)->identifies());
    }
}

} // namespace
} // namespace trunkline
