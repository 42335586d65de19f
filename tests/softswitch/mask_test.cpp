#include "mask.hpp"

#include <doctest/doctest.h>

#include <string>

namespace softswitch {
namespace {

TEST_CASE("softswitch::mask: of digest credentials only who, where and how remain") {
    // The example of RFC 2617 3.5.
    const auto shown = masked_header(
        "Authorization",
        "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
        "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", qop=auth, "
        "nc=00000001, cnonce=\"0a4f113b\", response=\"6629fae49393a05397450978507c4ef1\", "
        "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"");
    CHECK(shown == "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=***, "
                   "uri=\"/dir/index.html\", qop=auth, nc=00000001, cnonce=***, response=***, "
                   "opaque=***");
    CHECK(masked_header("proxy-authorization", "digest response=abc,x") ==
          "digest response=***, ***");
}

TEST_CASE("softswitch::mask: a challenge keeps its realm and loses its nonce") {
    CHECK(masked_header("WWW-Authenticate", "Digest realm=\"a, b\", nonce=\"x\", stale=true") ==
          "Digest realm=\"a, b\", nonce=***, stale=true");
    CHECK(masked_header("Authentication-Info", "nextnonce=\"x\", qop=auth, rspauth=\"y\"") ==
          "nextnonce=***, qop=auth, rspauth=***");
}

TEST_CASE("softswitch::mask: other schemes, tokens and signatures are hidden whole") {
    CHECK(masked_header("Authorization", "Basic dXNlcjpwYXNz") == "Basic ***");
    CHECK(masked_header("Authorization", "Bearer a.b.c") == "Bearer ***");
    CHECK(masked_header("Authorization", "dXNlcjpwYXNz") == "***");
    CHECK(masked_header("X-Telnyx-Token", "abc") == "***");
    CHECK(masked_header("Identity", "eyJ...") == "***");
    CHECK(masked_header("y", "eyJ...") == "***");
}

TEST_CASE("softswitch::mask: the keys of a body are hidden, their suites are not") {
    CHECK(masked_body_line("a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
                           "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4") ==
          "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:***|2^20|1:4");
    CHECK(masked_body_line("A=CRYPTO:1 X INLINE:k1|2^20;inline:k2 UNENCRYPTED_SRTP") ==
          "A=CRYPTO:1 X INLINE:***|2^20;inline:*** UNENCRYPTED_SRTP");
    CHECK(masked_body_line("k=base64:abc") == "k=***");
    CHECK(masked_body_line("a=key-mgmt:mikey AQAFgM0XflABAAAAAAA") == "a=key-mgmt:***");
    CHECK(masked_body_line("a=ice-pwd:abc") == "a=ice-pwd:***");
    CHECK(masked_body_line("a=rtpmap:0 PCMU/8000") == "a=rtpmap:0 PCMU/8000");
}

TEST_CASE("softswitch::mask: a password in a URI is hidden, a port is not") {
    CHECK(masked_uri("<sip:alice:secret@example.com:5060>;tag=1") ==
          "<sip:alice:***@example.com:5060>;tag=1");
    CHECK(masked_uri("SIPS:a:b@c, <sip:d:e@f>") == "SIPS:a:***@c, <sip:d:***@f>");
    CHECK(masked_uri("sip:example.com:5060;transport=udp") == "sip:example.com:5060;transport=udp");
    CHECK(masked_uri("sip:alice@example.com:5060") == "sip:alice@example.com:5060");
}

TEST_CASE("softswitch::mask: a whole message, folded lines and spaces before the colon included") {
    const std::string message = "INVITE sip:a:pw1@b SIP/2.0\r\n"
                                "Proxy-Authorization : Digest username=\"u\",\r\n"
                                " response=\"pw2\",\r\n"
                                "\tcnonce=pw3\r\n"
                                "AUTHORIZATION:Digest response=pw4\n"
                                "Call-ID: 1\r\n"
                                "\r\n"
                                "m=audio 1 RTP/SAVP 0\r\n"
                                "a=crypto:1 X inline:pw5\r\n";
    const auto shown = masked_message(message);
    CHECK(shown.find("pw") == std::string::npos);
    CHECK(shown == "INVITE sip:a:***@b SIP/2.0\r\n"
                   "Proxy-Authorization : Digest username=\"u\", response=***, cnonce=***\r\n"
                   "AUTHORIZATION: Digest response=***\n"
                   "Call-ID: 1\r\n"
                   "\r\n"
                   "m=audio 1 RTP/SAVP 0\r\n"
                   "a=crypto:1 X inline:***\r\n");
    CHECK(masked_message(shown) == shown);
}

} // namespace
} // namespace softswitch
