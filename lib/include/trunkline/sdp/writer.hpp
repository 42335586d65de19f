// Writes a session description into memory that the caller owns.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <trunkline/core/address.hpp>
#include <trunkline/core/result.hpp>
#include <trunkline/sdp/description.hpp>

namespace trunkline::sdp {

/// One call a line, in the order that RFC 8866 section 5 wants them in; only size() can fail. What
/// is given as text is written as it is: it must not hold line ends, and what came from a parsed
/// description does not.
class writer {
public:
    explicit writer(std::span<char> into) noexcept : into_{into} {}

    /// v= and o=.
    writer& origin(std::string_view username, std::uint64_t session_id,
                   std::uint64_t session_version, const trunkline::address& host) noexcept {
        return text("v=0\r\no=")
            .text(username)
            .text(" ")
            .number(session_id)
            .text(" ")
            .number(session_version)
            .text(" ")
            .address(host)
            .text("\r\n");
    }
    writer& origin(const origin_view& from) noexcept {
        const bool v6 = from.host.find(':') != std::string_view::npos;
        return text("v=0\r\no=")
            .text(from.username)
            .text(" ")
            .text(from.session_id)
            .text(" ")
            .text(from.session_version)
            .text(v6 ? " IN IP6 " : " IN IP4 ")
            .text(from.host)
            .text("\r\n");
    }
    /// Any line that is only text, such as s= or t=.
    writer& line(char type, std::string_view value) noexcept {
        const std::array<char, 2> start{type, '='};
        return text({start.data(), start.size()}).text(value).text("\r\n");
    }
    writer& connection(const trunkline::address& host) noexcept {
        return text("c=").address(host).text("\r\n");
    }
    writer& connection(std::string_view host) noexcept {
        const bool v6 = host.find(':') != std::string_view::npos;
        return text(v6 ? "c=IN IP6 " : "c=IN IP4 ").text(host).text("\r\n");
    }

    /// m=, followed by format() for each and end_of_formats().
    writer& media(std::string_view kind, std::uint16_t port, std::string_view transport) noexcept {
        return text("m=").text(kind).text(" ").number(port).text(" ").text(transport);
    }
    writer& format(std::string_view what) noexcept { return text(" ").text(what); }
    writer& format(std::uint8_t payload_type) noexcept { return text(" ").number(payload_type); }
    writer& end_of_formats() noexcept { return text("\r\n"); }

    writer& rtpmap(std::uint8_t payload_type, std::string_view encoding,
                   std::uint32_t clock_rate) noexcept {
        return text("a=rtpmap:")
            .number(payload_type)
            .text(" ")
            .text(encoding)
            .text("/")
            .number(clock_rate)
            .text("\r\n");
    }
    writer& fmtp(std::uint8_t payload_type, std::string_view parameters) noexcept {
        return text("a=fmtp:").number(payload_type).text(" ").text(parameters).text("\r\n");
    }
    writer& attribute(std::string_view name) noexcept { return text("a=").text(name).text("\r\n"); }
    writer& attribute(std::string_view name, std::string_view value) noexcept {
        return text("a=").text(name).text(":").text(value).text("\r\n");
    }
    writer& attribute(std::string_view name, std::uint64_t value) noexcept {
        return text("a=").text(name).text(":").number(value).text("\r\n");
    }

    /// How much was written, or errc::full.
    [[nodiscard]] result<std::size_t> size() const noexcept {
        if (full_) {
            return error{.code = errc::full, .offset = static_cast<std::uint32_t>(at_)};
        }
        return at_;
    }

private:
    writer& text(std::string_view piece) noexcept {
        // Once a piece did not fit nothing more is written: a gap would be worse than an end.
        full_ = full_ || piece.size() > into_.size() - at_;
        if (full_) return *this;
        std::copy(piece.begin(), piece.end(), into_.begin() + static_cast<std::ptrdiff_t>(at_));
        at_ += piece.size();
        return *this;
    }
    writer& number(std::uint64_t value) noexcept {
        std::array<char, 20> digits{};
        const auto* const end = std::to_chars(digits.data(), digits.data() + 20, value).ptr;
        return text({digits.data(), static_cast<std::size_t>(end - digits.data())});
    }
    writer& address(const trunkline::address& host) noexcept {
        std::array<char, max_address_text> letters{};
        return text(host.is_v4() ? "IN IP4 " : "IN IP6 ").text(to_text(host, letters));
    }

    std::span<char> into_;
    std::size_t at_ = 0;
    bool full_ = false;
};

} // namespace trunkline::sdp
