// What a user may ask the phone for, and the command line that it is asked in.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <trunkline/trunk/config.hpp>

namespace phone {

enum class command : std::uint8_t { call, wait, compare };

/// What both call and wait know how to do once there is a call.
struct call_options {
    std::string to{}; ///< call: a SIP URI.
    std::string from{"phone"};
    std::string
        listen{};       ///< "udp:127.0.0.1:5080"; empty: any port when calling, 5060 when waiting.
    std::string play{}; ///< Files; empty: none.
    std::string record{};
    std::string said{};
    std::string json{};
    std::string digits{};
    std::optional<std::chrono::milliseconds> say_after{};
    std::optional<std::chrono::milliseconds> hang_up_after{};
    std::optional<std::chrono::milliseconds> ring_for{};
    std::optional<trunkline::codec_name> law{};
    std::optional<trunkline::userpass> credentials{}; ///< Answers a challenge.
    std::optional<trunkline::userpass> challenge{};   ///< Is asked of callers.
    int answer_with = 200;
    unsigned calls = 1; ///< wait: so many, then end; 0: for ever.
    bool hang_up_after_drain = false;
};

struct compare_options {
    std::string said{};
    std::string heard{};
    std::string other{}; ///< A recording that must not be heard; empty: none.
    std::string json{};
    double at_least = 0.9;
    double below = 0.3;
};

struct options {
    phone::command command = command::call;
    call_options call{};
    compare_options compare{};
};

/// The exit status instead when there is nothing to do: help was asked for, or made necessary.
struct parsed_options {
    std::optional<options> wanted{};
    int status = 0;
};
[[nodiscard]] parsed_options parse(int count, char** words);

} // namespace phone
