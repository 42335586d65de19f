// What changes of trunks, gateways, sources and numbers by REST come to on the wire.
#include "softswitch/support/switch_on_sim.hpp"

namespace softswitch {
namespace {

using namespace std::chrono_literals;
using json = nlohmann::json;
using testing::far_end;
using testing::office_on_sim;
namespace sip_text = trunkline::support;

struct served_office : office_on_sim {
    std::string id = trunk("198.51.100.1:5060", {{"default_inbound_agent_id", "hold"},
                                                 {"numbers", {{{"e164", "+14155550100"}}}}});

    /// The final answer to a call of that number.
    [[nodiscard]] std::string rings(far_end& from, std::string_view number = "+14155550100") {
        from.call(number);
        run_for(300ms);
        const auto codes = from.responses();
        if (codes.size() < 4) return {};
        const auto last = codes.substr(codes.size() - 4, 3);
        if (last == "200") from.acknowledge();
        run_for(100ms);
        return last;
    }
    [[nodiscard]] int places(const json& with = json::object()) {
        json body{{"to", "+4930999"}, {"agent", "hold"}};
        body.update(with);
        return send("POST", "/calls", body).status;
    }
};

TEST_CASE_FIXTURE(served_office, "softswitch::control: a trunk that is not active serves nobody") {
    CHECK(rings(carrier) == "200");
    CHECK(places() == 201);
    const auto path = "/trunks/" + id;
    done("PATCH", path, {{"is_active", false}});
    // The call that was there goes on.
    CHECK(carrier.requests("BYE").empty());
    CHECK(done("GET", "/calls")["calls"].size() == 2);
    carrier.forget();
    CHECK(rings(carrier) == "403");
    CHECK(places() == 400);
    CHECK(carrier.requests("INVITE").empty());
    done("PATCH", path, {{"is_active", true}});
    CHECK(rings(carrier) == "200");
    CHECK(places() == 201);
    CHECK(carrier.requests("INVITE").size() == 1);
    // And one that is gone neither.
    CHECK(send("DELETE", path).status == 204);
    carrier.forget();
    CHECK(rings(carrier) == "403");
    CHECK(places() == 400);
    CHECK(carrier.requests("INVITE").empty());
}

TEST_CASE_FIXTURE(served_office,
                  "softswitch::control: directions are opened and closed one by one") {
    const auto path = "/trunks/" + id;
    done("PATCH", path, {{"inbound_enabled", false}});
    CHECK(rings(carrier) != "200");
    CHECK(places() == 201);
    done("PATCH", path, {{"inbound_enabled", true}, {"outbound_enabled", false}});
    carrier.forget();
    CHECK(rings(carrier) == "200");
    CHECK(places() == 400);
    CHECK(carrier.requests("INVITE").empty());
}

TEST_CASE_FIXTURE(
    served_office,
    "softswitch::control: a number is answered from when it is added until it is taken away") {
    CHECK(rings(carrier, "+14155550111") == "404");
    const auto made = done("POST", "/trunks/" + id + "/numbers",
                           {{"e164", "+14155550111"}, {"agent_id", "echo"}});
    const auto number = "/numbers/" + made["id"].get<std::string>();
    CHECK(rings(carrier, "+14155550111") == "200");
    CHECK(done("GET", "/calls")["calls"].back()["agent"] == "echo");
    CHECK(rings(carrier, "4155550111") == "404");
    done("PATCH", number, {{"agent_id", "hold"}, {"destination_key", "4155550111"}});
    CHECK(rings(carrier, "4155550111") == "200");
    CHECK(done("GET", "/calls")["calls"].back()["agent"] == "hold");
    CHECK(rings(carrier, "+14155550111") == "200");
    CHECK(send("DELETE", number).status == 204);
    CHECK(rings(carrier, "+14155550111") == "404");
    CHECK(rings(carrier, "+14155550100") == "200");
}

TEST_CASE_FIXTURE(served_office,
                  "softswitch::control: the agent of a trunk answers numbers without one") {
    CHECK(rings(carrier) == "200");
    CHECK(done("GET", "/calls")["calls"].back()["agent"] == "hold");
    done("PATCH", "/trunks/" + id, {{"default_inbound_agent_id", "reflect"}});
    CHECK(rings(carrier) == "200");
    CHECK(done("GET", "/calls")["calls"].back()["agent"] == "reflect");
    done("PATCH", "/trunks/" + id, {{"default_inbound_agent_id", nullptr}});
    CHECK(rings(carrier) == "404");
}

TEST_CASE_FIXTURE(
    served_office,
    "softswitch::control: a source may call from when it is added until it is taken away") {
    CHECK(rings(other) == "403");
    const auto made = done("POST", "/trunks/" + id + "/ip-acls", {{"cidr", "198.51.100.2/32"}});
    CHECK(rings(other) == "200");
    CHECK(send("DELETE", "/trunks/" + id + "/ip-acls/" + made["id"].get<std::string>()).status ==
          204);
    CHECK(rings(other) == "403");
    CHECK(rings(carrier) == "200");
}

TEST_CASE_FIXTURE(served_office,
                  "softswitch::control: calls go to gateways by their priority, as it is now") {
    const auto gateways = "/trunks/" + id + "/gateways";
    const auto second = done("POST", gateways, {{"host", "198.51.100.2"}, {"priority", 5}})["id"]
                            .get<std::string>();
    const auto first = done("GET", gateways)["gateways"][0]["id"].get<std::string>();
    CHECK(places() == 201);
    CHECK(carrier.requests("INVITE").size() == 1);
    CHECK(other.requests("INVITE").empty());
    // The next one has its turn when the first is broken.
    carrier.answer(carrier.last("INVITE"), "500 Server Error");
    run_for(200ms);
    CHECK(other.requests("INVITE").size() == 1);
    done("PATCH", gateways + "/" + second, {{"priority", 0}});
    CHECK(places() == 201);
    CHECK(carrier.requests("INVITE").size() == 1);
    CHECK(other.requests("INVITE").size() == 2);
    CHECK(send("DELETE", gateways + "/" + second).status == 204);
    CHECK(places() == 201);
    CHECK(carrier.requests("INVITE").size() == 2);
    CHECK(send("DELETE", gateways + "/" + first).status == 204);
    CHECK(places() == 400);
    CHECK(carrier.requests("INVITE").size() == 2);
}

TEST_CASE_FIXTURE(served_office, "softswitch::control: channels are how many calls a trunk has") {
    done("PATCH", "/trunks/" + id, {{"channels", 1}});
    CHECK(rings(carrier) == "200");
    CHECK(done("GET", "/trunks/" + id)["active_calls"] == 1);
    const auto full = place({});
    CHECK(carrier.requests("INVITE").empty());
    CHECK(done("GET", "/calls/" + full)["cdr"]["failure"] == "no_channel");
    CHECK(rings(carrier) == "486");
}

TEST_CASE_FIXTURE(served_office, "softswitch::control: cps is how many calls begin in a second") {
    done("PATCH", "/trunks/" + id, {{"cps", 1}});
    for (int i = 0; i < 3; ++i) CHECK(places() == 201); // 600 ms
    CHECK(carrier.requests("INVITE").size() == 1);
    run_for(1s);
    CHECK(carrier.requests("INVITE").size() == 2);
    run_for(1s);
    CHECK(carrier.requests("INVITE").size() == 3);
}

TEST_CASE_FIXTURE(served_office,
                  "softswitch::control: codecs and the leading plus are what an INVITE has") {
    const auto audio = [&] {
        const auto text = carrier.last("INVITE");
        const auto at = text.find(" RTP/AVP ") + 9;
        return text.substr(at, text.find('\r', at) - at);
    };
    CHECK(places() == 201);
    CHECK(audio().starts_with("0 8"));
    CHECK(sip_text::start_line(carrier.last("INVITE")).starts_with("INVITE sip:+4930999@"));
    done("PATCH", "/trunks/" + id, {{"codecs", "PCMA"}, {"outbound_leading_plus_enabled", false}});
    carrier.forget();
    CHECK(places() == 201);
    CHECK(audio().starts_with("8"));
    CHECK(audio().find(" 0") == std::string::npos);
    CHECK(sip_text::start_line(carrier.last("INVITE")).starts_with("INVITE sip:4930999@"));
}

TEST_CASE_FIXTURE(
    served_office,
    "softswitch::control: a challenge is answered with the trunk's password, as it is now") {
    const auto asked = [&] {
        carrier.forget();
        CHECK(places() == 201);
        carrier.say(sip_text::answer_to(
            carrier.last("INVITE"), "407 Proxy Authentication Required", "far",
            "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", algorithm=MD5\n"));
        run_for(200ms);
        const auto all = carrier.requests("INVITE");
        return all.size() == 2 ? sip_text::header(all[1], "Proxy-Authorization") : std::string{};
    };
    CHECK(asked().empty());
    done("PATCH", "/trunks/" + id, {{"auth_username", "us"}, {"auth_password", "secret"}});
    const auto shown = asked();
    CHECK(shown.find("username=\"us\"") != std::string::npos);
    done("PATCH", "/trunks/" + id, {{"auth_username", "us"}, {"auth_password", "another"}});
    CHECK(asked() != shown);
    done("PATCH", "/trunks/" + id, {{"auth_username", nullptr}, {"auth_password", nullptr}});
    CHECK(asked().empty());
}

TEST_CASE_FIXTURE(
    served_office,
    "softswitch::control: a trunk registers when it is told to, and leaves when it is told to") {
    run_for(2s);
    CHECK(carrier.requests("REGISTER").empty());
    done("PATCH", "/trunks/" + id,
         {{"auth_username", "us"}, {"auth_password", "secret"}, {"register", {{"expires", 120}}}});
    run_for(2s);
    REQUIRE_FALSE(carrier.requests("REGISTER").empty());
    CHECK(sip_text::header(carrier.last("REGISTER"), "To").find("us@") != std::string::npos);
    CHECK(carrier.last("REGISTER").find("120") != std::string::npos);
}

TEST_CASE_FIXTURE(
    served_office,
    "softswitch::control: a trunk that may not call is told so when it is renamed, too") {
    done("PATCH", "/trunks/" + id, {{"name", "renamed"}});
    CHECK(places({{"route", "renamed"}}) == 201);
    CHECK(places({{"route", "carrier"}}) == 400);
    CHECK(carrier.requests("INVITE").size() == 1);
    CHECK(done("GET", "/calls")["calls"].back()["trunk"] == "renamed");
}

} // namespace
} // namespace softswitch
