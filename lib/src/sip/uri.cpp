#include <trunkline/sip/uri.hpp>

#include <algorithm>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/grammar.hpp>

#include "value_reader.hpp"

namespace trunkline::sip {

using namespace grammar;

/// *( ";" uri-parameter ), each with a name, up to one that `ends` them.
template <class Ends>
std::size_t value_reader::uri_parameters(std::size_t at, std::size_t to, Ends ends) noexcept {
    while (at < to && !ends(text()[at])) {
        if (text()[at] != ';') return nowhere(errc::trailing_bytes, at);
        ++at;
        if (at == to || text()[at] == ';' || text()[at] == '=' || ends(text()[at])) {
            return nowhere(errc::bad_token, at);
        }
        at = escaped(at, to, set::uri_param, [&](char c) { return c == ';' || ends(c); });
        if (at == none) return none;
    }
    return at;
}

/// userinfo: a user and perhaps a password. Section 25.1 has "#" and a space escaped, and no user
/// empty; PBXs and carriers' tech prefixes write all three, and every other stack takes them.
inline bool value_reader::user_info(std::size_t at, std::size_t sign, uri_view& into) noexcept {
    const auto stops = [](char c) { return c == ':' || c == '#' || c == ' '; };
    auto end = escaped(at, sign, set::user, stops);
    while (end < sign && text()[end] != ':') end = escaped(end + 1, sign, set::user, stops);
    if (end == none) return false;
    if (end == at && end != sign) return fail(errc::bad_token, at);
    into.user = cut(at, end);
    if (end == sign) return true;
    into.password = cut(end + 1, sign);
    return escaped(end + 1, sign, set::user, [](char) { return false; }) != none;
}

bool value_reader::uri(std::size_t at, std::size_t to, std::size_t sign, uri_view& into) noexcept {
    into.text = cut(at, to);
    into.user = into.password = into.host = into.parameters = into.headers = {};
    into.port = 0;
    into.has_port = false;
    const bool usual = into.text.starts_with("sip:");
    const auto colon = usual ? at + 3 : find(':', at, to);
    if (colon == to || colon == at) return fail(errc::need_more, to);
    const auto scheme = cut(at, colon);
    if (usual || iequals(scheme, "sip")) {
        into.scheme = uri_view::scheme_kind::sip;
    } else if (iequals(scheme, "sips")) {
        into.scheme = uri_view::scheme_kind::sips;
    } else if (iequals(scheme, "tel")) {
        into.scheme = uri_view::scheme_kind::tel;
        return telephone(colon + 1, to, into);
    } else {
        into.scheme = uri_view::scheme_kind::other;
        return other_scheme(at, colon, to);
    }
    at = colon + 1;
    // An "@" before the colon is not one of a user; the first behind it is looked for anew.
    if (sign < colon) sign = find('@', colon, to);
    if (sign != to) {
        if (!user_info(at, sign, into)) return false;
        at = sign + 1;
    }
    at = host_port<false>(at, to, into);
    if (at == none) return false;
    const auto question = uri_parameters(at, to, [](char c) { return c == '?'; });
    if (question == none) return false;
    into.parameters = cut(at, question);
    if (question == to) return true;
    into.headers = cut(question + 1, to);
    return escaped(question + 1, to, set::uri_param, [](char) { return false; }) != none;
}

/// telephone-subscriber = global-number / local-number, RFC 3966 section 3.
bool value_reader::telephone(std::size_t at, std::size_t to, uri_view& into) noexcept {
    const auto end = find(';', at, to);
    into.user = cut(at, end);
    into.parameters = cut(end, to);
    std::size_t digits = 0;
    for (std::size_t i = at; i < end; ++i) {
        const char c = text()[i];
        const bool digit = is(c, set::hex) || c == '*' || c == '#';
        const bool separator = c == '-' || c == '.' || c == '(' || c == ')';
        if (digit) ++digits;
        if (!digit && !separator && !(c == '+' && i == at)) return fail(errc::bad_token, i);
    }
    if (digits == 0) return fail(errc::need_more, end);
    return uri_parameters(end, to, [](char) { return false; }) != none;
}

/// scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ), and then what we need not know.
bool value_reader::other_scheme(std::size_t at, std::size_t colon, std::size_t to) noexcept {
    const char first = to_lower(text()[at]);
    if (first < 'a' || first > 'z') return fail(errc::bad_token, at);
    for (; at < to; ++at) {
        const auto c = static_cast<unsigned char>(text()[at]);
        if (at < colon && !is(text()[at], set::host) && c != '+') return fail(errc::bad_token, at);
        if (c <= 0x20 || c == 0x7f || c == '<' || c == '>' || c == '"') {
            return fail(errc::bad_token, at);
        }
    }
    return true;
}

result<uri_view> uri_view::parse(std::string_view text) noexcept {
    result<uri_view> read{uri_view{}};
    value_reader in{text};
    if (!in.uri(0, text.size(), *read)) read = in.reason();
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

namespace {

/// The global number prefix that a local number counts behind, RFC 3966 section 5.1.5; empty when
/// the context is a domain or is not there.
[[nodiscard]] std::string_view global_context(std::string_view parameters) noexcept {
    constexpr std::string_view name = ";phone-context=";
    for (auto at = parameters.find(';'); at != std::string_view::npos;
         at = parameters.find(';', at + 1)) {
        if (!iequals(parameters.substr(at, name.size()), name)) continue;
        auto value = parameters.substr(at + name.size());
        value = value.substr(0, value.find(';'));
        const bool escaped = value.starts_with("%2B") || value.starts_with("%2b");
        return value.starts_with('+') || escaped ? value : std::string_view{};
    }
    return {};
}

} // namespace

std::string_view subscriber(const uri_view& uri) noexcept {
    const bool local = uri.scheme == uri_view::scheme_kind::tel && !uri.parameters.empty() &&
                       !global_context(uri.parameters).empty();
    if (!local) return uri.user;
    return {uri.user.data(), uri.user.size() + uri.parameters.size()};
}

std::string shown_user(std::string_view user) {
    if (global_context(user).empty()) return std::string{user};
    auto number = telephone_number(user);
    return number.empty() ? std::string{user} : number;
}

/// With its "+": ITU-T E.164 has no least length, and no country has numbers of less than six
/// digits.
constexpr std::size_t shortest_global_number = 7;

std::string telephone_number(std::string_view user) {
    std::string digits;
    const auto context = global_context(user);
    user = user.substr(0, user.find(';'));
    if (!context.empty() && !user.starts_with('+') && !user.starts_with('%')) {
        const auto local = telephone_number(user);
        const auto prefix = local.empty() ? local : telephone_number(context);
        if (prefix.empty()) return prefix;
        // 911 in the context +1 is a short code of that country, and no number within it.
        return prefix.size() + local.size() < shortest_global_number ? local : prefix + local;
    }
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
