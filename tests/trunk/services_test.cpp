// Calls by way of a gateway that SRV records name, through the whole engine.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/dns_text.hpp"
#include "trunk/driver.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::driver;

struct by_service : driver {
    trunk_config wanted = carrier();
    const address one = address::v4(198, 51, 100, 21);
    const address two = address::v4(198, 51, 100, 22);
    const address six = *address::parse("2001:db8::5");

    by_service() {
        wanted.allow_from = {};
        wanted.gateways = {{"example.net"}, {"203.0.113.3", 0, 2}};
        config.on_incoming = [](incoming_call& c) { CHECK(c.ringing()); };
        add(wanted);
    }
    void call() {
        running().dial({.to = "+4930999", .agent = std::make_unique<agent>()}, now, out());
        settle();
    }
    /// The services of the name, and the addresses of two targets.
    void look_up() {
        resolve("example.net", {});
        answer_services({{1, 0, 5070, "a.example.net"}, {2, 0, 5080, "b.example.net"}});
        resolve("a.example.net", {one}, 60, 0, {six});
        resolve("b.example.net", {two});
    }
    void answer_services(const std::vector<sip::dns::service>& found) {
        support::dns_message made{"_sip._udp.example.net", record_type::srv};
        for (const auto& each : found) made.add(each, 60);
        for (const auto& each : std::exchange(questions, {})) {
            if (each.type != record_type::srv) {
                questions.push_back(each);
                continue;
            }
            CHECK(each.name == "_sip._udp.example.net");
            running().receive(inputs::resolved{each.asked, made.bytes(), {}}, now, out());
            settle();
        }
    }
    /// Where INVITEs went, each place once in a row.
    [[nodiscard]] std::vector<std::string> tried() const {
        std::vector<std::string> found;
        for (const auto& each : sent) {
            const bool invite = each.text.starts_with("INVITE sip:+4930999@");
            const auto where = to_text(each.to);
            if (invite && (found.empty() || found.back() != where)) found.push_back(where);
        }
        return found;
    }
};

TEST_CASE_FIXTURE(by_service, "trunks::engine: a call goes through all targets of a service, on "
                              "503, silence and unreachable addresses, then to the next gateway") {
    unreachable.insert({six, 5070});
    call();
    CHECK(sent.empty()); // It waits for the name.
    look_up();
    CHECK(tried() == std::vector<std::string>{"198.51.100.21:5070"});
    // The domain stays in the Request-URI, without a port (RFC 3263 section 4).
    CHECK(support::start_line(sent[0].text) == "INVITE sip:+4930999@example.net SIP/2.0");
    receive("198.51.100.21:5070",
            support::answer_to(sent.back().text, "503 Service Unavailable", "x", {}, {}));
    CHECK(tried().back() == "198.51.100.22:5080"); // The IPv6 address has no way to it.
    advance(40s);
    CHECK(tried().back() == "203.0.113.3:5060");
}

TEST_CASE_FIXTURE(by_service, "trunks::engine: a carrier is known by all targets of its service") {
    look_up();
    support::request_text request;
    for (const auto& [source, status] :
         std::vector<std::pair<std::string, std::string>>{{"198.51.100.21:5060", "180"},
                                                          {"[2001:db8::5]:5070", "180"},
                                                          {"198.51.100.22:7777", "180"},
                                                          {"198.51.100.23:5060", "403"}}) {
        const std::string from = source; // A binding cannot be captured.
        CAPTURE(from);
        request.branch += 'x';
        request.call_id += 'x';
        advance(1s); // So that a stranger is told.
        receive(from, request.text());
        CHECK(support::status_of(last()) == status);
    }
}

TEST_CASE_FIXTURE(by_service, "trunks::engine: a service that is not there leaves the call to the "
                              "next gateway at once") {
    call();
    resolve("example.net", {one});
    CHECK(sent.empty());
    answer_services({{0, 0, 0, ""}});
    CHECK(tried() == std::vector<std::string>{"203.0.113.3:5060"});
}

TEST_CASE_FIXTURE(by_service, "trunks::engine: a dead name server holds a call for two seconds") {
    call();
    advance(1900ms);
    CHECK(sent.empty());
    advance(200ms);
    CHECK(tried() == std::vector<std::string>{"203.0.113.3:5060"});
}

} // namespace
} // namespace trunkline
