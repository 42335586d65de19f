#include <doctest/doctest.h>

#include <string>

#include "calls/trunk_of_row.hpp"
#include "rest/trunk_json.hpp"
#include "softswitch/support/api_client.hpp"

namespace softswitch {
namespace {

using json = nlohmann::json;
using testing::api_client;
using testing::body_of;
using testing::said;

TEST_CASE("softswitch::trunks: a trunk of nothing but a name has the defaults") {
    api_client of;
    const auto answer = of.send("POST", "/trunks", R"({"name": "carrier"})");
    CHECK(answer.status == 201);
    const auto made = body_of(answer);
    const auto id = made["id"].get<std::string>();
    CHECK(id.size() == 34);
    CHECK(answer.headers.front() ==
          std::pair<std::string, std::string>{"Location", "/trunks/" + id});
    CHECK(made == json::parse(R"({"id": ")" + id + R"(", "name": "carrier", "description": "",
        "preset": "custom", "is_active": true, "inbound_enabled": true, "outbound_enabled": true,
        "channels": 30, "cps": 30, "default_inbound_agent_id": null, "fallback_agent_id": null,
        "auth_username": null, "has_password": false, "register": null, "registration": null,
        "transport": "udp",
        "outbound_leading_plus_enabled": true, "allow_prefixes": [], "deny_prefixes": null,
        "calls_per_token": 0, "allow_emergency": false, "rtp_symmetric": "auto", "media_from": [],
        "caller_id": null, "codecs": "PCMU,PCMA",
        "health": "waiting for carrier", "active_calls": 0, "read_only": false,
        "created_at": "2026-08-02T06:30:00.123Z", "updated_at": "2026-08-02T06:30:00.123Z",
        "gateways": [], "ip_acls": [], "numbers": []})"));
}

TEST_CASE("softswitch::trunks: gateways, sources and numbers may come with the trunk") {
    api_client of;
    const auto made = of.done("POST", "/trunks", json::parse(R"({"name": "carrier",
        "gateways": [{"host": "sip.example.net"}, {"host": "192.0.2.1", "port": 5070, "priority": 0}],
        "ip_acls": [{"cidr": "198.51.100.7"}, {"cidr": "2001:db8::/32"}],
        "numbers": [{"e164": "+14155550100", "agent_id": "echo"},
                    {"e164": "*", "destination_key": "catch-all"}]})"));
    CHECK(made["health"] == "ok");
    CHECK(made["gateways"][0]["port"] == 5060);
    CHECK(made["gateways"][1]["priority"] == 0);
    CHECK(made["ip_acls"][0]["cidr"] == "198.51.100.7/32");
    CHECK(made["numbers"][0]["trunk_id"] == made["id"]);
    CHECK(made["numbers"][1]["destination_key"] == "catch-all");
    const auto id = made["id"].get<std::string>();
    CHECK(of.done("GET", "/trunks/" + id) == made);
    CHECK(of.running.running().at(id).numbers.size() == 2);
    CHECK(of.rows.writes == 1);
}

TEST_CASE(
    "softswitch::trunks: what is wrong with a trunk is told by its field, and nothing is kept") {
    struct wrong {
        const char* body;
        const char* sentence;
    };
    const wrong all[] = {
        {"{}", "400 name: has to be there"},
        {R"({"name": ""})", "400 name: has to have 1 to 100 characters, and has 0"},
        {R"({"name": "a", "channels": 0})", "400 channels: has to be from 1 to 1000, and is 0"},
        {R"({"name": "a", "cps": 10001})", "400 cps: has to be from 1 to 10000, and is 10001"},
        {R"({"name": "a", "chanels": 1})",
         "400 chanels: there is no such field; the nearest is `channels`"},
        {R"({"name": "a", "transport": "ws"})",
         "400 transport: has to be one of \"udp\", \"tcp\", \"tls\""},
        {R"({"name": "a", "codecs": "PCMU,PCMU"})",
         "400 codecs: has to be one of \"PCMU,PCMA\", \"PCMA,PCMU\", \"PCMU\", \"PCMA\""},
        {R"({"name": "a", "auth_username": "u"})",
         "400 auth_password: has to be given together with auth_username"},
        {R"({"name": "a", "auth_username": "u", "auth_password": null})",
         "400 auth_password: has to be there when the other one is; null for both clears them"},
        {R"({"name": "a", "id": "TK1"})", "400 id: is read-only"},
        {R"({"name": "a", "registration": null})", "400 registration: is read-only"},
        {R"({"name": "a", "register": true})",
         "400 register: has to be an object, and is true or false"},
        {R"({"name": "a", "register": {"expires": 59}})",
         "400 register.expires: has to be from 60 to 3600, and is 59"},
        {R"({"name": "a", "register": {"expire": 60}})",
         "400 register.expire: there is no such field; the nearest is `expires`"},
        {R"({"name": "a", "gateways": [{"host": "a"}, {"host": "b", "port": 0}]})",
         "400 gateways[1].port: has to be from 1 to 65535, and is 0"},
        {R"({"name": "a", "gateways": [{"port": 1}]})", "400 gateways[0].host: has to be there"},
        {R"({"name": "a", "gateways": [{"host": "a:5060"}, {"host": "sip:a@b"}]})",
         "400 gateways[1].host: has to be an IP address or a name; its port is a field of its own"},
        {R"({"name": "a", "gateways": [{"host": "bad.example"}]})",
         "400 gateways[0].host: is a bad example"},
        {R"({"name": "a", "gateways": [{}, {}, {}, {}, {}, {}, {}, {}, {}]})",
         "400 gateways: has to have at most 8 elements, and has 9"},
        {R"({"name": "a", "ip_acls": [{"cidr": "10.0.0.0/33"}]})",
         "400 ip_acls[0].cidr: has to be an IP address or a network, as \"198.51.100.0/24\""},
        {R"({"name": "a", "numbers": [{"e164": "+0123456789"}]})",
         "400 numbers[0].e164: has to be \"+\" and 7 to 15 digits, as \"+14155550100\", or \"*\" "
         "for every number"},
        {R"({"name": "a", "numbers": [{"e164": "*"}, {"e164": "*"}]})",
         "400 numbers[1].e164: stands in the list already"},
        {R"({"name": "a", "numbers": [{"e164": "*", "agent_id": "nobody"}]})",
         "400 numbers[0].agent_id: there is no such agent"},
        {R"({"name": "of the file"})",
         "409 name: is the name of a trunk in the configuration file"},
    };
    api_client of;
    for (const auto& [body, sentence] : all)
        CHECK(said(of.send("POST", "/trunks", body)) == sentence);
    CHECK(of.rows.writes == 0);
    CHECK(of.running.running().empty());
}

TEST_CASE("softswitch::trunks: whom media is taken from is said by REST, and reaches the switch") {
    api_client of;
    const auto made = of.done("POST", "/trunks", json::parse(R"({"name": "carrier",
        "rtp_symmetric": "off", "media_from": ["198.51.100.0/24", "2001:db8::7"],
        "gateways": [{"host": "192.0.2.1"}]})"));
    const auto path = "/trunks/" + made["id"].get<std::string>();
    CHECK(made["rtp_symmetric"] == "off");
    CHECK(made["media_from"] == json::parse(R"(["198.51.100.0/24", "2001:db8::7"])"));
    const auto config = to_config(of.running.running().begin()->second);
    CHECK(config.rtp_symmetric == trunkline::rtp_symmetry::off);
    CHECK(config.media_from == std::vector<std::string>{"198.51.100.0/24", "2001:db8::7"});
    CHECK(of.done("PATCH", path, {{"rtp_symmetric", "any"}})["media_from"].size() == 2);
    CHECK(of.done("PATCH", path, {{"media_from", json::array()}})["media_from"].empty());
    CHECK(said(of.send("PATCH", path, R"({"rtp_symmetric": true})"))
              .starts_with("400 rtp_symmetric: "));
    CHECK(said(of.send("PATCH", path, R"({"rtp_symmetric": "on"})"))
              .starts_with("400 rtp_symmetric: "));
    CHECK(said(of.send("PATCH", path, R"({"media_from": ["carrier.example"]})"))
              .starts_with("400 media_from: has to be a list of addresses and networks"));
}

TEST_CASE(
    "softswitch::trunks: which numbers a trunk dials is said by REST, and reaches the switch") {
    api_client of;
    const auto made = of.done("POST", "/trunks", json::parse(R"({"name": "carrier",
        "allow_prefixes": ["+1", "49"], "deny_prefixes": ["+1900"], "calls_per_token": 3,
        "allow_emergency": true, "gateways": [{"host": "192.0.2.1"}]})"));
    const auto path = "/trunks/" + made["id"].get<std::string>();
    CHECK(made["allow_prefixes"] == json::parse(R"(["+1", "49"])"));
    CHECK(made["deny_prefixes"] == json::parse(R"(["+1900"])"));
    CHECK(made["calls_per_token"] == 3);
    CHECK(made["allow_emergency"] == true);
    const auto config = to_config(of.running.running().begin()->second);
    CHECK(config.allow_prefixes == std::vector<std::string>{"+1", "49"});
    CHECK(config.deny_prefixes == std::vector<std::string>{"+1900"});
    CHECK(config.calls_per_token == 3);
    CHECK(config.allow_emergency);
    // An empty list denies nothing, null what is costly.
    CHECK(of.done("PATCH", path, {{"deny_prefixes", json::array()}})["deny_prefixes"] ==
          json::array());
    CHECK(to_config(of.running.running().begin()->second).deny_prefixes->empty());
    CHECK(of.done("PATCH", path, {{"deny_prefixes", nullptr}})["deny_prefixes"].is_null());
    CHECK_FALSE(to_config(of.running.running().begin()->second).deny_prefixes);
    CHECK(of.done("GET", path)["allow_prefixes"] == json::parse(R"(["+1", "49"])"));
    CHECK(said(of.send("PATCH", path, R"({"deny_prefixes": ["+1", "+1-900"]})"))
              .starts_with("400 deny_prefixes: has to be a list"));
    CHECK(said(of.send("PATCH", path, R"({"allow_prefixes": [1]})"))
              .starts_with("400 allow_prefixes: has to be a list"));
    CHECK(said(of.send("PATCH", path, R"({"allow_prefixes": "+1"})")).starts_with("400 allow_pre"));
    CHECK(said(of.send("PATCH", path, R"({"calls_per_token": 1001})"))
              .starts_with("400 calls_per_token: has to be from 0 to 1000"));
    CHECK(said(of.send("PATCH", path, R"({"allow_emergency": 1})"))
              .starts_with("400 allow_emergency: "));
}

TEST_CASE("softswitch::trunks: a change touches what it names and nothing else") {
    api_client of;
    const auto made = of.done("POST", "/trunks", json::parse(R"({"name": "carrier",
        "auth_username": "u", "auth_password": "p", "gateways": [{"host": "192.0.2.1"}],
        "numbers": [{"e164": "+14155550100"}]})"));
    const auto path = "/trunks/" + made["id"].get<std::string>();
    CHECK(made["has_password"] == true);
    CHECK(of.send("GET", path).body.find("\"p\"") == std::string::npos);

    auto expected = made;
    expected["channels"] = 3;
    expected["cps"] = 7;
    expected["is_active"] = false;
    expected["health"] = "disabled";
    CHECK(of.done("PATCH", path, {{"channels", 3}, {"cps", 7}, {"is_active", false}}) == expected);
    CHECK(of.done("GET", path) == expected);
    CHECK(of.running.running().begin()->second.auth_password == "p");

    const auto cleared =
        of.done("PATCH", path, {{"auth_username", nullptr}, {"auth_password", nullptr}});
    CHECK(cleared["auth_username"].is_null());
    CHECK(cleared["has_password"] == false);
    CHECK(said(of.send("PATCH", path, R"({"gateways": []})")) ==
          "400 gateways: is changed one by one: POST to /trunks/{id}/gateways adds, DELETE takes "
          "away");
}

TEST_CASE("softswitch::trunks: a trunk registers while it is told to, and says how that goes") {
    api_client of;
    const auto made = of.done("POST", "/trunks", json::parse(R"({"name": "carrier",
        "auth_username": "u", "auth_password": "p", "gateways": [{"host": "192.0.2.1"}],
        "register": {}})"));
    CHECK(made["register"] == json::parse(R"({"expires": 300})"));
    CHECK(made["registration"].is_null());
    const auto path = "/trunks/" + made["id"].get<std::string>();
    CHECK(of.done("PATCH", path, {{"register", {{"expires", 60}}}})["register"]["expires"] == 60);
    CHECK(of.done("PATCH", path, {{"channels", 3}})["register"]["expires"] == 60);
    CHECK(of.running.running().begin()->second.register_expires == 60);
    CHECK(of.done("PATCH", path, {{"register", nullptr}})["register"].is_null());

    trunk_row row;
    row.is_active = true;
    row.gateways = {{"GW1", "192.0.2.1", 5060, 1}};
    trunk_health how;
    how.registration = registration_view{.state = trunkline::registration_state::waiting,
                                         .gateway = "192.0.2.1:5060",
                                         .sip_code = 403,
                                         .reason = "Forbidden",
                                         .expires_unix_ns = {},
                                         .retry_unix_ns = 1'785'652'200'123'000'000};
    CHECK(json(to_json(row, how, false))["registration"] == json::parse(R"({"state": "waiting",
        "gateway": "192.0.2.1:5060", "sip_code": 403, "reason": "Forbidden", "expires_at": null,
        "retry_at": "2026-08-02T06:30:00.123Z"})"));
    CHECK(health_text(row, how) == "degraded");
    how.registration->state = trunkline::registration_state::registered;
    CHECK(health_text(row, how) == "ok");
}

TEST_CASE("softswitch::trunks: no two trunks have one name") {
    api_client of;
    of.done("POST", "/trunks", {{"name", "a"}});
    const auto other = of.done("POST", "/trunks", {{"name", "b"}});
    CHECK(said(of.send("POST", "/trunks", R"({"name": "a"})")) ==
          "409 name: is the name of another trunk");
    CHECK(said(of.send("PATCH", "/trunks/" + other["id"].get<std::string>(), R"({"name": "a"})")) ==
          "409 name: is the name of another trunk");
}

TEST_CASE("softswitch::trunks: a trunk that was deleted is gone from store and switch") {
    api_client of;
    const auto path =
        "/trunks/" + of.done("POST", "/trunks", {{"name", "a"}})["id"].get<std::string>();
    CHECK(of.send("DELETE", path).status == 204);
    CHECK(of.running.running().empty());
    CHECK(of.send("GET", path).status == 404);
    CHECK(of.send("DELETE", path).status == 404);
    CHECK(said(of.send("PATCH", "/trunks/x", "{}")) == "404 there is no trunk `x`");
}

TEST_CASE("softswitch::trunks: those of the configuration file are shown and not changed") {
    api_client of;
    const auto list = of.done("GET", "/trunks")["trunks"];
    REQUIRE(list.size() == 1);
    CHECK(list[0]["read_only"] == true);
    CHECK(list[0]["created_at"].is_null());
    CHECK(of.done("GET", "/trunks/of%20the%20file") == list[0]);
    const std::string sentence =
        "409 the trunk `of the file` is one of the configuration file: change it there";
    CHECK(said(of.send("PATCH", "/trunks/of%20the%20file", R"({"channels": 1})")) == sentence);
    CHECK(said(of.send("DELETE", "/trunks/of%20the%20file")) == sentence);
    CHECK(said(of.send("POST", "/trunks/of%20the%20file/numbers", R"({"e164": "*"})")) == sentence);
    CHECK(of.done("GET", "/numbers/PNfile")["e164"] == "+14155550199");
    CHECK(of.send("DELETE", "/numbers/PNfile").status == 409);
    CHECK(of.send("PATCH", "/numbers/PNfile").status == 409);
}

TEST_CASE("softswitch::trunks: three failed calls in a row are degraded health") {
    trunk_row row;
    row.gateways = {{"", "192.0.2.1", 5060, 1}};
    CHECK(health_text(row, {0, 2}) == "ok");
    CHECK(health_text(row, {0, 3}) == "degraded");
    row.gateways.clear();
    CHECK(health_text(row, {0, 0}) == "waiting for carrier");
    row.ip_acls = {{"", "192.0.2.1/32"}};
    CHECK(health_text(row, {0, 0}) == "ok");
    row.is_active = false;
    CHECK(health_text(row, {0, 3}) == "disabled");
}

TEST_CASE("softswitch::trunks: E.164 has seven to fifteen digits and no leading zero") {
    for (const auto* const good : {"+1234567", "+123456789012345", "*"}) CHECK(is_e164(good));
    for (const auto* const bad : {"", "+", "1234567", "+123456", "+1234567890123456", "+0234567",
                                  "+123456a", "**", "+12 34567"}) {
        INFO(bad);
        CHECK_FALSE(is_e164(bad));
    }
}

} // namespace
} // namespace softswitch
