// A session description, RFC 8866, read where it lies: an index of the lines an endpoint acts on.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <trunkline/core/address.hpp>
#include <trunkline/core/assert.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/limits.hpp>
#include <trunkline/core/result.hpp>

namespace trunkline::sdp {

enum class media_kind : std::uint8_t { audio, video, image, application, other };
enum class transport : std::uint8_t { rtp_avp, rtp_savp, rtp_avpf, rtp_savpf, udptl, other };

/// Seen from whoever wrote it. Bit 0 is "sends", bit 1 "receives", so that rules are arithmetic.
enum class direction : std::uint8_t { inactive = 0, sendonly = 1, recvonly = 2, sendrecv = 3 };

[[nodiscard]] constexpr bool sends(direction what) noexcept {
    return (static_cast<unsigned>(what) & 1U) != 0;
}
[[nodiscard]] constexpr bool receives(direction what) noexcept {
    return (static_cast<unsigned>(what) & 2U) != 0;
}
/// The same stream, seen from its other end.
[[nodiscard]] constexpr direction reversed(direction what) noexcept {
    return static_cast<direction>((sends(what) ? 2U : 0U) | (receives(what) ? 1U : 0U));
}
/// What both want.
[[nodiscard]] constexpr direction common(direction a, direction b) noexcept {
    return static_cast<direction>(static_cast<unsigned>(a) & static_cast<unsigned>(b));
}
[[nodiscard]] TRUNKLINE_EXPORT std::string_view to_text(direction what) noexcept;
[[nodiscard]] TRUNKLINE_EXPORT transport transport_of(std::string_view text) noexcept;

/// Everything below points into the text that was parsed and dies with it.
struct origin_view {
    std::string_view username;
    std::string_view session_id; ///< Digits of any length: nobody calculates with it.
    std::string_view session_version;
    std::string_view host;

    friend constexpr bool operator==(const origin_view&, const origin_view&) = default;
};
/// Of a c= line or an a=rtcp, without time-to-live and count, which only multicast has.
struct connection_view {
    std::string_view host;
    std::optional<address> literal; ///< Nothing when the host is a name.
};
struct attribute_view {
    std::string_view name;
    std::string_view value; ///< Empty for a property such as a=sendrecv.

    friend constexpr bool operator==(const attribute_view&, const attribute_view&) = default;
};
/// One format of an m-line, with what rtpmap, or else RFC 3551's static table, says of it.
struct format_view {
    std::string_view text;
    std::optional<std::uint8_t> payload_type{}; ///< Nothing when it is no number of seven bits.
    std::string_view encoding{};                ///< Empty when nobody says.
    std::uint32_t clock_rate = 0;
    std::uint8_t channels = 0;
    std::string_view fmtp{};

    friend constexpr bool operator==(const format_view&, const format_view&) = default;
};
/// RFC 3605.
struct rtcp_view {
    std::uint16_t port = 0;
    std::optional<connection_view> connection; ///< Nothing: where the RTP goes.
};

class description;

/// Of one m= section. No accessor can fail: all that is typed was checked by parse().
class TRUNKLINE_EXPORT media_view {
public:
    [[nodiscard]] media_kind kind() const noexcept;
    [[nodiscard]] std::string_view kind_text() const noexcept;
    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] std::uint16_t port_count() const noexcept;
    [[nodiscard]] sdp::transport transport() const noexcept;
    [[nodiscard]] std::string_view transport_text() const noexcept;
    [[nodiscard]] std::size_t offset() const noexcept; ///< Of the m= line, for an error.

    [[nodiscard]] std::size_t format_count() const noexcept; ///< At least one.
    [[nodiscard]] format_view format(std::size_t index) const noexcept;

    /// Its own c= line, or the session's.
    [[nodiscard]] std::optional<connection_view> connection() const noexcept;
    [[nodiscard]] sdp::direction direction() const noexcept;
    [[nodiscard]] std::optional<std::chrono::milliseconds> ptime() const noexcept;
    [[nodiscard]] std::optional<std::chrono::milliseconds> maxptime() const noexcept;
    [[nodiscard]] std::optional<rtcp_view> rtcp() const noexcept;
    [[nodiscard]] bool rtcp_mux() const noexcept;
    [[nodiscard]] std::string_view mid() const noexcept;

    /// Every attribute of the section, typed above or not, in the order of the text.
    [[nodiscard]] std::size_t attribute_count() const noexcept;
    [[nodiscard]] attribute_view attribute(std::size_t index) const noexcept;
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;

private:
    friend class description;
    media_view(const description& of, std::size_t index) noexcept : of_{&of}, index_{index} {}

    const description* of_;
    std::size_t index_;
};

/// Reads v=, o=, s=, c=, t=, m= and a=; skips all other lines. Tolerant where carriers are: any
/// line ending, or none on the last line; s= and t= may be empty or missing. An attribute that is
/// typed and malformed stays an attribute and has no other effect, except for a=rtcp, which would
/// send our reports astray. On an error `into` reads as empty.
[[nodiscard]] TRUNKLINE_EXPORT result<void> parse(std::string_view text,
                                                  description& into) noexcept;

/// 13 KB, mostly room for the formats of a hostile description: make one, and parse into it often.
class TRUNKLINE_EXPORT description {
public:
    // The table of formats starts as whatever was there before: only what a count covers is read.
    // NOLINTNEXTLINE(modernize-use-equals-default): = default would clear it in `{}`.
    description() noexcept {}

    [[nodiscard]] origin_view origin() const noexcept;
    [[nodiscard]] std::string_view session_name() const noexcept { return text_of(name_); }
    [[nodiscard]] std::string_view timing() const noexcept { return text_of(timing_); }
    [[nodiscard]] std::optional<connection_view> connection() const noexcept;

    [[nodiscard]] std::size_t media_count() const noexcept { return media_count_; }
    [[nodiscard]] media_view media(std::size_t index) const noexcept {
        TRUNKLINE_ASSERT(index < media_count_);
        return {*this, index};
    }

    /// Those before the first m= line.
    [[nodiscard]] std::size_t attribute_count() const noexcept { return session_attributes_; }
    [[nodiscard]] attribute_view attribute(std::size_t index) const noexcept;
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;

private:
    friend class media_view;
    friend result<void> parse(std::string_view text, description& into) noexcept;
    struct reader;

    static constexpr std::uint16_t none = 0xffff;
    static constexpr std::uint8_t no_payload_type = 0xff;

    struct slice {
        std::uint16_t at = 0;
        std::uint16_t size = 0;
    };
    static_assert(limits::body <= none);
    struct stored_attribute {
        slice name;
        slice value;
    };
    // Without initialisers, so that the array of them is left alone.
    struct stored_format {
        std::uint16_t at;
        std::uint16_t size;
        std::uint16_t rtpmap; ///< Which attribute, or none.
        std::uint16_t fmtp;
        std::uint8_t payload_type;
    };
    struct stored_media {
        slice kind_text;
        slice transport_text;
        slice host;
        slice mid;
        slice rtcp_host;
        std::uint16_t offset = 0;
        std::uint16_t port = 0;
        std::uint16_t port_count = 1;
        std::uint16_t rtcp_port = 0;
        std::uint16_t ptime = 0; ///< Milliseconds; 0 is not given.
        std::uint16_t maxptime = 0;
        std::uint16_t first_format = 0;
        std::uint16_t first_attribute = 0;
        std::uint16_t attribute_count = 0;
        std::uint8_t format_count = 0;
        media_kind kind = media_kind::other;
        sdp::transport transport = sdp::transport::other;
        sdp::direction direction = sdp::direction::sendrecv;
        bool has_rtcp = false;
        bool rtcp_mux = false;
    };

    void clear(std::string_view text) noexcept;
    [[nodiscard]] std::string_view text_of(slice which) const noexcept {
        return text_.substr(which.at, which.size);
    }
    [[nodiscard]] attribute_view stored(std::size_t index) const noexcept;
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name, std::size_t first,
                                                       std::size_t count) const noexcept;

    std::string_view text_;
    slice username_;
    slice session_id_;
    slice session_version_;
    slice origin_host_;
    slice name_;
    slice timing_;
    slice host_;
    std::uint16_t media_count_ = 0;
    std::uint16_t format_count_ = 0;
    std::uint16_t attribute_count_ = 0;
    std::uint16_t session_attributes_ = 0;
    std::array<stored_attribute, limits::sdp_attributes> attributes_;
    std::array<stored_media, limits::sdp_media> media_;
    std::array<stored_format, limits::sdp_media * limits::sdp_formats> formats_;
};

} // namespace trunkline::sdp
