#include <trunkline/sip/uri.hpp>

#include <algorithm>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/grammar.hpp>

namespace trunkline::sip {

using namespace grammar;

namespace {

/// *( ";" uri-parameter ), each with a name.
[[nodiscard]] result<void> check_parameters(std::string_view text) noexcept {
    std::size_t at = 0;
    while (at < text.size()) {
        const auto end = std::min(text.find(';', at + 1), text.size());
        const auto one = text.substr(at + 1, end - at - 1);
        if (one.empty() || one.front() == '=') return wrong(errc::bad_token, at + 1);
        if (const auto checked = escaped(one, set::uri_param); !checked) {
            return shifted(checked.reason(), at + 1);
        }
        at = end;
    }
    return {};
}

/// telephone-subscriber = global-number / local-number, RFC 3966 section 3.
[[nodiscard]] result<uri_view> parse_tel(uri_view read, std::size_t at) noexcept {
    const auto text = read.text;
    const auto end = std::min(text.find(';', at), text.size());
    read.user = text.substr(at, end - at);
    read.parameters = text.substr(end);
    std::size_t digits = 0;
    for (std::size_t i = 0; i < read.user.size(); ++i) {
        const char c = read.user[i];
        const bool digit = is(c, set::hex) || c == '*' || c == '#';
        const bool separator = c == '-' || c == '.' || c == '(' || c == ')';
        if (digit) ++digits;
        if (!digit && !separator && !(c == '+' && i == 0)) return wrong(errc::bad_token, at + i);
    }
    if (digits == 0) return wrong(errc::need_more, end);
    if (const auto checked = check_parameters(read.parameters); !checked) {
        return shifted(checked.reason(), end);
    }
    return read;
}

} // namespace

result<uri_view> uri_view::parse(std::string_view text) noexcept {
    uri_view read;
    read.text = text;
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0) return wrong(errc::need_more, text.size());
    const auto scheme_text = text.substr(0, colon);
    if (iequals(scheme_text, "sip")) {
        read.scheme = scheme_kind::sip;
    } else if (iequals(scheme_text, "sips")) {
        read.scheme = scheme_kind::sips;
    } else if (iequals(scheme_text, "tel")) {
        read.scheme = scheme_kind::tel;
        return parse_tel(read, colon + 1);
    } else {
        // scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ), and then what we need not know.
        if (to_lower(text[0]) < 'a' || to_lower(text[0]) > 'z') return wrong(errc::bad_token, 0);
        for (std::size_t i = 0; i < text.size(); ++i) {
            const auto c = static_cast<unsigned char>(text[i]);
            if (i < colon && !is(text[i], set::host) && c != '+') return wrong(errc::bad_token, i);
            if (c <= 0x20 || c == 0x7f || c == '<' || c == '>' || c == '"') {
                return wrong(errc::bad_token, i);
            }
        }
        return read;
    }
    std::size_t at = colon + 1;
    if (const auto sign = text.find('@', at); sign != std::string_view::npos) {
        const auto info = text.substr(at, sign - at);
        const auto password_at = info.find(':');
        read.user = info.substr(0, password_at);
        if (read.user.empty()) return wrong(errc::bad_token, at);
        if (const auto checked = escaped(read.user, set::user); !checked) {
            return shifted(checked.reason(), at);
        }
        if (password_at != std::string_view::npos) {
            read.password = info.substr(password_at + 1);
            if (const auto checked = escaped(read.password, set::user); !checked) {
                return shifted(checked.reason(), at + password_at + 1);
            }
        }
        at = sign + 1;
    }
    const auto where = read_host_port(text, at, false);
    if (!where) return where.reason();
    read.host = where->host;
    read.port = where->port;
    read.has_port = where->has_port;
    at = where->end;
    const auto question = std::min(text.find('?', at), text.size());
    read.parameters = text.substr(at, question - at);
    if (!read.parameters.empty() && read.parameters.front() != ';') {
        return wrong(errc::trailing_bytes, at);
    }
    if (const auto checked = check_parameters(read.parameters); !checked) {
        return shifted(checked.reason(), at);
    }
    if (question < text.size()) {
        read.headers = text.substr(question + 1);
        if (const auto checked = escaped(read.headers, set::uri_param); !checked) {
            return shifted(checked.reason(), question + 1);
        }
    }
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
