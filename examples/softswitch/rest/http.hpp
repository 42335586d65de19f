// Requests and responses as values: what the API reads and answers, whichever library carries them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace softswitch {

/// Headers that are not there are empty.
struct http_request {
    std::string method{}; ///< "GET"; upper case, as it came.
    std::string path{};   ///< Up to "?", still percent-encoded.
    std::string query{};  ///< What follows "?", still percent-encoded.
    std::string authorization{};
    std::string content_type{};
    std::string idempotency_key{};
    std::string last_event_id{};
    std::string body{};
    std::string peer{}; ///< The address that it came from, for the log.
};

struct http_response {
    int status = 200;
    std::string content_type{"application/json"};
    std::string body{};
    std::vector<std::pair<std::string, std::string>> headers{}; ///< Beside type and length.
    /// The body has no end: it is what happens after the event of this number, as server-sent
    /// events. Nothing: whatever happens from now on.
    struct stream {
        std::optional<std::uint64_t> after{};
    };
    std::optional<stream> events{};
};

/// `{"error": 400, "message": "channels: has to be an integer, and is a string", "field":
/// "channels"}`. Without a field the message stands alone.
[[nodiscard]] http_response error_response(int status, std::string_view field,
                                           std::string_view message);
[[nodiscard]] http_response error_response(int status, std::string_view message);

/// "Not Found" for 404, of those that we answer (RFC 9110 section 15).
[[nodiscard]] std::string_view reason_phrase(int status) noexcept;

/// How a response is put on the wire.
struct wire_options {
    bool keep_alive = false; ///< Another request may follow on the connection.
    bool chunked = false;    ///< The body has chunks that come later, and its own is left out.
    bool with_body = true;   ///< Not for HEAD.
};

/// HTTP/1.1, of our own: RESTinio would give a 204 a length, which RFC 9110 section 8.6 forbids.
[[nodiscard]] std::string to_wire(const http_response& what, wire_options how);

/// RFC 3986 section 2.1. Nothing when a "%" is not followed by two hex digits.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

/// "/trunks/a%2Fb" is {"trunks", "a/b"}, and "/" is nothing at all. Nothing when the path does not
/// begin with "/" or cannot be decoded.
[[nodiscard]] std::optional<std::vector<std::string>> path_segments(std::string_view path);

/// "a=1&b" is {{"a", "1"}, {"b", ""}}. Nothing when it cannot be decoded.
[[nodiscard]] std::optional<std::vector<std::pair<std::string, std::string>>>
query_parameters(std::string_view query);

} // namespace softswitch
