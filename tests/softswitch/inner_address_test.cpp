// Where URLs of agents and webhooks may not lead: the registries of RFC 6890, and what translates
// to them.
#include "sockets/inner_address.hpp"

#include <doctest/doctest.h>

#include <future>
#include <string>

#include "io_thread.hpp"
#include "sockets/socket_hub.hpp"

namespace softswitch {
namespace {

TEST_CASE("softswitch::inner_address: loopback, private, link-local and reserved ones are inner") {
    for (const std::string text : {"0.0.0.0",
                                   "0.1.2.3",
                                   "10.0.0.1",
                                   "10.255.255.255",
                                   "100.64.0.1",
                                   "100.127.255.255",
                                   "127.0.0.1",
                                   "127.255.0.1",
                                   "169.254.169.254",
                                   "172.16.0.1",
                                   "172.31.255.255",
                                   "192.0.0.1",
                                   "192.168.0.1",
                                   "198.18.0.1",
                                   "198.19.255.255",
                                   "224.0.0.1",
                                   "240.0.0.1",
                                   "255.255.255.255",
                                   "::",
                                   "::1",
                                   "::ffff:127.0.0.1",
                                   "::ffff:10.0.0.1",
                                   "::127.0.0.1",
                                   "fe80::1",
                                   "febf::1",
                                   "fec0::1",
                                   "fc00::1",
                                   "fdff::1",
                                   "ff02::1",
                                   "64:ff9b::7f00:1",
                                   "64:ff9b::a00:1",
                                   "64:ff9b:1::1",
                                   "2002:7f00:1::1",
                                   "2002:a9fe:a9fe::",
                                   "2001::1"}) {
        CAPTURE(text);
        const auto at = trunkline::address::parse(text);
        REQUIRE(at);
        CHECK(is_inner(*at));
    }
}

TEST_CASE("softswitch::inner_address: what stands on the Internet is not") {
    for (const std::string text :
         {"1.1.1.1",         "9.255.255.255", "11.0.0.1",     "100.63.255.255", "100.128.0.1",
          "126.0.0.1",       "128.0.0.1",     "169.253.0.1",  "172.15.0.1",     "172.32.0.1",
          "192.0.1.1",       "192.167.0.1",   "192.169.0.1",  "198.17.0.1",     "198.20.0.1",
          "223.255.255.255", "2600::1",       "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808",
          "2002:808:808::1", "2001:1::1"}) {
        CAPTURE(text);
        const auto at = trunkline::address::parse(text);
        REQUIRE(at);
        CHECK_FALSE(is_inner(*at));
    }
}

/// Why an agent was not connected to.
[[nodiscard]] std::string refusal(const std::string& url, bool allow_private) {
    socket_settings how;
    how.allow_private = allow_private;
    io_thread io;
    std::promise<std::string> told;
    std::string why;
    {
        socket_hub hub{how, io};
        const auto to = socket_url::parse(url);
        REQUIRE(to);
        hub.connect(*to, [&](const std::shared_ptr<socket_line>&, const std::string& failed) {
            told.set_value(failed);
        });
        why = told.get_future().get();
        io.stop();
    }
    return why;
}

TEST_CASE("softswitch::socket_hub: an agent on this host is connected to only if that is allowed") {
    // The discard port: nothing listens there. Numbers in other bases are names to a resolver.
    for (const std::string host : {"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]",
                                   "0.0.0.0", "2130706433", "0x7f000001", "0177.0.0.1", "127.1"}) {
        for (const std::string scheme : {"ws://", "wss://"}) {
            CAPTURE(host);
            const auto url = scheme + host + ":9/";
            if (!socket_url::parse(url)) continue; // What is no host is refused before.
            CHECK(refusal(url, false).find("allow_private_urls") != std::string::npos);
        }
    }
    CHECK(refusal("ws://127.0.0.1:9/", true).find("allow_private_urls") == std::string::npos);
}

} // namespace
} // namespace softswitch
