// A trunk that registers by a connection, and gets its calls there.
#include "trunk/registrant.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::registrant;
using support::request_text;

TEST_CASE_FIXTURE(registrant,
                  "trunks::streams: who registers by TCP is called by the same connection") {
    std::vector<std::string> called;
    config.on_incoming = [&](incoming_call& call) {
        called.push_back(std::string{call.trunk()});
        CHECK(call.ringing());
    };
    auto by_tcp = wanted();
    by_tcp.gateways = {{"sip.example.net", 5070}};
    by_tcp.transport = transport::tcp;
    add(by_tcp);
    resolve("sip.example.net", {address::v4(198, 51, 100, 1)});
    REQUIRE(connections.size() == 1);
    CHECK(connections[0].peer == *endpoint::parse("198.51.100.1:5070"));
    const auto flow = connections[0].flow;
    REQUIRE(registers().size() == 1);
    const auto asked = registers().back();
    CHECK(asked.over == transport::tcp);
    CHECK(support::header(asked.text, "Via").starts_with("SIP/2.0/TCP "));
    CHECK(support::header(asked.text, "Contact").find(";transport=tcp>") != std::string::npos);
    receive(flow, support::answer_to(asked.text, "200 OK", "theirs", granting(300)));
    CHECK(state() == registration_state::registered);
    static_cast<void>(texts());

    request_text invite;
    invite.uri = "sip:" + contact_user() + "@192.0.2.1:5060;transport=tcp";
    receive(flow, support::replaced(invite.text(), "SIP/2.0/UDP", "SIP/2.0/TCP"));
    CHECK(called == std::vector<std::string>{"carrier"});
    CHECK(support::status_of(last()) == "180");
    CHECK(sent.back().over == transport::tcp);
    // Nobody else answers for it when it is asked again.
    static_cast<void>(next_register());
    CHECK(registers().back().over == transport::tcp);
    CHECK(connections.size() == 1);
}

TEST_CASE_FIXTURE(registrant, "trunks::streams: the way to a registrar stands however little "
                              "goes by it, and goes with the registration") {
    auto by_tcp = wanted();
    by_tcp.transport = transport::tcp;
    by_tcp.registration->expires = 1h;
    add(by_tcp);
    REQUIRE(connections.size() == 1);
    const auto flow = connections[0].flow;
    receive(flow, support::answer_to(registers().back().text, "200 OK", "theirs", granting(3600)));
    CHECK(state() == registration_state::registered);
    advance(1'700s);
    CHECK_FALSE(connections[0].closed);
    remove_all();
    receive(flow, support::answer_to(registers().back().text, "200 OK", "theirs", granting(0)));
    CHECK(state() == registration_state::idle);
    advance(590s);
    CHECK_FALSE(connections[0].closed);
    advance(110s);
    CHECK(connections[0].closed);
    CHECK(connections.size() == 1);
}

} // namespace
} // namespace trunkline
