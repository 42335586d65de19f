#include "inner_address.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>

#include <fmt/format.h>

namespace softswitch {

namespace {

using trunkline::address;

[[nodiscard]] address v4_at(const address& what, std::size_t from) noexcept {
    return address::v4(what.bytes[from], what.bytes[from + 1], what.bytes[from + 2],
                       what.bytes[from + 3]);
}

[[nodiscard]] bool begins(const address& what, std::initializer_list<std::uint8_t> with) noexcept {
    return std::equal(with.begin(), with.end(), what.bytes.begin());
}

/// RFC 6890: what is special, beside what the library knows.
[[nodiscard]] bool is_inner_v4(const address& what) noexcept {
    const auto a = what.bytes[12];
    const auto b = what.bytes[13];
    const auto c = what.bytes[14];
    return a == 0 || a >= 224 ||               // "This network"; multicast and reserved
           (a == 192 && b == 0 && c == 0) ||   // IETF protocols
           (a == 198 && (b == 18 || b == 19)); // Benchmarks
}

} // namespace

bool is_inner(const address& what) noexcept {
    if (what.is_loopback() || what.is_private() || what.is_multicast() || what.is_wildcard()) {
        return true;
    }
    if (what.is_v4()) return is_inner_v4(what);
    if (begins(what, {0xfe}) && (what.bytes[1] & 0x80U) != 0) return true; // Local to link or site
    // "::127.0.0.1" and the addresses of translators hold an IPv4 address.
    if (begins(what, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})) return true;
    if (begins(what, {0, 0x64, 0xff, 0x9b, 0, 1})) return true; // RFC 8215: of a local network
    if (begins(what, {0, 0x64, 0xff, 0x9b})) return is_inner(v4_at(what, 12));
    if (begins(what, {0x20, 0x02})) return is_inner(v4_at(what, 2));
    return begins(what, {0x20, 0x01, 0, 0}); // Teredo
}

std::string why_not_there(const address& what) {
    return fmt::format("{} is a private address: allow_private_urls = true lets it be called",
                       trunkline::to_text(what));
}

} // namespace softswitch
