#include <trunkline/sip/header.hpp>

#include <array>
#include <cstring>

#include <trunkline/core/text.hpp>

#include "header_names.hpp"

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

constinit const header_names known_headers{names};

header header_of(std::string_view text) noexcept {
    if (text.size() == 1) return compact(text[0]);
    if (text.empty() || text.size() > name_pattern::longest) return header::other;
    std::array<char, name_pattern::longest> padded{};
    std::memcpy(padded.data(), text.data(), text.size());
    return known_headers.find(padded.data(), text.size());
}

std::string_view name(header which) noexcept {
    return names[static_cast<std::size_t>(which)];
}

} // namespace trunkline::sip
