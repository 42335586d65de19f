#include <trunkline/core/address.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace trunkline {

namespace {

[[nodiscard]] constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// Four numbers of one to three digits, up to 255, with dots between.
[[nodiscard]] bool read_v4(std::string_view text, std::array<std::uint8_t, 4>& into) noexcept {
    const auto* at = text.data();
    const auto* const end = at + text.size();
    unsigned digit = 0;
    const auto next_digit = [&] {
        if (at == end) return false;
        digit = static_cast<unsigned char>(*at) - unsigned{'0'};
        if (digit > 9) return false;
        ++at;
        return true;
    };
    for (std::size_t i = 0; i < 4; ++i) {
        if (i > 0 && (at == end || *at++ != '.')) return false;
        if (!next_digit()) return false;
        auto value = digit;
        if (next_digit()) {
            value = value * 10 + digit;
            if (next_digit()) value = value * 10 + digit;
        }
        if (value > 255) return false;
        into[i] = static_cast<std::uint8_t>(value);
    }
    return at == end;
}

[[nodiscard]] std::optional<std::array<std::uint8_t, 4>> parse_v4(std::string_view text) noexcept {
    std::array<std::uint8_t, 4> bytes{};
    if (!read_v4(text, bytes)) return std::nullopt;
    return bytes;
}

[[nodiscard]] int hex_value(char c) noexcept {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// RFC 4291 section 2.2, with one leniency that RFC 5118 section 4.10 asks for: ":::" counts as
/// "::".
[[nodiscard]] std::optional<address> parse_v6(std::string_view text) noexcept {
    std::array<std::uint16_t, 8> groups{};
    std::size_t count = 0;
    std::optional<std::size_t> gap;
    std::size_t at = 0;
    if (text.starts_with("::")) {
        gap = 0;
        at = text.starts_with(":::") ? 3 : 2;
    }
    while (at < text.size()) {
        if (count == 8) return std::nullopt;
        const auto rest = text.substr(at);
        if (rest.find('.') != std::string_view::npos && rest.find(':') == std::string_view::npos) {
            const auto v4 = parse_v4(rest);
            if (!v4 || count > 6) return std::nullopt;
            groups[count++] = static_cast<std::uint16_t>((*v4)[0] << 8 | (*v4)[1]);
            groups[count++] = static_cast<std::uint16_t>((*v4)[2] << 8 | (*v4)[3]);
            break;
        }
        unsigned value = 0;
        const auto start = at;
        while (at < text.size() && at - start < 4 && hex_value(text[at]) >= 0) {
            value = value << 4 | static_cast<unsigned>(hex_value(text[at++]));
        }
        if (at == start) return std::nullopt;
        groups[count++] = static_cast<std::uint16_t>(value);
        if (at == text.size()) break;
        if (text[at++] != ':') return std::nullopt;
        if (at == text.size()) return std::nullopt;
        if (text[at] == ':') {
            if (gap) return std::nullopt;
            gap = count;
            ++at;
            if (at < text.size() && text[at] == ':') ++at;
        }
    }
    if (gap ? count > 7 : count != 8) return std::nullopt;
    address made;
    const auto tail = gap ? count - *gap : 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto place = gap && i >= *gap ? 8 - tail + (i - *gap) : i;
        made.bytes[2 * place] = static_cast<std::uint8_t>(groups[i] >> 8);
        made.bytes[2 * place + 1] = static_cast<std::uint8_t>(groups[i] & 0xff);
    }
    return made;
}

constexpr error bad_address{.code = errc::bad_address};

} // namespace

result<address> address::parse(std::string_view text) noexcept {
    if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
        text = text.substr(1, text.size() - 2);
        if (const auto v6 = parse_v6(text)) return *v6;
        return bad_address;
    }
    if (const auto v4 = parse_v4(text)) return address::v4((*v4)[0], (*v4)[1], (*v4)[2], (*v4)[3]);
    if (const auto v6 = parse_v6(text)) return *v6;
    return bad_address;
}

bool address::is_v4_literal(std::string_view text) noexcept {
    std::array<std::uint8_t, 4> ignored{};
    return read_v4(text, ignored);
}

bool address::is_loopback() const noexcept {
    if (is_v4()) return bytes[12] == 127;
    return std::all_of(bytes.begin(), bytes.end() - 1, [](auto b) { return b == 0; }) &&
           bytes[15] == 1;
}

bool address::is_private() const noexcept {
    if (!is_v4()) {
        return (bytes[0] & 0xfe) == 0xfc || (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80);
    }
    const auto a = bytes[12];
    const auto b = bytes[13];
    return a == 10 || (a == 172 && b >= 16 && b < 32) || (a == 192 && b == 168) ||
           (a == 169 && b == 254) || (a == 100 && b >= 64 && b < 128);
}

bool address::is_multicast() const noexcept {
    return is_v4() ? bytes[12] >= 224 : bytes[0] == 0xff;
}

std::string_view to_text(const address& what, std::array<char, max_address_text>& into) noexcept {
    char* at = into.data();
    char* const end = at + into.size();
    if (what.is_v4()) {
        for (std::size_t i = 12; i < 16; ++i) {
            if (i > 12) *at++ = '.';
            at = std::to_chars(at, end, what.bytes[i]).ptr;
        }
        return {into.data(), static_cast<std::size_t>(at - into.data())};
    }
    const auto group = [&](std::size_t i) {
        return static_cast<unsigned>(what.bytes[2 * i] << 8 | what.bytes[2 * i + 1]);
    };
    // RFC 5952: the longest run of two or more zero groups is "::", the first of equals.
    std::size_t best = 8;
    std::size_t length = 1;
    for (std::size_t i = 0; i < 8;) {
        std::size_t run = 0;
        while (i + run < 8 && group(i + run) == 0) ++run;
        if (run > length) {
            best = i;
            length = run;
        }
        i += run + 1;
    }
    for (std::size_t i = 0; i < 8; ++i) {
        if (i == best) {
            *at++ = ':';
            *at++ = ':';
            i += length - 1;
            continue;
        }
        if (i > 0 && at[-1] != ':') *at++ = ':';
        at = std::to_chars(at, end, group(i), 16).ptr;
    }
    return {into.data(), static_cast<std::size_t>(at - into.data())};
}

std::string to_text(const address& what) {
    std::array<char, max_address_text> text{};
    return std::string{to_text(what, text)};
}

result<endpoint> endpoint::parse(std::string_view text) noexcept {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return bad_address;
    const auto host = text.substr(0, colon);
    if (host.find(':') != std::string_view::npos && !host.starts_with('[')) return bad_address;
    const auto parsed = address::parse(host);
    if (!parsed) return parsed.reason();
    unsigned port = 0;
    const auto digits = text.substr(colon + 1);
    const auto [stopped, failed] =
        std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (failed != std::errc{} || stopped != digits.data() + digits.size() || port > 65'535) {
        return error{.code = errc::bad_number, .offset = static_cast<std::uint32_t>(colon + 1)};
    }
    return endpoint{*parsed, static_cast<std::uint16_t>(port)};
}

std::string to_text(const endpoint& what) {
    const auto host = to_text(what.address);
    const auto port = std::to_string(what.port);
    return what.address.is_v4() ? host + ':' + port : '[' + host + "]:" + port;
}

result<cidr> cidr::parse(std::string_view text) noexcept {
    const auto slash = text.find('/');
    const auto parsed = address::parse(text.substr(0, slash));
    if (!parsed) return parsed.reason();
    const unsigned width = parsed->is_v4() ? 32 : 128;
    unsigned bits = width;
    if (slash != std::string_view::npos) {
        const auto digits = text.substr(slash + 1);
        const auto [stopped, failed] =
            std::from_chars(digits.data(), digits.data() + digits.size(), bits);
        if (failed != std::errc{} || stopped != digits.data() + digits.size() || bits > width) {
            return error{.code = errc::bad_number, .offset = static_cast<std::uint32_t>(slash + 1)};
        }
    }
    return cidr{*parsed, static_cast<std::uint8_t>(bits + 128 - width)};
}

bool cidr::contains(const address& candidate) const noexcept {
    const std::size_t whole = prefix / 8U;
    for (std::size_t i = 0; i < whole; ++i) {
        if (network.bytes[i] != candidate.bytes[i]) return false;
    }
    const unsigned rest = prefix % 8U;
    if (rest == 0) return true;
    const auto mask = static_cast<unsigned>(0xff00U >> rest) & 0xffU;
    return ((network.bytes[whole] ^ candidate.bytes[whole]) & mask) == 0;
}

std::string to_text(const cidr& what) {
    const unsigned width = what.network.is_v4() ? 32 : 128;
    return to_text(what.network) + '/' + std::to_string(what.prefix + width - 128U);
}

} // namespace trunkline
