// Via, RFC 3261 section 20.42, with rport of RFC 3581.
#pragma once

#include <cstdint>
#include <string_view>

#include <trunkline/core/export.hpp>
#include <trunkline/core/result.hpp>
#include <trunkline/core/text.hpp>
#include <trunkline/sip/parameters.hpp>

namespace trunkline::sip {

/// The cookie that says: this branch is unique, match by it (section 8.1.1.7).
inline constexpr std::string_view magic_cookie = "z9hG4bK";

/// Whether a branch begins with it. A branch is a token, so its case says nothing (section 7.3.1);
/// nearly every one is written as we write it.
[[nodiscard]] inline bool is_cookie(std::string_view branch) noexcept {
    return branch.starts_with(magic_cookie) ||
           iequals(branch.substr(0, magic_cookie.size()), magic_cookie);
}

/// One Via value. Borrows.
struct TRUNKLINE_EXPORT via_view {
    // Written out because g++ 12 clears a defaulted one by an instruction that costs more than to
    // read what goes in.
    // NOLINTNEXTLINE(modernize-use-equals-default)
    via_view() noexcept {}

    std::string_view version;   ///< "2.0"; another one is answered, so it has to be parsed.
    std::string_view transport; ///< An open token: UDP, TCP, TLS, SCTP, ...
    std::string_view host;
    std::uint16_t port = 0;
    bool has_port = false;
    std::string_view branch;
    parameters_view parameters;
    std::string_view sent_protocol; ///< Up to the white space before sent-by, as written.
    std::string_view sent_by;       ///< host and port, as written.

    [[nodiscard]] static result<via_view> parse(std::string_view text) noexcept;

    [[nodiscard]] bool has_cookie() const noexcept {
        return branch.size() > magic_cookie.size() && is_cookie(branch);
    }
    friend bool operator==(const via_view& a, const via_view& b) noexcept {
        return a.sent_by == b.sent_by && a.parameters.text() == b.parameters.text() &&
               a.transport == b.transport;
    }
};

} // namespace trunkline::sip
