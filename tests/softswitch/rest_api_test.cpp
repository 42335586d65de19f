#include "rest/api.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "softswitch/support/api_client.hpp"

namespace softswitch {
namespace {

using testing::api_client;
using testing::said;

[[nodiscard]] std::string header(const http_response& answer, std::string_view name) {
    for (const auto& [key, value] : answer.headers) {
        if (key == name) return value;
    }
    return {};
}

[[nodiscard]] http_response as(api_client& to, std::string authorization, std::string path) {
    http_request request;
    request.method = "GET";
    request.path = std::move(path);
    request.authorization = std::move(authorization);
    return to.send(std::move(request));
}

TEST_CASE("softswitch::api: without a token that we made nothing is told but what is open") {
    api_client of;
    for (const auto* const path : {"/trunks", "/calls", "/events", "/nothing", "/openapi.json/"}) {
        INFO(path);
        for (const auto* const who :
             {"Bearer ", "Bearer tl_other", "Basic tl_secret", "tl_secret"}) {
            const auto answer = as(of, who, path);
            CHECK(answer.status == 401);
            CHECK(header(answer, "WWW-Authenticate") == R"(Bearer realm="softswitch")");
        }
    }
    for (const auto* const path : {"/", "/openapi.json", "/healthz"}) {
        CHECK(as(of, "Bearer tl_other", path).status == 200);
    }
    CHECK(as(of, "bearer  tl_secret ", "/calls").status == 200);
}

TEST_CASE("softswitch::api: a method that is not done here is told those that are") {
    api_client of;
    const auto answer = of.send("PUT", "/trunks/1");
    CHECK(said(answer) == "405 PUT is not done here: GET, HEAD, PATCH, DELETE is");
    CHECK(header(answer, "Allow") == "GET, HEAD, PATCH, DELETE");
    CHECK(of.send("GET", "/calls/1/transfer").status == 405);
    CHECK(header(of.send("DELETE", "/"), "Allow") == "GET, HEAD");
}

TEST_CASE("softswitch::api: a path that is not there is told where to look") {
    api_client of;
    CHECK(said(of.send("GET", "/trunk")) ==
          "404 there is no /trunk here: /openapi.json says what there is");
    for (const auto* const path : {"/trunks/", "//", "/trunks//numbers", "/calls/a/b", "/%zz", "*",
                                   "/trunks/a/gateways/b/c", "/Trunks"}) {
        INFO(path);
        CHECK(of.send("GET", path).status == 404);
    }
}

TEST_CASE("softswitch::api: HEAD is what GET is") {
    api_client of;
    const auto answer = of.send("HEAD", "/trunks");
    CHECK(answer.status == 200);
    CHECK(answer.body == of.send("GET", "/trunks").body);
}

TEST_CASE("softswitch::api: a query is refused where there is none to ask") {
    api_client of;
    CHECK(said(of.send("GET", "/trunks?limit=10")) == "400 there are no query parameters here");
    CHECK(said(of.send("GET", "/calls?state=ringing")) ==
          "400 there is no such query parameter; the only one is `ended`");
    CHECK(said(of.send("GET", "/calls?ended=yes")) == "400 ended: has to be true or false");
    CHECK(said(of.send("GET", "/calls?ended=%")) == "400 the query cannot be decoded");
}

TEST_CASE("softswitch::api: a body that is not declared as JSON is not read") {
    api_client of;
    http_request request;
    request.method = "POST";
    request.path = "/trunks";
    request.body = R"({"name": "a"})";
    CHECK(said(of.send(request)) ==
          "415 the body has to be sent with Content-Type: application/json");
    request.content_type = "application/x-www-form-urlencoded";
    CHECK(said(of.send(request)) == "415 Content-Type has to be application/json");
    request.content_type = "Application/JSON; charset=utf-8";
    CHECK(of.send(request).status == 201);
}

TEST_CASE("softswitch::api: a broken database is told, and the switch is told nothing") {
    api_client of;
    of.rows.broken = true;
    CHECK(said(of.send("POST", "/trunks", R"({"name": "a"})")) ==
          "503 the database does not work, and nothing was changed: the disk is full");
    CHECK(of.running.running().empty());
    CHECK(of.send("GET", "/calls").status == 503); // No token can be looked up.
    CHECK(as(of, "Bearer x", "/healthz").status == 200);
}

TEST_CASE("softswitch::api: the document has every route, and no other one") {
    api_client of;
    const auto document = nlohmann::json::parse(as(of, "none", "/openapi.json").body);
    std::set<std::string> described;
    std::set<std::string> open;
    for (const auto& [path, item] : document["paths"].items()) {
        for (const auto& [method, operation] : item.items()) {
            if (method == "parameters") continue;
            auto name = method + " " + path;
            std::ranges::transform(name.substr(0, method.size()), name.begin(),
                                   [](char c) { return static_cast<char>(c - 'a' + 'A'); });
            if (operation.contains("security")) open.insert(name);
            described.insert(std::move(name));
        }
    }
    std::set<std::string> routed;
    std::set<std::string> routed_open;
    for (const auto& one : routes()) {
        const auto name = std::string{one.method} + " " + std::string{one.pattern};
        routed.insert(name);
        if (one.open) routed_open.insert(name);
    }
    CHECK(routed == described);
    CHECK(routed_open == open);
    CHECK(routed.size() == routes().size());
}

TEST_CASE("softswitch::api: the page may load nothing from anywhere else") {
    api_client of;
    const auto page = as(of, "none", "/");
    CHECK(page.content_type == "text/html; charset=utf-8");
    CHECK(page.body.starts_with("<!doctype html>"));
    CHECK(header(page, "Content-Security-Policy").starts_with("default-src 'none'"));
}

} // namespace
} // namespace softswitch
