// Two managers that call each other by TCP and TLS, over real sockets.
#include "manager/phones.hpp"
#include "support/certificates.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::authority;
using support::seen;
using support::toner;
using support::until;

[[nodiscard]] manager_config at(const std::string& listen) {
    auto made = support::on_loopback();
    made.listen = {{.at = listen}};
    return made;
}

struct by_stream {
    seen calling;
    seen called;
    authority root{"root of two managers"};

    [[nodiscard]] manager_config callee(const std::string& listen) {
        auto made = at(listen);
        made.on_incoming = [this](incoming_call& call) {
            CHECK(call.answer(std::make_unique<toner>(called, 1'000)));
        };
        return made;
    }
    /// A call that is talked in, and then hung up by `from`'s agent.
    void talk(trunk_manager& from) {
        call_handle handle;
        std::atomic<bool> up = false;
        dial_request made;
        made.to = "200";
        made.agent = std::make_unique<toner>(calling, 600, [&](call& c) {
            handle = c.handle();
            up = true;
        });
        from.dial(std::move(made));
        REQUIRE(until([&] { return up.load(); }));
        REQUIRE(until([&] { return calling.level_at(1'000) > -13; }));
        REQUIRE(until([&] { return called.level_at(600) > -13; }));
        CHECK(handle.hang_up());
        REQUIRE(until([&] { return calling.ended() == 1 && called.ended() == 1; }));
        CHECK(called.record().ended_by == ended_by::caller);
        REQUIRE(until([&] { return from.calls() == 0; }));
    }
};

TEST_CASE_FIXTURE(by_stream, "trunkline::trunk_manager: a call by TCP, from first to last") {
    trunk_manager from{at("tcp:127.0.0.1:0")};
    trunk_manager to{callee("tcp:127.0.0.1:0")};
    auto far = support::trunk_to(to);
    far.transport = transport::tcp;
    REQUIRE(from.add_trunk(far).has_value());
    REQUIRE(to.add_trunk(support::trunk_to(from)).has_value());
    from.start();
    to.start();
    talk(from);
}

TEST_CASE_FIXTURE(by_stream,
                  "trunkline::trunk_manager: a call by TLS, both ends with certificates") {
    const auto theirs = root.issue({.names = "DNS:sip.example.net"});
    const auto ours = root.issue({.names = "DNS:us.example.net"});
    auto config = callee("tls:127.0.0.1:0");
    config.tls = {.ca = root.file(), .certificate = theirs.certificate, .key = theirs.key};
    auto calls_from = at("tls:127.0.0.1:0");
    calls_from.tls = {.certificate = ours.certificate, .key = ours.key, .verify = false};
    trunk_manager from{std::move(calls_from)};
    trunk_manager to{std::move(config)};
    auto far = support::trunk_to(to);
    far.transport = transport::tls;
    far.tls = {.ca = root.file(), .server_name = "sip.example.net"};
    REQUIRE(from.add_trunk(far).has_value());
    REQUIRE(to.add_trunk(support::trunk_to(from)).has_value());
    from.start();
    to.start();
    talk(from);
}

TEST_CASE_FIXTURE(by_stream, "trunkline::trunk_manager: a carrier of another name is not called") {
    const auto theirs = root.issue({.names = "DNS:somebody.else"});
    auto config = callee("tls:127.0.0.1:0");
    config.tls = {.certificate = theirs.certificate, .key = theirs.key, .verify = false};
    trunk_manager to{std::move(config)};
    trunk_manager from{at("udp:127.0.0.1:0")};
    auto far = support::trunk_to(to);
    far.transport = transport::tls;
    far.tls = {.ca = root.file(), .server_name = "sip.example.net"};
    REQUIRE(from.add_trunk(far).has_value());
    REQUIRE(to.add_trunk(support::trunk_to(from)).has_value());
    from.start();
    to.start();
    dial_request made;
    made.to = "200";
    made.agent = std::make_unique<toner>(calling, 600);
    from.dial(std::move(made));
    REQUIRE(until([&] { return calling.ended() == 1; }));
    const auto& told = calling.record();
    CHECK(told.sip_code == 0);
    CHECK(told.ended_by == ended_by::local_error);
    CHECK(told.failure == call_failure::tls);
    REQUIRE(told.attempts.size() == 1);
    CHECK(told.attempts[0].failure == call_failure::tls);
    CHECK(told.attempts[0].reason ==
          "TLS with the gateway failed: the certificate is not for 'sip.example.net'");
    CHECK(called.ended() == 0);
}

TEST_CASE_FIXTURE(by_stream,
                  "trunkline::trunk_manager: connections want one shard, and good files") {
    auto two = at("tcp:127.0.0.1:0");
    two.shards = 2;
    CHECK_THROWS_AS(trunk_manager{std::move(two)}, std::invalid_argument);
    CHECK_THROWS_AS(trunk_manager{at("tls:127.0.0.1:0")}, std::invalid_argument);
    CHECK_THROWS_AS(trunk_manager{at("sctp:127.0.0.1:0")}, std::invalid_argument);
    auto datagrams = at("udp:127.0.0.1:0");
    datagrams.shards = 2;
    trunk_manager by_datagrams{std::move(datagrams)};
    trunk_config wanted;
    wanted.name = "secure";
    wanted.gateways = {{"sip.example.net"}};
    wanted.transport = transport::tcp;
    const auto refused = by_datagrams.add_trunk(wanted);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.reason().field == "transport");
    wanted.transport = transport::tls;
    wanted.tls.ca = "/nowhere";
    const auto bad = trunk_manager::check(wanted);
    REQUIRE_FALSE(bad.has_value());
    CHECK(bad.reason().field == "tls.ca");
    wanted.tls = {.ca = root.file(), .server_name = "not a name"};
    CHECK(trunk_manager::check(wanted).reason().field == "tls.server_name");
    wanted.tls.server_name.clear();
    CHECK(trunk_manager::check(wanted).has_value());
}

} // namespace
} // namespace trunkline
