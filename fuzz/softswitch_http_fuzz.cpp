#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "rest/http.hpp"
#include "rest/webhook_url.hpp"

namespace {

using namespace softswitch;

void require(bool holds) {
    if (!holds) std::abort();
}

/// RFC 3986 section 2.1: what is encoded byte by byte is decoded to those bytes.
void require_round_trip(std::string_view text) {
    std::string encoded;
    for (const char c : text) encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    require(percent_decoded(encoded) == text);
    const auto segments = path_segments("/" + encoded);
    require(segments && segments->size() == (text.empty() ? 0U : 1U));
    if (!text.empty()) require(segments->front() == text);
    const auto query = query_parameters("a=" + encoded);
    require(query && query->size() == 1 && query->front().second == text);
}

/// RFC 9112: one head, whose length is that of the body, and no line in it that we did not write.
void require_framed(const http_response& what, wire_options how) {
    const auto wire = to_wire(what, how);
    const auto end = wire.find("\r\n\r\n");
    require(end != std::string::npos && wire.starts_with("HTTP/1.1 "));
    const std::string_view head{wire.data(), end + 2};
    const auto body = std::string_view{wire}.substr(end + 4);
    require(body.size() == (how.with_body && !how.chunked ? what.body.size() : 0));
    std::size_t lines = 0;
    for (const char c : head) lines += c == '\n';
    require(lines == 6 + what.headers.size());
    const std::string_view length = "\r\nContent-Length: ";
    const auto at = head.find(length);
    require((at == std::string_view::npos) == how.chunked);
    if (how.chunked) return;
    std::size_t told = 0;
    std::from_chars(head.data() + at + length.size(), head.data() + head.size(), told);
    require(told == what.body.size());
}

} // namespace

/// A path, a query and a complaint about them, of any bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto how = data[0];
    const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
    require_round_trip(text);
    require(!wrong_with_webhook_url(text).empty() || !receiver_of(text).empty());
    const auto question = text.find('?');
    const auto path = text.substr(0, question);
    if (const auto segments = path_segments(path)) {
        std::size_t bytes = 0;
        for (const auto& one : *segments) bytes += one.size();
        require(bytes < path.size());
    }
    if (question != std::string_view::npos) {
        const auto query = text.substr(question + 1);
        if (const auto parameters = query_parameters(query)) {
            for (const auto& [name, value] : *parameters) {
                require(name.size() + value.size() <= query.size());
            }
        }
    }
    const auto response = error_response(400, path, text);
    const auto told = nlohmann::json::parse(response.body, nullptr, false);
    require(!told.is_discarded() && told["error"] == 400);
    require_framed(
        response,
        {.keep_alive = (how & 1) != 0, .chunked = (how & 2) != 0, .with_body = (how & 4) != 0});
    return 0;
}
