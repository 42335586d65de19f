// What clients do who are broken, slow, too many or no friends of ours.
#include <sys/resource.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "softswitch/support/rest_fixture.hpp"

namespace softswitch {
namespace {

using namespace std::chrono_literals;
using testing::http_client;
using testing::rest_fixture;

constexpr std::string_view token = "Authorization: Bearer tl_secret\r\n";

/// The last answer on a connection that is closed after it.
void check_refused(http_client& client, int status, std::string_view sentence) {
    const auto answer = client.read_answer();
    CHECK(answer.status == status);
    CHECK(answer.head.find("Connection: close\r\n") != std::string::npos);
    const auto body = nlohmann::json::parse(answer.body, nullptr, false);
    REQUIRE(body.is_object());
    CHECK(body["error"] == status);
    CHECK(body["message"] == sentence);
    client.end_sending();
    CHECK(client.wait_closed());
}

TEST_CASE("softswitch::rest_server: what is no HTTP is told so, and hung up on") {
    const rest_fixture of;
    for (const std::string_view garbage :
         {std::string_view{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11},
          std::string_view{"INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n\r\n"},
          std::string_view{"GET / HTTP/1.1\r\n: no name\r\n\r\n"},
          std::string_view{"POST /calls HTTP/1.1\r\nContent-Length: x\r\n\r\n"},
          std::string_view{
              "POST /calls HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"},
          std::string_view{"POST /calls HTTP/1.1\r\nContent-Length: 1\r\n"
                           "Transfer-Encoding: chunked\r\n\r\n"},
          std::string_view{"POST /calls HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"}}) {
        CAPTURE(std::string{garbage});
        auto client = of.client();
        client.send(garbage);
        check_refused(client, 400, "this is not HTTP as we know it");
    }
}

TEST_CASE("softswitch::rest_server: garbage behind a good request spoils only itself") {
    const rest_fixture of;
    auto client = of.client();
    client.send("GET /healthz HTTP/1.1\r\n\r\n\x01\x02\x03\r\n\r\n");
    CHECK(client.read_answer().status == 200);
    check_refused(client, 400, "this is not HTTP as we know it");
}

TEST_CASE("softswitch::rest_server: a request that ends half way is told so") {
    const rest_fixture of;
    auto client = of.client();
    client.send("POST /calls HTTP/1.1\r\nContent-Length: 100\r\n\r\n{");
    client.end_sending();
    check_refused(client, 400, "the request ended before it was complete");
}

TEST_CASE("softswitch::rest_server: ten megabytes are refused when they are announced") {
    const rest_fixture of;
    auto client = of.client();
    client.send("POST /trunks HTTP/1.1\r\nContent-Length: 10485760\r\n\r\n");
    check_refused(client, 413, "a body has to have at most 1048576 bytes");
    // And whoever sends them nevertheless finds the answer behind them.
    auto stubborn = of.client();
    stubborn.send("POST /trunks HTTP/1.1\r\nContent-Length: 10485760\r\n\r\n");
    stubborn.send(std::string(10'485'760, 'x'));
    check_refused(stubborn, 413, "a body has to have at most 1048576 bytes");
}

TEST_CASE("softswitch::rest_server: a megabyte is read, and one byte more is not") {
    const rest_fixture of;
    auto client = of.client();
    std::string body = R"({"name": ")" + std::string(1'048'576 - 12, 'x') + "\"}";
    REQUIRE(body.size() == 1'048'576);
    CHECK(client.ask("POST", "/trunks", body).status == 400);
    CHECK(client.ask("GET", "/calls").status == 200);
    body += " ";
    client.send("POST /trunks HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n" + body);
    check_refused(client, 413, "a body has to have at most 1048576 bytes");
}

TEST_CASE(
    "softswitch::rest_server: ten megabytes in chunks are refused at the first one too many") {
    const rest_fixture of;
    for (const std::size_t size : {std::size_t{1}, std::size_t{65'536}}) {
        CAPTURE(size);
        auto client = of.client();
        client.send("POST /trunks HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
        std::string chunk = size == 1 ? "1\r\n" : "10000\r\n";
        chunk += std::string(size, 'x') + "\r\n";
        std::string many;
        while (many.size() < 1U << 16U) many += chunk;
        for (std::size_t sent = 0; sent < 10U << 20U; sent += many.size()) {
            if (!client.send(many)) break;
        }
        check_refused(client, 413, "a body has to have at most 1048576 bytes");
    }
}

TEST_CASE("softswitch::rest_server: a path and headers have an end") {
    const rest_fixture of;
    auto path = of.client();
    path.send("GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\n\r\n");
    check_refused(path, 414, "the path is too long");
    for (const auto& headers :
         {"X: " + std::string(9'000, 'a') + "\r\n", std::string(300, 'a') + ": 1\r\n"}) {
        auto client = of.client();
        client.send("GET / HTTP/1.1\r\n" + headers + "\r\n");
        check_refused(client, 431, "there are too many headers, or one of them is too long");
    }
    auto many = of.client();
    std::string headers;
    for (int i = 0; i < 101; ++i) headers += "X-" + std::to_string(i) + ": 1\r\n";
    many.send("GET / HTTP/1.1\r\n" + headers + "\r\n");
    check_refused(many, 431, "there are too many headers, or one of them is too long");
}

TEST_CASE("softswitch::rest_server: whoever is too slow is told how fast it has to be") {
    rest_limits limits;
    limits.request = 200ms;
    const rest_fixture of{limits};
    for (const std::string_view half :
         {"GET /calls HTTP/1.1\r\nX-Slow", "POST /calls HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"}) {
        CAPTURE(std::string{half});
        auto client = of.client();
        client.send(half);
        check_refused(client, 408, "the request has to come within 200 ms");
    }
    // Nothing is owed to a connection that asks nothing, before or after an answer.
    auto silent = of.client();
    CHECK(silent.read_answer().status == 0);
    auto idle = of.client();
    CHECK(idle.ask("GET", "/calls").status == 200);
    CHECK(idle.read_answer().status == 0);
}

TEST_CASE("softswitch::rest_server: a drop at a time does not buy time") {
    rest_limits limits;
    limits.request = 300ms;
    const rest_fixture of{limits};
    auto client = of.client();
    client.send("GET /calls HTTP/1.1\r\nX: ");
    // Until it is hung up on: a drop only now and then would keep it alive for ever.
    for (int i = 0; i < 3'000 && !client.has_something(10); ++i) client.send("x");
    check_refused(client, 408, "the request has to come within 300 ms");
}

TEST_CASE("softswitch::rest_server: of three hundred connections each is answered") {
    rest_limits limits;
    limits.per_address = 1'000;
    const rest_fixture of{limits};
    std::vector<http_client> clients;
    for (int i = 0; i < 300; ++i) clients.push_back(of.client());
    std::size_t served = 0;
    std::size_t refused = 0;
    for (auto& client : clients) {
        client.send(std::string{"GET /calls HTTP/1.1\r\n"}.append(token).append("\r\n"));
        const auto answer = client.read_answer();
        served += answer.status == 200 ? 1 : 0;
        refused += answer.status == 503 ? 1 : 0;
        if (answer.status == 503) {
            CHECK(answer.head.find("Retry-After: 1\r\n") != std::string::npos);
        }
    }
    CHECK(served == 256);
    CHECK(refused == 44);
    clients.clear();
    // As soon as the server has seen them go there is room again.
    for (int tries = 0; tries < 1'000; ++tries) {
        auto client = of.client();
        if (client.ask("GET", "/calls").status == 200) return;
    }
    FAIL("there was never room again");
}

TEST_CASE("softswitch::rest_server: one address has its share of places, and others have theirs") {
    rest_limits limits;
    limits.connections = 12;
    limits.per_address = 5;
    const rest_fixture of{limits};
    std::vector<http_client> idle;
    for (int i = 0; i < 5; ++i) {
        idle.push_back(of.client());
        CHECK(idle.back().ask("GET", "/calls").status == 200);
    }
    // Its sixth has no place, which is said; and is told that we are well when it asks for that.
    const auto sixth = of.client().ask("GET", "/calls");
    CHECK(sixth.status == 503);
    CHECK(sixth.body.find("5 connections of this address") != std::string::npos);
    CHECK(sixth.head.find("Retry-After: 1\r\n") != std::string::npos);
    CHECK(of.client().ask("GET", "/healthz").status == 200);
    // Another address is served.
    for (int i = 0; i < 5; ++i) {
        idle.push_back(of.client(0, "127.35.0.66"));
        CHECK(idle.back().ask("GET", "/calls").status == 200);
    }
    CHECK(of.client(0, "127.35.0.66").ask("GET", "/calls").status == 503);
    CHECK(of.client(0, "127.35.0.67").ask("GET", "/calls").status == 200);
    // One that goes makes room for one.
    idle.front().reset();
    for (int tries = 0; tries < 1'000; ++tries) {
        if (of.client().ask("GET", "/calls").status == 200) return;
    }
    FAIL("there was never room again");
}

TEST_CASE("softswitch::rest_server: we are well, whatever idle connections there are") {
    rest_limits limits;
    limits.connections = 4;
    const rest_fixture of{limits};
    std::vector<http_client> strangers;
    // All places, those that are kept for /healthz, and twice as many.
    for (int i = 0; i < 4 + 3 * 8; ++i) {
        strangers.push_back(of.client(0, "127.35.0.66"));
        strangers.back().send("G");
    }
    for (int i = 0; i < 20; ++i) {
        const auto answer = of.client().ask("GET", "/healthz");
        REQUIRE(answer.status == 200);
        CHECK(answer.body == "{\"status\":\"ok\",\"calls\":0}\n");
    }
    // Only that: what costs more is for those who have a place.
    CHECK(of.client().ask("GET", "/calls").status == 503);
    CHECK(of.client().ask("GET", "/healthz/").status == 503);
    CHECK(of.client().ask("POST", "/healthz").status == 503);
}

TEST_CASE("softswitch::rest_server: connections that are reset at once cost no place") {
    rest_limits limits;
    limits.connections = 4;
    const rest_fixture of{limits};
    for (int i = 0; i < 200; ++i) of.client().reset();
    for (int tries = 0; tries < 1'000; ++tries) {
        auto client = of.client();
        client.send("GET /healthz HTTP/1.1\r\n\r\n");
        if (client.read_answer().status == 200) return;
    }
    FAIL("there was never room again");
}

// UBSan opens a pipe to look at an object's type, and takes the lack of one for a bad object.
#ifndef __SANITIZE_ADDRESS__
TEST_CASE("softswitch::rest_server: a process without descriptors serves again when it has some") {
    const rest_fixture of;
    const int next = ::dup(0);
    ::close(next);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    // Room for the client's end, and none for the server's.
    const rlimit scarce{static_cast<rlim_t>(next) + 1, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &scarce) == 0);
    auto client = of.client();
    client.send("GET /healthz HTTP/1.1\r\n\r\n");
    CHECK_FALSE(client.has_something(100));
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(client.read_answer().status == 200);
}
#endif

[[nodiscard]] http_client watching(const rest_fixture& of, int receive_buffer = 0) {
    auto client = of.client(receive_buffer);
    client.send(std::string{"GET /events HTTP/1.1\r\n"}.append(token).append("\r\n"));
    return client;
}

TEST_CASE("softswitch::rest_server: the sixty-fifth watcher is told to wait, and gets a place") {
    const rest_fixture of;
    std::vector<http_client> clients;
    for (int i = 0; i < 64; ++i) {
        clients.push_back(watching(of));
        REQUIRE_FALSE(clients.back().receive_until(": welcome\n\n").empty());
    }
    auto one_too_many = of.client();
    const auto answer = one_too_many.ask("GET", "/events");
    CHECK(answer.status == 503);
    CHECK(answer.head.find("Retry-After: 5\r\n") != std::string::npos);
    clients.pop_back();
    // Without an event that would show it: the place is free when the client has gone.
    for (int tries = 0; tries < 10'000; ++tries) {
        auto client = watching(of);
        const auto head = client.receive_until("\r\n\r\n");
        if (head.find(" 200 ") != std::string::npos) return;
    }
    FAIL("there was never room again");
}

TEST_CASE("softswitch::rest_server: a watcher that never reads is cut off, and no other one is") {
    rest_fixture of;
    auto deaf = watching(of, 4'096);
    auto listening = watching(of);
    REQUIRE_FALSE(listening.receive_until(": welcome\n\n").empty());
    call_view call;
    call.agent = std::string(10'000, 'a');
    // Far more than 256 KiB and what two sockets hold; the other one keeps up.
    for (int i = 0; i < 1'000; ++i) {
        of.running.happen(call);
        REQUIRE_FALSE(listening.receive_until("\n\n").empty());
    }
    CHECK(deaf.wait_closed());
    of.running.happen(call);
    CHECK(listening.receive_until("\n\n").find("id: 1001\n") != std::string::npos);
}

} // namespace
} // namespace softswitch
