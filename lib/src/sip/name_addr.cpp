#include <trunkline/sip/name_addr.hpp>

#include <algorithm>

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
    bool is_found = false;
    return parameters(at, to, into.parameters, [&](std::string_view name, std::string_view value) {
        if (is_found || !iequals(name, "tag")) return;
        is_found = true;
        into.tag_ = value;
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

result<name_addr_view> name_addr_view::parse(std::string_view text) noexcept {
    result<name_addr_view> read{name_addr_view{}};
    value_reader in{text};
    if (!in.name_addr(0, text.size(), *read)) read = in.reason();
    return read;
}

} // namespace trunkline::sip
