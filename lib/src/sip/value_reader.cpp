#include "value_reader.hpp"

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

std::size_t value_reader::host(std::size_t at, std::size_t to) noexcept {
    if (stands('[', at, to)) {
        const auto closing = find(']', at, to);
        if (closing == to || !address::parse(cut(at, closing + 1))) {
            return nowhere(errc::bad_address, at);
        }
        return closing + 1;
    }
    const auto end = run_end(at, to, set::host);
    if (end == at || is_broken_address(cut(at, end))) return nowhere(errc::bad_address, at);
    return end;
}

std::size_t value_reader::quoted(std::size_t at, std::size_t to) noexcept {
    const auto start = at;
    for (at = marks_.next(at + 1); at < to; at = marks_.next(at + 1)) {
        const auto c = static_cast<unsigned char>(text()[at]);
        if (c == '"') return at + 1;
        if (c == '\\') {
            // quoted-pair = "\" (%x00-09 / %x0B-0C / %x0E-7F)
            if (++at == to) break;
            const auto escaped = static_cast<unsigned char>(text()[at]);
            if (escaped > 0x7f || escaped == '\r' || escaped == '\n') {
                return nowhere(errc::bad_quote, at);
            }
        } else if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return nowhere(errc::bad_token, at);
        }
    }
    return nowhere(errc::bad_quote, start);
}

} // namespace trunkline::sip
