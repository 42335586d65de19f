#include "socket_url.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <trunkline/core/address.hpp>
#include <trunkline/core/text.hpp>

#include "text.hpp"

namespace softswitch {

namespace {

constexpr std::size_t longest = 2'048;
constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

[[nodiscard]] std::size_t scheme_size(std::string_view text) noexcept {
    for (const std::string_view scheme : {"wss://", "ws://"}) {
        if (text.size() >= scheme.size() &&
            trunkline::iequals(text.substr(0, scheme.size()), scheme)) {
            return scheme.size();
        }
    }
    return 0;
}

} // namespace

bool is_socket_url(std::string_view text) noexcept {
    return scheme_size(text) != 0;
}

std::string socket_url::authority() const {
    const bool literal = host.find(':') != std::string::npos;
    const auto shown = literal ? '[' + host + ']' : host;
    if (port == (secure ? https_port : http_port)) return shown;
    return fmt::format("{}:{}", shown, port);
}

trunkline::result<socket_url, std::string> socket_url::parse(std::string_view text) {
    const auto wrong = [](std::string_view why) -> std::string {
        return fmt::format("a socket is written ws://host:port/path or wss://host/path: {}", why);
    };
    const auto scheme = scheme_size(text);
    if (scheme == 0) return wrong("it begins with another scheme");
    if (text.size() > longest) return wrong("it is longer than 2048 characters");
    if (!std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; })) {
        return wrong("it has characters that have to be percent-encoded");
    }
    socket_url made;
    made.text = text;
    made.secure = scheme == 6;
    made.port = made.secure ? https_port : http_port;
    auto rest = text.substr(scheme);
    const auto end = std::min(rest.find_first_of("/?#"), rest.size());
    auto authority = rest.substr(0, end);
    const auto target = rest.substr(end);
    if (target.find('#') != std::string_view::npos) return wrong("it has a fragment");
    if (authority.find('@') != std::string_view::npos) {
        return wrong("user and password cannot stand in it");
    }
    if (!target.empty()) made.target = target.front() == '/' ? target : '/' + std::string{target};
    const bool bracket = authority.starts_with('[');
    const auto close = bracket ? authority.find(']') : authority.rfind(':');
    if (bracket && close == std::string_view::npos) return wrong("a bracket is not closed");
    auto host = bracket ? authority.substr(1, close - 1) : authority.substr(0, close);
    auto port = std::string_view{};
    if (close != std::string_view::npos) port = authority.substr(bracket ? close + 1 : close);
    if (!port.empty()) {
        const auto number = port.front() == ':' ? parse_port(port.substr(1)) : std::nullopt;
        if (!number) return wrong("the port has to be from 1 to 65535");
        made.port = *number;
    }
    const auto is_name = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.' || c == '_';
    };
    if (host.empty()) return wrong("it names no host");
    if (bracket ? !trunkline::address::parse(host) : !std::ranges::all_of(host, is_name)) {
        return wrong(fmt::format("`{}` is no host", host));
    }
    made.host = host;
    return made;
}

} // namespace softswitch
