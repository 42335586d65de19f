#include <trunkline/sip/name_addr.hpp>

#include <trunkline/sip/grammar.hpp>

#include "value_reader.hpp"

namespace trunkline::sip {

using namespace grammar;

/// [ display-name ] LAQUOT: the position of the "<".
result<std::size_t> value_reader::display(std::size_t at, std::size_t to,
                                          name_addr_view& into) noexcept {
    const auto start = at;
    if (stands('"', at, to)) {
        const auto end = quoted(at, to);
        if (!end) return end.reason();
        into.display = cut(start, *end);
        at = skip_blank(*end, to);
        if (!stands('<', at, to)) return wrong(errc::bad_token, at);
        return at;
    }
    auto end = at;
    while (at < to && text()[at] != '<') {
        end = run_end(at, to, set::token);
        if (end == at) return wrong(errc::bad_token, at);
        at = skip_blank(end, to);
    }
    into.display = cut(start, end);
    return at;
}

result<void> value_reader::name_addr(std::size_t at, std::size_t to,
                                     name_addr_view& into) noexcept {
    into = {};
    at = skip_blank(at, to);
    // A quoted display name may hold a "<", so only an unquoted start is searched for one.
    into.bracketed = stands('"', at, to);
    auto semicolon = at;
    if (!into.bracketed) {
        const auto is_either = [&](char c) { return c == '<' || c == ';'; };
        semicolon = marks_.next(at);
        while (semicolon < to && !is_either(text()[semicolon])) {
            semicolon = marks_.next(semicolon + 1);
        }
        semicolon = std::min(semicolon, to);
        into.bracketed = stands('<', semicolon, to);
    }
    auto uri_at = at;
    auto uri_end = semicolon;
    auto rest = uri_end;
    if (into.bracketed) {
        const auto opening = display(at, to, into);
        if (!opening) return opening.reason();
        uri_at = *opening + 1;
        uri_end = find('>', uri_at, to);
        if (uri_end == to) return wrong(errc::need_more, to);
        rest = uri_end + 1;
    } else {
        while (uri_end > uri_at && (text()[uri_end - 1] == ' ' || text()[uri_end - 1] == '\t')) {
            --uri_end;
        }
        rest = uri_end;
    }
    if (const auto read = uri(uri_at, uri_end, into.uri); !read) return read;
    // Section 20: a URI with a comma, a question mark or a semicolon needs the brackets.
    if (!into.bracketed && into.uri.text.find_first_of(",?") != std::string_view::npos) {
        return wrong(errc::bad_token, uri_at);
    }
    return parameters(rest, to, into.parameters, "tag", into.tag_);
}

result<name_addr_view> name_addr_view::parse(std::string_view text) noexcept {
    name_addr_view read;
    value_reader in{text};
    if (const auto done = in.name_addr(0, text.size(), read); !done) return done.reason();
    return read;
}

} // namespace trunkline::sip
