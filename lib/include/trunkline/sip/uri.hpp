// SIP, SIPS and tel URIs, RFC 3261 section 19.1 and RFC 3966.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <trunkline/core/address.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/result.hpp>

namespace trunkline::sip {

/// Borrows the text that was parsed. Escapes stay as written: user() of "sip:a%40b@c" is "a%40b".
struct TRUNKLINE_EXPORT uri_view {
    // Written out because g++ 12 clears a defaulted one by an instruction that costs more than to
    // read what goes in.
    // NOLINTNEXTLINE(modernize-use-equals-default)
    uri_view() noexcept {}

    enum class scheme_kind : std::uint8_t { sip, sips, tel, other };

    scheme_kind scheme = scheme_kind::other;
    bool has_port = false;
    std::uint16_t port = 0;
    std::string_view text;       ///< All of it.
    std::string_view user;       ///< Of tel, the number with its visual separators.
    std::string_view password;   ///< Deprecated, parsed, never sent.
    std::string_view host;       ///< With the brackets of an IPv6 reference. Empty for tel.
    std::string_view parameters; ///< From the first ";" on.
    std::string_view headers;    ///< After the "?".

    /// A scheme that we do not know is syntactically fine: only `scheme` and `text` are set then.
    [[nodiscard]] static result<uri_view> parse(std::string_view text) noexcept;

    /// The value of a parameter as written; empty for a flag such as lr.
    [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const noexcept;
    [[nodiscard]] bool is_sip() const noexcept {
        return scheme == scheme_kind::sip || scheme == scheme_kind::sips;
    }
    [[nodiscard]] std::uint16_t port_or_default() const noexcept {
        if (has_port) return port;
        return scheme == scheme_kind::sips ? 5061 : 5060;
    }
};

/// The user part; of a local number in a tel URI with its global phone-context, as a SIP URI has
/// both in its user part (RFC 3261 section 19.1.6).
[[nodiscard]] TRUNKLINE_EXPORT std::string_view subscriber(const uri_view& uri) noexcept;

/// The user as it stands; a local number with a global phone-context is the number that the two
/// make together (RFC 3966 section 5.1.5): 4155550100;phone-context=+1 is +14155550100.
[[nodiscard]] TRUNKLINE_EXPORT std::string shown_user(std::string_view user);

/// The digits of a telephone number with its leading "+", if any: separators, escapes and
/// parameters of the user part are gone, but a global phone-context goes before a local number.
/// Empty when it is no number at all.
[[nodiscard]] TRUNKLINE_EXPORT std::string telephone_number(std::string_view user);

/// Escapes what a user part may not hold as it stands.
[[nodiscard]] TRUNKLINE_EXPORT std::string escape_user(std::string_view user);

} // namespace trunkline::sip
