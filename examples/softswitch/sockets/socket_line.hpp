// The line between a call and an agent behind a socket: the call's end on its shard, the agent's on
// the thread of all sockets, and what is said in between.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <asio/steady_timer.hpp>

#include <trunkline/trunk/call.hpp>

#include "agent_session.hpp"
#include "io_thread.hpp"
#include "web_socket.hpp"

namespace softswitch {

class socket_line final : public std::enable_shared_from_this<socket_line>,
                          private web_socket::user {
public:
    /// Called once on the sockets' thread: the line when the agent is connected, otherwise none and
    /// what went wrong.
    using outcome = std::function<void(std::shared_ptr<socket_line> made, std::string failed)>;
    /// Called on the call's shard with what the agent wants.
    using obeying = std::function<void(trunkline::call&, std::vector<wish>)>;

    socket_line(io_thread& on, socket_url to) : on_{on}, timer_{on.io()}, to_{std::move(to)} {}

    [[nodiscard]] const socket_url& to() const noexcept { return to_; }

    // On the sockets' thread.

    void connect(asio::ssl::context& tls, const socket_identity& as,
                 std::unique_ptr<agent_protocol> protocol, const connecting& how, outcome then);
    /// Lets go of its socket without a word.
    void drop();

    // From any thread; each returns at once, and what it brings is taken up in order.

    /// Which call obeys from now on, and who sees to it. What the agent wanted before is told, too.
    void attach(trunkline::call_handle call, obeying who);
    void start(stream_start of);
    /// 16-bit linear at 8 kHz, the next of the caller's timeline; `at` is its first sample.
    void hear(std::span<const std::int16_t> pcm, std::uint64_t at);
    void digit(char digit);
    void mark_reached(std::string name);
    /// The call is over, or does without this agent from now on.
    void end();

private:
    struct notice {
        enum class what : std::uint8_t { start, digit, mark, end } kind;
        char digit = 0;
        std::string name{};
        std::optional<stream_start> start{};
    };
    /// What the call has brought since the sockets' thread looked. Audio is one run of samples: a
    /// notice that came between two frames may be taken before both.
    struct basket {
        std::vector<notice> notices{};
        std::vector<std::byte> ulaw{};
        std::uint64_t at = 0;
    };

    void opened() override;
    void received(wire_message& message) override;
    void ponged() override { session_->pong(); }
    [[nodiscard]] bool next_message(wire_message& into) override;
    void reading_again() override;
    void closed(std::optional<std::uint16_t> code, std::string_view why) override;

    template <class Put>
    void bring(Put put);
    void take_basket();
    void obey();
    void arm();
    void release();

    /// Tells the call's shard, behind all that it was told before.
    void tell(std::vector<wish> what);

    io_thread& on_;
    asio::steady_timer timer_;
    socket_url to_;
    std::unique_ptr<agent_protocol> protocol_;
    std::optional<agent_session> session_; ///< From the moment that the socket is open.
    std::shared_ptr<web_socket> socket_;
    std::shared_ptr<socket_line> self_; ///< As long as the socket has us for its user.
    outcome then_;
    bool ended_ = false; ///< Before it was connected.
    basket taken_;

    std::mutex guard_;
    basket brought_;
    bool coming_ = false; ///< The sockets' thread was told to look.
    trunkline::call_handle call_;
    obeying who_;
    std::vector<wish> unheard_; ///< Until somebody is attached. On the sockets' thread.
};

} // namespace softswitch
