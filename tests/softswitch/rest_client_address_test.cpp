// Whose a connection to REST is.
#include "rest/answering_socket.hpp"

#include <doctest/doctest.h>

#include <asio/ip/address.hpp>

namespace softswitch {
namespace {

[[nodiscard]] client_address of(const char* text) {
    return client_of(asio::ip::make_address(text));
}

TEST_CASE("softswitch::client_of: an IPv4 address is one client, mapped into IPv6 or not") {
    CHECK(of("192.0.2.1") == of("192.0.2.1"));
    CHECK(of("192.0.2.1") == of("::ffff:192.0.2.1"));
    CHECK(of("192.0.2.1") != of("192.0.2.2"));
    CHECK(of("::ffff:192.0.2.1") != of("::ffff:192.0.2.2"));
}

TEST_CASE("softswitch::client_of: a /64 of IPv6 is one client, and its neighbour another") {
    CHECK(of("2001:db8:0:1::1") == of("2001:db8:0:1:ffff:ffff:ffff:ffff"));
    CHECK(of("2001:db8:0:1::1") != of("2001:db8:0:2::1"));
    CHECK(of("2001:db8:0:1::1") != of("2001:db9:0:1::1"));
    CHECK(of("::1") != of("192.0.2.1"));
}

} // namespace
} // namespace softswitch
