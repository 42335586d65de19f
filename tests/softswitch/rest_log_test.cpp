// What the log says of those who use REST: who changed what, from where, and who was refused.
#include <doctest/doctest.h>

#include <string>

#include "softswitch/support/api_client.hpp"
#include "softswitch/support/log_catcher.hpp"

namespace softswitch {
namespace {

using testing::api_client;
using testing::log_catcher;

[[nodiscard]] http_request request_of(std::string method, std::string path, std::string body = {}) {
    http_request made;
    made.method = std::move(method);
    made.path = std::move(path);
    if (!body.empty()) made.content_type = "application/json";
    made.body = std::move(body);
    made.peer = "198.51.100.7";
    return made;
}

TEST_CASE("softswitch::api: every change is a line with the token's name, what, and from where") {
    api_client of;
    const log_catcher log;
    const auto has = [&](const std::string& line) {
        CAPTURE(line);
        CHECK(log.text.str().find(line) != std::string::npos);
    };
    const auto id = testing::body_of(of.send(
        request_of("POST", "/trunks",
                   R"({"name": "a", "auth_username": "u", "auth_password": "hunter2"})")))["id"]
                        .get<std::string>();
    has("REST: token `tester` from 198.51.100.7: POST /trunks made /trunks/" + id + ": 201");
    CHECK(of.send(request_of("PATCH", "/trunks/" + id, R"({"channels": 0})")).status == 400);
    has("REST: token `tester` from 198.51.100.7: PATCH /trunks/" + id + ": 400");
    CHECK(of.send(request_of("DELETE", "/trunks/" + id)).status == 204);
    has("REST: token `tester` from 198.51.100.7: DELETE /trunks/" + id + ": 204");
    CHECK(of.send(request_of("POST", "/calls", R"({"to": "1", "agent": "echo"})")).status == 201);
    has("REST: token `tester` from 198.51.100.7: POST /calls made /calls/CA");
    CHECK(log.text.str().find("hunter2") == std::string::npos);
    CHECK(log.text.str().find("tl_secret") == std::string::npos);
}

TEST_CASE("softswitch::api: looking at something is no change") {
    api_client of;
    const log_catcher log;
    CHECK(of.send(request_of("GET", "/trunks")).status == 200);
    CHECK(of.send(request_of("HEAD", "/calls")).status == 200);
    CHECK(of.send(request_of("GET", "/healthz")).status == 200);
    CHECK(log.text.str().empty());
}

TEST_CASE("softswitch::api: a refused token is a line with its beginning, and not with the rest") {
    api_client of;
    const log_catcher log;
    auto request = request_of("DELETE", "/trunks/TK1");
    request.authorization = "Bearer tl_0123456789abcdef0123456789abcdef";
    CHECK(of.send(request).status == 401);
    const auto text = log.text.str();
    CHECK(text.find("REST: an unknown token that begins `tl_012` refused from 198.51.100.7: "
                    "DELETE /trunks/TK1") != std::string::npos);
    CHECK(text.find("3456789") == std::string::npos);
    // One that is short may be a password of something else.
    request.authorization = "Bearer hunter2";
    CHECK(of.send(request).status == 401);
    CHECK(log.text.str().find("hunter2") == std::string::npos);
    CHECK(log.text.str().find("REST: an unknown token refused from") != std::string::npos);
    request.authorization = "Basic dTpw";
    CHECK(of.send(request).status == 401);
    CHECK(log.text.str().find("REST: no token refused from") != std::string::npos);
    // A path of a stranger's is on one line.
    request.path = "/a\n[error] all is lost";
    CHECK(of.send(request).status == 401);
    CHECK(log.text.str().find("\n[error]") == std::string::npos);
}

} // namespace
} // namespace softswitch
