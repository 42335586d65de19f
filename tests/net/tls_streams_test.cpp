// Two shards that speak TLS with each other, by sockets.
#include <trunkline/net/shard.hpp>

#include <doctest/doctest.h>

#include "net/script.hpp"
#include "support/certificates.hpp"
#include "support/stream_end.hpp"

namespace trunkline::net {
namespace {

using support::authority;
using support::stream_end;

struct two_shards {
    authority root{"root of two shards"};
    std::shared_ptr<tls_profiles> profiles = std::make_shared<tls_profiles>();
    tls_profiles::lease lease;
    script served;
    script called;
    std::optional<shard> server;
    std::optional<shard> client;

    two_shards() {
        const auto files = root.issue({.names = "DNS:sip.example.net"});
        const auto context =
            open_tls_server({.certificate = files.certificate, .key = files.key, .verify = false});
        const auto ours = open_tls_client({.ca = root.file()});
        REQUIRE(context.has_value());
        REQUIRE(ours.has_value());
        profiles->serve(*context);
        lease = profiles->add(*ours);
        server.emplace(shard_config{
            .listeners = listening({.at = {{transport::tls, *endpoint::parse("127.0.0.1:0")}}}),
            .tls = profiles});
        client.emplace(shard_config{.tls = profiles});
        REQUIRE_FALSE(server->open(served));
        REQUIRE_FALSE(client->open(called));
        served.on_input = [](const input& what, time_point, outbox& out) {
            if (const auto* got = std::get_if<inputs::packet>(&what)) {
                send(out, got->flow, as_text(got->bytes));
            }
        };
    }
    void connect(std::string name) { connect(std::move(name), lease.number); }
    void connect(std::string name, std::uint32_t profile) {
        REQUIRE(client->post([=, to = server->local(listener_id{0})](time_point, outbox& out) {
            out.connect(token{1}, transport::tls, listener_id{0}, to, {profile, name});
        }));
    }
    template <class Condition>
    bool until(Condition reached) {
        return net::until({&*server, &*client}, reached);
    }
};

TEST_CASE_FIXTURE(two_shards, "net::streams: what is sent by TLS comes, and comes back") {
    connect("sip.example.net");
    REQUIRE(until([&] { return called.ups.size() == 1 && served.ups.size() == 1; }));
    CHECK(called.ups[0].info.transport == transport::tls);
    std::string text;
    for (int n = 0; text.size() < 60'000; ++n) text += std::to_string(n) + ' ';
    REQUIRE(client->post([&](time_point, outbox& out) { send(out, called.ups[0].flow, text); }));
    std::string back;
    REQUIRE(until([&] {
        back.clear();
        for (const auto& part : called.heard) back += part;
        return back.size() == text.size();
    }));
    CHECK(back == text);
    // The second who asks for the same peer gets the same connection, under another name another.
    connect("sip.example.net");
    REQUIRE(until([&] { return called.ups.size() == 2; }));
    CHECK(called.ups[1].flow == called.ups[0].flow);
    connect("other.example.net");
    REQUIRE(until([&] { return called.downs.size() == 1; }));
    CHECK(called.downs[0].why == cause::insecure);
    CHECK(called.downs[0].flow == flow_id{});
    // A server that was hung up on knows, and the other way round.
    REQUIRE(client->post([&](time_point, outbox& out) { out.close(called.ups[0].flow); }));
    REQUIRE(until([&] { return served.downs.size() == 2; }));
    CHECK(served.downs[0].why == cause::insecure); // That of the other name.
    CHECK(served.downs[0].flow == flow_id{});
    CHECK(served.downs[1].why == cause::closed);
}

TEST_CASE_FIXTURE(two_shards, "net::streams: without a profile nobody is spoken to by TLS") {
    connect("sip.example.net", 8);
    REQUIRE(until([&] { return called.downs.size() == 1; }));
    CHECK(called.downs[0].why == cause::insecure);
    profiles->serve(nullptr);
    stream_end phone{server->local(listener_id{0})};
    REQUIRE(until([&] {
        phone.receive();
        return phone.ended;
    }));
    CHECK(served.ups.empty());
}

TEST_CASE_FIXTURE(two_shards,
                  "net::tls_profiles: a number is one context's, for as long as it is held") {
    const auto number = lease.number;
    auto other = profiles->add(profiles->client(number));
    CHECK(number != 0);
    CHECK(other.number != number);
    lease.held.reset();
    CHECK(profiles->client(number) == nullptr);
    CHECK(profiles->client(other.number) != nullptr);
    CHECK(profiles->add(profiles->client(other.number)).number != number);
    connect("sip.example.net", number);
    REQUIRE(until([&] { return called.downs.size() == 1; }));
    CHECK(called.downs[0].why == cause::insecure);
    connect("sip.example.net", other.number);
    REQUIRE(until([&] { return called.ups.size() == 1; }));
    const auto none = profiles->add(nullptr);
    CHECK(none.number == 0);
    CHECK(none.held == nullptr);
    // It may be held for longer than there are any.
    client.reset();
    server.reset();
    const std::weak_ptr<tls_profiles> gone = profiles;
    profiles.reset();
    CHECK(gone.expired());
    other.held.reset();
}

TEST_CASE_FIXTURE(two_shards, "net::streams: who speaks no TLS is hung up on and never heard") {
    stream_end phone{server->local(listener_id{0})};
    phone.send("OPTIONS sip:a@b SIP/2.0\r\n\r\n");
    REQUIRE(until([&] {
        phone.receive();
        return phone.ended;
    }));
    CHECK(served.ups.empty());
    REQUIRE(served.downs.size() == 1);
    CHECK(served.downs[0].flow == flow_id{});
    CHECK(served.downs[0].peer.port != 0);
    CHECK_FALSE(served.words[0].empty());
    CHECK(served.heard.empty());
}

// The sentences are those of OpenSSL's X509_verify_cert_error_string and of its alerts, as its
// documentation has them.
TEST_CASE_FIXTURE(two_shards, "net::streams: TLS that comes to nothing says why, at both ends") {
    const auto serve = [&](const tls_settings& how) {
        const auto made = open_tls_server(how);
        REQUIRE(made.has_value());
        profiles->serve(*made);
    };
    const auto both = [&](const std::string& name) {
        connect(name);
        REQUIRE(until([&] { return called.downs.size() == 1 && served.downs.size() == 1; }));
        CHECK(called.downs[0].why == cause::insecure);
        CHECK(served.downs[0].why == cause::insecure);
    };
    SUBCASE("a certificate of another name") {
        both("other.example.net");
        CHECK(called.words[0] == "the certificate is not for 'other.example.net'");
        CHECK(served.words[0].find("alert") != std::string::npos);
    }
    SUBCASE("one that has expired") {
        const auto old = root.issue({.names = "DNS:sip.example.net", .valid_until = -60});
        serve({.certificate = old.certificate, .key = old.key, .verify = false});
        both("sip.example.net");
        CHECK(called.words[0] == "certificate has expired");
        CHECK(served.words[0].find("alert certificate expired") != std::string::npos);
    }
    SUBCASE("one of an issuer that nobody vouches for") {
        authority other{"somebody else"};
        const auto files = other.issue({.names = "DNS:sip.example.net"});
        serve({.certificate = files.certificate, .key = files.key, .verify = false});
        both("sip.example.net");
        CHECK(called.words[0] == "unable to get local issuer certificate");
        CHECK(served.words[0].find("alert unknown ca") != std::string::npos);
    }
    SUBCASE("none of ours, where one is asked for: since TLS 1.3 that comes when it is up") {
        const auto files = root.issue({.names = "DNS:sip.example.net"});
        serve({.ca = root.file(), .certificate = files.certificate, .key = files.key});
        both("sip.example.net");
        CHECK(called.ups.size() == 1);
        CHECK(called.words[0].find("alert certificate required") != std::string::npos);
        CHECK(served.words[0] == "peer did not return a certificate");
    }
}

} // namespace
} // namespace trunkline::net
