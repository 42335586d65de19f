#include <trunkline/sip/grammar.hpp>

#include <cstring>

namespace trunkline::sip::grammar {

namespace {

/// Whether none of eight bytes is a control character, tested all at once. A byte behind one that
/// is may be taken for another, which costs a second look and no more.
[[nodiscard]] bool eight_are_plain(const char* bytes) noexcept {
    constexpr std::uint64_t each = 0x0101'0101'0101'0101;
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    const auto below_space = (word - each * 0x20) & ~word;
    const auto without_delete = word ^ each * 0x7f;
    const auto is_delete = (without_delete - each) & ~without_delete;
    return ((below_space | is_delete) & each * 0x80) == 0;
}

} // namespace

std::optional<std::size_t> bad_text(std::string_view value) noexcept {
    const auto* const end = value.data() + value.size();
    for (std::size_t at = 0; at < value.size(); ++at) {
        while (at + 8 <= value.size() && eight_are_plain(value.data() + at)) at += 8;
        // What is left are less than eight, unless one of eight was found: the last eight hold
        // them.
        if (at + 8 > value.size() && value.size() >= 8 && eight_are_plain(end - 8)) break;
        if (at == value.size()) break;
        const auto c = static_cast<unsigned char>(value[at]);
        if (c >= 0x20 && c != 0x7f) continue;
        const bool quoted_pair = at > 0 && value[at - 1] == '\\' && c != '\r' && c != '\n';
        if (c != '\t' && !quoted_pair) return at;
    }
    return std::nullopt;
}

std::string_view next_element(std::string_view& rest) noexcept {
    bool quoted = false;
    bool bracketed = false;
    // Most lists are one element: without a comma there is nothing to look for.
    std::size_t at = rest.find(',') == std::string_view::npos ? rest.size() : 0;
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
