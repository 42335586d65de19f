// SIP as literal text: what a peer says and what is read off our messages, without the library.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

namespace trunkline::support {

/// Line breaks as on the wire; written with plain ones, so that a test reads like a trace.
[[nodiscard]] inline std::string crlf(std::string_view text) {
    std::string made;
    for (const char c : text) {
        if (c == '\n') made += '\r';
        made += c;
    }
    return made;
}

/// The values of all header lines of that name, found without the library's parser.
[[nodiscard]] inline std::vector<std::string> headers(const std::string& text,
                                                      std::string_view name) {
    std::vector<std::string> found;
    const auto head = text.substr(0, text.find("\r\n\r\n"));
    const std::string wanted = "\r\n" + std::string{name} + ": ";
    for (auto at = head.find(wanted); at != std::string::npos; at = head.find(wanted, at + 2)) {
        const auto start = at + wanted.size();
        const auto end = head.find("\r\n", start);
        found.push_back(head.substr(start, end == std::string::npos ? end : end - start));
    }
    return found;
}
[[nodiscard]] inline std::string header(const std::string& text, std::string_view name) {
    const auto all = headers(text, name);
    return all.empty() ? std::string{} : all.front();
}
[[nodiscard]] inline std::string after(const std::string& text, std::string_view mark) {
    const auto at = text.find(mark);
    if (at == std::string::npos) return {};
    const auto start = at + mark.size();
    return text.substr(start, text.find_first_of(";>, \"\r\n", start) - start);
}
[[nodiscard]] inline std::string tag(const std::string& text, std::string_view name) {
    return after(header(text, name), "tag=");
}
[[nodiscard]] inline std::string branch(const std::string& text) {
    return after(header(text, "Via"), "branch=");
}
[[nodiscard]] inline std::string body(const std::string& text) {
    return text.substr(text.find("\r\n\r\n") + 4);
}
[[nodiscard]] inline std::string start_line(const std::string& text) {
    return text.substr(0, text.find("\r\n"));
}

/// A message of the peer: its head, and a body with the two headers that it needs.
[[nodiscard]] inline std::string message(const std::string& head, std::string_view payload = {},
                                         std::string_view type = "application/sdp") {
    auto made = crlf(head);
    const auto bytes = crlf(payload);
    if (!bytes.empty()) made += "Content-Type: " + std::string{type} + "\r\n";
    return made + "Content-Length: " + std::to_string(bytes.size()) + "\r\n\r\n" + bytes;
}

/// What the peer says to a request of ours; `to` is its tag.
[[nodiscard]] inline std::string answer_to(const std::string& request, std::string_view status,
                                           std::string_view to = "peer1",
                                           std::string_view fields = {},
                                           std::string_view payload = {}) {
    std::string head = "SIP/2.0 " + std::string{status} + "\n";
    for (const auto& via : headers(request, "Via")) head += "Via: " + via + "\n";
    head += "From: " + header(request, "From") + "\n";
    const auto whom = header(request, "To");
    head += "To: " + whom;
    if (whom.find("tag=") == std::string::npos && !to.empty()) head += ";tag=" + std::string{to};
    head += "\nCall-ID: " + header(request, "Call-ID") + "\nCSeq: " + header(request, "CSeq") +
            "\n" + std::string{fields};
    return message(head, payload);
}

inline const std::string their_sdp = "v=0\n"
                                     "o=- 1 1 IN IP4 192.0.2.20\n"
                                     "s=-\n"
                                     "c=IN IP4 192.0.2.20\n"
                                     "t=0 0\n"
                                     "m=audio 30000 RTP/AVP 0 8 101\n"
                                     "a=rtpmap:0 PCMU/8000\n"
                                     "a=rtpmap:8 PCMA/8000\n"
                                     "a=rtpmap:101 telephone-event/8000\n"
                                     "a=fmtp:101 0-15\n"
                                     "a=sendrecv\n";
[[nodiscard]] inline std::string replaced(std::string text, std::string_view what,
                                          std::string_view by) {
    const auto at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), by);
}

} // namespace trunkline::support
