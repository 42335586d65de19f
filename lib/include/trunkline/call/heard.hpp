// What the agent hears: packets become a timeline without hole or overlap.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <trunkline/audio/concealment.hpp>
#include <trunkline/call/types.hpp>
#include <trunkline/codec/g711.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/outbox.hpp>
#include <trunkline/rtp/jitter_buffer.hpp>

namespace trunkline::calls {

/// Every sample index is told once, and the index never goes back: not on a new SSRC, not when a
/// stall was filled before its packets came after all.
class TRUNKLINE_EXPORT heard {
public:
    /// `law` is nothing for a packet that is no audio (an event, comfort noise): it takes its place
    /// in the sequence and none on the timeline.
    void take(const rtp::jitter_buffer::item& item, std::optional<codec::law> law, owner_id owner,
              time_point now, outbox& out);
    /// Media flows from now on: whoever sends nothing at first is heard to be silent.
    void start(time_point now) noexcept {
        if (!begun_ && !fill_at_) fill_at_ = now + frame_time + patience;
    }
    /// Fills the timeline when the far end has been silent for a while, one frame a call.
    void tick(bool on_hold, owner_id owner, time_point now, outbox& out);
    [[nodiscard]] std::optional<time_point> next_deadline() const noexcept { return fill_at_; }
    void stop() noexcept { fill_at_.reset(); }

    [[nodiscard]] std::uint64_t concealed() const noexcept { return concealed_; } ///< Samples.
    [[nodiscard]] std::uint64_t made_up() const noexcept { return made_up_; }     ///< Samples.

private:
    static constexpr std::size_t frame = 160;
    static constexpr std::size_t longest_told = 480; ///< What comes at once is told in frames.
    static constexpr duration frame_time = std::chrono::milliseconds{20};
    /// After the end of a packet. Longer than any jitter that is worth waiting for: what comes
    /// later moves the timeline.
    static constexpr duration patience = std::chrono::milliseconds{180};
    /// A longer jump of the timestamp is a new clock, not a pause.
    static constexpr std::int64_t longest_pause = 8'000 * 5;

    void fill(frame_kind kind, std::size_t samples, owner_id owner, outbox& out);
    [[nodiscard]] std::span<std::int16_t> room(std::size_t samples, outbox& out);
    void tell(std::span<const std::int16_t> samples, frame_kind kind, owner_id owner, outbox& out);
    void decode(std::span<const std::byte> payload, codec::law law, owner_id owner, outbox& out);

    audio::concealment concealment_;
    std::uint64_t next_ = 0;    ///< The index of the next sample.
    std::int64_t base_ = 0;     ///< Index less timestamp.
    std::size_t usual_ = frame; ///< Samples of the last packet.
    bool begun_ = false;
    bool rebase_ = false; ///< A new timeline began, perhaps with what is no audio.
    std::optional<time_point> fill_at_;
    std::uint64_t concealed_ = 0;
    std::uint64_t made_up_ = 0;
};

} // namespace trunkline::calls
