#include <doctest/doctest.h>

#include <string>

#include "softswitch/support/api_client.hpp"

namespace softswitch {
namespace {

using json = nlohmann::json;
using testing::api_client;
using testing::body_of;
using testing::said;

/// A trunk, and the path of it.
[[nodiscard]] std::string trunk_path(api_client& of) {
    return "/trunks/" + of.done("POST", "/trunks", {{"name", "a"}})["id"].get<std::string>();
}

[[nodiscard]] std::string id_of(const json& what) {
    return what["id"].get<std::string>();
}

TEST_CASE("softswitch::gateways: they come, change and go one by one, and the switch follows") {
    api_client of;
    const auto trunk = trunk_path(of);
    const auto first = of.done("POST", trunk + "/gateways", {{"host", "192.0.2.1"}});
    const auto second =
        of.done("POST", trunk + "/gateways", {{"host", "192.0.2.2"}, {"priority", 2}});
    const auto path = trunk + "/gateways/" + id_of(first);
    CHECK(of.done("GET", path) == first);
    const auto changed = of.done("PATCH", path, {{"port", 5070}});
    CHECK(changed ==
          json{{"id", first["id"]}, {"host", "192.0.2.1"}, {"port", 5070}, {"priority", 1}});
    CHECK(of.done("GET", trunk + "/gateways")["gateways"] == json{changed, second});
    CHECK(of.running.running().begin()->second.gateways[0].port == 5070);
    CHECK(of.send("DELETE", path).status == 204);
    CHECK(of.running.running().begin()->second.gateways.size() == 1);
    for (const auto* const method : {"GET", "DELETE"}) {
        CHECK(said(of.send(method, path)) == "404 there is no gateway `" + id_of(first) + "`");
    }
    CHECK(of.send("PATCH", path, "{}").status == 404);
}

TEST_CASE("softswitch::gateways: the ninth is one too many") {
    api_client of;
    const auto path = trunk_path(of) + "/gateways";
    for (int i = 0; i < 8; ++i) (void)of.done("POST", path, {{"host", "192.0.2.1"}});
    CHECK(said(of.send("POST", path, R"({"host": "192.0.2.1"})")) ==
          "409 the trunk has 8 gateways, which is all it may have: delete one first");
}

TEST_CASE(
    "softswitch::gateways: what the switch has against one is told by the name of its field") {
    api_client of;
    const auto path = trunk_path(of) + "/gateways";
    (void)of.done("POST", path, {{"host", "192.0.2.1"}});
    const auto answer = of.send("POST", path, R"({"host": "bad.example"})");
    CHECK(said(answer) == "400 host: is a bad example");
    CHECK(body_of(answer)["field"] == "host");
    CHECK(of.done("GET", path)["gateways"].size() == 1);
}

TEST_CASE("softswitch::ip_acls: a bare address is a network of one, and stands there once") {
    api_client of;
    const auto path = trunk_path(of) + "/ip-acls";
    const auto made = of.done("POST", path, {{"cidr", "2001:db8::1"}});
    CHECK(made["cidr"] == "2001:db8::1/128");
    CHECK(said(of.send("POST", path, R"({"cidr": "2001:db8:0::1/128"})")) ==
          "409 cidr: is allowed already");
    CHECK(of.done("GET", path + "/" + id_of(made)) == made);
    CHECK(of.send("DELETE", path + "/" + id_of(made)).status == 204);
    CHECK(of.done("GET", path)["ip_acls"].empty());
}

TEST_CASE("softswitch::numbers: one is added to a trunk and has a path of its own") {
    api_client of;
    const auto path = trunk_path(of) + "/numbers";
    const auto made = of.done("POST", path, {{"e164", "+14155550100"}, {"agent_id", "echo"}});
    const auto own = "/numbers/" + id_of(made);
    CHECK(of.done("GET", own) == made);
    CHECK(of.done("GET", path)["numbers"] == json::array({made}));
    CHECK(said(of.send("POST", path, R"({"e164": "+14155550100"})")) ==
          "409 e164: +14155550100 is in this trunk already");
    CHECK(of.send("DELETE", own).status == 204);
    CHECK(said(of.send("GET", own)) == "404 there is no number `" + id_of(made) + "`");
    CHECK(of.running.running().begin()->second.numbers.empty());
}

TEST_CASE("softswitch::numbers: null, no field and no body at all clear the agent") {
    api_client of;
    const auto path = trunk_path(of) + "/numbers";
    const auto made = of.done("POST", path, json::parse(R"({"e164": "*", "agent_id": "echo",
        "fallback_agent_id": "echo", "destination_key": "k"})"));
    const auto own = "/numbers/" + id_of(made);
    auto cleared = made;
    cleared["agent_id"] = nullptr;
    for (const auto* const body : {R"({"agent_id": null})", "{}", ""}) {
        INFO(body);
        (void)of.done("PATCH", own, {{"agent_id", "echo"}});
        const auto answer = of.send("PATCH", own, std::string{body});
        CHECK(answer.status == 200);
        CHECK(body_of(answer) == cleared);
    }
    CHECK(of.running.running().begin()->second.numbers[0].agent_id.empty());
}

TEST_CASE("softswitch::numbers: what is not of an agent stays, and e164 cannot change") {
    api_client of;
    const auto made =
        of.done("POST", trunk_path(of) + "/numbers", {{"e164", "*"}, {"agent_id", "echo"}});
    const auto own = "/numbers/" + id_of(made);
    CHECK(of.done("PATCH", own, {{"destination_key", "4155550100"}})["agent_id"] == "echo");
    CHECK(said(of.send("PATCH", own, R"({"e164": "+14155550100"})")) == "400 e164: is read-only");
    CHECK(said(of.send("PATCH", own, R"({"agent_id": "nobody"})")) ==
          "400 agent_id: there is no such agent");
    CHECK(said(of.send("PATCH", own, R"({"destination_key": "a b"})")) ==
          "400 destination_key: has to be the called number as the carrier sends it, without "
          "blanks and \"@\"");
}

} // namespace
} // namespace softswitch
