#include <trunkline/net/hosts_file.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace trunkline::net {
namespace {

std::string found(const hosts_file& in, std::string_view name, bool ipv4) {
    std::vector<address> addresses;
    in.find(name, ipv4, addresses);
    std::string text;
    for (const auto& each : addresses) text += to_text(each) + ' ';
    return text;
}

TEST_CASE("net::hosts_file: finds each name of a line, whatever its case, in the file's order") {
    const auto read = hosts_file::parse("127.0.0.1\tlocalhost\n"
                                        "::1 localhost ip6-localhost\n"
                                        "198.51.100.8 sip.example.net SBC.example.net. # main\r\n"
                                        "198.51.100.7 Sip.Example.NET\n");
    CHECK(found(read, "localhost", true) == "127.0.0.1 ");
    CHECK(found(read, "localhost", false) == "::1 ");
    CHECK(found(read, "ip6-localhost", true).empty());
    CHECK(found(read, "SIP.example.net.", true) == "198.51.100.8 198.51.100.7 ");
    CHECK(found(read, "sbc.example.net", true) == "198.51.100.8 ");
    CHECK(found(read, "main", true).empty());
    CHECK(found(read, "example.net", true).empty());
}

TEST_CASE("net::hosts_file: skips what is not a line of it") {
    const auto read = hosts_file::parse("# 10.0.0.1 a\nname 10.0.0.1\n10.0.0.256 b\n\n \t\n"
                                        "10.0.0.1\n10.0.0.2 . c\nfe80::1%lo0 d\n10.0.0.3 e");
    REQUIRE(read.lines().size() == 2);
    CHECK(found(read, "c", true) == "10.0.0.2 ");
    CHECK(found(read, "e", true) == "10.0.0.3 ");
    CHECK(hosts_file::parse("").lines().empty());
}

TEST_CASE("net::hosts_file: does not grow without bound") {
    std::string text;
    for (int n = 0; n < 70'000; ++n) text += "0.0.0.0 advertiser" + std::to_string(n) + '\n';
    CHECK(hosts_file::parse(text).lines().size() == hosts_file::max_names);
}

} // namespace
} // namespace trunkline::net
