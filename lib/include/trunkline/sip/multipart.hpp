// Bodies of several parts, RFC 2046 section 5.1 and RFC 5621, in memory of fixed size.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include <trunkline/core/export.hpp>
#include <trunkline/core/limits.hpp>
#include <trunkline/core/result.hpp>
#include <trunkline/sip/message.hpp>

namespace trunkline::sip {

/// Borrows the message.
struct TRUNKLINE_EXPORT body_part {
    std::string_view content_type{}; ///< As written, with its parameters; empty when it has none.
    std::string_view disposition{};  ///< Of Content-Disposition, as written.
    std::string_view content_id{};   ///< With its angle brackets.
    std::string_view content{};
    bool encoded = false; ///< By a Content-Encoding or Content-Transfer-Encoding that changes it.

    [[nodiscard]] std::string_view type() const noexcept; ///< Without its parameters.
    /// Content-Disposition's handling (RFC 3261 section 20.11): what is optional may be ignored.
    [[nodiscard]] bool is_optional() const noexcept;
    /// Only where it says so: the default of RFC 3261 would cost calls whose senders never thought
    /// of it.
    [[nodiscard]] bool is_required() const noexcept;
};

/// The parts of a message's body in order, nested ones in the place of their whole; a body of any
/// other type is one part.
class TRUNKLINE_EXPORT body_parts {
public:
    body_parts() noexcept {}

    /// errc::missing without a boundary, or where it never stands; errc::limit_exceeded for a
    /// boundary of more than 70 characters, and for too many parts. What was read is there.
    [[nodiscard]] result<void> read(const message_view& message) noexcept;
    [[nodiscard]] result<void> read(std::string_view content_type, std::string_view body) noexcept;

    [[nodiscard]] std::span<const body_part> all() const noexcept {
        return {parts_.data(), count_};
    }
    /// The first of that type.
    [[nodiscard]] const body_part* find(std::string_view type) const noexcept;

private:
    [[nodiscard]] result<void> read_parts(std::string_view content_type, std::string_view body,
                                          unsigned depth) noexcept;
    [[nodiscard]] result<void> add(std::string_view text, unsigned depth) noexcept;

    std::size_t count_ = 0;
    std::array<body_part, limits::body_parts> parts_; // Uninitialised but for the first count_.
};

} // namespace trunkline::sip
