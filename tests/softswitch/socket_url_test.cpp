// Where agents listen, and how a connection to them becomes a WebSocket.
#include "sockets/handshake.hpp"
#include "sockets/socket_url.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace softswitch {
namespace {

TEST_CASE("softswitch::socket_url: a URL has a host, a port, and a target") {
    struct row {
        std::string text;
        bool secure;
        std::string host;
        int port;
        std::string target;
        std::string authority;
    };
    for (const auto& [text, secure, host, port, target, authority] : std::vector<row>{
             {"ws://127.0.0.1:8765", false, "127.0.0.1", 8765, "/", "127.0.0.1:8765"},
             {"wss://bot.example.net/call?a=b", true, "bot.example.net", 443, "/call?a=b",
              "bot.example.net"},
             {"WS://bot", false, "bot", 80, "/", "bot"},
             {"wss://bot:80", true, "bot", 80, "/", "bot:80"},
             {"ws://[2001:db8::1]:9/x", false, "2001:db8::1", 9, "/x", "[2001:db8::1]:9"},
             {"ws://[::1]", false, "::1", 80, "/", "[::1]"},
             {"ws://bot?x=1", false, "bot", 80, "/?x=1", "bot"}}) {
        CAPTURE(text);
        CHECK(is_socket_url(text));
        const auto read = socket_url::parse(text);
        REQUIRE(read.has_value());
        CHECK(read->secure == secure);
        CHECK(read->host == host);
        CHECK(read->port == port);
        CHECK(read->target == target);
        CHECK(read->authority() == authority);
        CHECK(read->text == text);
    }
}

TEST_CASE("softswitch::socket_url: what cannot be connected to is refused with a sentence") {
    for (const std::string& text : std::vector<std::string>{
             "ws://", "ws://:80", "ws://a b", "ws://a\r\nX: y", "ws://u:p@bot", "ws://bot:0",
             "ws://bot:65536", "ws://bot:x", "ws://bot:", "ws://[::1", "ws://[bot]", "ws://::1",
             "ws://bot/#part", "ws://b\xc3\xb6t", "http://bot", "",
             "ws://" + std::string(2'048, 'a')}) {
        CAPTURE(text);
        const auto read = socket_url::parse(text);
        REQUIRE_FALSE(read.has_value());
        CHECK(read.reason().starts_with("a socket is written ws://"));
    }
    CHECK_FALSE(is_socket_url("echo"));
}

/// The example of RFC 6455 section 1.3.
struct example {
    socket_url to = *socket_url::parse("ws://server.example.com/chat");
    socket_identity who{};
    std::string nonce = "dGhlIHNhbXBsZSBub25jZQ==";
    std::string good = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n"
                       "Connection: keep-alive, Upgrade\r\n"
                       "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
};

TEST_CASE("softswitch::handshake: asks as RFC 6455 has it, and signs the URL where it is to") {
    example with;
    const handshake plain{with.to, with.who, with.nonce};
    CHECK(plain.request().starts_with("GET /chat HTTP/1.1\r\nHost: server.example.com\r\n"));
    CHECK(plain.request().find("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n") !=
          std::string::npos);
    CHECK(plain.request().ends_with("\r\n\r\n"));
    CHECK(plain.request().find("X-Twilio-Signature") == std::string::npos);
    with.who.auth_token = "12345";
    const handshake with_token{with.to, with.who, with.nonce};
    // printf %s ws://server.example.com/chat | openssl dgst -sha1 -hmac 12345 -binary | base64
    CHECK(with_token.request().find("X-Twilio-Signature: HuzpM17pphhuwbLjnwBaLQG/ps0=\r\n") !=
          std::string::npos);
}

TEST_CASE("softswitch::handshake: an answer is taken only when it shows that our key was read") {
    const example with;
    const handshake asked{with.to, with.who, with.nonce};
    const auto taken = asked.receive(with.good + "\x81");
    REQUIRE(taken.has_value());
    REQUIRE(taken->has_value());
    CHECK(**taken == with.good.size());
    for (std::size_t size = 0; size < with.good.size(); ++size) {
        const auto part = asked.receive(std::string_view{with.good}.substr(0, size));
        REQUIRE(part.has_value());
        CHECK_FALSE(part->has_value());
    }
    const auto changed = [&](std::string_view what, std::string_view into) {
        auto text = with.good;
        text.replace(text.find(what), what.size(), into);
        return asked.receive(text);
    };
    CHECK_FALSE(changed("101 Switching Protocols", "200 OK").has_value());
    CHECK_FALSE(changed("HTTP/1.1 101", "HTTP/1.0 101").has_value());
    CHECK_FALSE(changed("s3pP", "s3pQ").has_value());
    CHECK_FALSE(changed("Upgrade: WebSocket", "Upgrade: h2c").has_value());
    CHECK_FALSE(changed("keep-alive, Upgrade", "keep-alive").has_value());
    CHECK_FALSE(changed("Connection:", "Sec-WebSocket-Protocol: x\r\nConnection:").has_value());
    CHECK_FALSE(asked.receive("garbage\r\n\r\n").has_value());
    CHECK_FALSE(asked.receive(std::string(handshake::longest_head, 'a')).has_value());
}

} // namespace
} // namespace softswitch
