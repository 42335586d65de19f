#include <trunkline/sip/uri.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using trunkline::sip::uri_view;

void require(bool holds) {
    if (!holds) std::abort();
}

[[nodiscard]] bool inside(std::string_view part, std::string_view whole) {
    return part.empty() || (part.data() >= whole.data() &&
                            part.data() + part.size() <= whole.data() + whole.size());
}

} // namespace

/// A reason never points past the input; every part lies in the text; and a sip URI put together
/// again from its parts is the same URI.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto parsed = uri_view::parse(text);
    if (!parsed) {
        require(parsed.reason().offset <= size);
        return 0;
    }
    require(parsed->text == text);
    for (const auto part :
         {parsed->user, parsed->password, parsed->host, parsed->parameters, parsed->headers}) {
        require(inside(part, text));
    }
    require(parsed->has_port || parsed->port == 0);
    static_cast<void>(parsed->parameter("transport"));
    static_cast<void>(trunkline::sip::telephone_number(parsed->user));
    if (!parsed->is_sip()) return 0;
    std::string again = parsed->scheme == uri_view::scheme_kind::sip ? "sip:" : "sips:";
    if (!parsed->user.empty()) {
        again += parsed->user;
        if (parsed->password.data() != nullptr) again += ':' + std::string{parsed->password};
        again += '@';
    }
    again += parsed->host;
    if (parsed->has_port) again += ':' + std::to_string(parsed->port);
    again += parsed->parameters;
    if (parsed->headers.data() != nullptr) again += '?' + std::string{parsed->headers};
    const auto second = uri_view::parse(again);
    require(second.has_value());
    require(second->user == parsed->user && second->password == parsed->password &&
            second->host == parsed->host && second->port == parsed->port &&
            second->has_port == parsed->has_port && second->parameters == parsed->parameters &&
            second->headers == parsed->headers);
    const auto escaped = "sip:" + trunkline::sip::escape_user(text) + "@h";
    require(uri_view::parse(escaped).has_value());
    return 0;
}
