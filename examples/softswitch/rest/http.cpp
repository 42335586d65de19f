#include "http.hpp"

#include <charconv>
#include <chrono>
#include <iterator>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace softswitch {

http_response error_response(int status, std::string_view field, std::string_view message) {
    nlohmann::ordered_json body{{"error", status}};
    if (field.empty()) {
        body["message"] = message;
    } else {
        body["message"] = fmt::format("{}: {}", field, message);
        body["field"] = field;
    }
    http_response made;
    made.status = status;
    // A field's name may quote the request, which need not be UTF-8.
    made.body = body.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    return made;
}

http_response error_response(int status, std::string_view message) {
    return error_response(status, {}, message);
}

std::string_view reason_phrase(int status) noexcept {
    switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
    }
}

std::string to_wire(const http_response& what, wire_options how) {
    auto made = fmt::format("HTTP/1.1 {} {}\r\nConnection: {}\r\n", what.status,
                            reason_phrase(what.status), how.keep_alive ? "keep-alive" : "close");
    auto into = std::back_inserter(made);
    const auto now =
        fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
    fmt::format_to(into, "Date: {:%a, %d %b %Y %H:%M:%S} GMT\r\n", now);
    if (!what.content_type.empty()) {
        fmt::format_to(into, "Content-Type: {}\r\nX-Content-Type-Options: nosniff\r\n",
                       what.content_type);
    }
    for (const auto& [name, value] : what.headers) {
        fmt::format_to(into, "{}: {}\r\n", name, value);
    }
    if (how.chunked) {
        made += "Transfer-Encoding: chunked\r\n";
    } else if (what.status != 204) {
        fmt::format_to(into, "Content-Length: {}\r\n", what.body.size());
    }
    made += "\r\n";
    if (how.with_body && !how.chunked) made += what.body;
    return made;
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string made;
    made.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            made += text[i];
            continue;
        }
        const auto digits = text.substr(i + 1, 2);
        std::uint8_t value = 0;
        const auto* const end = digits.data() + digits.size();
        const auto read = std::from_chars(digits.data(), end, value, 16);
        if (digits.size() != 2 || read.ec != std::errc{} || read.ptr != end) return std::nullopt;
        made += static_cast<char>(value);
        i += 2;
    }
    return made;
}

std::optional<std::vector<std::string>> path_segments(std::string_view path) {
    if (!path.starts_with('/')) return std::nullopt;
    std::vector<std::string> made;
    path.remove_prefix(1);
    if (path.empty()) return made;
    while (true) {
        const auto slash = path.find('/');
        auto segment = percent_decoded(path.substr(0, slash));
        if (!segment) return std::nullopt;
        made.push_back(std::move(*segment));
        if (slash == std::string_view::npos) return made;
        path.remove_prefix(slash + 1);
    }
}

std::optional<std::vector<std::pair<std::string, std::string>>>
query_parameters(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> made;
    while (!query.empty()) {
        const auto ampersand = query.find('&');
        const auto one = query.substr(0, ampersand);
        query.remove_prefix(ampersand == std::string_view::npos ? query.size() : ampersand + 1);
        if (one.empty()) continue;
        const auto equals = one.find('=');
        auto name = percent_decoded(one.substr(0, equals));
        auto value = percent_decoded(equals == std::string_view::npos ? std::string_view{}
                                                                      : one.substr(equals + 1));
        if (!name || !value) return std::nullopt;
        made.emplace_back(std::move(*name), std::move(*value));
    }
    return made;
}

} // namespace softswitch
