// Our tags, branches and Call-IDs carry the shard and the slot that they belong to, so that
// whatever bears one finds its home without a table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <trunkline/core/entropy.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/sip/via.hpp>

namespace trunkline::sip {

struct identity {
    std::uint16_t shard = 0;
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;

    friend constexpr bool operator==(const identity&, const identity&) = default;
};

/// A token of 34 characters: "tl", twenty hex digits, twelve random letters (60 bits, so that
/// nobody guesses a tag; RFC 3261 section 19.3 asks for 32).
class TRUNKLINE_EXPORT identity_text {
public:
    static constexpr std::size_t size = 34;

    identity_text() = default;
    identity_text(const identity& what, entropy& random);

    [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), text_.size()}; }

private:
    std::array<char, size> text_{};
};

/// What one of ours says; nothing when it is a stranger's. The letters are not checked: whoever
/// owns the slot compares the whole text.
[[nodiscard]] TRUNKLINE_EXPORT std::optional<identity>
read_identity(std::string_view text) noexcept;

/// The same of a branch, behind its cookie.
[[nodiscard]] inline std::optional<identity> branch_identity(std::string_view branch) noexcept {
    if (!is_cookie(branch)) return std::nullopt;
    return read_identity(branch.substr(magic_cookie.size()));
}

/// The shard that a datagram belongs to: by the top branch of a response, the To tag of a request
/// in a dialog, the Call-ID of any other. Reads as little as it needs and believes nothing; nothing
/// for bytes that are no SIP.
[[nodiscard]] TRUNKLINE_EXPORT std::optional<std::uint16_t>
owner_of(std::span<const std::byte> datagram, std::uint16_t shards) noexcept;

} // namespace trunkline::sip
