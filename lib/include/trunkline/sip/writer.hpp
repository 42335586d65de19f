// Writes SIP messages into a buffer that the caller owns. No allocation, and no way to write a line
// break into a value.
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <trunkline/core/export.hpp>
#include <trunkline/core/text.hpp>
#include <trunkline/sip/grammar.hpp>
#include <trunkline/sip/header.hpp>
#include <trunkline/sip/message.hpp>

namespace trunkline::sip {

/// Remembers the first thing that went wrong: no room left, or a control character in a value that
/// came from outside. size() is 0 then, and a size of 0 is never sent.
class TRUNKLINE_EXPORT writer {
public:
    explicit writer(std::span<std::byte> into) noexcept
        : begin_{reinterpret_cast<char*>(into.data())},
          at_{begin_},
          end_{begin_ + into.size()} {}

    /// Text of our own, line breaks included.
    writer& raw(std::string_view text) noexcept {
        if (static_cast<std::size_t>(end_ - at_) < text.size()) {
            failed_ = true;
            return *this;
        }
        at_ = std::copy(text.begin(), text.end(), at_);
        return *this;
    }
    /// Text from outside: a control character in it spoils the message, unless a backslash stands
    /// before it, as the parser has it; a line break always does.
    writer& text(std::string_view outside) noexcept {
        if (grammar::bad_text(outside)) failed_ = true;
        return raw(outside);
    }
    template <std::integral Number>
    writer& number(Number value) noexcept {
        const auto [end, failed] = std::to_chars(at_, end_, value);
        if (failed != std::errc{})
            failed_ = true;
        else
            at_ = end;
        return *this;
    }
    writer& line() noexcept { return raw("\r\n"); }
    writer& name(header which) noexcept { return raw(sip::name(which)).raw(": "); }
    writer& field(header which, std::string_view value) noexcept {
        return name(which).text(value).line();
    }
    template <std::integral Number>
    writer& field(header which, Number value) noexcept {
        return name(which).number(value).line();
    }
    writer& field(std::string_view other, std::string_view value) noexcept {
        return text(other).raw(": ").text(value).line();
    }

    writer& request_line(std::string_view method, std::string_view uri) noexcept {
        return text(method).raw(" ").text(uri).raw(" SIP/2.0\r\n");
    }
    /// Status line, Vias (with received and rport where the source asks for them), From, To with
    /// `to_tag` unless it has one, Call-ID and CSeq: what every response has (section 8.2.6).
    writer& response_head(const message_view& request, int status, std::string_view reason,
                          std::string_view to_tag, const endpoint& source) noexcept;
    /// Content-Type, Content-Length, the empty line and the body: the end of the message.
    writer& body(std::string_view type, std::string_view bytes) noexcept;
    writer& no_body() noexcept { return raw("Content-Length: 0\r\n\r\n"); }

    [[nodiscard]] bool failed() const noexcept { return failed_; }
    [[nodiscard]] std::size_t size() const noexcept {
        return failed_ ? 0 : static_cast<std::size_t>(at_ - begin_);
    }

private:
    char* begin_;
    char* at_;
    char* end_;
    bool failed_ = false;
};

/// The reason phrase of RFC 3261 section 21, for the codes that we send.
[[nodiscard]] TRUNKLINE_EXPORT std::string_view reason_phrase(int status) noexcept;

} // namespace trunkline::sip
