// One call's conversation with an agent behind a socket, as a machine: what the socket and the call
// bring goes in, messages and wishes come out. Knows no clock, no socket and no thread.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <trunkline/core/time.hpp>

#include "agent_protocol.hpp"

namespace softswitch {

/// What a session wants of the call and of its socket.
namespace wishes {

struct play {
    std::vector<std::byte> ulaw;
};
struct mark {
    std::string name;
};
struct clear {};
/// The agent closed in good order: the call is over.
struct hang_up {};
/// The agent is gone: somebody has to stand in for it.
struct stand_in {
    std::string why;
};
struct ping {};
/// Nothing is to be sent any more but a close frame.
struct close {
    std::uint16_t code = 1'000;
};

} // namespace wishes

using wish = std::variant<wishes::play, wishes::mark, wishes::clear, wishes::hang_up,
                          wishes::stand_in, wishes::ping, wishes::close>;

class agent_session {
public:
    static constexpr std::size_t frame = 160;        ///< Bytes of mu-law in a message: 20 ms.
    static constexpr std::size_t most_frames = 100;  ///< Two seconds wait for a slow agent.
    static constexpr std::size_t most_notices = 512; ///< Marks and digits that may wait.
    static constexpr trunkline::duration ping_every = std::chrono::milliseconds{2'500};
    static constexpr trunkline::duration pong_within = std::chrono::seconds{5};

    struct counters {
        std::uint64_t frames_sent = 0;
        std::uint64_t frames_dropped = 0; ///< Of what the caller said: the agent read too slowly.
        std::uint64_t not_understood = 0; ///< Messages of the agent's.
    };

    /// The socket is open from now on.
    agent_session(std::unique_ptr<agent_protocol> protocol, trunkline::time_point now);

    // From the call.

    /// It was answered, and media flows.
    void start(stream_start of);
    /// The next part of the caller's timeline, mu-law, of any length; `at` is the index of its
    /// first sample. What comes before start() is not for the agent.
    void hear(std::span<const std::byte> ulaw, std::uint64_t at);
    void digit(char digit);
    /// All before the mark was sent, or it was cleared.
    void mark_reached(std::string name);
    void call_ended();

    // From the socket.

    void receive(wire_message& message);
    void pong() noexcept { unanswered_.reset(); }
    /// A code is a close frame's; none is a connection that broke.
    void closed(std::optional<std::uint16_t> code, std::string_view why);
    /// Nothing was read for a while, by our own choice: a pong may be among what waits.
    void read_again(trunkline::time_point now) noexcept {
        if (unanswered_) unanswered_ = now;
    }

    // For whoever drives it.

    /// The next message to send; false when there is none. To be asked only when the socket takes
    /// more: what it does not take waits in here, and no longer than is good.
    [[nodiscard]] bool next_message(wire_message& into);
    /// What came of it, oldest first; to be emptied by the caller after every call of the above.
    [[nodiscard]] std::vector<wish>& wants() noexcept { return wants_; }
    void tick(trunkline::time_point now);
    [[nodiscard]] std::optional<trunkline::time_point> next_deadline() const noexcept;
    [[nodiscard]] bool over() const noexcept { return phase_ == phase::over; }
    [[nodiscard]] const counters& counted() const noexcept { return counted_; }

private:
    enum class phase : std::uint8_t {
        waiting,   ///< For the call to be answered.
        streaming, ///< Audio both ways.
        stopping,  ///< The call has ended: what waits goes out, then `stop`.
        over,
    };
    struct heard_frame {
        std::array<std::byte, frame> ulaw;
        std::uint64_t at; ///< Milliseconds since the stream began.
    };
    struct notice {
        char digit = 0; ///< 0 is a mark.
        std::string name{};
    };

    void lose(std::string why);
    void add_notice(notice what);
    void finish_frame();

    std::unique_ptr<agent_protocol> protocol_;
    phase phase_ = phase::waiting;
    std::vector<wire_message> opening_; ///< Of the stream; sent before all else.
    std::size_t opening_sent_ = 0;
    std::deque<notice> notices_; ///< These overtake audio: a slow agent hears late, not of marks.
    std::deque<heard_frame> frames_;
    std::optional<std::uint64_t> began_at_; ///< Index of the first sample that the agent hears.
    heard_frame filling_{};
    std::size_t filled_ = 0;
    trunkline::time_point ping_at_;
    std::optional<trunkline::time_point> unanswered_; ///< When the oldest such ping was sent.
    std::vector<wish> wants_;
    counters counted_;
};

} // namespace softswitch
