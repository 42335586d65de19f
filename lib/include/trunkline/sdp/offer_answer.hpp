// Offer and answer, RFC 3264, for the one audio stream of a telephone call.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

#include <trunkline/core/address.hpp>
#include <trunkline/core/assert.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/limits.hpp>
#include <trunkline/core/result.hpp>
#include <trunkline/sdp/description.hpp>

namespace trunkline::sdp {

enum class encoding : std::uint8_t { pcmu, pcma, telephone_event };

struct codec {
    std::uint8_t payload_type = 0;
    sdp::encoding encoding = sdp::encoding::pcmu;
    std::uint32_t clock_rate = 8'000;

    friend constexpr bool operator==(const codec&, const codec&) = default;
};

/// A few codecs by value, the preferred one first.
class codec_list {
public:
    static constexpr std::size_t capacity = 8;

    constexpr codec_list() noexcept = default;
    constexpr codec_list(std::initializer_list<codec> codecs) noexcept {
        for (const auto& each : codecs) push_back(each);
    }
    constexpr void push_back(const codec& one) noexcept {
        TRUNKLINE_ASSERT(size_ < capacity);
        codecs_[size_++] = one;
    }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr const codec* begin() const noexcept { return codecs_.data(); }
    [[nodiscard]] constexpr const codec* end() const noexcept { return codecs_.data() + size_; }
    [[nodiscard]] constexpr const codec* find(encoding which) const noexcept {
        const auto* const found =
            std::find_if(begin(), end(), [&](const codec& each) { return each.encoding == which; });
        return found == end() ? nullptr : found;
    }

private:
    std::array<codec, capacity> codecs_{};
    std::size_t size_ = 0;
};

/// Both laws of G.711, mu-law first. (Not an initializer list: g++ 12 takes its backing array for
/// uninitialized when it is a default member initializer.)
[[nodiscard]] constexpr codec_list both_laws() noexcept {
    codec_list made;
    made.push_back({0, encoding::pcmu});
    made.push_back({8, encoding::pcma});
    return made;
}

/// What we bring to a negotiation.
struct local_media {
    codec_list codecs = both_laws();
    trunkline::address address{}; ///< As the peer reaches us; never a wildcard.
    std::uint16_t rtp_port = 0;
    std::uint16_t rtcp_port = 0; ///< 0 is the one after rtp_port.
    std::chrono::milliseconds ptime{20};
    sdp::direction direction = sdp::direction::sendrecv;
    bool dtmf = true; ///< telephone-event: at 101, unless `codecs` names another payload type.
    bool rtcp_mux = false;
};

/// What both sides settled on, as seen from ours.
struct agreed {
    endpoint rtp{}; ///< Where to send.
    endpoint rtcp{};
    encoding law = encoding::pcmu;
    std::uint8_t send_payload_type = 0;    ///< As the peer mapped it,
    std::uint8_t receive_payload_type = 0; ///< and as we did: RFC 3264 lets them differ.
    std::optional<std::uint8_t> send_telephone_event{};
    std::optional<std::uint8_t> receive_telephone_event{};
    std::chrono::milliseconds ptime{20}; ///< Of the packets that we send.
    sdp::direction direction = sdp::direction::sendrecv;
    bool held = false;     ///< The peer wants nothing from us, while we would send.
    bool disabled = false; ///< Port 0: there is no stream, and nothing above but `rtp` means much.
    bool rtcp_mux = false;

    friend constexpr bool operator==(const agreed&, const agreed&) = default;
};

/// error::detail of errc::bad_address: why nothing can be sent to a c= line. Smaller numbers are
/// those of whoever judges the address itself.
enum class unreachable : std::uint16_t { none, host_name = 1'001, other_family };

/// Whose order of codecs decides when an offer comes in.
enum class preference : std::uint8_t { offerer, ours };

/// One call's offers and answers in fixed memory. A description that is refused, by us or by the
/// peer, leaves what was agreed before as it was.
class TRUNKLINE_EXPORT negotiation {
public:
    enum class state : std::uint8_t { none, offered, have_remote_offer, stable };

    /// `session_id` is random; it is kept below 2**62, because some read it into 63 bits.
    explicit negotiation(std::uint64_t session_id, preference whose = preference::offerer) noexcept
        : session_id_{session_id >> 2U},
          version_{session_id_},
          preference_{whose} {}

    /// What the next offer is judged by and the next answer says. Codecs, dtmf and rtcp_mux count
    /// at receive_offer(); address, ports, direction and ptime at write_answer(), because ports are
    /// opened in between.
    void set_local(const local_media& local) noexcept { local_ = local; }

    /// A first offer, a re-offer, or the late offer of a 200; returns how much of `into` it takes.
    [[nodiscard]] result<std::size_t> write_offer(const local_media& local,
                                                  std::span<char> into) noexcept;
    /// An offer that changes nothing (RFC 4028 section 7.4): what we said last, with its version.
    /// Before anything was agreed it is a first offer.
    [[nodiscard]] result<std::size_t> repeat(const local_media& local,
                                             std::span<char> into) noexcept;
    /// The answer to our offer. A 200 may bring another than the 183 did: the last one counts.
    [[nodiscard]] result<agreed> receive_answer(std::string_view text) noexcept;

    /// What we would agree to; errc::not_supported is a 488, errc::wrong_state is glare, a 491.
    [[nodiscard]] result<agreed> receive_offer(std::string_view text) noexcept;
    /// Answers the offer that was received last. Asked again, it writes the same answer again: the
    /// 200 repeats what the 183 said.
    [[nodiscard]] result<std::size_t> write_answer(std::span<char> into) noexcept;

    /// The offer under way came to nothing: ours was refused, or theirs is by us.
    void abandon() noexcept;

    [[nodiscard]] state current_state() const noexcept { return state_; }
    /// What holds now: nothing before the first answer.
    [[nodiscard]] std::optional<agreed> current() const noexcept {
        return has_stable_ ? std::optional{stable_.outcome} : std::nullopt;
    }

private:
    /// Kind, transport and one format of an m-line, owned: a later description has to repeat them.
    struct slot {
        std::array<char, 45> letters{};
        std::uint8_t kind_size = 0;
        std::uint8_t transport_size = 0;
        std::uint8_t format_size = 0;

        [[nodiscard]] bool assign(std::string_view kind, std::string_view transport,
                                  std::string_view format) noexcept;
        [[nodiscard]] std::string_view kind() const noexcept { return {letters.data(), kind_size}; }
        [[nodiscard]] std::string_view transport() const noexcept {
            return {letters.data() + kind_size, transport_size};
        }
        [[nodiscard]] std::string_view format() const noexcept {
            return {letters.data() + kind_size + transport_size, format_size};
        }
    };
    /// An offer and what became of it.
    struct exchange {
        std::array<slot, limits::sdp_media> slots{};
        std::size_t slot_count = 0;
        std::size_t ours = 0; ///< The slot of the audio stream.
        bool we_offered = false;
        local_media local{};
        sdp::direction said = sdp::direction::sendrecv; ///< In our offer.
        std::array<char, 24> timing{'0', ' ', '0'};     ///< An answer repeats the offer's t=.
        std::size_t timing_size = 3;
        bool event_number_taken = false; ///< Theirs for another format is what we would use.
        sdp::direction theirs = sdp::direction::sendrecv; ///< After what c=0.0.0.0 takes away.
        agreed outcome{};
    };

    [[nodiscard]] result<agreed> take(const media_view& media, const exchange& made) const noexcept;
    [[nodiscard]] result<std::size_t> offer(exchange made, bool disabled,
                                            std::span<char> into) noexcept;
    /// RFC 3264 section 8.3.2: within a session no number ever stands for another format.
    void keep_numbers(local_media& of) const noexcept;
    [[nodiscard]] result<std::size_t> write(const exchange& what, const codec_list& codecs,
                                            bool disabled, std::span<char> into) noexcept;

    std::uint64_t session_id_;
    std::uint64_t version_;
    std::uint64_t last_written_ = 0; ///< A hash of our last description, less its version.
    bool has_written_ = false;
    bool has_stable_ = false;
    preference preference_;
    state state_ = state::none;
    local_media local_{};
    exchange stable_{};
    exchange pending_{};
};

} // namespace trunkline::sdp
