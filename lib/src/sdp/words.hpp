// How the parser of a description and its accessors cut a line: once to check it, later to read it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace trunkline::sdp {

[[nodiscard]] constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
[[nodiscard]] constexpr bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}
[[nodiscard]] constexpr bool is_visible(char c) noexcept {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f;
}

/// Cuts a line into words at blanks. A word never holds a control character: some are written back
/// to the peer, and a lone CR in one would be a line of its own to a lenient reader.
struct words {
    std::string_view rest;

    [[nodiscard]] std::string_view next() noexcept {
        std::size_t start = 0;
        while (start < rest.size() && is_blank(rest[start])) ++start;
        auto end = start;
        while (end < rest.size() && is_visible(rest[end])) ++end;
        const auto word = rest.substr(start, end - start);
        rest.remove_prefix(end);
        return word;
    }
    [[nodiscard]] bool done() const noexcept {
        return std::all_of(rest.begin(), rest.end(), is_blank);
    }
};

/// 1*DIGIT at the front of `text`, at most `limit`; what it read is cut off.
[[nodiscard]] inline std::optional<std::uint32_t> take_number(std::string_view& text,
                                                              std::uint32_t limit) noexcept {
    std::uint64_t value = 0;
    std::size_t at = 0;
    for (; at < text.size() && is_digit(text[at]); ++at) {
        value = value * 10 + static_cast<std::uint64_t>(text[at] - '0');
        if (value > limit) return std::nullopt;
    }
    if (at == 0) return std::nullopt;
    text.remove_prefix(at);
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
    words in{rest};
    auto word = in.next();
    const auto slash = word.find('/');
    if (slash == 0 || slash == std::string_view::npos) return std::nullopt;
    rtpmap_view made{.encoding = word.substr(0, slash)};
    word.remove_prefix(slash + 1);
    const auto rate = take_number(word, 0xffff'ffff);
    if (!rate || *rate == 0) return std::nullopt;
    made.clock_rate = *rate;
    if (word.empty()) return made;
    // Encoding parameters are channels for audio; what else there may be is none of our business.
    if (word.front() != '/') return std::nullopt;
    word.remove_prefix(1);
    if (const auto channels = whole_number(word, 255); channels && *channels > 0) {
        made.channels = static_cast<std::uint8_t>(*channels);
    }
    return made;
}

} // namespace trunkline::sdp
