#include <trunkline/sip/via.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using trunkline::sip::parameters_view;
using trunkline::sip::via_view;

void require(bool holds) {
    if (!holds) std::abort();
}

/// As a canonical writer would: one space, no other blank, every parameter as it was.
[[nodiscard]] std::string canonical(const via_view& via) {
    auto text = "SIP/" + std::string{via.version} + '/' + std::string{via.transport} + ' ' +
                std::string{via.host};
    if (via.has_port) text += ':' + std::to_string(via.port);
    auto rest = via.parameters.text();
    while (const auto one = parameters_view::next(rest)) {
        text += ';' + std::string{one->name};
        if (!one->value.empty()) text += '=' + std::string{one->value};
    }
    return text;
}

} // namespace

/// Print and parse have a fixpoint, the parts agree, and a reason lies in the input.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto parsed = via_view::parse(text);
    if (!parsed) {
        require(parsed.reason().offset <= size);
        return 0;
    }
    const auto printed = canonical(*parsed);
    const auto second = via_view::parse(printed);
    require(second.has_value());
    require(canonical(*second) == printed);
    require(second->host == parsed->host && second->port == parsed->port &&
            second->transport == parsed->transport && second->branch == parsed->branch &&
            second->has_cookie() == parsed->has_cookie());
    require(parsed->parameters.find("BRANCH").value_or("") == parsed->branch);
    return 0;
}
