#include <trunkline/sip/name_addr.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/sip/grammar.hpp>

namespace {

using trunkline::sip::name_addr_view;
using trunkline::sip::parameters_view;

void require(bool holds) {
    if (!holds) std::abort();
}

[[nodiscard]] std::string canonical(const name_addr_view& what) {
    auto text = std::string{what.display} + '<' + std::string{what.uri.text} + '>';
    auto rest = what.parameters.text();
    while (const auto one = parameters_view::next(rest)) {
        text += ';' + std::string{one->name};
        if (!one->value.empty()) text += '=' + std::string{one->value};
    }
    return text;
}

} // namespace

/// Print and parse have a fixpoint; what was accepted is one element of a list; cutting a list
/// loses nothing but commas and blanks.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    auto rest = text;
    std::size_t cut = 0;
    while (!rest.empty()) {
        const auto before = rest.size();
        const auto element = trunkline::sip::grammar::next_element(rest);
        require(rest.size() < before && element.size() <= before - rest.size());
        cut += before - rest.size();
    }
    require(cut == size);

    const auto parsed = name_addr_view::parse(text);
    if (!parsed) {
        require(parsed.reason().offset <= size);
        return 0;
    }
    const auto printed = canonical(*parsed);
    const auto second = name_addr_view::parse(printed);
    require(second.has_value());
    require(canonical(*second) == printed);
    require(second->uri.text == parsed->uri.text && second->tag() == parsed->tag() &&
            second->display == parsed->display && second->bracketed);
    return 0;
}
