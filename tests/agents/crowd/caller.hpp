// A telephone that calls once: SIP and RTP in as many lines as it takes, and none of trunkline's,
// so that it measures from outside. Sends a marked frame every 20 ms and tells what comes back.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>
#include <asio/steady_timer.hpp>
#include <nlohmann/json.hpp>

#include "marked_frame.hpp"
#include "windows.hpp"

namespace crowd {

using clock = std::chrono::steady_clock;
using teller = std::function<void(nlohmann::json)>;

/// Seconds of the clock that other programs here read, too: Python's time.monotonic().
[[nodiscard]] double seconds(clock::time_point at);

class caller {
public:
    caller(asio::io_context& io, std::uint32_t index, const asio::ip::udp::endpoint& to,
           std::string number, windows& into, teller tell);

    void call();
    void hang_up();
    /// From now on: when something begins that lasts, and is neither silence nor a mark.
    void listen_for_others();

private:
    enum class phase : std::uint8_t { calling, talking, hanging_up, over };
    struct sent_frame {
        clock::time_point at;
        std::size_t window;
        bool back = false;
    };
    /// Every tenth frame is silence, which an echo need not send back: so whatever had to wait for
    /// a moment catches up.
    static constexpr std::uint32_t breath = 10;
    static constexpr int lasting = 10; ///< Frames of the same kind, one after the other.

    void receive_sip();
    void receive_rtp();
    void take_request(std::string_view text);
    void take_response(std::string_view text);
    void acknowledge(std::string_view response);
    void take_audio(std::span<const std::uint8_t> payload);
    void say();
    void repeat(const std::string& request);
    void send(const std::string& text);
    [[nodiscard]] std::string request(std::string_view method, std::string_view uri, int sequence,
                                      std::string_view branch, std::string_view to) const;
    void tell(std::string_view event, nlohmann::json more = nlohmann::json::object());

    std::uint32_t index_;
    asio::ip::udp::endpoint to_;
    std::string number_;
    windows& windows_;
    teller tell_;
    asio::ip::udp::socket sip_;
    asio::ip::udp::socket rtp_;
    asio::steady_timer again_;
    asio::steady_timer pace_;
    std::array<char, 4'096> sip_room_{};
    std::array<std::uint8_t, 2'048> rtp_room_{};
    phase phase_ = phase::calling;
    std::string waiting_; ///< A request that is repeated until it is answered.
    std::string uri_;
    std::string contact_;
    std::string answered_by_; ///< To of the 200.
    std::optional<asio::ip::udp::endpoint> media_;
    clock::time_point next_;
    std::uint32_t timestamp_ = 0;
    std::uint16_t sequence_ = 0;
    std::vector<sent_frame> sent_;
    mark_finder marks_;
    bool listening_ = false;
    int of_others_ = 0;
    clock::time_point others_since_;
};

} // namespace crowd
