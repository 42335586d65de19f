// The machine of a registration alone: every event in every state.
#include <trunkline/trunk/registration.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include <trunkline/core/text.hpp>

#include "support/sip_text.hpp"

namespace trunkline::trunks {
namespace {

using namespace std::chrono_literals;

/// A registration with everything around it that an engine would be.
struct desk {
    timer_wheel wheel;
    seeded_entropy random{7};
    sip::transaction_layer transactions{{}, wheel, random, 0};
    gateway_names names{wheel, random};
    std::deque<registration_status> told;
    outbox out;
    time_point now{1h};
    std::size_t connects = 0;
    std::vector<std::string> sent;
    sip::transaction_id request{};
    std::unique_ptr<registration> machine;

    explicit desk(const std::string& gateway = "198.51.100.1") {
        trunk_config config;
        config.name = "carrier";
        config.gateways = {{gateway}};
        config.auth = userpass{"alice", "secret"};
        config.registration.emplace();
        auto on = compile(trunk_id{1}, std::move(config), {}, nullptr, nullptr);
        REQUIRE(on.has_value());
        names.keep({{gateway, 0}}, now, out);
        machine = std::make_unique<registration>(
            registration::environment{transactions, wheel, random, names, told, 0}, *on,
            owner_id{5});
        settle();
    }

    void settle() {
        std::string request_text;
        for (const auto& what : out) {
            if (std::holds_alternative<effects::connect>(what)) ++connects;
            if (const auto* bytes = std::get_if<effects::send>(&what)) {
                request_text = as_text(bytes->bytes);
            }
        }
        out.clear();
        if (request_text.empty()) return;
        sent.push_back(request_text);
        receive("100 Trying"); // Which tells what its transaction is called.
    }
    void receive(std::string_view status, std::string_view fields = {}) {
        auto text = support::answer_to(sent.back(), status, "theirs", fields);
        sip::message_view response;
        REQUIRE(response.parse(text));
        const auto got = transactions.receive(response, {1, 1}, now, out);
        if (got.id) request = got.id;
        machine->receive_response(response, request, now, out);
        settle();
    }
    void up() {
        machine->flow_up({.flow = {1, 1},
                          .peer = {address::v4(198, 51, 100, 1), 5060},
                          .sent_by = "192.0.2.1:5060"},
                         now, out);
        settle();
    }
    void end(sip::transaction_layer::ended::why how) {
        machine->transaction_ended({how, request, owner_id{5}}, now, out);
        settle();
    }
    template <class Command>
    void run(Command command) {
        command(*machine);
        settle();
    }
};

using act = std::function<void(desk&)>;

const std::string challenge =
    R"(WWW-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=MD5)"
    "\n";

void begin(desk& d) {
    d.run([&](registration& r) { r.begin(d.now, d.out); });
}
void fire(desk& d) {
    d.run([&](registration& r) { r.fire(d.now, d.out); });
}
void leave(desk& d) {
    d.run([&](registration& r) { r.leave(d.now, d.out); });
}
/// A response needs a request that it answers: where there was none yet, another one's.
act answered(std::string_view status, std::string_view fields = {}) {
    return [=](desk& d) {
        if (d.sent.empty()) return;
        d.receive(status, fields);
    };
}

const std::vector<std::pair<std::string, act>> events{
    {"begin", begin},
    {"names", [](desk& d) { d.run([&](registration& r) { r.names_settled(d.now, d.out); }); }},
    {"up", [](desk& d) { d.up(); }},
    {"down", [](desk& d) { d.run([&](registration& r) { r.flow_down({}, d.now, d.out); }); }},
    {"200", answered("200 OK")},
    {"401", answered("401 Unauthorized", challenge)},
    {"423", answered("423 Interval Too Brief", "Min-Expires: 600\n")},
    {"503", answered("503 Service Unavailable")},
    {"403", answered("403 Forbidden")},
    {"timeout", [](desk& d) { d.end(sip::transaction_layer::ended::why::timeout); }},
    {"broken", [](desk& d) { d.end(sip::transaction_layer::ended::why::transport); }},
    {"fire", fire},
    {"leave", leave},
};

void all(desk& d, std::initializer_list<act> these) {
    for (const auto& each : these) each(d);
}
const act up = [](desk& d) { d.up(); };
const act ok = answered("200 OK");

struct row {
    std::string situation;
    act reach;
    /// By event: the state that follows, over, c for a connect, s for a request.
    std::vector<std::string> expected;
};

const std::vector<row> table{
    //                 begin names up down 200 401 423 503 403 timeout broken fire leave
    {"idle",
     [](desk&) {}, //
     {"registering+c", "idle", "idle", "idle", "idle", "idle", "idle", "idle", "idle", "idle",
      "idle", "idle", "over"}},
    {"connecting",
     begin,
     {"registering", "registering", "registering+s", "waiting", "registering", "registering",
      "registering", "registering", "registering", "registering", "registering", "registering",
      "over"}},
    {"asking",
     [](desk& d) {
         all(d, {begin, up});
     },
     {"registering", "registering", "registering", "registering", "registered", "registering+s",
      "registering+s", "waiting", "waiting", "waiting", "waiting", "registering", "unregistering"}},
    {"registered",
     [](desk& d) {
         all(d, {begin, up, ok});
     },
     {"registered", "registered", "registered", "registered", "registered", "registered",
      "registered", "registered", "registered", "registered", "registered", "registering+c",
      "unregistering+c"}},
    {"refreshing",
     [](desk& d) {
         all(d, {begin, up, ok, fire, up});
     },
     {"registering", "registering", "registering", "registering", "registered", "registering+s",
      "registering+s", "waiting", "waiting", "waiting", "waiting", "registering", "unregistering"}},
    {"waiting, never registered",
     [](desk& d) {
         all(d, {begin, up, answered("403 Forbidden")});
     },
     {"waiting", "waiting", "waiting", "waiting", "waiting", "waiting", "waiting", "waiting",
      "waiting", "waiting", "waiting", "registering+c", "over"}},
    {"waiting, registered still",
     [](desk& d) {
         all(d, {begin, up, ok, fire, up, answered("403 Forbidden")});
     },
     {"waiting", "waiting", "waiting", "waiting", "waiting", "waiting", "waiting", "waiting",
      "waiting", "waiting", "waiting", "registering+c", "unregistering+c"}},
    {"leaving, connecting",
     [](desk& d) {
         all(d, {begin, up, ok, leave});
     },
     {"unregistering", "unregistering", "unregistering+s", "over", "unregistering", "unregistering",
      "unregistering", "unregistering", "unregistering", "unregistering", "unregistering", "over",
      "unregistering"}},
    {"leaving, asking",
     [](desk& d) {
         all(d, {begin, up, ok, leave, up});
     },
     {"unregistering", "unregistering", "unregistering", "unregistering", "over", "unregistering+s",
      "over", "over", "over", "over", "over", "over", "unregistering"}},
    {"leaving, the first request unanswered",
     [](desk& d) {
         all(d, {begin, up, leave});
     },
     {"unregistering", "unregistering", "unregistering", "unregistering", "unregistering+s", "over",
      "over", "over", "over", "over", "over", "over", "unregistering"}},
    {"leaving, a refresh unanswered",
     [](desk& d) {
         all(d, {begin, up, ok, fire, up, leave});
     },
     {"unregistering", "unregistering", "unregistering", "unregistering", "unregistering+s",
      "unregistering+s", "unregistering+s", "unregistering+s", "unregistering+s", "over", "over",
      "over", "unregistering"}},
    {"over",
     [](desk& d) {
         all(d, {begin, up, ok, leave, up, ok});
     },
     {"over", "over", "over", "over", "over", "over", "over", "over", "over", "over", "over",
      "over", "over"}},
};

TEST_CASE("trunks::registration: every event has its meaning in every state, or none") {
    for (const auto& each : table) {
        REQUIRE(each.expected.size() == events.size());
        for (std::size_t i = 0; i < events.size(); ++i) {
            CAPTURE(each.situation);
            CAPTURE(events[i].first);
            desk d;
            each.reach(d);
            const auto connects = d.connects;
            const auto sent = d.sent.size();
            events[i].second(d);
            std::string became = d.machine->over() ? "over" : std::string{name(d.machine->state())};
            if (d.connects != connects) became += "+c";
            if (d.sent.size() != sent) became += "+s";
            CHECK(became == each.expected[i]);
            const auto deadline = d.machine->next_deadline();
            const bool waits = d.machine->state() == registration_state::registered ||
                               d.machine->state() == registration_state::waiting ||
                               d.machine->state() == registration_state::unregistering;
            // Whoever waits for nobody else wakes by itself; who is over sleeps for good.
            CHECK(deadline.has_value() == waits);
            if (deadline) CHECK(*deadline > d.now);
        }
    }
}

TEST_CASE("trunks::registration: a name is waited for, and then asked") {
    desk d{"sip.example.test"};
    begin(d);
    CHECK(d.machine->state() == registration_state::registering);
    for (const auto& each : events) {
        if (each.first == "leave") continue;
        CAPTURE(each.first);
        each.second(d);
        CHECK(d.machine->state() == registration_state::registering);
        CHECK(d.connects == 0);
    }
    leave(d);
    CHECK(d.machine->over());
}

TEST_CASE("trunks::registration: taken back, it asks for no time at all") {
    desk d;
    all(d, {begin, up, ok, leave, up});
    CHECK(support::header(d.sent.back(), "Expires") == "0");
    CHECK(support::header(d.sent.back(), "Contact").ends_with(">;expires=0"));
    CHECK(support::header(d.sent.back(), "Call-ID") == support::header(d.sent.front(), "Call-ID"));
    CHECK(support::header(d.sent.back(), "CSeq") == "2 REGISTER");
}

} // namespace
} // namespace trunkline::trunks
