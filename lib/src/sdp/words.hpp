// How the parser of a description and its accessors cut a line: once to check it, later to read it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace trunkline::sdp {

/// What a host name or a literal may be made of, by one look-up.
struct host_characters {
    std::array<bool, 256> has{};

    constexpr host_characters() noexcept {
        for (const char c : std::string_view{"0123456789.-:_%[]"
                                             "abcdefghijklmnopqrstuvwxyz"
                                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}) {
            has[static_cast<unsigned char>(c)] = true;
        }
    }
};
inline constexpr host_characters host_table;

[[nodiscard]] constexpr unsigned digit(char c) noexcept {
    return static_cast<unsigned char>(c) - unsigned{'0'};
}
[[nodiscard]] constexpr bool is_digit(char c) noexcept {
    return digit(c) < 10;
}
[[nodiscard]] constexpr bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}
[[nodiscard]] constexpr bool is_visible(char c) noexcept {
    return static_cast<unsigned char>(c) > 0x20;
}
[[nodiscard]] constexpr bool is_host_char(char c) noexcept {
    return host_table.has[static_cast<unsigned char>(c)];
}

/// Cuts a line into words at blanks. A word holds nothing below a blank: some are written back to
/// the peer, and a lone CR in one would be a line of its own to a lenient reader.
struct words {
    std::string_view rest;

    [[nodiscard]] std::string_view next() noexcept {
        const auto* start = rest.data();
        const auto* const end = start + rest.size();
        while (start != end && is_blank(*start)) ++start;
        const auto* stop = start;
        while (stop != end && is_visible(*stop)) ++stop;
        rest = {stop, static_cast<std::size_t>(end - stop)};
        return {start, static_cast<std::size_t>(stop - start)};
    }
    [[nodiscard]] bool done() const noexcept {
        return std::all_of(rest.begin(), rest.end(), is_blank);
    }
};

[[nodiscard]] constexpr std::string_view without_leading_blanks(std::string_view text) noexcept {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    return text;
}
/// Without the blanks at both ends; what is empty keeps its place in the text.
[[nodiscard]] constexpr std::string_view without_blanks(std::string_view text) noexcept {
    text = without_leading_blanks(text);
    while (!text.empty() && (is_blank(text.back()) || text.back() == '\r')) text.remove_suffix(1);
    return text;
}

/// 1*10DIGIT at the front of `text`, at most `limit`; what it read is cut off. Ten digits neither
/// overflow nor leave out any 32-bit number, so nothing is compared before the end.
[[nodiscard]] inline std::optional<std::uint32_t> take_number(std::string_view& text,
                                                              std::uint32_t limit) noexcept {
    const auto* const start = text.data();
    const auto* const end = start + text.size();
    const auto* at = start;
    std::uint64_t value = 0;
    for (; at != end && is_digit(*at); ++at) value = value * 10 + digit(*at);
    if (at == start || at - start > 10 || value > limit) return std::nullopt;
    text = {at, static_cast<std::size_t>(end - at)};
    return static_cast<std::uint32_t>(value);
}
[[nodiscard]] inline std::optional<std::uint32_t> whole_number(std::string_view text,
                                                               std::uint32_t limit) noexcept {
    const auto value = take_number(text, limit);
    return text.empty() ? value : std::nullopt;
}

/// rtpmap = payload-type SP encoding-name "/" clock-rate [ "/" channels ]. The payload type is read
/// by then.
struct rtpmap_view {
    std::string_view encoding;
    std::uint32_t clock_rate = 0;
    std::uint8_t channels = 1;
};
[[nodiscard]] inline std::optional<rtpmap_view> parse_rtpmap(std::string_view rest) noexcept {
    rest = without_leading_blanks(rest);
    std::size_t slash = 0;
    while (slash < rest.size() && rest[slash] != '/' && is_visible(rest[slash])) ++slash;
    if (slash == 0 || slash == rest.size() || rest[slash] != '/') return std::nullopt;
    rtpmap_view made{.encoding = rest.substr(0, slash)};
    rest.remove_prefix(slash + 1);
    const auto rate = take_number(rest, 0xffff'ffff);
    if (!rate || *rate == 0) return std::nullopt;
    made.clock_rate = *rate;
    if (rest.empty() || is_blank(rest.front())) return made;
    if (rest.front() != '/') return std::nullopt;
    rest.remove_prefix(1);
    // Encoding parameters are channels for audio; what else there may be is none of our business.
    if (const auto channels = take_number(rest, 255); channels && *channels > 0) {
        made.channels = static_cast<std::uint8_t>(*channels);
    }
    return made;
}

} // namespace trunkline::sdp
