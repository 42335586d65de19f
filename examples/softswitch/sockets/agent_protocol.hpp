// What is said between a call and an agent on the other end of a socket, whoever's protocol it is:
// a stream begins, audio and marks go both ways, it stops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace softswitch {

/// One WebSocket message. Its text is UTF-8.
struct wire_message {
    bool binary = false;
    std::string bytes{};
};

/// Who talks to whom. `parameters` always has from_number, to_number, direction and trunk.
struct stream_start {
    std::string account_sid{}; ///< "AC" and 32 hex digits.
    std::string call_sid{};    ///< "CA" and 32 hex digits.
    std::string stream_sid{};  ///< "MZ" and 32 hex digits.
    std::vector<std::pair<std::string, std::string>> parameters{};
};

/// What a message of the agent's comes to. The views live until the protocol reads the next one.
struct said {
    enum class what : std::uint8_t {
        nothing, ///< Not understood, or not for us. The call goes on.
        audio,   ///< Mu-law at 8 kHz, of any length.
        mark,    ///< To be told of when all before it was sent.
        clear,   ///< Drop what was not sent.
    };
    what kind = what::nothing;
    std::span<const std::byte> audio{};
    std::string_view name{};
};

/// Writes and reads one protocol. Keeps its counters; knows no time and no socket.
class agent_protocol {
public:
    agent_protocol() = default;
    agent_protocol(const agent_protocol&) = delete;
    agent_protocol& operator=(const agent_protocol&) = delete;
    virtual ~agent_protocol() = default;

    /// The messages that open a stream, in their order.
    virtual void write_start(const stream_start& of, std::vector<wire_message>& into) = 0;
    /// 20 ms of mu-law that the caller said; `at` counts milliseconds since the stream began.
    virtual void write_audio(std::span<const std::byte> ulaw, std::uint64_t at,
                             wire_message& into) = 0;
    virtual void write_digit(char digit, wire_message& into) = 0;
    /// All before the mark has been sent, or was cleared.
    virtual void write_mark(std::string_view name, wire_message& into) = 0;
    virtual void write_stop(wire_message& into) = 0;

    /// May change the message while it reads it. Never fails: what it cannot read is nothing.
    [[nodiscard]] virtual said read(wire_message& message) = 0;
};

} // namespace softswitch
