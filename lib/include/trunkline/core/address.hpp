// IP addresses, endpoints and networks as values and as text, in types that no network library
// owns.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <trunkline/core/export.hpp>
#include <trunkline/core/result.hpp>

namespace trunkline {

/// An IPv6 address, or an IPv4 address mapped into IPv6 (::ffff:a.b.c.d).
struct TRUNKLINE_EXPORT address {
    std::array<std::uint8_t, 16> bytes{};

    [[nodiscard]] static constexpr address v4(std::uint8_t a, std::uint8_t b, std::uint8_t c,
                                              std::uint8_t d) noexcept {
        return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}};
    }
    /// An IPv4 literal, an IPv6 literal, or an IPv6 literal in brackets. No name is ever looked up.
    [[nodiscard]] static result<address> parse(std::string_view text) noexcept;

    /// Whether parse() takes it for an IPv4 address, for who needs no more than that.
    [[nodiscard]] static bool is_v4_literal(std::string_view text) noexcept;

    [[nodiscard]] constexpr bool is_v4() const noexcept {
        for (std::size_t i = 0; i < 10; ++i) {
            if (bytes[i] != 0) return false;
        }
        return bytes[10] == 0xff && bytes[11] == 0xff;
    }
    /// 0.0.0.0 or ::, which as a local address means "whichever the route takes".
    [[nodiscard]] constexpr bool is_wildcard() const noexcept {
        for (std::size_t i = is_v4() ? 12 : 0; i < 16; ++i) {
            if (bytes[i] != 0) return false;
        }
        return true;
    }
    [[nodiscard]] bool is_loopback() const noexcept;
    /// RFC 1918, RFC 6598, link-local, unique-local: what no carrier on the Internet can reach.
    [[nodiscard]] bool is_private() const noexcept;
    [[nodiscard]] bool is_multicast() const noexcept;

    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 stumbles over a defaulted <=>.
    friend constexpr auto operator<=>(const address&, const address&) = default;
};

/// Without brackets: as SDP, received= and CIDR lists write it.
[[nodiscard]] TRUNKLINE_EXPORT std::string to_text(const address& what);
/// The same into a buffer that the caller owns; returns the part that was written.
inline constexpr std::size_t max_address_text = 46;
TRUNKLINE_EXPORT std::string_view to_text(const address& what,
                                          std::array<char, max_address_text>& into) noexcept;

struct TRUNKLINE_EXPORT endpoint {
    trunkline::address address{};
    std::uint16_t port = 0;

    /// `192.0.2.1:5060` or `[2001:db8::1]:5060`.
    [[nodiscard]] static result<endpoint> parse(std::string_view text) noexcept;

    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 stumbles over a defaulted <=>.
    friend constexpr auto operator<=>(const endpoint&, const endpoint&) = default;
};
[[nodiscard]] TRUNKLINE_EXPORT std::string to_text(const endpoint& what);

/// A network such as 198.51.100.0/24. A bare address is a network of one.
struct TRUNKLINE_EXPORT cidr {
    address network{};
    std::uint8_t prefix = 128; ///< Bits of the 128; an IPv4 /24 is 120.

    [[nodiscard]] static result<cidr> parse(std::string_view text) noexcept;
    [[nodiscard]] bool contains(const address& candidate) const noexcept;
    /// Whether being in it says anything of an address: a network wider than an IPv4 /16 or an IPv6
    /// /32 permits its addresses, and identifies none of them.
    [[nodiscard]] constexpr bool identifies() const noexcept {
        return prefix >= (network.is_v4() ? 96 + 16 : 32);
    }

    friend constexpr bool operator==(const cidr&, const cidr&) = default;
};
[[nodiscard]] TRUNKLINE_EXPORT std::string to_text(const cidr& what);

} // namespace trunkline
