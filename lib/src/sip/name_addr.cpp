#include <trunkline/sip/name_addr.hpp>

#include <algorithm>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/grammar.hpp>

#include "value_reader.hpp"

namespace trunkline::sip {

using namespace grammar;

/// [ display-name ] LAQUOT: the position of the "<".
std::size_t value_reader::display(std::size_t at, std::size_t to, name_addr_view& into) noexcept {
    const auto start = at;
    if (stands('"', at, to)) {
        const auto end = quoted(at, to);
        if (end == none) return none;
        into.display = cut(start, end);
        at = skip_blank(end, to);
        if (!stands('<', at, to)) return nowhere(errc::bad_token, at);
        return at;
    }
    auto end = at;
    while (at < to && text()[at] != '<') {
        end = run_end(at, to, set::token);
        if (end == at) return nowhere(errc::bad_token, at);
        at = skip_blank(end, to);
    }
    into.display = cut(start, end);
    return at;
}

/// Those of the header, among them perhaps a tag.
bool value_reader::own_parameters(std::size_t at, std::size_t to, name_addr_view& into) noexcept {
    into.tag_ = {};
    into.two_tags_ = false;
    bool is_found = false;
    return parameters(at, to, into.parameters, [&](std::string_view name, std::string_view value) {
        if (!iequals(name, "tag")) return;
        into.two_tags_ = is_found;
        if (!is_found) into.tag_ = value;
        is_found = true;
    });
}

bool value_reader::name_addr(std::size_t at, std::size_t to, name_addr_view& into) noexcept {
    at = skip_blank(at, to);
    // A quoted display name may hold a "<", so only an unquoted start is searched for one.
    auto semicolon = at;
    into.bracketed = stands('"', at, to);
    if (!into.bracketed) {
        semicolon = marks_.next(at);
        while (semicolon < to && text()[semicolon] != '<' && text()[semicolon] != ';') {
            semicolon = marks_.next(semicolon + 1);
        }
        semicolon = std::min(semicolon, to);
        into.bracketed = stands('<', semicolon, to);
    }
    if (!into.bracketed) return bare(at, semicolon, to, into);
    into.display = cut(at, at);
    if (!stands('<', at, to)) {
        at = display(at, to, into);
        if (at == none) return false;
    }
    const auto begin = at + 1;
    auto sign = to;
    auto end = marks_.next(begin);
    const auto* const chars = text().data();
    for (; end < to && chars[end] != '>'; end = marks_.next(end + 1)) {
        if (chars[end] == '@' && sign == to) sign = end;
    }
    if (end >= to) return fail(errc::need_more, to);
    return uri(begin, end, std::min(sign, end), into.uri) && own_parameters(end + 1, to, into);
}

/// addr-spec without brackets, up to the `semicolon` of the header's own parameters.
bool value_reader::bare(std::size_t at, std::size_t semicolon, std::size_t to,
                        name_addr_view& into) noexcept {
    into.display = {};
    auto end = semicolon;
    while (end > at && is_blank(text()[end - 1])) --end;
    if (!uri(at, end, into.uri)) return false;
    // Section 20: a URI with a comma, a question mark or a semicolon needs the brackets.
    if (into.uri.text.find_first_of(",?") != std::string_view::npos) {
        return fail(errc::bad_token, at);
    }
    return own_parameters(end, to, into);
}

namespace {

/// Where "<" is followed by a scheme that we know; npos when it is nowhere.
[[nodiscard]] std::size_t bracketed_uri(std::string_view text) noexcept {
    for (auto at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1)) {
        for (const std::string_view scheme : {"sip:", "sips:", "tel:"}) {
            if (iequals(text.substr(at + 1, scheme.size()), scheme)) return at;
        }
    }
    return std::string_view::npos;
}

} // namespace

/// Section 25.1 has a display name quoted where it is more than tokens. CNAM is written as LAST,
/// FIRST, in any alphabet and with brackets, and its quotes are left out.
bool value_reader::odd_name_addr(std::size_t at, std::size_t to, name_addr_view& into,
                                 bool commas) noexcept {
    const auto why = reason_;
    at = skip_blank(at, to);
    const auto found = bracketed_uri(cut(at, to));
    const auto given_up = [&] {
        reason_ = why;
        return false;
    };
    if (found == std::string_view::npos || found == 0 || text()[at] == '"') return given_up();
    auto name = trimmed(cut(at, at + found));
    bool quoted = false;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f || (c == ',' && !commas)) return given_up();
        if (c == '"') quoted = !quoted;
    }
    const auto begin = at + found + 1;
    const auto end = find('>', begin, to);
    if (quoted || end == to) return given_up();
    if (!uri(begin, end, into.uri) || !own_parameters(end + 1, to, into)) return given_up();
    into.display = name;
    into.bracketed = true;
    return true;
}

/// What can still be told of an address that cannot be read: a tag that stands there once, behind
/// the URI if that has brackets.
bool value_reader::lone_tag(std::string_view text, name_addr_view& into) noexcept {
    constexpr std::string_view name = "tag";
    into = {};
    auto at = text.rfind('>');
    if (at == std::string_view::npos) at = 0;
    for (at = text.find(';', at); at != std::string_view::npos; at = text.find(';', at + 1)) {
        auto rest = trimmed(text.substr(at + 1));
        if (!iequals(rest.substr(0, name.size()), name)) continue;
        rest = trimmed(rest.substr(name.size()));
        if (!rest.starts_with('=')) continue;
        rest = trimmed(rest.substr(1));
        const auto end = run(rest, 0, set::token);
        if (end == 0 || !into.tag_.empty()) {
            into = {};
            return false;
        }
        into.tag_ = rest.substr(0, end);
    }
    return !into.tag_.empty();
}

result<name_addr_view> name_addr_view::parse(std::string_view text) noexcept {
    result<name_addr_view> read{name_addr_view{}};
    value_reader in{text};
    if (!in.name_addr(0, text.size(), *read) && !in.odd_name_addr(0, text.size(), *read, true)) {
        read = in.reason();
    }
    return read;
}

} // namespace trunkline::sip
