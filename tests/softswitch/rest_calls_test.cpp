#include <doctest/doctest.h>

#include <string>

#include "softswitch/support/api_client.hpp"

namespace softswitch {
namespace {

using json = nlohmann::json;
using testing::api_client;
using testing::body_of;
using testing::said;

[[nodiscard]] http_request placing(std::string key, std::string body) {
    http_request made;
    made.method = "POST";
    made.path = "/calls";
    made.content_type = "application/json";
    made.idempotency_key = std::move(key);
    made.body = std::move(body);
    return made;
}

TEST_CASE("softswitch::calls: a call is placed as it was asked for") {
    api_client of;
    const auto made = of.done("POST", "/calls", json::parse(R"({"to": "+14155550100",
        "from": "+14155550111", "route": "carrier", "agent": "wss://bot.example/a",
        "parameters": {"customer": "Ann", "empty": ""}, "ringing_timeout": 20,
        "max_duration": 3600})"));
    CHECK(made == json{{"id", made["id"]},
                       {"direction", "outbound"},
                       {"from", "+14155550111"},
                       {"to", "+14155550100"},
                       {"trunk", "carrier"},
                       {"agent", "wss://bot.example/a"},
                       {"state", "initiated"},
                       {"started", "2026-08-02T06:30:00.123Z"},
                       {"answered", nullptr}});
    REQUIRE(of.running.dialled().size() == 1);
    const auto asked = of.running.dialled().front();
    CHECK(asked.id == made["id"]);
    CHECK(asked.parameters ==
          std::map<std::string, std::string>{{"customer", "Ann"}, {"empty", ""}});
    CHECK(asked.ringing_timeout == std::chrono::seconds{20});
    CHECK(asked.max_duration == std::chrono::hours{1});
    CHECK(of.done("GET", "/calls")["calls"] == json::array({made}));
    CHECK(of.done("GET", "/calls/" + made["id"].get<std::string>()) == made);
}

TEST_CASE(
    "softswitch::calls: what is wrong with a call is told by its field, and nobody is dialled") {
    api_client of;
    const auto refusal = [&](const char* body) { return said(of.send("POST", "/calls", body)); };
    CHECK(refusal(R"({"agent": "echo"})") == "400 to: has to be there");
    CHECK(refusal(R"({"to": "1"})") == "400 agent: has to be there");
    CHECK(refusal(R"({"to": "1", "agent": "x"})") == "400 agent: there is no such agent");
    CHECK(refusal(R"({"to": "1", "agent": "echo", "route": "nowhere"})") ==
          "400 route: there is no such trunk");
    CHECK(refusal(R"({"to": "1", "agent": "echo", "ringing_timeout": 3601})") ==
          "400 ringing_timeout: has to be from 1 to 3600, and is 3601");
    CHECK(refusal(R"({"to": "1", "agent": "echo", "max_duration": "1h"})") ==
          "400 max_duration: has to be an integer, and is a string");
    CHECK(refusal(R"({"to": "1", "agent": "echo", "parameters": {"a": 1}})") ==
          "400 parameters.a: has to be a string, and is an integer");
    CHECK(refusal(R"({"to": "1\r\nX: 1", "agent": "echo"})") ==
          "400 to: must not have control characters");
    CHECK(of.running.dialled().empty());
}

TEST_CASE("softswitch::calls: a request with one key dials once, however often it comes") {
    api_client of;
    const auto first = of.send(placing("k1", R"({"to": "1", "agent": "echo"})"));
    CHECK(first.status == 201);
    // The same in other words.
    const auto again = of.send(placing("k1", R"({ "agent": "\u0065cho", "to":"1" })"));
    CHECK(again.status == 201);
    CHECK(again.body == first.body);
    CHECK(again.headers == std::vector<std::pair<std::string, std::string>>{
                               first.headers[0], {"Idempotent-Replayed", "true"}});
    CHECK(of.running.dialled().size() == 1);
    CHECK(of.send(placing("k2", R"({"to": "1", "agent": "echo"})")).status == 201);
    CHECK(of.running.dialled().size() == 2);
}

TEST_CASE("softswitch::calls: a key means one request") {
    api_client of;
    CHECK(of.send(placing("k1", R"({"to": "1", "agent": "echo"})")).status == 201);
    const auto other = of.send(placing("k1", R"({"to": "2", "agent": "echo"})"));
    CHECK(said(other) == "409 Idempotency-Key: was used for another request: make a new one for "
                         "this call");
    CHECK(of.running.dialled().size() == 1);
}

TEST_CASE("softswitch::calls: a key that was refused is good for the request that is mended") {
    api_client of;
    CHECK(said(of.send(placing("k1", R"({"to": "1", "agent": "echo", "route": "nowhere"})"))) ==
          "400 route: there is no such trunk");
    CHECK(of.running.dialled().empty());
    const auto good = of.send(placing("k1", R"({"to": "1", "agent": "echo"})"));
    CHECK(good.status == 201);
    CHECK(of.running.dialled().size() == 1);
    // And one that was good keeps its answer, whatever has become wrong since.
    CHECK(said(of.send(placing("k1", R"({"to": "1", "agent": "echo", "route": "nowhere"})")))
              .starts_with("409 Idempotency-Key"));
}

TEST_CASE("softswitch::calls: a key that cannot be kept dials nobody") {
    api_client of;
    const std::string sentence =
        "400 Idempotency-Key: has to be 1 to 255 printable ASCII characters without blanks";
    const auto body = R"({"to": "1", "agent": "echo"})";
    CHECK(said(of.send(placing("a b", body))) == sentence);
    CHECK(said(of.send(placing(std::string(256, 'k'), body))) == sentence);
    CHECK(of.send(placing(std::string(255, 'k'), body)).status == 201);
    of.rows.broken = true;
    CHECK(of.send(placing("k2", body)).status == 503);
    CHECK(of.running.dialled().size() == 1);
}

TEST_CASE("softswitch::calls: one is hung up once, and keeps its record") {
    api_client of;
    const auto made = of.done("POST", "/calls", {{"to", "1"}, {"agent", "echo"}});
    const auto path = "/calls/" + made["id"].get<std::string>();
    CHECK(of.send("DELETE", path).status == 204);
    CHECK(said(of.send("DELETE", path)) == "409 the call has ended already");
    const auto ended = of.done("GET", path);
    CHECK(ended["state"] == "ended");
    CHECK(ended["cdr"]["direction"] == "outbound");
    CHECK(of.done("GET", "/calls")["calls"].empty());
    CHECK(of.done("GET", "/calls?ended=true")["calls"] == json::array({ended}));
    CHECK(of.done("GET", "/calls?ended=false")["calls"].empty());
    CHECK(said(of.send("DELETE", "/calls/CA1")) == "404 there is no call `CA1`");
    CHECK(of.send("GET", "/calls/CA1").status == 404);
}

TEST_CASE("softswitch::calls: an answered call is transferred, one at a time") {
    api_client of;
    const auto made = of.done("POST", "/calls", {{"to", "1"}, {"agent", "echo"}});
    const auto id = made["id"].get<std::string>();
    const auto transfer = [&](const std::string& body) {
        return of.send("POST", "/calls/" + id + "/transfer", body);
    };
    CHECK(said(transfer(R"({"to": "2"})")) ==
          "409 the call was not answered yet, so nobody can be handed over");
    auto answered = *of.running.call(id);
    answered.state = call_state::answered;
    of.running.happen(answered);
    CHECK(said(transfer(R"({"to": "nobody"})")) ==
          "400 to: has to be a number, or a sip: or tel: URI");
    CHECK(transfer("{}").status == 400);
    CHECK(transfer(R"({"to": "2", "from": "3"})").status == 400);
    const auto asked = transfer(R"({"to": "tel:+2"})");
    CHECK(asked.status == 202);
    CHECK(json::parse(asked.body)["transfer"] ==
          json{{"to", "tel:+2"}, {"state", "asked"}, {"status", 0}});
    CHECK(said(transfer(R"({"to": "2"})")) == "409 the call is being transferred already");
    CHECK(of.send("DELETE", "/calls/" + id).status == 204);
    CHECK(said(transfer(R"({"to": "2"})")) == "409 the call has ended already");
    CHECK(of.send("POST", "/calls/CA1/transfer", R"({"to": "2"})").status == 404);
}

TEST_CASE("softswitch::events: a stream begins after the event that the client names") {
    api_client of;
    CHECK_FALSE(of.send("GET", "/events").events->after.has_value());
    CHECK(of.send("GET", "/events?after=7").events->after == 7U);
    http_request request;
    request.method = "GET";
    request.path = "/events";
    request.query = "after=7";
    request.last_event_id = "9";
    const auto answer = of.send(request);
    CHECK(answer.status == 200);
    CHECK(answer.content_type == "text/event-stream");
    CHECK(answer.events->after == 9U);
    CHECK(said(of.send("GET", "/events?after=x")) == "400 after: has to be the number of an event");
    CHECK(said(of.send("GET", "/events?after=")) == "400 after: has to be the number of an event");
    CHECK(said(of.send("GET", "/events?since=1")) ==
          "400 there is no such query parameter; the only one is `after`");
    request.last_event_id = "-1";
    CHECK(said(of.send(request)) == "400 Last-Event-ID: has to be the number of an event");
}

} // namespace
} // namespace softswitch
