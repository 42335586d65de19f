#include "value_reader.hpp"

#include <trunkline/core/address.hpp>
#include <trunkline/core/text.hpp>

namespace trunkline::sip {

using namespace grammar;

namespace {

/// A last label of digits only makes it an address, and then it has to be one.
[[nodiscard]] bool is_broken_address(std::string_view host) noexcept {
    if (!is(host.back(), set::digit) || address::is_v4_literal(host)) return false;
    const auto dot = host.rfind('.');
    return dot != std::string_view::npos && all(host.substr(dot + 1), set::digit);
}

} // namespace

result<host_port> value_reader::host(std::size_t at, std::size_t to, bool blank) noexcept {
    host_port read;
    const auto start = at;
    if (stands('[', at, to)) {
        const auto closing = find(']', at, to);
        if (closing == to) return wrong(errc::bad_address, at);
        at = closing + 1;
        read.host = cut(start, at);
        if (!address::parse(read.host)) return wrong(errc::bad_address, start);
    } else {
        at = run_end(at, to, set::host);
        read.host = cut(start, at);
        if (read.host.empty() || is_broken_address(read.host)) {
            return wrong(errc::bad_address, start);
        }
    }
    read.end = at;
    const auto colon = blank ? skip_blank(at, to) : at;
    if (!stands(':', colon, to)) return read;
    at = blank ? skip_blank(colon + 1, to) : colon + 1;
    const auto digits = at;
    unsigned port = 0;
    for (; at < to && is(text()[at], set::digit); ++at) {
        port = port * 10 + static_cast<unsigned>(text()[at] - '0');
        if (port > 65'535) return wrong(errc::bad_number, digits);
    }
    if (at == digits) return wrong(errc::bad_number, digits);
    read.port = static_cast<std::uint16_t>(port);
    read.has_port = true;
    read.end = at;
    return read;
}

result<void> value_reader::parameters(std::size_t at, std::size_t to, parameters_view& into,
                                      std::string_view wanted, std::string_view& found) noexcept {
    at = skip_blank(at, to);
    into = parameters_view{cut(at, to)};
    bool is_found = false;
    while (at < to) {
        if (text()[at] != ';') return wrong(errc::trailing_bytes, at);
        const auto name = skip_blank(at + 1, to);
        at = run_end(name, to, set::token);
        if (at == name) return wrong(at == to ? errc::need_more : errc::bad_token, at);
        const bool is_wanted = !is_found && iequals(cut(name, at), wanted);
        is_found = is_found || is_wanted;
        at = skip_blank(at, to);
        if (!stands('=', at, to)) continue;
        const auto value = skip_blank(at + 1, to);
        if (stands('"', value, to)) {
            const auto end = quoted(value, to);
            if (!end) return end.reason();
            at = *end;
        } else {
            at = run_end(value, to, set::param_value);
            if (at == value) return wrong(at == to ? errc::need_more : errc::bad_token, at);
        }
        if (is_wanted) found = cut(value, at);
        at = skip_blank(at, to);
    }
    return {};
}

result<std::size_t> value_reader::quoted(std::size_t at, std::size_t to) noexcept {
    const auto start = at;
    for (at = marks_.next(at + 1); at < to; at = marks_.next(at + 1)) {
        const auto c = static_cast<unsigned char>(text()[at]);
        if (c == '"') return at + 1;
        if (c == '\\') {
            // quoted-pair = "\" (%x00-09 / %x0B-0C / %x0E-7F)
            if (++at == to) break;
            const auto escaped = static_cast<unsigned char>(text()[at]);
            if (escaped > 0x7f || escaped == '\r' || escaped == '\n') {
                return wrong(errc::bad_quote, at);
            }
        } else if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return wrong(errc::bad_token, at);
        }
    }
    return wrong(errc::bad_quote, start);
}

result<void> value_reader::escaped(std::size_t at, std::size_t to, set which) noexcept {
    for (at = marks_.next(at); at < to; at = marks_.next(at)) {
        if (text()[at] == '%') {
            if (!is_escape(at, to)) return wrong(errc::bad_escape, at);
            at += 3;
        } else if (is(text()[at], which)) {
            ++at;
        } else {
            return wrong(errc::bad_token, at);
        }
    }
    return {};
}

} // namespace trunkline::sip
