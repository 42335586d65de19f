#include <trunkline/sip/parameters.hpp>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/grammar.hpp>

#include "value_reader.hpp"

namespace trunkline::sip {

using namespace grammar;

result<parameters_view> parameters_view::parse(std::string_view text) noexcept {
    result<parameters_view> read{parameters_view{}};
    value_reader in{text};
    if (!in.parameters(0, text.size(), *read)) read = in.reason();
    return read;
}

std::optional<parameters_view::item> parameters_view::next(std::string_view& rest) noexcept {
    if (rest.empty()) return std::nullopt;
    std::size_t at = skip_blank(rest, 1);
    const auto name_at = at;
    at += run(rest, at, set::token);
    item read{rest.substr(name_at, at - name_at), {}};
    at = skip_blank(rest, at);
    if (at < rest.size() && rest[at] == '=') {
        at = skip_blank(rest, at + 1);
        const auto value_at = at;
        if (at < rest.size() && rest[at] == '"') {
            const auto end = after_quoted(rest, at);
            at = end ? *end : rest.size();
        } else {
            at += run(rest, at, set::param_value);
        }
        read.value = rest.substr(value_at, at - value_at);
        at = skip_blank(rest, at);
    }
    rest.remove_prefix(at);
    return read;
}

std::optional<std::string_view> parameters_view::find(std::string_view name) const noexcept {
    auto rest = text_;
    while (const auto one = next(rest)) {
        if (iequals(one->name, name)) return one->value;
    }
    return std::nullopt;
}

std::string_view unquoted(std::string_view value, char* into, std::size_t room) noexcept {
    std::size_t size = 0;
    const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
    if (quoted) value = value.substr(1, value.size() - 2);
    for (std::size_t at = 0; at < value.size() && size < room; ++at) {
        if (quoted && value[at] == '\\' && at + 1 < value.size()) ++at;
        into[size++] = value[at];
    }
    return {into, size};
}

} // namespace trunkline::sip
