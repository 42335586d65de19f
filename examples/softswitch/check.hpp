// `softswitch --check`: what would not work, found out before a carrier does.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <trunkline/core/address.hpp>

#include "config.hpp"

namespace softswitch {

/// What of the world a check asks for, so that a test can be the world.
struct surveyor {
    /// The address of a name.
    std::function<std::optional<trunkline::address>(const std::string&)> resolve;
    /// Which of our addresses packets to that one leave from.
    std::function<std::optional<trunkline::address>(const trunkline::address&)> route;
    /// Whether it is an address of this machine.
    std::function<bool(const trunkline::address&)> is_ours;
};
[[nodiscard]] surveyor real_world();

/// Whatever is no error and will not work all the same: private addresses offered to gateways on
/// the Internet, names that do not resolve, addresses that are not of this machine.
[[nodiscard]] problems warnings(const configuration& of, const surveyor& world);

/// What the library has against the trunks.
[[nodiscard]] problems refusals(const configuration& of);

/// How many calls there can be at once, each with RTP and RTCP.
struct capacity {
    std::size_t descriptors = 0;
    std::size_t by_descriptors = 0;
    std::size_t by_ports = 0;
    std::size_t by_limit = 0; ///< max_calls of all shards.
    std::size_t channels = 0; ///< Of all trunks.

    [[nodiscard]] std::size_t calls() const noexcept;
};
[[nodiscard]] capacity capacity_of(const configuration& of, std::size_t descriptors);
[[nodiscard]] std::string in_words(const capacity& what, const configuration& of);

/// All of it, on standard output; what is wrong on standard error. Returns the exit code.
[[nodiscard]] int check(const configuration& of, const std::filesystem::path& file);

} // namespace softswitch
