// The list of calls, as REST and events see it.
#include "calls/live_calls.hpp"
#include "calls/trunk_of_row.hpp"

#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <trunkline/manager/trunk_manager.hpp>

namespace softswitch {
namespace {

using trunkline::direction;

[[nodiscard]] call_view view_of(std::string id, direction way = direction::inbound) {
    return {.id = std::move(id),
            .direction = way,
            .from = "1",
            .to = "2",
            .trunk = "carrier",
            .agent = "echo",
            .started_unix_ns = 100};
}

[[nodiscard]] trunkline::call_record record_of(std::uint64_t id, int code = 200) {
    trunkline::call_record made;
    made.id = id;
    made.sip_code = code;
    made.by_wire = code != 0;
    return made;
}

TEST_CASE("softswitch::live_calls: a call is told from its beginning to its end, each step once") {
    live_calls list;
    std::vector<std::string> told;
    const auto held = list.subscribe([&](const call_event& event) {
        told.push_back(std::to_string(event.number) + ' ' + event.call.id + ' ' +
                       std::string{name(event.what)});
    });
    list.begin(view_of("CA1"));
    list.bind("CA1", {7, {}});
    list.ringing("CA1", 110);
    list.progressed("CA1", 182, 110); // It rings already.
    list.ringing("CA1", 111);
    list.answered("CA1", 120);
    list.ringing("CA1", 121); // Late, and no news.
    CHECK(list.all().size() == 1);
    CHECK(list.active("carrier") == 1);
    CHECK(list.ended(record_of(8), 130).empty()); // One that was refused before it had a name.
    CHECK(list.ended(record_of(7), 130) == "CA1");
    CHECK(list.ended(record_of(7), 131).empty());
    CHECK(told == std::vector<std::string>{"1 CA1 initiated", "2 CA1 ringing", "3 CA1 answered",
                                           "4 CA1 ended"});
    CHECK(list.all().empty());
    CHECK(list.active("carrier") == 0);
    const auto found = list.find("CA1");
    REQUIRE(found.has_value());
    CHECK(found->answered_unix_ns == 120);
    REQUIRE(found->record != nullptr);
    CHECK(found->record->id == 7);
    CHECK_FALSE(list.find("CA2").has_value());
    CHECK_FALSE(list.hang_up("CA1"));
}

TEST_CASE("softswitch::live_calls: who let go of its subscription is told nothing") {
    live_calls list;
    int told = 0;
    {
        const auto held = list.subscribe([&](const call_event&) { ++told; });
        list.begin(view_of("CA1"));
    }
    list.begin(view_of("CA2"));
    CHECK(told == 1);
}

TEST_CASE("softswitch::live_calls: the last hundred events and thousand calls are kept") {
    live_calls list;
    for (std::uint64_t i = 1; i <= 1'200; ++i) {
        const auto id = "CA" + std::to_string(i);
        list.begin(view_of(id));
        list.bind(id, {i, {}});
        list.ended(record_of(i), 0);
    }
    const auto all = list.events_since(0);
    REQUIRE(all.size() == live_calls::kept_events);
    CHECK(all.back().number == 2'400);
    CHECK(list.events_since(2'398).size() == 2);
    CHECK(list.events_since(2'400).empty());
    CHECK_FALSE(list.find("CA200").has_value());
    CHECK(list.find("CA201").has_value());
}

TEST_CASE("softswitch::live_calls: 181, 182 and 183 have states of their own, 199 has none") {
    live_calls list;
    std::vector<std::string> told;
    const auto held =
        list.subscribe([&](const call_event& event) { told.emplace_back(name(event.what)); });
    list.begin(view_of("CA1"));
    for (const int code : {183, 181, 199, 182, 183, 104}) list.progressed("CA1", code, 1);
    list.ringing("CA1", 2);
    CHECK(told ==
          std::vector<std::string>{"initiated", "progress", "forwarded", "queued", "ringing"});
}

TEST_CASE("softswitch::live_calls: failures of a carrier count until a call is answered") {
    live_calls list;
    std::uint64_t next = 0;
    const auto call = [&](int code, bool answered) {
        const auto id = "CA" + std::to_string(++next);
        list.begin(view_of(id, direction::outbound));
        list.bind(id, {next, {}});
        if (answered) list.answered(id, 1);
        list.ended(record_of(next, code), 2);
    };
    call(503, false);
    call(408, false);
    call(486, false); // Busy is no failure of the carrier's.
    CHECK(list.failed_in_a_row("carrier") == 2);
    call(200, true);
    CHECK(list.failed_in_a_row("carrier") == 0);
    CHECK(list.failed_in_a_row("other") == 0);
}

TEST_CASE(
    "softswitch::live_calls: a call that is hung up before the library knows it is unwanted") {
    live_calls list;
    list.begin(view_of("CA1"));
    CHECK_FALSE(list.unwanted("CA1"));
    CHECK(list.hang_up("CA1"));
    CHECK(list.unwanted("CA1"));
    list.failed("CA1", record_of(0, 0), 1);
    CHECK(list.find("CA1")->state == call_state::ended);
    CHECK(list.unwanted("CA1")); // Whoever comes too late has no call.
}

TEST_CASE(
    "softswitch::live_calls: a transfer is told as it goes, and leaves the call's state alone") {
    using start = live_calls::transfer_start;
    using state = trunkline::transfer_state;
    live_calls list;
    std::vector<std::string> told;
    const auto held = list.subscribe([&](const call_event& what) {
        told.emplace_back(name(what));
        if (what.of_transfer) told.back() += ' ' + what.call.transfer->state;
    });
    list.begin(view_of("CA1"));
    CHECK(list.transfer("CA1", "1") == start::not_answered);
    CHECK(list.transfer("CA2", "1") == start::no_such_call);
    list.answered("CA1", 1);
    list.transferred("CA1", {state::trying, 180}, 2); // Nobody has asked for it here.
    CHECK(list.transfer("CA1", "1") == start::asked);
    CHECK(list.transfer("CA1", "2") == start::under_way);
    list.transferred("CA1", {state::accepted, 202}, 3);
    list.transferred("CA1", {state::failed, 486}, 4);
    CHECK(list.find("CA1")->transfer->status == 486);
    CHECK(list.find("CA1")->state == call_state::answered);
    CHECK(list.transfer("CA1", "2") == start::asked);
    CHECK(told == std::vector<std::string>{"initiated", "answered", "transfer accepted",
                                           "transfer failed"});
}

TEST_CASE("softswitch::live_calls: sids are as Twilio's look, and no two are the same") {
    std::set<std::string> seen;
    for (int i = 0; i < 1'000; ++i) {
        const auto made = new_sid("CA");
        CHECK(made.size() == 34);
        CHECK(made.find_first_not_of("0123456789abcdef", 2) == std::string::npos);
        CHECK(seen.insert(made).second);
    }
}

TEST_CASE("softswitch::trunk_of_row: the library's complaints name the fields of REST") {
    trunk_row row;
    row.name = "carrier";
    row.gateways = {{"g", "198.51.100.1", 5060, 1}};
    row.numbers = {{"n1", "t", "+14155550100", "", "", ""},
                   {"n2", "t", "+14155550101", "4155550101", "", ""},
                   {"n3", "t", "+14155550102", "x y", "", ""}};
    const auto problem_of = [](const trunk_row& what) {
        const auto good = trunkline::trunk_manager::check(to_config(what));
        return good ? std::string{} : to_problem(what, good.reason()).field;
    };
    CHECK(problem_of(row) == "numbers[2].destination_key");
    row.numbers[2].destination_key = "+14155550101";
    CHECK(problem_of(row) == "numbers[2].destination_key");
    row.numbers[2].destination_key.clear();
    CHECK(problem_of(row).empty());
    row.ip_acls = {{"a", "192.0.2.0/24"}, {"b", "192.0.2.0/99"}};
    CHECK(problem_of(row) == "ip_acls[1].cidr");
    row.ip_acls.pop_back();
    row.gateways.push_back({"h", "a b", 5060, 1});
    CHECK(problem_of(row) == "gateways[1].host");
    row.gateways.pop_back();
    row.auth_username = "a\"b";
    CHECK(problem_of(row) == "auth_username");
    row.auth_username = "user";
    row.auth_password = "secret";
    CHECK(problem_of(row).empty());
    row.register_expires = 59;
    CHECK(problem_of(row) == "register.expires");
    row.register_expires = 600;
    CHECK(problem_of(row).empty());
    auto unknown = row;
    unknown.auth_username.clear();
    CHECK(problem_of(unknown) == "register");
    const auto config = to_config(row);
    CHECK(config.numbers.size() == 4); // One of the three is known by two names.
    CHECK(config.auth->password == "secret");
    const auto shown = to_row(config);
    CHECK(shown.auth_password.empty());
    CHECK(shown.auth_username == "user");
    CHECK(shown.register_expires == 600);
    CHECK(shown.ip_acls[0].cidr == "192.0.2.0/24");
}

} // namespace
} // namespace softswitch
