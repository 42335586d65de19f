#include <trunkline/sip/header.hpp>

#include <array>
#include <cstring>

#include <trunkline/core/text.hpp>

namespace trunkline::sip {

namespace {

constexpr std::array<std::string_view, header_count> names{
    "",
    "Accept",
    "Alert-Info",
    "Allow",
    "Authentication-Info",
    "Authorization",
    "Call-ID",
    "Contact",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "CSeq",
    "Date",
    "Diversion",
    "Event",
    "Expires",
    "From",
    "Identity",
    "Max-Forwards",
    "Min-Expires",
    "Min-SE",
    "P-Asserted-Identity",
    "Privacy",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Require",
    "RAck",
    "Reason",
    "Record-Route",
    "Refer-To",
    "Referred-By",
    "Replaces",
    "Require",
    "Retry-After",
    "Route",
    "RSeq",
    "Server",
    "Session-Expires",
    "Subscription-State",
    "Subject",
    "Supported",
    "To",
    "Unsupported",
    "User-Agent",
    "Via",
    "Warning",
    "WWW-Authenticate",
};
constexpr std::size_t longest = 19;

/// Its first and last letter and its length tell all names of ours apart, whatever their case.
struct places {
    static constexpr std::size_t count = 128;

    [[nodiscard]] static constexpr std::size_t of(std::string_view name) noexcept {
        const auto first = static_cast<unsigned char>(name.front()) | 0x20U;
        const auto last = static_cast<unsigned char>(name.back()) | 0x20U;
        return (first + 33 * (last + name.size())) % count;
    }

    std::array<std::uint8_t, count> header_at{}; ///< 0, which is other, where none is.
};

consteval places make_places() {
    places made;
    for (std::size_t i = 1; i < header_count; ++i) {
        auto& place = made.header_at[places::of(names[i])];
        if (place != 0) throw "two names share a place: places::of() needs another factor";
        place = static_cast<std::uint8_t>(i);
    }
    return made;
}

constexpr places table = make_places();

/// The same for names of two to nineteen letters, in overlapping words instead of a call.
[[nodiscard]] bool same(const char* a, const char* b, std::size_t size) noexcept {
    const auto word = [](const char* at, auto into) {
        std::memcpy(&into, at, sizeof into);
        return into;
    };
    const auto both = [&](auto type) {
        const auto last = size - sizeof type;
        return ((word(a, type) ^ word(b, type)) | (word(a + last, type) ^ word(b + last, type))) ==
               0;
    };
    if (size > 16)
        return both(std::uint64_t{}) &&
               word(a + 8, std::uint64_t{}) == word(b + 8, std::uint64_t{});
    if (size >= 8) return both(std::uint64_t{});
    return size >= 4 ? both(std::uint32_t{}) : both(std::uint16_t{});
}

[[nodiscard]] header compact(char letter) noexcept {
    switch (to_lower(letter)) {
    case 'b': return header::referred_by;
    case 'c': return header::content_type;
    case 'e': return header::content_encoding;
    case 'f': return header::from;
    case 'i': return header::call_id;
    case 'k': return header::supported;
    case 'l': return header::content_length;
    case 'm': return header::contact;
    case 'o': return header::event;
    case 'r': return header::refer_to;
    case 's': return header::subject;
    case 't': return header::to;
    case 'v': return header::via;
    case 'x': return header::session_expires;
    case 'y': return header::identity;
    default: return header::other;
    }
}

} // namespace

header header_of(std::string_view text) noexcept {
    if (text.size() == 1) return compact(text[0]);
    if (text.empty() || text.size() > longest) return header::other;
    const auto i = table.header_at[places::of(text)];
    const auto candidate = names[i];
    if (candidate.size() != text.size()) return header::other;
    if (same(candidate.data(), text.data(), text.size()) || iequals(candidate, text)) {
        return static_cast<header>(i);
    }
    return header::other;
}

std::string_view name(header which) noexcept {
    return names[static_cast<std::size_t>(which)];
}

} // namespace trunkline::sip
