#include "text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <trunkline/core/address.hpp>

namespace softswitch {

namespace {

template <class Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text) {
    Number value{};
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return value;
}

/// How many letters have to be put in, taken out, replaced, or swapped with the next one.
[[nodiscard]] std::size_t edits(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> cost(a.size() + 1,
                                               std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }
    }
    return cost[a.size()][b.size()];
}

} // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> units{
        {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}}};
    const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
    const auto count = parse_number<std::uint32_t>(digits);
    if (!count) return std::nullopt;
    for (const auto& unit : units) {
        if (text.substr(digits.size()) == unit.first) {
            return std::chrono::milliseconds{std::int64_t{*count} * unit.second};
        }
    }
    return std::nullopt;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    const auto port = parse_number<std::uint16_t>(text);
    return port && *port != 0 ? port : std::nullopt;
}

std::optional<trunkline::net::port_range> parse_port_range(std::string_view text) {
    const auto dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const auto first = parse_port(text.substr(0, dash));
    const auto last = parse_port(text.substr(dash + 1));
    if (!first || !last) return std::nullopt;
    if (*last <= *first + *first % 2) return std::nullopt;
    return trunkline::net::port_range{*first, *last};
}

std::string wrong_with_host(std::string_view text) {
    if (text.find_first_of(" \t<>;,@/") != std::string_view::npos) {
        return "has to be host or host:port";
    }
    const auto endpoint = trunkline::endpoint::parse(text);
    const auto address = trunkline::address::parse(text);
    if ((endpoint && endpoint->address.is_wildcard()) || (address && address->is_wildcard())) {
        return "nobody can reach a wildcard address; give the one that others see";
    }
    if (endpoint || address) return {};
    const auto colon = text.find(':');
    if (colon == 0) return "has to be host or host:port";
    if (colon != std::string_view::npos && !parse_port(text.substr(colon + 1))) {
        return "has to be host or host:port, port from 1 to 65535";
    }
    return {};
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> known) {
    // A word of a megabyte is no typo, and must not cost a megabyte squared.
    word = word.substr(0, 64);
    std::string_view best;
    std::size_t fewest = 0;
    for (const auto candidate : known) {
        const auto cost = edits(word, candidate);
        if (best.empty() || cost < fewest) {
            best = candidate;
            fewest = cost;
        }
    }
    return best;
}

std::string printable(std::string_view text) {
    std::string shown;
    shown.reserve(text.size());
    for (const char c : text) {
        if (c >= ' ' && c <= '~') {
            shown += c;
        } else {
            fmt::format_to(std::back_inserter(shown), "\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
    return shown;
}

std::string seconds_text(std::chrono::nanoseconds what) {
    return fmt::format("{:.3f} s", std::chrono::duration<double>{what}.count());
}

} // namespace softswitch
