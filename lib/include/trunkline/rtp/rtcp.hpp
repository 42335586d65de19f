// RTCP, RFC 3550 section 6: reading and writing of compound packets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include <trunkline/core/export.hpp>
#include <trunkline/core/result.hpp>
#include <trunkline/rtp/sequence.hpp>

namespace trunkline::rtp {

/// What a receiver tells about one sender, section 6.4.1.
struct report_block {
    std::uint32_t ssrc = 0;                ///< Of whom it tells.
    std::uint8_t fraction_lost = 0;        ///< In 256ths, since the report before.
    std::int32_t cumulative_lost = 0;      ///< 24 bits, signed: duplicates make it negative.
    std::uint32_t extended_highest = 0;    ///< Sequence number, with the count of its cycles above.
    std::uint32_t jitter = 0;              ///< In units of the media clock.
    std::uint32_t last_sr = 0;             ///< The middle of the NTP time of the last SR, or 0.
    std::uint32_t delay_since_last_sr = 0; ///< In 65,536ths of a second.

    friend constexpr bool operator==(const report_block&, const report_block&) = default;
};

/// What a sender tells about itself: its two clocks at one moment, and its counts.
struct sender_info {
    std::uint64_t ntp = 0; ///< Seconds since 1900 above, their fraction below.
    rtp::timestamp timestamp{};
    std::uint32_t packets = 0;
    std::uint32_t octets = 0;

    friend constexpr bool operator==(const sender_info&, const sender_info&) = default;
};

/// The report blocks of one packet, at most 31.
class TRUNKLINE_EXPORT report_blocks_view {
public:
    constexpr report_blocks_view() noexcept = default;
    constexpr explicit report_blocks_view(std::span<const std::byte> bytes) noexcept
        : bytes_{bytes} {}

    [[nodiscard]] constexpr std::size_t size() const noexcept { return bytes_.size() / 24; }
    /// Precondition: `index` is less than size().
    [[nodiscard]] report_block operator[](std::size_t index) const noexcept;

private:
    std::span<const std::byte> bytes_;
};

struct sender_report_view {
    std::uint32_t ssrc = 0;
    sender_info info;
    report_blocks_view reports;
};

struct receiver_report_view {
    std::uint32_t ssrc = 0;
    report_blocks_view reports;
};

/// One item of a source description, section 6.5.
struct sdes_item {
    static constexpr std::uint8_t cname = 1;

    std::uint32_t ssrc = 0;
    std::uint8_t type = 0;
    std::string_view text; ///< As received: neither checked for UTF-8 nor for control characters.
};

/// Chunks of items. `parse` has walked them once, so that nothing here can run over the end.
class TRUNKLINE_EXPORT sdes_view {
public:
    constexpr explicit sdes_view(std::span<const std::byte> chunks, unsigned count) noexcept
        : chunks_{chunks},
          count_{count} {}

    /// `visit(const sdes_item&)` for each item of each chunk.
    template <class Visit>
    void each(Visit visit) const {
        walker all{.bytes = chunks_, .chunks_left = count_};
        while (const auto item = all.next()) visit(*item);
    }
    /// The canonical name, if any chunk gives one for `ssrc`.
    [[nodiscard]] std::optional<std::string_view> cname_of(std::uint32_t ssrc) const noexcept;
    /// Whether every chunk and item lies within the bytes; where not, `wrong_at` says how far in.
    [[nodiscard]] static bool valid(std::span<const std::byte> chunks, unsigned count,
                                    std::size_t& wrong_at) noexcept;

private:
    struct walker {
        std::span<const std::byte> bytes;
        unsigned chunks_left = 0;
        std::size_t at = 0;
        std::uint32_t ssrc = 0;
        bool inside = false;
        bool good = true;
        [[nodiscard]] std::optional<sdes_item> next() noexcept;
    };
    std::span<const std::byte> chunks_;
    unsigned count_;
};

/// Section 6.6.
struct TRUNKLINE_EXPORT bye_view {
    std::span<const std::byte> ssrcs; ///< Four bytes each, at most 31.
    std::string_view why;             ///< Optional, and for people.

    [[nodiscard]] bool names(std::uint32_t ssrc) const noexcept;
};

/// APP, XR, feedback, and whatever else comes: its bytes, for who knows them.
struct unknown_rtcp_view {
    std::uint8_t type = 0;
    std::uint8_t count = 0;
    std::span<const std::byte> body; ///< Behind the first four bytes.
};

using rtcp_packet_view =
    std::variant<sender_report_view, receiver_report_view, sdes_view, bye_view, unknown_rtcp_view>;

/// A compound packet, to be walked with a range-for. It points into the datagram.
class TRUNKLINE_EXPORT rtcp_view {
public:
    /// All lengths of all packets are checked here, the known types to their last item. The first
    /// packet may be of any type (RFC 5506): some gateways send a BYE by itself. Up to three bytes
    /// behind the last packet are ignored: others send two too many.
    [[nodiscard]] static result<rtcp_view> parse(std::span<const std::byte> bytes) noexcept;

    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = rtcp_packet_view;
        using difference_type = std::ptrdiff_t;
        using pointer = void;
        using reference = rtcp_packet_view;

        constexpr iterator() noexcept = default;
        constexpr explicit iterator(std::span<const std::byte> rest) noexcept : rest_{rest} {}

        [[nodiscard]] rtcp_packet_view operator*() const noexcept;
        iterator& operator++() noexcept;
        iterator operator++(int) noexcept {
            auto before = *this;
            ++*this;
            return before;
        }
        friend constexpr bool operator==(const iterator& a, const iterator& b) noexcept {
            return a.rest_.size() == b.rest_.size();
        }

    private:
        std::span<const std::byte> rest_;
    };

    [[nodiscard]] iterator begin() const noexcept { return iterator{bytes_}; }
    [[nodiscard]] iterator end() const noexcept { return iterator{bytes_.last(0)}; }

private:
    explicit rtcp_view(std::span<const std::byte> bytes) noexcept : bytes_{bytes} {}

    std::span<const std::byte> bytes_;
};

/// Appends packets to a span. What does not fit spoils the whole, and size() is 0: half a compound
/// packet is worth nothing.
class TRUNKLINE_EXPORT rtcp_writer {
public:
    explicit rtcp_writer(std::span<std::byte> into) noexcept : into_{into} {}

    /// Precondition: at most 31 reports.
    rtcp_writer& sender_report(std::uint32_t ssrc, const sender_info& info,
                               std::span<const report_block> reports) noexcept;
    rtcp_writer& receiver_report(std::uint32_t ssrc,
                                 std::span<const report_block> reports) noexcept;
    /// A source description of one chunk with one item. Precondition: at most 255 characters.
    rtcp_writer& cname(std::uint32_t ssrc, std::string_view name) noexcept;
    /// Precondition: at most 255 characters of `why`, which may be empty.
    rtcp_writer& bye(std::uint32_t ssrc, std::string_view why = {}) noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return failed_ ? 0 : size_; }

private:
    /// Room for a packet of `size` bytes, with its header written; empty when there is none.
    std::span<std::byte> open(std::uint8_t type, std::size_t count, std::size_t size) noexcept;

    std::span<std::byte> into_;
    std::size_t size_ = 0;
    bool failed_ = false;
};

} // namespace trunkline::rtp
