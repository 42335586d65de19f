#include "mask.hpp"

#include <algorithm>
#include <array>

#include <trunkline/core/text.hpp>

namespace softswitch {

namespace {

using trunkline::iequals;
using trunkline::trimmed;

constexpr std::string_view hidden = "***";

enum class secrecy { open, credentials, whole };

[[nodiscard]] secrecy secrecy_of(std::string_view name) {
    constexpr std::array<std::string_view, 6> credentials{
        "Authorization",      "Proxy-Authorization", "WWW-Authenticate",
        "Proxy-Authenticate", "Authentication-Info", "Proxy-Authentication-Info"};
    // A carrier's own way of saying who calls; and a signature that is worth as much while it
    // lasts.
    constexpr std::array<std::string_view, 3> whole{"X-Telnyx-Token", "P-Charge-Info", "Identity"};
    // Identity's compact form is "y" (RFC 8224).
    const auto is_name = [&](std::string_view known) { return iequals(name, known); };
    if (std::ranges::any_of(credentials, is_name)) return secrecy::credentials;
    if (std::ranges::any_of(whole, is_name) || iequals(name, "y")) return secrecy::whole;
    return secrecy::open;
}

[[nodiscard]] bool may_be_shown(std::string_view parameter) {
    constexpr std::array<std::string_view, 8> shown{"username", "realm", "uri",   "algorithm",
                                                    "qop",      "nc",    "stale", "domain"};
    return std::ranges::any_of(shown,
                               [&](std::string_view known) { return iequals(parameter, known); });
}

/// Where a parameter ends: at the comma, unless a quoted string holds it.
[[nodiscard]] std::size_t end_of_parameter(std::string_view text) {
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (quoted && text[i] == '\\') {
            ++i;
        } else if (text[i] == '"') {
            quoted = !quoted;
        } else if (text[i] == ',' && !quoted) {
            return i;
        }
    }
    return text.size();
}

[[nodiscard]] std::string masked_parameters(std::string_view text) {
    std::string shown;
    while (!text.empty()) {
        const auto parameter = text.substr(0, end_of_parameter(text));
        text.remove_prefix(std::min(parameter.size() + 1, text.size()));
        const auto equals = parameter.find('=');
        if (!shown.empty()) shown += ", ";
        const auto name = trimmed(parameter.substr(0, equals));
        if (equals == std::string_view::npos) {
            // Without a name nobody knows what it is.
            shown += name.empty() ? std::string_view{} : hidden;
        } else if (may_be_shown(name)) {
            shown += trimmed(parameter);
        } else {
            shown.append(name).append("=").append(hidden);
        }
    }
    return shown;
}

/// As masked_header(), for a value that may still be folded.
[[nodiscard]] std::string masked_credentials(std::string_view name, std::string_view value) {
    value = trimmed(value);
    // These two have no scheme before their parameters.
    if (iequals(name, "Authentication-Info") || iequals(name, "Proxy-Authentication-Info")) {
        return masked_parameters(value);
    }
    const auto scheme = value.substr(0, value.find_first_of(" \t\r\n"));
    if (!iequals(scheme, "Digest")) {
        // "Basic" and "Bearer" are words, their arguments are secrets; one word alone is one, too.
        const bool alone = scheme.size() == value.size();
        return alone ? std::string{hidden} : std::string{scheme}.append(" ").append(hidden);
    }
    return std::string{scheme}.append(" ").append(masked_parameters(value.substr(scheme.size())));
}

[[nodiscard]] std::string masked_crypto(std::string_view line) {
    std::string shown;
    for (;;) {
        constexpr std::string_view method = "inline:";
        const auto found = std::ranges::search(
            line, method, [](char a, char b) { return trunkline::to_lower(a) == b; });
        if (found.empty()) return shown.append(line);
        const auto key = static_cast<std::size_t>(found.end() - line.begin());
        shown.append(line.substr(0, key)).append(hidden);
        line.remove_prefix(key);
        // Lifetime and MKI stay; the key ends before them, or before the next one.
        line.remove_prefix(std::min(line.find_first_of("|; \t"), line.size()));
    }
}

[[nodiscard]] bool istarts_with(std::string_view text, std::string_view prefix) {
    return iequals(text.substr(0, prefix.size()), prefix);
}

/// The line that `text` begins with, which is cut off, with its line break in `line_break`.
[[nodiscard]] std::string_view next_line(std::string_view& text, std::string_view& line_break) {
    const auto feed = text.find('\n');
    const auto end = feed == std::string_view::npos ? text.size() : feed;
    const bool has_return = feed != std::string_view::npos && end > 0 && text[end - 1] == '\r';
    const auto line = text.substr(0, has_return ? end - 1 : end);
    line_break =
        text.substr(line.size(), feed == std::string_view::npos ? 0 : feed + 1 - line.size());
    text.remove_prefix(line.size() + line_break.size());
    return line;
}

/// Of a header that goes on in the next lines (RFC 3261 7.3.1), all of it.
[[nodiscard]] std::string_view with_folds(std::string_view line, std::string_view& rest,
                                          std::string_view& line_break) {
    const auto* const begin = line.data();
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) {
        line = next_line(rest, line_break);
    }
    return {begin, static_cast<std::size_t>(line.data() + line.size() - begin)};
}

} // namespace

std::string masked_header(std::string_view name, std::string_view value) {
    name = trimmed(name);
    switch (secrecy_of(name)) {
    case secrecy::credentials: return masked_credentials(name, value);
    case secrecy::whole: return std::string{hidden};
    case secrecy::open: break;
    }
    return masked_uri(value);
}

std::string masked_body_line(std::string_view line) {
    if (istarts_with(line, "a=crypto:")) return masked_crypto(line);
    for (const std::string_view secret : {"k=", "a=key-mgmt:", "a=ice-pwd:"}) {
        if (istarts_with(line, secret)) {
            return std::string{line.substr(0, secret.size())}.append(hidden);
        }
    }
    return std::string{line};
}

std::string masked_uri(std::string_view text) {
    std::string shown;
    while (!text.empty()) {
        // "sip:" and "sips:", wherever they stand: where the user part begins.
        std::size_t user = 0;
        for (std::size_t i = 0; i < text.size() && user == 0; ++i) {
            if (istarts_with(text.substr(i), "sip:")) user = i + 4;
            if (istarts_with(text.substr(i), "sips:")) user = i + 5;
        }
        if (user == 0) break;
        shown.append(text.substr(0, user));
        text.remove_prefix(user);
        const auto end = text.find_first_of("@<> \t\",\r\n");
        if (end == std::string_view::npos || text[end] != '@') continue;
        const auto colon = text.find(':');
        if (colon >= end) continue;
        shown.append(text.substr(0, colon + 1)).append(hidden);
        text.remove_prefix(end);
    }
    return shown.append(text);
}

std::string masked_message(std::string_view message) {
    std::string shown;
    std::string_view line_break;
    bool in_body = false;
    bool first = true;
    while (!message.empty()) {
        auto line = next_line(message, line_break);
        if (in_body) {
            shown.append(masked_body_line(line)).append(line_break);
            continue;
        }
        if (line.empty()) {
            // Line breaks before a message are keep-alives, not the end of its head (7.5).
            in_body = !first;
            shown.append(line_break);
            continue;
        }
        if (!first) line = with_folds(line, message, line_break);
        const auto colon = line.find(':');
        const auto name = trimmed(line.substr(0, colon));
        if (colon == std::string_view::npos || secrecy_of(name) == secrecy::open) {
            shown.append(masked_uri(line));
        } else {
            shown.append(line.substr(0, colon + 1)).append(" ");
            shown.append(masked_header(name, line.substr(colon + 1)));
        }
        shown.append(line_break);
        first = false;
    }
    return shown;
}

} // namespace softswitch
