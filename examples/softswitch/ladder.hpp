// SIP as it went by, for people: who sent what to whom, when in the call, without its secrets.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/core/address.hpp>
#include <trunkline/core/time.hpp>
#include <trunkline/sip/message.hpp>
#include <trunkline/trunk/config.hpp>

namespace softswitch {

/// A datagram, kept beyond the wire tap's call.
struct tapped {
    trunkline::time_point at{};
    bool outgoing = false;
    trunkline::endpoint local{};
    trunkline::endpoint peer{};
    std::string bytes{};
};

class ladder {
public:
    /// `only` is a trunk's name, or part of a number; empty draws everything.
    ladder(std::string_view only, std::span<const trunkline::trunk_config> trunks);

    /// Whether `only` means anything: the name of a trunk, or digits.
    [[nodiscard]] bool means_something() const noexcept;

    /// The lines of one message, each beginning with the end of its Call-ID's part before the "@":
    /// what is random stands there with most stacks, ours included. Empty when the message is not
    /// asked for.
    [[nodiscard]] std::string draw(const tapped& what);

    static constexpr std::size_t label = 12; ///< Characters of the Call-ID that are shown.
    static constexpr std::size_t most_calls = 10'000;
    static constexpr std::size_t widest = 200; ///< Of a header; the rest is cut off.

private:
    struct remembered {
        trunkline::time_point began;
        bool wanted;
    };

    [[nodiscard]] remembered& remember(const tapped& what,
                                       const trunkline::sip::message_view& message);
    [[nodiscard]] bool asked_for(const tapped& what,
                                 const trunkline::sip::message_view& message) const;
    [[nodiscard]] bool is_of_trunk(const trunkline::endpoint& peer,
                                   const trunkline::sip::message_view& message) const;
    [[nodiscard]] std::string draw_noise(const tapped& what, const trunkline::error& reason) const;

    std::string number_;
    bool by_trunk_ = false;
    std::vector<trunkline::cidr> networks_; ///< Of the trunk asked for,
    std::vector<std::string> hosts_;        ///< and its gateways that are names.
    std::map<std::string, remembered, std::less<>> calls_;
    std::deque<std::string> oldest_;
};

} // namespace softswitch
