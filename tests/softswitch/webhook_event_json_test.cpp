#include "rest/event_json.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "cdr.hpp"

namespace softswitch {
namespace {

using json = nlohmann::ordered_json;

[[nodiscard]] call_event event_of(call_state what) {
    call_event made;
    made.number = 42;
    made.what = what;
    made.at_unix_ns = 1'785'652'205'500'000'000;
    made.call.id = "CA0123456789abcdef0123456789abcdef";
    made.call.direction = trunkline::direction::outbound;
    made.call.from = "+14155550199";
    made.call.to = "+14155550100";
    made.call.trunk = "carrier";
    made.call.agent = "echo";
    made.call.state = what;
    made.call.started_unix_ns = 1'785'652'200'123'456'789;
    return made;
}

TEST_CASE("softswitch::event_json: an event is one line that says which call, what and when") {
    CHECK(to_json(event_of(call_state::ringing)) ==
          R"({"id":"CA0123456789abcdef0123456789abcdef","event":"ringing","number":42,)"
          R"("at":"2026-08-02T06:30:05.500Z","direction":"outbound","from":"+14155550199",)"
          R"("to":"+14155550100","trunk":"carrier","agent":"echo",)"
          R"("started":"2026-08-02T06:30:00.123Z","answered":null})");
    CHECK(event_id(event_of(call_state::ringing)) == "CA0123456789abcdef0123456789abcdef-42");
    auto answered = event_of(call_state::answered);
    answered.call.direction = trunkline::direction::inbound;
    answered.call.answered_unix_ns = 1'785'652'203'000'000'000;
    const auto read = json::parse(to_json(answered));
    CHECK(read["event"] == "answered");
    CHECK(read["direction"] == "inbound");
    CHECK(read["answered"] == "2026-08-02T06:30:03.000Z");
    CHECK(json::parse(to_json(event_of(call_state::initiated)))["event"] == "initiated");
}

TEST_CASE("softswitch::event_json: the end of a call has its record, just as the CDR has it") {
    auto ended = event_of(call_state::ended);
    CHECK(!json::parse(to_json(ended)).contains("cdr"));
    auto record = std::make_shared<trunkline::call_record>();
    record->call_id = "a84b4c76e66710";
    record->sip_code = 486;
    record->reason = "Busy Here";
    ended.call.record = record;
    const auto read = json::parse(to_json(ended));
    CHECK(read["event"] == "ended");
    CHECK(read["cdr"].dump() == to_json(*record, ended.call.started_unix_ns, ended.call.id));
    // Only the end of it.
    ended.what = call_state::answered;
    CHECK(!json::parse(to_json(ended)).contains("cdr"));
}

TEST_CASE("softswitch::event_json: nothing that a peer sends leaves ASCII or breaks the line") {
    auto odd = event_of(call_state::ended);
    odd.call.from = std::string{"a\"b\\c\n\x1b[2J\x7f\0d\xff", 14};
    const auto text = to_json(odd);
    CHECK(std::ranges::all_of(text, [](char c) { return c >= ' ' && c < '\x7f'; }));
    CHECK(json::parse(text)["id"] == odd.call.id);
}

} // namespace
} // namespace softswitch
