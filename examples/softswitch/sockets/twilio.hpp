// Twilio Media Streams, bidirectional, as the platform: the protocol that most voice agents speak.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent_protocol.hpp"

namespace softswitch {

class twilio final : public agent_protocol {
public:
    void write_start(const stream_start& of, std::vector<wire_message>& into) override;
    void write_audio(std::span<const std::byte> ulaw, std::uint64_t at,
                     wire_message& into) override;
    void write_digit(char digit, wire_message& into) override;
    void write_mark(std::string_view name, wire_message& into) override;
    void write_stop(wire_message& into) override;
    [[nodiscard]] said read(wire_message& message) override;

    static constexpr std::size_t longest_name = 4'096; ///< Of a mark that is taken.

private:
    std::string stream_; ///< As JSON has it; so are the two below.
    std::string account_;
    std::string call_;
    std::uint64_t sequence_ = 0; ///< Counts every message but `connected`, from 1.
    std::uint64_t chunk_ = 0;    ///< Counts media, from 1.
    std::vector<std::byte> audio_;
    std::string name_;
};

} // namespace softswitch
