#include "rest/server.hpp"

#include <doctest/doctest.h>

#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "softswitch/support/rest_fixture.hpp"

namespace softswitch {
namespace {

using namespace std::chrono_literals;
using testing::rest_fixture;

[[nodiscard]] bool has(std::string_view text, std::string_view what) {
    return text.find(what) != std::string_view::npos;
}

TEST_CASE("softswitch::rest_server: requests follow each other on one connection") {
    const rest_fixture of;
    auto client = of.client();
    const auto made = client.ask("POST", "/trunks", R"({"name": "a"})");
    CHECK(made.status == 201);
    CHECK(has(made.head, "Connection: keep-alive\r\n"));
    CHECK(has(made.head, "\r\nDate: "));
    const auto id = nlohmann::json::parse(made.body)["id"].get<std::string>();
    CHECK(has(made.head, "Location: /trunks/" + id + "\r\n"));
    CHECK(client.ask("GET", "/trunks/" + id).body == made.body);
    CHECK(client.ask("GET", "http://test/trunks/" + id).body == made.body);
    const auto erased = client.ask("DELETE", "/trunks/" + id);
    CHECK(erased.status == 204);
    CHECK_FALSE(has(erased.head, "Content-Length"));
    CHECK(client.ask("GET", "/trunks/" + id).status == 404);
}

TEST_CASE("softswitch::rest_server: HEAD has the length of what GET has, and no body") {
    const rest_fixture of;
    auto client = of.client();
    const auto whole = client.ask("GET", "/openapi.json");
    client.send("HEAD /openapi.json HTTP/1.1\r\n\r\n");
    const auto head = client.receive_until("\r\n\r\n");
    CHECK(has(head, "Content-Length: " + std::to_string(whole.body.size()) + "\r\n"));
    CHECK(client.ask("GET", "/healthz").body == "{\"status\":\"ok\",\"calls\":0}\n");
    client.send("HEAD /events HTTP/1.1\r\nAuthorization: Bearer tl_secret\r\n\r\n");
    CHECK(has(client.receive_until("\r\n\r\n"), "Content-Type: text/event-stream\r\n"));
    CHECK(client.ask("GET", "/healthz").status == 200);
}

TEST_CASE("softswitch::rest_server: what is sent in one go is answered one after the other") {
    const rest_fixture of;
    auto client = of.client();
    std::string all;
    for (int i = 0; i < 50; ++i) {
        all += "POST /trunks HTTP/1.1\r\nAuthorization: Bearer tl_secret\r\n"
               "Content-Type: application/json\r\nContent-Length: ";
        const auto body = R"({"name": "t)" + std::to_string(i) + "\"}";
        all += std::to_string(body.size()) + "\r\n\r\n" + body;
    }
    client.send(all);
    for (int i = 0; i < 50; ++i) {
        const auto answer = client.read_answer();
        REQUIRE(answer.status == 201);
        CHECK(nlohmann::json::parse(answer.body)["name"] == "t" + std::to_string(i));
    }
}

TEST_CASE("softswitch::rest_server: a client that wants the connection closed has it closed") {
    const rest_fixture of;
    auto client = of.client();
    CHECK(client.ask("GET", "/calls", {}, "Connection: close\r\n").status == 200);
    CHECK(client.wait_closed());
    auto old = of.client();
    old.send("GET /healthz HTTP/1.0\r\n\r\n");
    CHECK(old.read_answer().status == 200);
    CHECK(old.wait_closed());
    auto upgrade = of.client();
    CHECK(upgrade.ask("GET", "/calls", {}, "Connection: Upgrade\r\nUpgrade: h2c\r\n").status ==
          200);
    CHECK(upgrade.wait_closed());
}

TEST_CASE("softswitch::rest_server: a body may come in chunks") {
    const rest_fixture of;
    auto client = of.client();
    client.send("POST /trunks HTTP/1.1\r\nAuthorization: Bearer tl_secret\r\n"
                "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                "8\r\n{\"name\":\r\n5\r\n \"a\"}\r\n0\r\n\r\n");
    CHECK(client.read_answer().status == 201);
}

TEST_CASE("softswitch::rest_server: nobody listens twice at one place") {
    rest_fixture of;
    CHECK_THROWS_AS(rest_server(of.server.listening(), of.rows, of.running), std::system_error);
}

TEST_CASE("softswitch::rest_server: events are sent as they happen, with number and name") {
    rest_fixture of;
    auto watching = of.client();
    watching.send("GET /events HTTP/1.1\r\nAuthorization: Bearer tl_secret\r\n\r\n");
    const auto head = watching.receive_until("\r\n\r\n");
    CHECK(has(head, "Content-Type: text/event-stream\r\n"));
    CHECK(has(head, "Transfer-Encoding: chunked\r\n"));
    CHECK(has(watching.receive_until("\n\n"), ": welcome\n\n"));
    auto client = of.client();
    CHECK(client.ask("POST", "/calls", R"({"to": "1", "agent": "echo"})").status == 201);
    const auto event = watching.receive_until("\n\n");
    CHECK(has(event, "id: 1\nevent: initiated\ndata: {\"id\":\"CA"));
    const auto data = nlohmann::json::parse(event.substr(event.find("data: ") + 6));
    CHECK(client.ask("DELETE", "/calls/" + data["id"].get<std::string>()).status == 204);
    const auto end = watching.receive_until("\n\n");
    CHECK(has(end, "id: 2\nevent: ended\n"));
    CHECK(has(end, "\"cdr\":{"));
}

TEST_CASE("softswitch::rest_server: whoever comes back is told what it missed, and nothing twice") {
    rest_fixture of;
    call_view call;
    for (int i = 0; i < 5; ++i) of.running.happen(call);
    auto client = of.client();
    client.send("GET /events HTTP/1.1\r\nAuthorization: Bearer tl_secret\r\n"
                "Last-Event-ID: 3\r\n\r\n");
    (void)client.receive_until(": welcome\n\n");
    of.running.happen(call);
    CHECK(has(client.receive_until("\n\n"), "id: 4\n"));
    CHECK(has(client.receive_until("\n\n"), "id: 5\n"));
    CHECK(has(client.receive_until("\n\n"), "id: 6\n"));
}

TEST_CASE("softswitch::rest_server: a quiet stream has a heartbeat") {
    rest_limits limits;
    limits.heartbeat = 20ms;
    const rest_fixture of{limits};
    auto client = of.client();
    client.send("GET /events HTTP/1.1\r\nAuthorization: Bearer tl_secret\r\n\r\n");
    for (int i = 0; i < 10; ++i) {
        CHECK_FALSE(client.receive_until(": still here\n\n").empty());
    }
}

TEST_CASE("softswitch::rest_server: a server that ends finishes its streams and closes the rest") {
    auto of = std::make_unique<rest_fixture>();
    auto watching = of->client();
    watching.send("GET /events HTTP/1.1\r\nAuthorization: Bearer tl_secret\r\n\r\n");
    CHECK_FALSE(watching.receive_until(": welcome\n\n").empty());
    auto idle = of->client();
    CHECK(idle.ask("GET", "/calls").status == 200);
    // While a switch thread has something to say.
    std::thread events{[running = &of->running] {
        for (int i = 0; i < 200; ++i) running->happen({});
    }};
    events.join();
    of.reset();
    CHECK_FALSE(watching.receive_until("0\r\n\r\n").empty());
    CHECK(watching.wait_closed());
    CHECK(idle.wait_closed());
}

} // namespace
} // namespace softswitch
