#include "exchange.hpp"

#include <fmt/format.h>

#include <trunkline/core/text.hpp>

#include "json_reader.hpp"
#include "text.hpp"

namespace softswitch {

http_response json_response(int status, const nlohmann::ordered_json& body) {
    http_response made;
    made.status = status;
    made.body = body.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    return made;
}

http_response created(std::string_view location, const nlohmann::ordered_json& body) {
    auto made = json_response(201, body);
    made.headers.emplace_back("Location", location);
    return made;
}

http_response no_content() {
    http_response made;
    made.status = 204;
    made.content_type.clear();
    return made;
}

http_response refused(const store_error& reason) {
    switch (reason.fault) {
    case store_fault::absent: return error_response(404, reason.message);
    case store_fault::taken: return error_response(409, reason.field, reason.message);
    case store_fault::broken: break;
    }
    return error_response(503,
                          "the database does not work, and nothing was changed: " + reason.message);
}

http_response refused(const field_problem& reason) {
    return error_response(400, reason.field, reason.message);
}

http_response not_found(std::string_view what, std::string_view id) {
    return error_response(404,
                          fmt::format("there is no {} `{}`", what, printable(id.substr(0, 64))));
}

or_answer<nlohmann::json> body_of(const exchange& of) {
    const std::string_view all = of.request.content_type;
    const auto type = trunkline::trimmed(all.substr(0, all.find(';')));
    if (!trunkline::iequals(type, "application/json")) {
        return error_response(415, type.empty() ? "the body has to be sent with Content-Type: "
                                                  "application/json"
                                                : "Content-Type has to be application/json");
    }
    auto parsed = parse_json(of.request.body);
    if (!parsed) return refused(parsed.reason());
    return *std::move(parsed);
}

} // namespace softswitch
