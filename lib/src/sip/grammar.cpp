#include <trunkline/sip/grammar.hpp>

#include <trunkline/core/address.hpp>

namespace trunkline::sip::grammar {

namespace {

[[nodiscard]] bool is_ipv4_like(std::string_view host) noexcept {
    const auto last = host.substr(host.rfind('.') + 1);
    return !last.empty() && all(last, set::digit);
}

} // namespace

result<host_port> read_host_port(std::string_view text, std::size_t at, bool blank) noexcept {
    host_port read;
    const auto start = at;
    if (at < text.size() && text[at] == '[') {
        const auto closing = text.find(']', at);
        if (closing == std::string_view::npos) return wrong(errc::bad_address, at);
        at = closing + 1;
        read.host = text.substr(start, at - start);
        if (!address::parse(read.host)) return wrong(errc::bad_address, start);
    } else {
        at += run(text, at, set::host);
        read.host = text.substr(start, at - start);
        if (read.host.empty()) return wrong(errc::bad_address, start);
        // A last label of digits only makes it an address, and then it has to be one.
        if (is_ipv4_like(read.host) && read.host.find('.') != std::string_view::npos &&
            !address::parse(read.host)) {
            return wrong(errc::bad_address, start);
        }
    }
    read.end = at;
    const auto colon = blank ? skip_blank(text, at) : at;
    if (colon == text.size() || text[colon] != ':') return read;
    at = blank ? skip_blank(text, colon + 1) : colon + 1;
    const auto digits = run(text, at, set::digit);
    if (digits == 0) return wrong(errc::bad_number, at);
    unsigned port = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        port = port * 10 + static_cast<unsigned>(text[at + i] - '0');
        if (port > 65'535) return wrong(errc::bad_number, at);
    }
    read.port = static_cast<std::uint16_t>(port);
    read.has_port = true;
    read.end = at + digits;
    return read;
}

std::string_view next_element(std::string_view& rest) noexcept {
    bool quoted = false;
    bool bracketed = false;
    std::size_t at = 0;
    for (; at < rest.size(); ++at) {
        const char c = rest[at];
        if (quoted) {
            if (c == '\\') ++at;
            if (c == '"') quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '<') {
            bracketed = true;
        } else if (c == '>') {
            bracketed = false;
        } else if (c == ',' && !bracketed) {
            break;
        }
    }
    if (at > rest.size()) at = rest.size();
    auto element = rest.substr(0, at);
    rest.remove_prefix(at < rest.size() ? at + 1 : at);
    const auto first = skip_blank(element, 0);
    element.remove_prefix(first);
    while (!element.empty() && (element.back() == ' ' || element.back() == '\t')) {
        element.remove_suffix(1);
    }
    return element;
}

} // namespace trunkline::sip::grammar
