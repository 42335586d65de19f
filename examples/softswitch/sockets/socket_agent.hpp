// An agent on the other end of a WebSocket, as the library sees it: on the call's shard it hands on
// what it is told, and does what the line brings. When the agent dies, another one stands in for
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <trunkline/trunk/agent.hpp>
#include <trunkline/trunk/call.hpp>

#include "socket_line.hpp"

namespace softswitch {

/// Who talks in a call whose agent is behind a socket. Lives on the call's shard.
class socket_talk final : public std::enable_shared_from_this<socket_talk> {
public:
    /// Called on the shard when the agent has died in mid-call. Whoever hears it sees to it that
    /// stand_in() follows, or ends the call. Empty: the call ends.
    using losing = std::function<void(socket_talk&, trunkline::call&, const std::string& why)>;

    socket_talk(std::shared_ptr<socket_line> line, stream_start start, losing lost)
        : line_{std::move(line)},
          start_{std::move(start)},
          lost_{std::move(lost)} {}
    ~socket_talk() { hang_up_line(); }
    socket_talk(const socket_talk&) = delete;
    socket_talk& operator=(const socket_talk&) = delete;

    /// The call is `on`: from now on it does what the agent wants.
    void attach(const trunkline::call_handle& on);
    void answered(trunkline::call& call);
    void obey(trunkline::call& call, std::vector<wish> what);
    /// Takes the dead agent's place in an answered call.
    void stand_in(trunkline::call& call, std::unique_ptr<trunkline::agent> who);

    [[nodiscard]] trunkline::agent* standing_in() const noexcept { return stand_in_.get(); }
    [[nodiscard]] socket_line* line() const noexcept { return line_.get(); }
    void hang_up_line();

private:
    void play(trunkline::call& call, const std::vector<std::byte>& ulaw);
    [[nodiscard]] bool open(trunkline::call& call);
    void lose(trunkline::call& call, const std::string& why);

    std::shared_ptr<socket_line> line_; ///< Null once the agent is gone.
    stream_start start_;
    losing lost_;
    bool answered_ = false;
    trunkline::utterance speech_;
    bool speaking_ = false;        ///< speech_ is open.
    std::uint64_t overflowed_ = 0; ///< Samples that found the queue full.
    std::unique_ptr<trunkline::agent> stand_in_;
};

class socket_agent final : public trunkline::agent {
public:
    explicit socket_agent(std::shared_ptr<socket_talk> talk) : talk_{std::move(talk)} {}
    ~socket_agent() override { talk_->hang_up_line(); }

    [[nodiscard]] const std::shared_ptr<socket_talk>& talk() const noexcept { return talk_; }

    void on_initiated(trunkline::call& call) override { talk_->attach(call.handle()); }
    void on_answered(trunkline::call& call) override { talk_->answered(call); }
    void on_audio(trunkline::call& call, const trunkline::audio_frame& frame) override;
    void on_digit(trunkline::call& call, char digit) override;
    void on_mark(trunkline::call& call, std::string_view name, bool played) override;
    void on_drained(trunkline::call& call) override;
    void on_ended(trunkline::call& call, const trunkline::call_record& record) override;

private:
    std::shared_ptr<socket_talk> talk_;
};

} // namespace softswitch
