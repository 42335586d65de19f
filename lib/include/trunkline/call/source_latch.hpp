// Which source a call's RTP is believed from, RFC 4961 with the caution of AST-2017-005.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <trunkline/call/probation.hpp>
#include <trunkline/call/rtp_symmetry.hpp>
#include <trunkline/call/source_rank.hpp>
#include <trunkline/core/address.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/time.hpp>
#include <trunkline/rtp/packet.hpp>

namespace trunkline::calls {

/// One description, and the source that is heard for it. The first valid packet of the described
/// endpoint takes the stream; every other source has to pass probation, and takes the stream of
/// no source that was heard within two seconds.
class TRUNKLINE_EXPORT source_latch {
public:
    /// A valid packet: RTP of a payload type that was negotiated.
    struct packet {
        endpoint from{};
        rtp::header header{};
        std::span<const std::byte> bytes{};
        bool comfort_noise = false; ///< The sender announces a pause without packets (RFC 3389).
        duration ptime{};           ///< The longer of what was negotiated and what is in it.
    };
    enum class verdict : std::uint8_t {
        dropped, ///< From no source of this call.
        kept,    ///< On probation: adopted() hands it out, should its source pass.
        heard,
        adopted, ///< Heard, and its source is the call's from now on.
    };

    /// How long a source is silent before another plausible one may take the stream, and how long
    /// the source of an earlier description is heard beside the new one.
    static constexpr duration patience = std::chrono::seconds{2};

    /// Where a source may come from besides the description. `origins` outlives the latch.
    void know(const signalling_sources& signalling, const media_origins* origins,
              rtp_symmetry symmetry) noexcept {
        signalling_ = signalling;
        origins_ = origins;
        symmetry_ = symmetry;
    }
    /// As know(), of what another latch of the same INVITE was told.
    void succeed(const source_latch& other) noexcept {
        know(other.signalling_, other.origins_, other.symmetry_);
        held_ = other.held_;
    }
    /// A description. One that changes neither address nor port changes nothing.
    void describe(const endpoint& described, time_point now) noexcept;
    /// While a call is on hold, silence says nothing of its source.
    void hold(bool held, time_point now) noexcept;

    [[nodiscard]] verdict receive(const packet& what, time_point now);
    /// After `adopted`: the packets that its source has sent on probation, oldest first.
    template <class Hear>
    void replay(Hear hear) {
        if (probation_.empty()) return;
        probation_.front().take(*live_, live_ssrc_, hear);
        probation_.front().clear();
    }

    [[nodiscard]] const endpoint& described() const noexcept { return described_; }
    /// Where media is sent to.
    [[nodiscard]] const endpoint& destination() const noexcept { return destination_; }
    [[nodiscard]] const std::optional<endpoint>& live() const noexcept { return live_; }
    [[nodiscard]] source_rank live_rank() const noexcept { return live_rank_; }
    /// Packets that were dropped, or are still on probation.
    [[nodiscard]] std::uint64_t foreign() const noexcept { return foreign_; }
    /// The first stranger with a steady stream that was not heard. An operator may know it.
    [[nodiscard]] const std::optional<endpoint>& refused() const noexcept { return refused_; }
    /// Whether a packet of the described address came: the peer then has read what we send.
    [[nodiscard]] bool heard_described() const noexcept { return heard_described_; }

private:
    [[nodiscard]] verdict adopt(const packet& what, source_rank rank, time_point now);
    [[nodiscard]] bool may_take_over(const packet& what, source_rank rank, time_point now) const;
    [[nodiscard]] bool continues(const packet& what) const noexcept;
    [[nodiscard]] verdict refuse(const packet& what, time_point now) noexcept;
    void note_heard(const packet& what, time_point now) noexcept;

    signalling_sources signalling_{};
    const media_origins* origins_ = nullptr;
    rtp_symmetry symmetry_ = rtp_symmetry::automatic;

    endpoint described_{};
    endpoint destination_{};
    bool is_described_ = false;
    bool fresh_ = false;   ///< The described endpoint has sent nothing since it was described.
    bool adopted_ = false; ///< A source was believed, for this description or an earlier one.
    bool held_ = false;
    bool heard_described_ = false;

    std::optional<endpoint> live_{};
    source_rank live_rank_ = source_rank::stranger;
    std::uint32_t live_ssrc_ = 0;
    std::uint16_t live_sequence_ = 0;
    bool live_pauses_ = false; ///< It has announced a pause without packets.
    time_point last_heard_{};

    std::optional<endpoint> previous_{}; ///< The source of the description before,
    time_point previous_until_{};        ///< and how long it is still heard.
    std::vector<probation> probation_{}; ///< One, from the first source on that needs it.

    /// A stranger's stream, only to be named.
    struct stranger_stream {
        endpoint from{};
        std::uint32_t ssrc = 0;
        time_point since{};
        unsigned packets = 0;
    };
    stranger_stream stranger_{};
    std::optional<endpoint> refused_{};
    std::uint64_t foreign_ = 0;
};

} // namespace trunkline::calls
