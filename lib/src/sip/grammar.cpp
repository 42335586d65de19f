#include <trunkline/sip/grammar.hpp>

#include "skimmer.hpp"

namespace trunkline::sip::grammar {

std::optional<std::size_t> bad_text(std::string_view value) noexcept {
    skimmer<lanes::printable> controls{value};
    for (auto at = controls.next(0); at < value.size(); at = controls.next(at + 1)) {
        const char c = value[at];
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
