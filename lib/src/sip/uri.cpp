#include <trunkline/sip/uri.hpp>

#include <algorithm>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/grammar.hpp>

#include "value_reader.hpp"

namespace trunkline::sip {

using namespace grammar;

result<void> value_reader::uri(std::size_t at, std::size_t to, uri_view& into) noexcept {
    into = {};
    into.text = cut(at, to);
    const bool usual = into.text.starts_with("sip:");
    const auto colon = usual ? at + 3 : find(':', at, to);
    if (colon == to || colon == at) return wrong(errc::need_more, to);
    const auto scheme = cut(at, colon);
    if (usual || iequals(scheme, "sip")) {
        into.scheme = uri_view::scheme_kind::sip;
    } else if (iequals(scheme, "sips")) {
        into.scheme = uri_view::scheme_kind::sips;
    } else if (iequals(scheme, "tel")) {
        into.scheme = uri_view::scheme_kind::tel;
        return telephone(colon + 1, to, into);
    } else {
        return other_scheme(at, colon, to);
    }
    const auto host_at = user_info(colon + 1, to, into);
    if (!host_at) return host_at.reason();
    const auto where = host(*host_at, to, false);
    if (!where) return where.reason();
    into.host = where->host;
    into.port = where->port;
    into.has_port = where->has_port;
    const auto question = uri_parameters(where->end, to, true);
    if (!question) return question.reason();
    into.parameters = cut(where->end, *question);
    if (*question == to) return {};
    into.headers = cut(*question + 1, to);
    return escaped(*question + 1, to, set::uri_param);
}

/// [ userinfo ]: the position where the host begins.
result<std::size_t> value_reader::user_info(std::size_t at, std::size_t to,
                                            uri_view& into) noexcept {
    const auto sign = find('@', at, to);
    if (sign == to) return at;
    const auto colon = find(':', at, sign);
    if (colon == at) return wrong(errc::bad_token, at);
    into.user = cut(at, colon);
    if (const auto checked = escaped(at, colon, set::user); !checked) return checked.reason();
    if (colon < sign) {
        into.password = cut(colon + 1, sign);
        const auto checked = escaped(colon + 1, sign, set::user);
        if (!checked) return checked.reason();
    }
    return sign + 1;
}

result<std::size_t> value_reader::uri_parameters(std::size_t at, std::size_t to,
                                                 bool headers) noexcept {
    while (at < to && !(headers && text()[at] == '?')) {
        if (text()[at] != ';') return wrong(errc::trailing_bytes, at);
        ++at;
        if (at == to || text()[at] == ';' || text()[at] == '=' || (headers && text()[at] == '?')) {
            return wrong(errc::bad_token, at);
        }
        for (at = marks_.next(at); at < to; at = marks_.next(at)) {
            const char c = text()[at];
            if (c == ';' || (headers && c == '?')) break;
            if (c == '%' ? !is_escape(at, to) : !is(c, set::uri_param)) {
                return wrong(c == '%' ? errc::bad_escape : errc::bad_token, at);
            }
            at += c == '%' ? 3 : 1;
        }
    }
    return std::min(at, to);
}

/// telephone-subscriber = global-number / local-number, RFC 3966 section 3.
result<void> value_reader::telephone(std::size_t at, std::size_t to, uri_view& into) noexcept {
    const auto end = find(';', at, to);
    into.user = cut(at, end);
    into.parameters = cut(end, to);
    std::size_t digits = 0;
    for (std::size_t i = at; i < end; ++i) {
        const char c = text()[i];
        const bool digit = is(c, set::hex) || c == '*' || c == '#';
        const bool separator = c == '-' || c == '.' || c == '(' || c == ')';
        if (digit) ++digits;
        if (!digit && !separator && !(c == '+' && i == at)) return wrong(errc::bad_token, i);
    }
    if (digits == 0) return wrong(errc::need_more, end);
    if (const auto checked = uri_parameters(end, to, false); !checked) return checked.reason();
    return {};
}

/// scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ), and then what we need not know.
result<void> value_reader::other_scheme(std::size_t at, std::size_t colon,
                                        std::size_t to) const noexcept {
    const char first = to_lower(text()[at]);
    if (first < 'a' || first > 'z') return wrong(errc::bad_token, at);
    for (; at < to; ++at) {
        const auto c = static_cast<unsigned char>(text()[at]);
        if (at < colon && !is(text()[at], set::host) && c != '+') return wrong(errc::bad_token, at);
        if (c <= 0x20 || c == 0x7f || c == '<' || c == '>' || c == '"') {
            return wrong(errc::bad_token, at);
        }
    }
    return {};
}

result<uri_view> uri_view::parse(std::string_view text) noexcept {
    uri_view read;
    value_reader in{text};
    if (const auto done = in.uri(0, text.size(), read); !done) return done.reason();
    return read;
}

std::optional<std::string_view> uri_view::parameter(std::string_view name) const noexcept {
    std::size_t at = 0;
    while (at < parameters.size()) {
        const auto end = std::min(parameters.find(';', at + 1), parameters.size());
        const auto one = parameters.substr(at + 1, end - at - 1);
        const auto equals = std::min(one.find('='), one.size());
        if (iequals(one.substr(0, equals), name)) {
            return equals < one.size() ? one.substr(equals + 1) : std::string_view{};
        }
        at = end;
    }
    return std::nullopt;
}

std::string telephone_number(std::string_view user) {
    std::string digits;
    user = user.substr(0, user.find(';'));
    for (std::size_t i = 0; i < user.size(); ++i) {
        char c = user[i];
        if (c == '%' && i + 2 < user.size() && is(user[i + 1], set::hex) &&
            is(user[i + 2], set::hex)) {
            const auto nibble = [](char h) {
                return h <= '9' ? h - '0' : (to_lower(h) - 'a' + 10) & 0xf;
            };
            c = static_cast<char>(nibble(user[i + 1]) << 4 | nibble(user[i + 2]));
            i += 2;
        }
        const bool digit = is(c, set::digit) || c == '*' || c == '#' || (c >= 'A' && c <= 'D');
        if (digit || (c == '+' && digits.empty())) {
            digits.push_back(c);
        } else if (c != '-' && c != '.' && c != '(' && c != ')' && c != ' ') {
            return {};
        }
    }
    return digits;
}

std::string escape_user(std::string_view user) {
    static constexpr std::string_view hex = "0123456789ABCDEF";
    std::string text;
    for (const char c : user) {
        if (is(c, set::user) && c != ';' && c != '?' && c != '/' && c != ',') {
            text.push_back(c);
        } else {
            const auto byte = static_cast<unsigned char>(c);
            text += {'%', hex[byte >> 4], hex[byte & 15]};
        }
    }
    return text;
}

} // namespace trunkline::sip
