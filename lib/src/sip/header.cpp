#include <trunkline/sip/header.hpp>

#include <array>

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

/// One bucket for each length and first letter: no two of ours share more than a few, so a name
/// costs one comparison, seldom two.
struct buckets {
    static constexpr std::size_t letters = 32;
    std::array<std::array<std::uint8_t, letters>, longest + 1> first{};
    std::array<std::uint8_t, header_count> next{};
};

consteval buckets make_buckets() {
    buckets made;
    for (std::size_t i = header_count - 1; i > 0; --i) {
        const auto letter = static_cast<unsigned char>(names[i][0]) % buckets::letters;
        auto& head = made.first[names[i].size()][letter];
        made.next[i] = head;
        head = static_cast<std::uint8_t>(i);
    }
    return made;
}

constexpr buckets table = make_buckets();

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
    const auto letter = static_cast<unsigned char>(text[0]) % buckets::letters;
    for (auto i = table.first[text.size()][letter]; i != 0; i = table.next[i]) {
        if (names[i] == text || iequals(names[i], text)) return static_cast<header>(i);
    }
    return header::other;
}

std::string_view name(header which) noexcept {
    return names[static_cast<std::size_t>(which)];
}

} // namespace trunkline::sip
