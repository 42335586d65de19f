// What a handler has at hand for one request, and the answers that all handlers give.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <trunkline/core/result.hpp>

#include "http.hpp"
#include "store/store.hpp"
#include "switch_port.hpp"

namespace softswitch {

struct exchange {
    const http_request& request;
    const std::vector<std::string>& ids; ///< What stands where the route has "{...}".
    store& rows;
    switch_port& running;
    std::int64_t now_unix_ns = 0;
    std::string_view token{}; ///< The name of the one that was shown.
};

using handler = http_response (*)(const exchange& of);

/// What was asked for, or what the client is told instead.
template <class Value>
using or_answer = trunkline::result<Value, http_response>;

/// ASCII, and a line break at its end for those who read it in a terminal.
[[nodiscard]] http_response json_response(int status, const nlohmann::ordered_json& body);
/// 201, and where what was made is found from now on.
[[nodiscard]] http_response created(std::string_view location, const nlohmann::ordered_json& body);
[[nodiscard]] http_response no_content();
/// 404, 409 or 503.
[[nodiscard]] http_response refused(const store_error& reason);
[[nodiscard]] http_response refused(const field_problem& reason);                  ///< 400.
[[nodiscard]] http_response not_found(std::string_view what, std::string_view id); ///< 404.

/// 415 for what is not application/json, 400 for what is no JSON.
[[nodiscard]] or_answer<nlohmann::json> body_of(const exchange& of);

} // namespace softswitch
