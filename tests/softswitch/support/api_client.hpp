// One API with a store and a switch behind it, and requests by a client who has a token.
#pragma once

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "rest/api.hpp"
#include "rest/ids.hpp"
#include "softswitch/support/fake_switch.hpp"
#include "softswitch/support/memory_store.hpp"

namespace softswitch::testing {

class api_client {
public:
    using json = nlohmann::json;

    api_client() { rows.token_hashes.insert(sha256_hex("tl_secret")); }

    memory_store rows;
    fake_switch running;

    [[nodiscard]] http_response send(http_request request) {
        if (request.authorization.empty()) request.authorization = "Bearer tl_secret";
        return api_.handle(request);
    }
    [[nodiscard]] http_response send(std::string method, std::string path, std::string body = {}) {
        http_request request;
        request.method = std::move(method);
        const auto query = std::min(path.find('?'), path.size());
        request.path = path.substr(0, query);
        request.query = path.substr(std::min(query + 1, path.size()));
        if (!body.empty()) request.content_type = "application/json";
        request.body = std::move(body);
        return send(std::move(request));
    }
    /// The answer's body, of a request that has to succeed.
    json done(std::string method, std::string path, const json& body = {}) {
        const auto answer =
            send(std::move(method), std::move(path), body.is_null() ? std::string{} : body.dump());
        INFO(answer.body);
        REQUIRE(answer.status / 100 == 2);
        return answer.body.empty() ? json() : json::parse(answer.body);
    }

private:
    api api_{rows, running, [] { return 1'785'652'200'123'456'789; }};
};

[[nodiscard]] inline nlohmann::json body_of(const http_response& answer) {
    return nlohmann::json::parse(answer.body);
}

/// "400 channels: has to be an integer, and is a string"
[[nodiscard]] inline std::string said(const http_response& answer) {
    const auto body = body_of(answer);
    REQUIRE(body.at("error") == answer.status);
    return std::to_string(answer.status) + " " + body.at("message").get<std::string>();
}

} // namespace softswitch::testing
