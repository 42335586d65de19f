// Cuts a byte stream into SIP messages, RFC 3261 section 18.3 and RFC 5626 section 4.4.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <trunkline/core/export.hpp>
#include <trunkline/core/limits.hpp>
#include <trunkline/core/result.hpp>

namespace trunkline::sip {

/// One for each stream flow; it owns what has come of a message so far. However the bytes are cut,
/// the same frames come out. Never holds more than one message of the largest size and what one
/// feed() brought.
class TRUNKLINE_EXPORT framer {
public:
    enum class kind : std::uint8_t {
        need_more,
        message, ///< From the start line to the end of the body.
        ping,    ///< A double CRLF between messages: wants a CRLF back.
        /// Where the next message begins can never be known: close. The bytes are the header
        /// section that does not say it, from the start line to the empty line, for whoever
        /// answers; there are none when it has no end, nor when next() is called again.
        broken,
    };
    struct frame {
        framer::kind kind = kind::need_more;
        /// Mutable, for unfolding. Valid until the next feed() or next(). Of broken: the header
        /// section when its end was found, so that its sender can be told.
        std::span<char> bytes{};
        error reason{}; ///< Of broken: missing, duplicate, bad_number, limit_exceeded.
    };

    void feed(std::span<const std::byte> bytes);
    /// Call until it needs more.
    [[nodiscard]] frame next();

    /// Bytes of a message that is not whole. A driver sets its deadline by it.
    [[nodiscard]] std::size_t pending() const noexcept { return bytes_.size() - start_; }

private:
    [[nodiscard]] result<std::size_t> body_length(std::size_t end) const noexcept;

    std::vector<char> bytes_;
    std::size_t start_ = 0;   ///< Of the message under way.
    std::size_t scanned_ = 0; ///< Up to here there is no end of its header section.
    std::size_t total_ = 0;   ///< Its size, once the header section has been read.
    error broken_{};
    bool is_broken_ = false;
};

} // namespace trunkline::sip
