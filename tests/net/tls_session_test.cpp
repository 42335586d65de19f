#include "tls_session.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include <trunkline/core/text.hpp>

#include "support/certificates.hpp"

namespace trunkline::net {
namespace {

using support::authority;
using support::certificate_wish;

[[nodiscard]] authority& root() {
    static authority made{"a test's root"};
    return made;
}

/// What a client makes of a server with this certificate.
struct both_ends {
    tls_settings client_rules{.ca = root().file()};
    tls_settings server_rules{.ca = root().file(), .verify = false};
    std::optional<tls_session> client;
    std::optional<tls_session> server;
    std::string at_client;
    std::string at_server;

    void shown(const certificate_wish& what) {
        const auto files = root().issue(what);
        server_rules.certificate = files.certificate;
        server_rules.key = files.key;
    }
    void meet(std::string_view name) {
        const auto theirs = open_tls_server(server_rules);
        const auto ours = open_tls_client(client_rules);
        REQUIRE(theirs.has_value());
        REQUIRE(ours.has_value());
        server.emplace(*theirs, "");
        client.emplace(*ours, name);
        client->begin();
        run();
    }
    /// Until neither has anything to say, in pieces of that size.
    void run(std::size_t piece = 100'000) {
        for (bool any = true; any;) {
            const bool there = carry(*client, *server, at_server, piece);
            const bool back = carry(*server, *client, at_client, piece);
            any = there || back;
        }
    }
    static bool carry(tls_session& from, tls_session& to, std::string& heard, std::size_t piece) {
        std::vector<std::byte> secret;
        from.take(secret);
        for (std::size_t at = 0; at < secret.size(); at += piece) {
            to.receive(std::span{secret}.subspan(at, std::min(piece, secret.size() - at)));
            std::array<std::byte, 16'384> room{};
            for (;;) {
                const auto plain = to.read(room);
                if (plain.empty()) break;
                heard += as_text(plain);
            }
        }
        return !secret.empty();
    }
    [[nodiscard]] bool met() const {
        return client->current() == tls_session::state::open &&
               server->current() == tls_session::state::open;
    }
};

TEST_CASE_FIXTURE(both_ends, "net::tls_session: what one end writes the other reads") {
    shown({.names = "DNS:sip.example.net"});
    meet("sip.example.net");
    REQUIRE(met());
    std::string large(100'000, 'x');
    for (std::size_t i = 0; i < large.size(); i += 7) large[i] = static_cast<char>('a' + i % 26);
    for (const auto piece : std::vector<std::size_t>{100'000, 1'000, 13, 1}) {
        at_server.clear();
        at_client.clear();
        CHECK(client->write(as_bytes(std::string_view{large})));
        CHECK(server->write(as_bytes(std::string_view{"answer"})));
        run(piece);
        CHECK(at_server == large);
        CHECK(at_client == "answer");
    }
}

TEST_CASE_FIXTURE(both_ends, "net::tls_session: nothing is written before or after") {
    shown({.names = "DNS:sip.example.net"});
    const auto ours = open_tls_client(client_rules);
    tls_session early{*ours, "sip.example.net"};
    CHECK_FALSE(early.write(as_bytes(std::string_view{"x"})));
    meet("sip.example.net");
    client->close();
    run();
    CHECK(server->current() == tls_session::state::ended);
    CHECK(server->reason().empty());
}

TEST_CASE("net::tls_session: the certificate has to be for whom we called, RFC 5922 7") {
    struct case_of {
        certificate_wish shown;
        std::string called;
        bool good;
        bool with_wildcards;
    };
    const std::vector<case_of> rows{
        {{.names = "DNS:sip.example.net"}, "sip.example.net", true, true},
        {{.names = "DNS:SIP.Example.NET"}, "sip.example.net", true, true},
        {{.names = "DNS:sip.example.net"}, "sip.example.net.", true, true},
        {{.names = "DNS:sip.example.net"}, "example.net", false, false},
        {{.names = "DNS:sip.example.net"}, "sip.example.org", false, false},
        {{.names = "DNS:a.example,DNS:b.example"}, "b.example", true, true},
        // A SIP URI that names a domain counts before host names do,
        {{.names = "URI:sip:example.net,DNS:other.example"}, "example.net", true, true},
        {{.names = "URI:sip:example.net,DNS:sip.example.net"}, "sip.example.net", false, false},
        // that of a user or of another scheme says nothing.
        {{.names = "URI:sip:me@example.net"}, "example.net", false, false},
        {{.names = "URI:https://example.net,DNS:sip.example.net"}, "sip.example.net", true, true},
        {{.names = "DNS:*.example.net"}, "sip.example.net", false, true},
        {{.names = "DNS:*.example.net"}, "a.sip.example.net", false, false},
        {{.names = "DNS:*.example.net"}, "example.net", false, false},
        {{.names = "DNS:*.net"}, "example.net", false, false},
        {{.names = "DNS:s*.example.net"}, "sip.example.net", false, false},
        {{.names = "IP:192.0.2.1"}, "192.0.2.1", true, true},
        {{.names = "IP:192.0.2.1"}, "192.0.2.2", false, false},
        {{.names = "IP:2001:db8::1"}, "2001:db8::1", true, true},
        {{.names = "DNS:sip.example.net"}, "192.0.2.1", false, false},
        // The common name is for those without any other.
        {{.names = "", .common_name = "sip.example.net"}, "sip.example.net", true, true},
        {{.names = "DNS:a.example", .common_name = "sip.example.net"},
         "sip.example.net",
         false,
         false},
    };
    for (const auto& row : rows) {
        const auto& called = row.called;
        for (const bool wildcards : {false, true}) {
            CAPTURE(row.shown.names);
            CAPTURE(called);
            CAPTURE(wildcards);
            both_ends f;
            f.client_rules.wildcards = wildcards;
            f.shown(row.shown);
            f.meet(called);
            const bool expected = wildcards ? row.with_wildcards : row.good;
            CHECK(f.met() == expected);
            if (expected) continue;
            CHECK(f.client->current() == tls_session::state::failed);
            CHECK(f.client->reason().find(called.substr(0, 7)) != std::string::npos);
            CHECK(f.server->current() == tls_session::state::failed);
        }
    }
}

TEST_CASE_FIXTURE(both_ends, "net::tls_session: who is not vouched for is nobody") {
    SUBCASE("by us") {
        static authority other{"another root"};
        const auto files = other.issue({.names = "DNS:sip.example.net"});
        server_rules.certificate = files.certificate;
        server_rules.key = files.key;
    }
    SUBCASE("any more") {
        shown({.names = "DNS:sip.example.net", .valid_from = -7'200, .valid_until = -3'600});
    }
    SUBCASE("yet") {
        shown({.names = "DNS:sip.example.net", .valid_from = 3'600});
    }
    meet("sip.example.net");
    CHECK_FALSE(met());
    CHECK(client->current() == tls_session::state::failed);
    CHECK_FALSE(client->reason().empty());
    // Unless nobody asks.
    client_rules.verify = false;
    meet("sip.example.net");
    CHECK(met());
}

TEST_CASE_FIXTURE(both_ends, "net::tls_session: a client shows its certificate where it is asked") {
    shown({.names = "DNS:sip.example.net"});
    server_rules.verify = true;
    SUBCASE("and is not let in without one") {
        meet("sip.example.net");
        CHECK(server->current() == tls_session::state::failed);
        run();
        CHECK(client->current() == tls_session::state::failed);
    }
    SUBCASE("one that was made for servers will do") {
        const auto files = root().issue({.names = "DNS:us.example", .usage = "serverAuth"});
        client_rules.certificate = files.certificate;
        client_rules.key = files.key;
        meet("sip.example.net");
        CHECK(met());
    }
    SUBCASE("but not one of somebody else's root") {
        static authority other{"one more root"};
        const auto files = other.issue({.names = "DNS:us.example"});
        client_rules.certificate = files.certificate;
        client_rules.key = files.key;
        meet("sip.example.net");
        CHECK(server->current() == tls_session::state::failed);
    }
}

TEST_CASE_FIXTURE(both_ends, "net::tls_session: TLS 1.1 is too old") {
    shown({.names = "DNS:sip.example.net"});
    auto* old = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(old, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(old, TLS1_1_VERSION);
    SSL_CTX_set_cipher_list(old, "ALL:@SECLEVEL=0");
    const auto theirs = open_tls_server(server_rules);
    REQUIRE(theirs.has_value());
    server.emplace(*theirs, "");
    client.emplace(std::make_shared<const tls_context>(old, tls_settings{.verify = false}, false),
                   "sip.example.net");
    client->begin();
    run();
    CHECK(server->current() == tls_session::state::failed);
}

TEST_CASE_FIXTURE(both_ends, "net::tls_session: what is no TLS fails, and costs nothing") {
    shown({.names = "DNS:sip.example.net"});
    const auto theirs = open_tls_server(server_rules);
    REQUIRE(theirs.has_value());
    tls_session one{*theirs, ""};
    one.receive(as_bytes(std::string_view{"OPTIONS sip:a@b SIP/2.0\r\n\r\n"}));
    CHECK(one.current() == tls_session::state::failed);
    std::vector<std::byte> said;
    one.take(said);
    CHECK(said.size() < 100);
    one.receive(as_bytes(std::string_view{"more"}));
    CHECK(one.current() == tls_session::state::failed);
}

TEST_CASE("net::tls_context: a file that will not do is named, and so is the field") {
    const auto good = root().issue({.names = "DNS:a.example"});
    const auto other = root().issue({.names = "DNS:b.example"});
    const auto field = [](const tls_settings& from) {
        const auto made = open_tls_server(from);
        return made ? std::string{} : made.reason().field;
    };
    CHECK(field({.certificate = good.certificate, .key = good.key}) == "");
    CHECK(field({}) == "certificate");
    CHECK(field({.certificate = "/nowhere", .key = good.key}) == "certificate");
    CHECK(field({.certificate = good.certificate, .key = "/nowhere"}) == "key");
    CHECK(field({.certificate = good.certificate, .key = other.key}) == "key");
    CHECK(field({.ca = "/nowhere", .certificate = good.certificate, .key = good.key}) == "ca");
    const auto lonely = open_tls_client({.key = good.key});
    REQUIRE_FALSE(lonely.has_value());
    CHECK(lonely.reason().field == "key");
    CHECK(open_tls_client({}).has_value());
}

} // namespace
} // namespace trunkline::net
