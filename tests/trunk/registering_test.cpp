// Trunks that register: what carriers are sent, when they are asked again, and by whose leave.
#include <string>
#include <utility>
#include <vector>

#include "trunk/registrant.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::challenge;
using support::header;
using support::registrant;
using support::start_line;

TEST_CASE_FIXTURE(registrant, "trunks::engine: a REGISTER says whose calls are to go where") {
    add(wanted());
    const auto text = only();
    CHECK(start_line(text) == "REGISTER sip:198.51.100.1 SIP/2.0");
    CHECK(header(text, "To") == "<sip:alice@198.51.100.1>");
    CHECK(header(text, "From").starts_with("<sip:alice@198.51.100.1>;tag="));
    CHECK(header(text, "Contact") == "<sip:" + contact_user() + "@192.0.2.1:5060>;expires=300");
    CHECK(header(text, "Expires") == "300");
    CHECK(header(text, "CSeq") == "1 REGISTER");
    CHECK(header(text, "Via").starts_with("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK"));
    CHECK(header(text, "User-Agent") == "trunkline test");
    CHECK(header(text, "Authorization").empty()); // Nobody has asked for it yet.
    CHECK(header(text, "Content-Length") == "0");
    CHECK(contact_user().find("carrier") == std::string::npos);
    REQUIRE(told.size() == 1);
    CHECK(told[0].trunk == "carrier");
    CHECK(told[0].state == registration_state::registering);
}

TEST_CASE("trunks::engine: what is granted is refreshed before three quarters of it are over") {
    for (const unsigned granted : {160U, 300U, 3'600U}) {
        CAPTURE(granted);
        registrant d;
        d.add(registrant::wanted());
        for (int i = 1; i < 20; ++i) {
            const auto before = d.registers().back();
            CHECK(header(before.text, "CSeq") == std::to_string(i) + " REGISTER");
            const auto at = d.now;
            d.answer("200 OK", d.granting(granted));
            CHECK(d.state() == registration_state::registered);
            REQUIRE(d.status().expires);
            CHECK(*d.status().expires == at + std::chrono::seconds{granted});
            const auto when = d.next_register();
            CHECK(when - at >= std::chrono::seconds{granted / 2});
            CHECK(when - at <= std::chrono::seconds{granted * 3 / 4 + 1});
            CHECK(d.told.back().state == registration_state::registered); // And never less.
            CHECK(header(d.registers().back().text, "Call-ID") == header(before.text, "Call-ID"));
            CHECK(support::tag(d.registers().back().text, "From") ==
                  support::tag(before.text, "From"));
        }
    }
}

TEST_CASE("trunks::engine: a refresh that times out leaves time for another gateway") {
    for (const unsigned granted : {60U, 90U, 120U, 159U}) {
        CAPTURE(granted);
        registrant d;
        auto two = registrant::wanted();
        two.gateways = {{"198.51.100.1"}, {"198.51.100.2"}};
        d.add(two);
        const auto at = d.now;
        d.answer("200 OK", d.granting(granted));
        const auto when = d.next_register();
        CHECK(when - at <= std::chrono::seconds{granted - 40});
        CHECK(when - at >= std::chrono::seconds{(granted - 40) * 2 / 3 - 1});
        // Nobody answers it, and the other one is asked before the first one's word is over.
        const auto next = d.next_register();
        CHECK(d.registers().back().to == *endpoint::parse("198.51.100.2:5060"));
        CHECK(next - at < std::chrono::seconds{granted});
    }
}

TEST_CASE("trunks::engine: trunks that began together refresh apart") {
    registrant d;
    for (int i = 0; i < 5; ++i) d.add(registrant::wanted("t" + std::to_string(i)));
    std::set<time_point> when;
    for (const auto& each : d.registers()) d.answer(each, "200 OK", "Expires: 300\n");
    d.advance(300s);
    for (const auto& each : d.registers()) {
        if (header(each.text, "CSeq") == "2 REGISTER") when.insert(each.at);
    }
    CHECK(when.size() == 5);
}

TEST_CASE("trunks::engine: our own Contact's expires counts, then Expires, then what we asked") {
    const std::string other = "<sip:else@192.0.2.9>;expires=3000";
    struct row {
        std::string contacts; ///< "*" is our own URI.
        std::string fields;
        int granted;
    };
    for (const auto& each : std::vector<row>{
             {"Contact: <*>;expires=120\n", "Expires: 90\n", 120},
             {"Contact: " + other + ", \"q\" <*>;q=0.5;expires=120\n", {}, 120},
             {"Contact: " + other + "\nContact: <*>;expires=70\n", "Expires: 90\n", 70},
             // A stranger's that nobody can read costs nothing.
             {"Contact: <sip:a b>;=, <*>;expires=70\n", {}, 70},
             {"Contact: @@@\nContact: <*>;expires=70\n", "Expires: 90\n", 70},
             {"Contact: <sip:PBX#1@192.0.2.9>, <*>;expires=70\n", {}, 70},
             {"Contact: \"open <sip:x@y>\n", "Expires: 90\n", 90},
             {"Contact: <*>\n", "Expires: 90\n", 90},
             {"Contact: " + other + "\n", "Expires: 90\n", 90},
             {"Contact: <*>;expires=none\n", {}, 300},
             {{}, {}, 300},
             {{}, "Expires: soon\n", 300},
             {"Contact: <*>;expires=99999999999999999999\n", {}, 7'200},
         }) {
        CAPTURE(each.contacts);
        registrant d;
        d.add(registrant::wanted());
        auto text = each.contacts;
        for (auto at = text.find("<*>"); at != std::string::npos; at = text.find("<*>")) {
            text.replace(at, 3, "<sip:" + d.contact_user() + "@192.0.2.1:5060>");
        }
        d.answer("200 OK", text + each.fields);
        REQUIRE(d.status().expires);
        CHECK(*d.status().expires - d.now == std::chrono::seconds{each.granted});
    }
}

TEST_CASE_FIXTURE(registrant, "trunks::engine: a 200 that grants no time is no registration") {
    add(wanted());
    answer("200 OK", "Expires: 0\n");
    CHECK(state() == registration_state::waiting);
    CHECK_FALSE(status().expires);
    CHECK_FALSE(status().reason.empty());
}

TEST_CASE_FIXTURE(registrant,
                  "trunks::engine: a flow that the driver forgot takes no registration along") {
    add(wanted());
    const auto asked = registers().back();
    evict(support::carrier_at);
    CHECK(state() == registration_state::registering);
    answer(asked, "200 OK", granting(300)); // By another flow, and for the same request.
    CHECK(state() == registration_state::registered);
}

TEST_CASE("trunks::engine: a binding of a second is no reason to ask every second") {
    registrant d;
    d.add(registrant::wanted());
    for (int i = 0; i < 20; ++i) {
        const auto at = d.now;
        d.answer("200 OK", "Expires: 1\n");
        CHECK(d.next_register() - at >= 15s);
    }
}

TEST_CASE_FIXTURE(registrant,
                  "trunks::engine: 423 is asked again at once, for as long as it says") {
    add(wanted());
    answer("423 Interval Too Brief", "Min-Expires: 600\n");
    CHECK(header(last(), "Expires") == "600");
    CHECK(registers().size() == 2);
    answer("200 OK", "Expires: 600\n");
    next_register();
    CHECK(header(registers().back().text, "Expires") == "600"); // Once was enough.
}

TEST_CASE("trunks::engine: 423 is believed within bounds, and not for ever") {
    for (const std::string fields :
         {"", "Min-Expires: 300\n", "Min-Expires: 7201\n", "Min-Expires: 4294967295\n"}) {
        CAPTURE(fields);
        registrant d;
        d.add(registrant::wanted());
        d.answer("423 Interval Too Brief", fields);
        CHECK(d.registers().size() == 1);
        CHECK(d.state() == registration_state::waiting);
        CHECK(d.status().sip_code == 423);
    }
    registrant d;
    d.add(registrant::wanted());
    for (unsigned i = 0; i < 10; ++i) {
        d.answer("423 Interval Too Brief", "Min-Expires: " + std::to_string(400 + i) + "\n");
    }
    CHECK(d.registers().size() == 3);
    CHECK(d.state() == registration_state::waiting);
}

TEST_CASE("trunks::engine: a refusal is the last word for a quarter of an hour and more") {
    for (const std::string status :
         {"403 Forbidden", "404 Not Found", "400 Bad Request", "302 Moved", "603 Decline"}) {
        CAPTURE(status);
        registrant d;
        auto config = registrant::wanted();
        config.gateways.push_back({"198.51.100.2"});
        d.add(config);
        const auto at = d.now;
        d.answer(status, "Contact: <sip:elsewhere@203.0.113.9>\nRetry-After: 1\n");
        CHECK(d.state() == registration_state::waiting);
        CHECK(d.status().sip_code == std::stoi(status));
        CHECK(d.status().reason == status.substr(4));
        REQUIRE(d.status().retry);
        const auto when = d.next_register();
        CHECK(when - at >= 15min);
        CHECK(when - at <= 30min + 1s);
        CHECK(to_text(d.registers().back().to) == "198.51.100.1:5060");
        CHECK(d.registers().size() == 2);
    }
}

TEST_CASE_FIXTURE(registrant, "trunks::engine: silence is asked again after RFC 5626's times") {
    add(wanted());
    for (const auto& [least, most] : std::vector<std::pair<duration, duration>>{{30s, 60s},
                                                                                {1min, 2min},
                                                                                {2min, 4min},
                                                                                {4min, 8min},
                                                                                {8min, 16min},
                                                                                {15min, 30min},
                                                                                {15min, 30min}}) {
        advance(32s);
        CHECK(state() == registration_state::waiting);
        CHECK(status().sip_code == 408);
        const auto at = now;
        const auto when = next_register();
        CHECK(when - at >= least - 1s);
        CHECK(when - at <= most + 1s);
    }
    answer("200 OK");
    next_register();
    advance(32s);
    const auto at = now;
    CHECK(next_register() - at <= 61s); // Once it went well, the count begins anew.
}

TEST_CASE("trunks::engine: who asks us to come later is asked later, and others meanwhile") {
    registrant d;
    d.add(registrant::wanted());
    const auto at = d.now;
    d.answer("503 Service Unavailable", "Retry-After: 500\n");
    CHECK(d.next_register() - at >= 500s);
    d.answer("503 Service Unavailable", "Retry-After: 4294967295\n");
    CHECK(*d.status().retry - d.now <= 1h + 10s);

    registrant two;
    auto config = registrant::wanted();
    config.gateways.push_back({"198.51.100.2"});
    two.add(config);
    two.answer("503 Service Unavailable", "Retry-After: 500\n");
    CHECK(to_text(two.registers().back().to) == "198.51.100.2:5060");
    const auto barred = two.now;
    while (two.now - barred < 499s) {
        two.answer("500 Broken");
        two.next_register();
        if (two.now - barred < 500s) {
            CHECK(to_text(two.registers().back().to) == "198.51.100.2:5060");
        }
    }
}

TEST_CASE("trunks::engine: a gateway that is down is passed over, and found when it is back") {
    registrant d;
    d.unreachable = {*endpoint::parse("198.51.100.1:5060")};
    auto config = registrant::wanted();
    config.gateways.push_back({"198.51.100.2", 5070});
    d.add(config);
    CHECK(to_text(d.registers().back().to) == "198.51.100.2:5070");
    CHECK(start_line(d.registers().back().text) == "REGISTER sip:198.51.100.2:5070 SIP/2.0");
    d.answer("200 OK");
    CHECK(d.status().gateway == "198.51.100.2:5070");
    d.unreachable.clear();
    d.next_register();
    CHECK(to_text(d.registers().back().to) == "198.51.100.2:5070"); // It has the binding.
    d.answer("500 Broken");
    CHECK(to_text(d.registers().back().to) == "198.51.100.1:5060");
    d.answer("200 OK");
    CHECK(d.state() == registration_state::registered);
    CHECK(d.status().gateway == "198.51.100.1");
}

TEST_CASE_FIXTURE(registrant, "trunks::engine: one address may be asked by UDP and then by TCP") {
    auto both = wanted();
    both.gateways = {{.host = "198.51.100.1", .transport = transport::udp},
                     {.host = "198.51.100.1", .transport = transport::tcp}};
    add(both);
    CHECK(registers().back().over == transport::udp);
    answer("500 Broken");
    REQUIRE(registers().size() == 2);
    CHECK(registers().back().over == transport::tcp);
    CHECK(header(registers().back().text, "Via").starts_with("SIP/2.0/TCP "));
}

TEST_CASE_FIXTURE(registrant, "trunks::engine: nobody reachable and no name known are told of") {
    unreachable = {*endpoint::parse("198.51.100.1:5060")};
    add(wanted());
    CHECK(registers().empty());
    CHECK(state() == registration_state::waiting);
    CHECK(status().sip_code == 0);
    CHECK(status().reason.starts_with("the gateway cannot be reached"));
    unreachable.clear();
    next_register();
    answer("200 OK");
    CHECK(state() == registration_state::registered);

    registrant named;
    auto by_name = wanted();
    by_name.gateways = {{"sip.example.test"}};
    named.add(by_name);
    CHECK(named.registers().empty());
    named.resolve("_sip._udp.sip.example.test", {}, 60, 3);
    named.resolve("sip.example.test", {}, 60, 3);
    CHECK(named.state() == registration_state::waiting);
    CHECK(named.status().reason == "no gateway's name can be resolved");
}

TEST_CASE_FIXTURE(registrant, "trunks::engine: a name's addresses are asked as they are found") {
    auto by_name = wanted();
    by_name.gateways = {{"sip.example.test"}};
    add(by_name);
    resolve("_sip._udp.sip.example.test", {}, 60, 3);
    resolve("sip.example.test", {address::v4(198, 51, 100, 7)}, 60);
    REQUIRE(registers().size() == 1);
    CHECK(to_text(registers()[0].to) == "198.51.100.7:5060");
    CHECK(start_line(registers()[0].text) == "REGISTER sip:sip.example.test SIP/2.0");
    CHECK(header(registers()[0].text, "To") == "<sip:alice@sip.example.test>");
}

} // namespace
} // namespace trunkline
