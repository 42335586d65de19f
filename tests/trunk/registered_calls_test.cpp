// What a registration is for: whose the calls are that come by it; and how it ends.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "trunk/registrant.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::header;
using support::registrant;
using support::request_text;
using support::status_of;

struct called : registrant {
    std::vector<std::pair<std::string, std::string>> calls; ///< Trunk and number.

    called() {
        config.on_incoming = [this](incoming_call& call) {
            calls.emplace_back(call.trunk(), call.to());
        };
    }
    /// Two customers of one carrier, at one address of it.
    void add_two() {
        auto one = wanted("one");
        auto other = wanted("other");
        other.auth->username = "bob";
        add(one);
        add(other);
    }
    [[nodiscard]] std::string ring(const std::string& user, const std::string& from,
                                   const std::string& fields = {},
                                   const std::string& to = "<sip:+4930123@198.51.100.1>") {
        request_text invite;
        invite.uri = "sip:" + user + "@192.0.2.1:5060";
        invite.to = to;
        invite.fields = fields;
        invite.branch += std::to_string(sent.size());
        invite.call_id = invite.branch;
        receive(from, invite.text());
        const auto all = texts();
        return all.empty() ? std::string{} : status_of(all.front());
    }
};

TEST_CASE_FIXTURE(called, "trunks::engine: a registered Contact tells one carrier's trunks apart") {
    add_two();
    CHECK(trunks[0]->contact_user != trunks[1]->contact_user);
    for (const std::size_t i : {1U, 0U, 1U}) {
        calls.clear();
        static_cast<void>(ring(trunks[i]->contact_user, support::carrier_at));
        REQUIRE(calls.size() == 1);
        CHECK(calls[0].first == trunks[i]->config.name);
        CHECK(calls[0].second == "+4930123");
    }
}

TEST_CASE_FIXTURE(called,
                  "trunks::engine: a Contact is known to whoever has it, and opens nothing") {
    add_two();
    static_cast<void>(texts());
    CHECK(ring(trunks[1]->contact_user, support::stranger_at) == "403");
    CHECK(ring(trunks[1]->contact_user, support::stranger_at).empty());
    CHECK(calls.empty());
    REQUIRE_FALSE(records.empty());
    CHECK(records[0].trunk.empty());
}

TEST_CASE_FIXTURE(called, "trunks::engine: the number is the Called-Party's, or the To's") {
    auto one = wanted();
    one.numbers = {{"+4930123", "desk"}, {"+4930456", "desk"}};
    add(one);
    const auto user = contact_user();
    static_cast<void>(
        ring(user, support::carrier_at, "p-called-party-id: \"x\" <sip:+4930456@198.51.100.1>\n"));
    static_cast<void>(ring(user, support::carrier_at, "P-Called-Party-ID: <>\n"));
    static_cast<void>(
        ring(user, support::carrier_at, "P-Called-Party-ID: <sip:+4930999@198.51.100.1>\n"));
    static_cast<void>(ring("+4930456", support::carrier_at)); // As if nobody had registered.
    REQUIRE(calls.size() == 4);
    CHECK(calls[0].second == "+4930456");
    CHECK(calls[1].second == "+4930123");
    CHECK(calls[3].second == "+4930456");
    CHECK(ring(user, support::carrier_at, {}, "<sip:+4930999@198.51.100.1>") == "404");
    REQUIRE_FALSE(records.empty());
    CHECK(records.back().to == "+4930999"); // And not the letters of our Contact.
    CHECK(records.back().refused == diagnostic::refused_number_unknown);
}

TEST_CASE_FIXTURE(called, "trunks::engine: a trunk that is registered and takes no calls says so") {
    auto closed = wanted("closed");
    closed.inbound = false;
    auto open = wanted("open");
    open.auth->username = "bob";
    add(closed);
    add(open);
    static_cast<void>(texts());
    CHECK(ring(trunks[0]->contact_user, support::carrier_at) == "403");
    CHECK(calls.empty());
    CHECK(ring(trunks[1]->contact_user, support::carrier_at) == "100");
}

TEST_CASE("trunks::engine: of several shards one registers, and all know the Contact") {
    std::map<std::string, int> by;
    for (std::uint16_t shard = 0; shard < 4; ++shard) {
        called d;
        d.config.shard = shard;
        d.config.shards = 4;
        for (int i = 0; i < 16; ++i) d.add(registrant::wanted("t" + std::to_string(i)));
        for (const auto& each : d.registers()) {
            ++by[header(each.text, "Contact")];
            const auto whose = sip::branch_identity(support::branch(each.text));
            REQUIRE(whose);
            CHECK(whose->shard == shard); // So that the answer is handed to it.
        }
        CHECK(d.registers().size() < 16);
        static_cast<void>(d.texts());
        static_cast<void>(d.ring(d.trunks[9]->contact_user, support::carrier_at));
        REQUIRE(d.calls.size() == 1);
        CHECK(d.calls[0].first == "t9");
    }
    CHECK(by.size() == 16);
    for (const auto& [contact, times] : by) CHECK(times == 1);
}

TEST_CASE("trunks::compile: a Contact follows from the configuration, and says nothing of it") {
    const auto contact = [](std::string name, std::string user) {
        auto config = registrant::wanted(std::move(name));
        config.auth->username = std::move(user);
        const auto made = trunks::compile(trunk_id{1}, std::move(config), {}, nullptr, nullptr);
        REQUIRE(made.has_value());
        return (*made)->contact_user;
    };
    const auto first = contact("carrier", "alice");
    CHECK(first == contact("carrier", "alice")); // The next process is known by it, too.
    CHECK(first != contact("carrier", "bob"));
    CHECK(first != contact("other", "alice"));
    CHECK(first.size() == 24);
    CHECK(first.find_first_not_of("tr0123456789abcdef") == std::string::npos);
}

TEST_CASE("trunks::compile: a registration needs somebody, somewhere and some time") {
    const auto wrong = [](auto change) {
        auto config = registrant::wanted();
        change(config);
        const auto made = trunks::compile(trunk_id{1}, std::move(config), {}, nullptr, nullptr);
        return made ? std::string{"good"} : made.reason().field + ": " + made.reason().rule;
    };
    CHECK(wrong([](trunk_config&) {}) == "good");
    CHECK(wrong([](trunk_config& c) { c.auth.reset(); }) == "registration: auth");
    CHECK(wrong([](trunk_config& c) {
              c.gateways.clear();
              c.allow_from = {"198.51.100.1"};
          }) == "registration: gateways");
    for (const int seconds : {-1, 0, 59, 3'601}) {
        CHECK(wrong([&](trunk_config& c) {
                  c.registration->expires = std::chrono::seconds{seconds};
              }) == "registration.expires: 60 to 3600");
    }
    for (const int seconds : {60, 3'600}) {
        CHECK(wrong([&](trunk_config& c) {
                  c.registration->expires = std::chrono::seconds{seconds};
              }) == "good");
    }
}

TEST_CASE_FIXTURE(registrant, "trunks::engine: a removed trunk is unregistered, and forgotten") {
    add(wanted());
    answer("401 Unauthorized", support::challenge("a"));
    answer("200 OK");
    const auto contact = contact_user();
    remove_all();
    CHECK(state() == registration_state::unregistering);
    const auto text = registers().back().text;
    CHECK(header(text, "Expires") == "0");
    CHECK(header(text, "Contact") == "<sip:" + contact + "@192.0.2.1:5060>;expires=0");
    CHECK_FALSE(header(text, "Authorization").empty());
    answer("200 OK");
    CHECK(state() == registration_state::idle);
    advance(10min);
    CHECK(empty());
}

TEST_CASE_FIXTURE(registrant, "trunks::engine: a carrier that is silent delays no farewell") {
    add(wanted());
    answer("200 OK");
    remove_all();
    advance(4s);
    CHECK(state() == registration_state::idle);
    CHECK(running().idle());
    const auto before = sent.size();
    advance(10min);
    CHECK(sent.size() == before); // A farewell that comes late could be its successor's end.
    CHECK(empty());
}

TEST_CASE_FIXTURE(registrant,
                  "trunks::engine: what changes a registration ends the old one first") {
    add(wanted());
    answer("200 OK");
    auto same = wanted();
    same.channels = 3;
    trunks.clear();
    add(same);
    CHECK(registers().size() == 1); // Nothing that a carrier would know of.
    auto longer = wanted();
    longer.registration->expires = 600s;
    trunks.clear();
    add(longer);
    CHECK(header(registers().back().text, "Expires") == "0");
    const auto call_id = header(registers().back().text, "Call-ID");
    CHECK(registers().size() == 2);
    answer("200 OK");
    REQUIRE(registers().size() == 3);
    CHECK(header(registers().back().text, "Expires") == "600");
    CHECK(header(registers().back().text, "Call-ID") != call_id);
}

TEST_CASE_FIXTURE(registrant, "trunks::engine: draining takes registrations back for good") {
    add(wanted());
    answer("200 OK");
    running().drain();
    running().leave_registrars(now, out());
    settle();
    CHECK(header(registers().back().text, "Expires") == "0");
    CHECK_FALSE(running().idle());
    answer("200 OK");
    CHECK(running().idle());
    publish();
    advance(1h);
    CHECK(registers().size() == 2);
}

TEST_CASE("trunks::engine: whatever a listener throws stays with it") {
    registrant d;
    d.config.on_registration = [](const registration_status&) { throw 1; };
    d.add(registrant::wanted());
    d.answer("200 OK");
    CHECK(d.noted(diagnostic::agent_failed) == 2);
}

TEST_CASE("trunks::engine: destroyed while it registers it leaves nothing armed") {
    for (int steps = 0; steps < 4; ++steps) {
        registrant d;
        d.add(registrant::wanted());
        if (steps > 0) d.answer("200 OK");
        if (steps > 1) d.remove_all();
        if (steps > 2) d.answer("200 OK");
    }
}

} // namespace
} // namespace trunkline
