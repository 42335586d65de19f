// Words that people type and read: durations, port ranges, guesses at what a typo meant.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <trunkline/net/port_pool.hpp>

namespace softswitch {

/// "500ms", "30s", "2m", "1h". A bare number is refused: nobody remembers which unit it was.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// From 1 to 65535.
[[nodiscard]] std::optional<std::uint16_t> parse_port(std::string_view text);

/// "16384-32767": at least one even port with the odd one above it.
[[nodiscard]] std::optional<trunkline::net::port_range> parse_port_range(std::string_view text);

/// Of what the world is told to reach us at: "203.0.113.7", "203.0.113.7:5060" or a name. What is
/// wrong with it, as the end of a sentence; empty when nothing is.
[[nodiscard]] std::string wrong_with_host(std::string_view text);

/// The word that takes the fewest edits to become; empty when there is nothing to choose from.
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       std::span<const std::string_view> known);

/// What a stranger sent, fit for a terminal: control bytes and all that is not ASCII as \x1b.
[[nodiscard]] std::string printable(std::string_view text);

/// "12.340 s", for people.
[[nodiscard]] std::string seconds_text(std::chrono::nanoseconds what);

} // namespace softswitch
