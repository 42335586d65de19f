// The character classes of RFC 3261 section 25.1 and the few productions that every header shares.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <trunkline/core/export.hpp>
#include <trunkline/core/result.hpp>

namespace trunkline::sip::grammar {

enum class set : std::uint8_t {
    token = 1,        ///< Method, header name, parameter name and value, display name.
    user = 2,         ///< unreserved / user-unreserved; escapes are looked at apart.
    uri_param = 4,    ///< paramchar and hnv-unreserved, with "=" and "&" between them.
    host = 8,         ///< alphanum, "-", "." and the underscore that real names have.
    word = 16,        ///< Of a Call-ID.
    param_value = 32, ///< token / host, IPv6 reference included.
    digit = 64,
    hex = 128,
};

namespace detail {

consteval std::array<std::uint8_t, 256> make_classes() {
    std::array<std::uint8_t, 256> table{};
    const auto add = [&table](std::string_view chars, set which) {
        for (const char c : chars) {
            table[static_cast<unsigned char>(c)] |= static_cast<std::uint8_t>(which);
        }
    };
    constexpr std::string_view alphanum =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    for (const auto which :
         {set::token, set::user, set::uri_param, set::host, set::word, set::param_value}) {
        add(alphanum, which);
    }
    add("-.!%*_+`'~", set::token);
    add("-_.!~*'()&=+$,;?/", set::user);
    add("-_.!~*'()[]/:&+$=?", set::uri_param);
    add("-._", set::host);
    add("-.!%*_+`'~()<>:\\\"/[]?{}", set::word);
    add("-.!%*_+`'~[]:", set::param_value);
    add("0123456789", set::digit);
    add("0123456789abcdefABCDEF", set::hex);
    return table;
}

inline constexpr auto classes = make_classes();

} // namespace detail

[[nodiscard]] constexpr bool is(char c, set which) noexcept {
    return (detail::classes[static_cast<unsigned char>(c)] & static_cast<std::uint8_t>(which)) != 0;
}

/// How many characters from `at` on belong to `which`.
[[nodiscard]] constexpr std::size_t run(std::string_view text, std::size_t at, set which) noexcept {
    const auto start = at;
    while (at < text.size() && is(text[at], which)) ++at;
    return at - start;
}

[[nodiscard]] constexpr bool all(std::string_view text, set which) noexcept {
    return run(text, 0, which) == text.size();
}

[[nodiscard]] constexpr bool is_blank(char c) noexcept {
    // Seldom asked of a blank, and what is greater is told by one comparison.
    return static_cast<unsigned char>(c) <= ' ' && (c == ' ' || c == '\t');
}

[[nodiscard]] constexpr std::size_t skip_blank(std::string_view text, std::size_t at) noexcept {
    while (at < text.size() && is_blank(text[at])) ++at;
    return at;
}

[[nodiscard]] constexpr error wrong(errc code, std::size_t at) noexcept {
    return {.code = code, .offset = static_cast<std::uint32_t>(at)};
}

/// The position after the closing quote of the quoted string that starts at `at`.
[[nodiscard]] constexpr result<std::size_t> after_quoted(std::string_view text,
                                                         std::size_t at) noexcept {
    const auto start = at;
    for (++at; at < text.size(); ++at) {
        const auto c = static_cast<unsigned char>(text[at]);
        if (c == '"') return at + 1;
        if (c == '\\') {
            // quoted-pair = "\" (%x00-09 / %x0B-0C / %x0E-7F)
            ++at;
            if (at == text.size()) break;
            const auto escaped = static_cast<unsigned char>(text[at]);
            if (escaped > 0x7f || escaped == '\r' || escaped == '\n') {
                return wrong(errc::bad_quote, at);
            }
        } else if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return wrong(errc::bad_token, at);
        }
    }
    return wrong(errc::bad_quote, start);
}

/// Where TEXT-UTF8 without control characters ends too soon: what any header may hold, whether we
/// know it or not. In a quoted string a control character may stand behind a backslash (RFC 4475
/// 3.1.1.2).
[[nodiscard]] TRUNKLINE_EXPORT std::optional<std::size_t> bad_text(std::string_view value) noexcept;

/// One element of a comma-separated list; `rest` is moved past it. Commas in quotes and in angle
/// brackets are not separators.
[[nodiscard]] TRUNKLINE_EXPORT std::string_view next_element(std::string_view& rest) noexcept;

} // namespace trunkline::sip::grammar
