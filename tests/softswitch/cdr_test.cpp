#include "cdr.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>

#include <nlohmann/json.hpp>

namespace softswitch {
namespace {

using namespace std::chrono_literals;
using json = nlohmann::ordered_json;

[[nodiscard]] trunkline::call_record full_record() {
    trunkline::call_record made;
    made.id = 18'446'744'073'709'551'615U;
    made.call_id = "a84b4c76e66710@pc33.atlanta.com";
    made.direction = trunkline::direction::outbound;
    made.trunk = "carrier";
    made.gateway = "192.0.2.1:5060";
    made.source = "192.0.2.9:5062";
    made.from = "+14155550199";
    made.to = "+14155550100";
    made.number = "+14155550100";
    made.agent = "echo";
    made.first_heard = 3'250ms;
    made.first_said = 3'500ms;
    made.reason = "hung up";
    made.carrier_words = "Q.850;cause=16";
    made.refused = trunkline::diagnostic::refused_no_agent;
    made.ringing = 1'500us;
    made.answered = 3s;
    made.lasted = 10'250ms;
    made.ended_by = trunkline::ended_by::callee;
    made.sip_code = 200;
    made.codec = "PCMA";
    made.media.sent = 500;
    made.media.received = 480;
    made.media.lost = 3;
    made.media.late = 4;
    made.media.foreign = 5;
    made.media.refused_source = *trunkline::endpoint::parse("203.0.113.9:4000");
    made.media.refused_size = 6;
    made.media.unknown_type = 7;
    made.media.malformed = 8;
    made.media.overflowed = 9;
    made.media.resets = 10;
    made.media.concealed = 60ms;
    made.media.made_up = 1'250ms;
    made.media.jitter = 625us;
    made.media.round_trip = 41ms;
    made.by_wire = true;
    made.progress = {{181, 500us}};
    made.attempts = {{"192.0.2.2:5060", 503, "Service Unavailable", 12ms},
                     {"192.0.2.1:5060", 200, "OK", 3s}};
    return made;
}

TEST_CASE("softswitch::cdr: a record is one line of JSON with every field") {
    const auto text = to_json(full_record(), 1'785'652'200'123'456'789);
    CHECK(text.find('\n') == std::string::npos);
    const auto read = json::parse(text);
    CHECK(read["id"] == "18446744073709551615");
    CHECK(read["direction"] == "outbound");
    CHECK(read["started"] == "2026-08-02T06:30:00.123Z");
    CHECK(read["ringing_ms"] == 1.5);
    CHECK(read["answered_ms"] == 3000.0);
    const auto is = [&](const char* name, const json& value) {
        CAPTURE(name);
        CHECK(read.contains(name));
        CHECK(read[name] == value);
    };
    is("sid", nullptr);
    is("call_id", "a84b4c76e66710@pc33.atlanta.com");
    is("trunk", "carrier");
    is("gateway", "192.0.2.1:5060");
    is("source", "192.0.2.9:5062");
    is("from", "+14155550199");
    is("to", "+14155550100");
    is("number", "+14155550100");
    is("agent", "echo");
    is("first_heard_ms", 3250.0);
    is("first_said_ms", 3500.0);
    is("lasted_ms", 10250.0); // From the beginning, and not from the answer.
    is("ended_by", "callee");
    is("sip_code", 200);
    is("reason", "hung up");
    is("carrier_words", "Q.850;cause=16");
    is("refused", "refused_no_agent");
    is("codec", "PCMA");
    is("packets_sent", 500);
    is("packets_received", 480);
    is("packets_lost", 3);
    is("packets_late", 4);
    is("packets_foreign", 5);
    is("media_advice", "RTP from 203.0.113.9:4000: set media_from");
    is("jitter_ms", 0.625);
    is("round_trip_ms", 41.0);
    is("packets_refused_size", 6);
    is("packets_unknown_type", 7);
    is("packets_malformed", 8);
    is("packets_overflowed", 9);
    is("media_resets", 10);
    is("concealed_ms", 60.0);
    is("made_up_ms", 1250.0);
    REQUIRE(read["attempts"].size() == 2);
    CHECK(read["attempts"][0] == json{{"gateway", "192.0.2.2:5060"},
                                      {"sip_code", 503},
                                      {"reason", "Service Unavailable"},
                                      {"took_ms", 12.0},
                                      {"failure", nullptr}});
    CHECK(read["attempts"][1] == json{{"gateway", "192.0.2.1:5060"},
                                      {"sip_code", 200},
                                      {"reason", "OK"},
                                      {"took_ms", 3000.0},
                                      {"failure", nullptr}});
}

TEST_CASE(
    "softswitch::cdr: what never was is null, and the call's own id stands beside the library's") {
    const auto read = json::parse(to_json({}, 1'785'652'200'123'456'789, "CA1"));
    CHECK(read["sid"] == "CA1");
    for (const auto* name : {"ringing_ms", "answered_ms", "first_heard_ms", "first_said_ms",
                             "refused", "round_trip_ms"}) {
        CAPTURE(name);
        CHECK(read.contains(name));
        CHECK(read[name].is_null());
    }
    CHECK(read["attempts"].empty());
}

TEST_CASE("softswitch::cdr: a code that nobody sent is 0, and the failure has a name") {
    auto record = full_record();
    record.sip_code = 0;
    record.by_wire = false;
    record.failure = trunkline::call_failure::tls;
    record.attempts = {{.gateway = "192.0.2.2:5061",
                        .reason = "TLS with the gateway failed: certificate has expired",
                        .failure = trunkline::call_failure::tls},
                       {.gateway = "192.0.2.3:5060", .sip_code = 302, .targets = {"sip:a@b"}}};
    const auto read = json::parse(to_json(record, 0));
    CHECK(read["by_wire"] == false);
    CHECK(read["failure"] == "tls");
    CHECK(read["attempts"][0]["failure"] == "tls");
    CHECK(read["attempts"][0]["reason"] == "TLS with the gateway failed: certificate has expired");
    CHECK(read["attempts"][1]["failure"].is_null());
    CHECK(read["targets"] == json::parse(R"(["sip:a@b"])"));
}

TEST_CASE("softswitch::cdr: nothing that a peer sends leaves ASCII or breaks the line") {
    auto record = full_record();
    record.from = std::string{"a\"b\\c\n\x1b[2J\x7f\0d", 13};
    record.carrier_words = "\xff\xfe caf\xc3\xa9";
    record.refused = trunkline::diagnostic::refused_number_unknown;
    const auto text = to_json(record, 0);
    CHECK(std::ranges::all_of(text, [](char c) { return c >= ' ' && c < '\x7f'; }));
    const auto read = json::parse(text);
    CHECK(read["from"] == record.from);
    CHECK(read["carrier_words"] == "\xef\xbf\xbd\xef\xbf\xbd caf\xc3\xa9");
    CHECK(read["refused"] == "refused_number_unknown");
}

TEST_CASE("softswitch::cdr: docs/cdr.md lists the fields that there are, and no others") {
    std::ifstream file{TRUNKLINE_SOURCE_DIR "/docs/cdr.md"};
    const std::string document{std::istreambuf_iterator<char>{file}, {}};
    const auto record = json::parse(to_json(full_record(), 0));
    std::size_t fields = 0;
    for (const auto& field : record.items()) {
        INFO(field.key());
        CHECK(document.find("\n| `" + field.key() + "` |") != std::string::npos);
        ++fields;
    }
    std::size_t rows = 0;
    for (auto at = document.find("\n| `"); at != std::string::npos;
         at = document.find("\n| `", at + 1)) {
        ++rows;
    }
    CHECK(rows == fields);
    // And the line that it shows has just them.
    const auto begin = document.find("{\"id\"");
    const auto shown = json::parse(document.substr(begin, document.find('\n', begin) - begin));
    CHECK(shown.size() == record.size());
    for (const auto& field : record.items()) CHECK(shown.contains(field.key()));
}

TEST_CASE("softswitch::cdr: a file that cannot be written is found out at the start") {
    background files;
    CHECK_THROWS_AS(cdr_log("/no/such/folder/cdr", files), std::system_error);
}

} // namespace
} // namespace softswitch
