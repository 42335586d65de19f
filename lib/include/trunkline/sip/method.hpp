// Request methods, RFC 3261 section 7.1 and the extensions that a trunk meets.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace trunkline::sip {

enum class method : std::uint8_t {
    invite,
    ack,
    bye,
    cancel,
    options,
    register_,
    prack,
    update,
    info,
    refer,
    notify,
    subscribe,
    message,
    publish,
    other, ///< A token that we do not know; the text says which.
};

inline constexpr std::array<std::string_view, 14> method_names{
    "INVITE", "ACK",  "BYE",   "CANCEL", "OPTIONS",   "REGISTER", "PRACK",
    "UPDATE", "INFO", "REFER", "NOTIFY", "SUBSCRIBE", "MESSAGE",  "PUBLISH"};

[[nodiscard]] constexpr std::string_view name(method what) noexcept {
    return what == method::other ? std::string_view{}
                                 : method_names[static_cast<std::size_t>(what)];
}

/// Methods are case-sensitive (section 7.1).
[[nodiscard]] constexpr method method_of(std::string_view text) noexcept {
    for (std::size_t i = 0; i < method_names.size(); ++i) {
        if (method_names[i] == text) return static_cast<method>(i);
    }
    return method::other;
}

} // namespace trunkline::sip
