// Header names, RFC 3261 section 20 and the extensions that a trunk meets, with their compact
// forms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <trunkline/core/export.hpp>

namespace trunkline::sip {

enum class header : std::uint8_t {
    other, ///< Not one of ours: kept as text.
    accept,
    alert_info,
    allow,
    authentication_info,
    authorization,
    call_id,
    contact,
    content_disposition,
    content_encoding,
    content_length,
    content_type,
    cseq,
    date,
    diversion,
    event,
    expires,
    from,
    identity,
    max_forwards,
    min_expires,
    min_se,
    p_asserted_identity,
    privacy,
    proxy_authenticate,
    proxy_authorization,
    proxy_require,
    rack,
    reason,
    record_route,
    refer_to,
    referred_by,
    replaces,
    require,
    retry_after,
    route,
    rseq,
    server,
    session_expires,
    subscription_state,
    subject,
    supported,
    to,
    unsupported,
    user_agent,
    via,
    warning,
    www_authenticate,
};
inline constexpr std::size_t header_count = static_cast<std::size_t>(header::www_authenticate) + 1;

/// Any spelling: long, compact (section 7.3.3), upper or lower case.
[[nodiscard]] TRUNKLINE_EXPORT header header_of(std::string_view name) noexcept;
/// The long form, as we write it; empty for other.
[[nodiscard]] TRUNKLINE_EXPORT std::string_view name(header which) noexcept;

} // namespace trunkline::sip
