#include "api.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <trunkline/core/text.hpp>

#include "call_handlers.hpp"
#include "embedded/page_index_html.hpp"
#include "embedded/rest_openapi_json.hpp"
#include "store/token.hpp"
#include "text.hpp"
#include "trunk_handlers.hpp"

namespace softswitch {

namespace {

[[nodiscard]] http_response document(std::string_view type, std::string_view text) {
    http_response made;
    made.content_type = type;
    made.body = text;
    return made;
}

[[nodiscard]] http_response show_page(const exchange& /*the same for all*/) {
    auto made = document("text/html; charset=utf-8", embedded::page_index_html);
    // It is one file: whatever else it would load or send somewhere is not ours.
    made.headers.emplace_back("Content-Security-Policy",
                              "default-src 'none'; script-src 'unsafe-inline'; style-src "
                              "'unsafe-inline'; img-src data:; connect-src 'self'; "
                              "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    return made;
}

[[nodiscard]] http_response show_openapi(const exchange& /*the same for all*/) {
    return document("application/json", embedded::rest_openapi_json);
}

[[nodiscard]] http_response health_of(const switch_port& running) {
    return json_response(200, {{"status", "ok"}, {"calls", running.calls().size()}});
}

[[nodiscard]] http_response show_health(const exchange& of) {
    return health_of(of.running);
}

constexpr std::array all_routes{
    route{"GET", "/", show_page, true, false},
    route{"GET", "/healthz", show_health, true, false},
    route{"GET", "/openapi.json", show_openapi, true, false},
    route{"GET", "/trunks", handlers::list_trunks},
    route{"POST", "/trunks", handlers::create_trunk},
    route{"GET", "/trunks/{id}", handlers::get_trunk},
    route{"PATCH", "/trunks/{id}", handlers::change_trunk},
    route{"DELETE", "/trunks/{id}", handlers::delete_trunk},
    route{"GET", "/trunks/{id}/gateways", handlers::list_gateways},
    route{"POST", "/trunks/{id}/gateways", handlers::add_gateway},
    route{"GET", "/trunks/{id}/gateways/{gateway_id}", handlers::get_gateway},
    route{"PATCH", "/trunks/{id}/gateways/{gateway_id}", handlers::change_gateway},
    route{"DELETE", "/trunks/{id}/gateways/{gateway_id}", handlers::delete_gateway},
    route{"GET", "/trunks/{id}/ip-acls", handlers::list_ip_acls},
    route{"POST", "/trunks/{id}/ip-acls", handlers::add_ip_acl},
    route{"GET", "/trunks/{id}/ip-acls/{ip_acl_id}", handlers::get_ip_acl},
    route{"DELETE", "/trunks/{id}/ip-acls/{ip_acl_id}", handlers::delete_ip_acl},
    route{"GET", "/trunks/{id}/numbers", handlers::list_numbers},
    route{"POST", "/trunks/{id}/numbers", handlers::add_number},
    route{"GET", "/numbers/{id}", handlers::get_number},
    route{"PATCH", "/numbers/{id}", handlers::change_number},
    route{"DELETE", "/numbers/{id}", handlers::delete_number},
    route{"GET", "/calls", handlers::list_calls, false, true},
    route{"POST", "/calls", handlers::place_call},
    route{"GET", "/calls/{id}", handlers::get_call},
    route{"DELETE", "/calls/{id}", handlers::hang_up_call},
    route{"POST", "/calls/{id}/transfer", handlers::transfer_call},
    route{"GET", "/events", handlers::watch_events, false, true},
};

/// What stands where the pattern has "{...}", or nothing when the path is another one.
[[nodiscard]] std::optional<std::vector<std::string>> match(std::string_view pattern,
                                                            const std::vector<std::string>& path) {
    std::vector<std::string> ids;
    std::size_t index = 0;
    pattern.remove_prefix(1);
    while (!pattern.empty()) {
        if (index == path.size()) return std::nullopt;
        const auto slash = std::min(pattern.find('/'), pattern.size());
        const auto segment = pattern.substr(0, slash);
        pattern.remove_prefix(std::min(slash + 1, pattern.size()));
        if (segment.starts_with('{')) {
            if (path[index].empty()) return std::nullopt;
            ids.push_back(path[index]);
        } else if (segment != path[index]) {
            return std::nullopt;
        }
        ++index;
    }
    if (index != path.size()) return std::nullopt;
    return ids;
}

[[nodiscard]] http_response nowhere(std::string_view path) {
    return error_response(404, fmt::format("there is no {} here: /openapi.json says what there is",
                                           printable(path.substr(0, 128))));
}

[[nodiscard]] std::string_view bearer_of(std::string_view authorization) {
    constexpr std::string_view scheme = "bearer ";
    if (!trunkline::iequals(authorization.substr(0, scheme.size()), scheme)) return {};
    return trunkline::trimmed(authorization.substr(scheme.size()));
}

/// A token that was refused: its beginning says whose it may have been, its end opens the door.
/// One that could be a whole password is not named at all.
void note_refusal(const http_request& of, std::string_view token) {
    constexpr std::size_t shown = 6;
    constexpr std::size_t enough_hidden = 24;
    const auto named =
        token.empty() ? std::string{"no token"}
        : token.size() < shown + enough_hidden
            ? std::string{"an unknown token"}
            : fmt::format("an unknown token that begins `{}`", printable(token.substr(0, shown)));
    spdlog::warn("REST: {} refused from {}: {} {}", named, of.peer,
                 printable(of.method.substr(0, 32)), printable(of.path.substr(0, 128)));
}

/// What was changed, or was to be: by whose token, from where, and what came of it. Bodies hold
/// passwords and telephone numbers, and are not in it.
void note_change(const http_request& of, std::string_view who, const http_response& answer) {
    std::string_view made;
    for (const auto& [name, value] : answer.headers) {
        if (name == "Location") made = value;
    }
    spdlog::info("REST: token `{}` from {}: {} {}{}{}: {}", printable(who), of.peer, of.method,
                 printable(of.path.substr(0, 128)), made.empty() ? "" : " made ", made,
                 answer.status);
}

} // namespace

std::span<const route> routes() noexcept {
    return all_routes;
}

api::api(store& rows, switch_port& running, clock now)
    : rows_{rows},
      running_{running},
      now_{std::move(now)} {}

http_response api::handle(const http_request& request) noexcept {
    try {
        return answer(request);
    } catch (const std::exception& thrown) {
        spdlog::error("a {} of {} failed: {}", printable(request.method), printable(request.path),
                      thrown.what());
        return error_response(500, "this is a mistake of ours, and the log has more of it");
    }
}

http_response api::health() const noexcept {
    return health_of(running_);
}

std::optional<http_response> api::stranger(const http_request& request, std::string& who) {
    const auto token = bearer_of(request.authorization);
    std::string_view wrong = "send Authorization: Bearer with a token that `softswitch token` made";
    if (!token.empty()) {
        auto known = rows_.find_token(token_hash(token));
        if (!known) return refused(known.reason());
        if (*known) {
            who = **std::move(known);
            return std::nullopt;
        }
        wrong = "the token is not known: it was revoked, or never ours";
    }
    note_refusal(request, token);
    auto made = error_response(401, wrong);
    made.headers.emplace_back("WWW-Authenticate", R"(Bearer realm="softswitch")");
    return made;
}

http_response api::answer(const http_request& request) {
    const auto method = request.method == "HEAD" ? std::string_view{"GET"} : request.method;
    const auto path = path_segments(request.path);
    const route* found = nullptr;
    std::vector<std::string> ids;
    std::string allowed;
    std::string who;
    for (const auto& one : routes()) {
        if (!path) break;
        auto at = match(one.pattern, *path);
        if (!at) continue;
        allowed += fmt::format("{}{}{}", allowed.empty() ? "" : ", ", one.method,
                               one.method == "GET" ? ", HEAD" : "");
        if (one.method != method) continue;
        found = &one;
        ids = *std::move(at);
    }
    // A stranger is not told what there is.
    if (found == nullptr || !found->open) {
        if (auto refusal = stranger(request, who)) return *std::move(refusal);
    }
    if (allowed.empty()) return nowhere(request.path);
    if (found == nullptr) {
        auto made =
            error_response(405, fmt::format("{} is not done here: {} is",
                                            printable(request.method.substr(0, 32)), allowed));
        made.headers.emplace_back("Allow", std::move(allowed));
        return made;
    }
    if (!request.query.empty() && !found->has_query) {
        return error_response(400, "there are no query parameters here");
    }
    auto made = found->handle({request, ids, rows_, running_, now_(), who});
    if (method != "GET") note_change(request, who, made);
    return made;
}

} // namespace softswitch
