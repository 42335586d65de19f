#include <trunkline/trunk/dialling_guard.hpp>

#include <algorithm>
#include <array>
#include <string>

#include "dialled_numbers.hpp"

namespace trunkline {

namespace {

using trunks::dialled_number;
using trunks::dialled_numbers;

/// By country code. docs/dialling.md has the same list with names, and a test holds the two
/// together.
constexpr auto premium_and_satellite = std::to_array<std::string_view>({
    "+1900",                                             // North America
    "+30901",  "+30909",                                 // Greece
    "+31900",  "+31906",  "+31909",                      // Netherlands
    "+3290",                                             // Belgium
    "+3389",                                             // France
    "+34803",  "+34806",  "+34807",  "+34905", "+34907", // Spain
    "+351760", "+351761", "+351762",                     // Portugal
    "+358600", "+358700",                                // Finland
    "+35990",                                            // Bulgaria
    "+3690",                                             // Hungary
    "+38560",                                            // Croatia
    "+39892",  "+39895",  "+39899",                      // Italy
    "+40900",  "+40903",  "+40906",                      // Romania
    "+41900",  "+41901",  "+41906",                      // Switzerland
    "+420900", "+420906", "+420909",                     // Czechia
    "+421900",                                           // Slovakia
    "+43900",  "+43901",  "+43930",  "+43931",           // Austria
    "+4470",   "+44871",  "+44872",  "+44873", "+449",   // United Kingdom
    "+4590",                                             // Denmark
    "+46900",  "+46939",  "+46944",                      // Sweden
    "+47820",  "+47829",                                 // Norway
    "+4870",                                             // Poland
    "+49137",  "+49900",                                 // Germany
    "+52900",                                            // Mexico
    "+55900",                                            // Brazil
    "+61190",                                            // Australia
    "+64900",                                            // New Zealand
    "+7803",   "+7809",                                  // Russia
    "+81990",                                            // Japan
    "+870",                                              // Inmarsat
    "+881",                                              // satellite systems
    "+882",    "+883",                                   // networks, satellite among them
    "+979",                                              // international premium rate
});

/// Of countries whose carriers call trunkline, and of their neighbours.
constexpr auto emergencies = std::to_array<std::string_view>({
    "000", "100", "101", "102", "103", "108", "110", "111", "112", "113",
    "115", "117", "118", "119", "120", "122", "133", "144", "15",  "17",
    "18",  "190", "191", "192", "193", "911", "995", "997", "998", "999",
});

constexpr std::size_t longest_short_code = 6;

[[nodiscard]] bool is_emergency(std::string_view digits) noexcept {
    return std::ranges::find(emergencies, digits) != emergencies.end();
}

[[nodiscard]] bool is_emergency(const dialled_number& one) noexcept {
    const std::string_view digits{one.digits};
    if (is_emergency(digits)) return true;
    // +1911, +44999: no number of that country is as short, and some carriers take the rest.
    return one.international && digits.size() <= longest_short_code &&
           is_emergency(digits.substr(trunks::country_code_length(digits)));
}

/// A prefix with a plus is one of international numbers, and an extension is none.
[[nodiscard]] bool begins(const dialled_number& one, std::string_view prefix) noexcept {
    const bool full = prefix.starts_with('+');
    if (full && !one.international && one.digits.size() <= longest_short_code) return false;
    return one.digits.starts_with(full ? prefix.substr(1) : prefix);
}

template <class Prefixes>
[[nodiscard]] std::string_view prefix_of(const dialled_number& one, const Prefixes& among) {
    for (const std::string_view prefix : among) {
        if (begins(one, prefix)) return prefix;
    }
    return {};
}

/// Every number that a carrier is sure to read has to be allowed.
[[nodiscard]] bool allowed(const trunk_config& on, const dialled_numbers& what) {
    if (on.allow_prefixes.empty()) return true;
    bool any = false;
    for (const auto& one : what.found) {
        // What begins with 0 is international behind its prefix, and that is a number of its own.
        const bool literal = &one == &what.found.front();
        const bool prefixed = literal && one.digits.starts_with("0") && what.found.size() > 1;
        if (one.guessed || (prefixed && prefix_of(one, on.allow_prefixes).empty())) continue;
        if (prefix_of(one, on.allow_prefixes).empty()) return false;
        any = true;
    }
    return any;
}

[[nodiscard]] std::string quoted(std::string_view text) {
    std::string made{"'"};
    for (const char c : text.substr(0, 80)) {
        const auto byte = static_cast<unsigned char>(c);
        made += byte < 0x20 || byte == 0x7f ? '?' : c;
    }
    return made += '\'';
}

[[nodiscard]] bool is_north_american(std::string_view caller) noexcept {
    if (caller.starts_with('+')) caller.remove_prefix(1);
    return caller.size() == 11 && caller.starts_with('1');
}

} // namespace

std::span<const std::string_view> default_deny_prefixes() noexcept {
    return premium_and_satellite;
}

std::span<const std::string_view> emergency_numbers() noexcept {
    return emergencies;
}

bool is_short_code(std::string_view number) noexcept {
    return !number.empty() && number.size() <= longest_short_code &&
           std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_prefix(std::string_view text) noexcept {
    constexpr std::size_t longest = 15; // ITU-T E.164.
    if (text.starts_with('+')) text.remove_prefix(1);
    return !text.empty() && text.size() <= longest &&
           std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<config_error> forbidden(const trunk_config& on, std::string_view target) {
    const auto what = trunks::numbers_in(target, is_north_american(on.caller_id));
    const auto wrong = [&](std::string field, std::string rule, const std::string& why) {
        return config_error{std::move(field), std::move(rule), quoted(target) + ' ' + why};
    };
    const auto of = " of the trunk " + quoted(on.name);
    const bool emergency = what.service || std::ranges::any_of(what.found, [](const auto& one) {
                               return is_emergency(one);
                           });
    if (emergency) {
        if (!on.allow_emergency) {
            return wrong("allow_emergency", "true",
                         "is an emergency number, and allow_emergency" + of + " is off");
        }
        // The number itself is dialled whatever the prefixes say; what only looks like it is not.
        if (what.service || is_emergency(what.found.front())) return std::nullopt;
    }
    for (const auto& one : what.found) {
        const auto prefix = on.deny_prefixes ? prefix_of(one, *on.deny_prefixes)
                                             : prefix_of(one, premium_and_satellite);
        if (prefix.empty()) continue;
        return wrong("deny_prefixes", "not denied",
                     "begins with " + std::string{prefix} + ", which deny_prefixes" + of + " has");
    }
    if (!allowed(on, what)) {
        return wrong("allow_prefixes", "allowed", "begins with none of allow_prefixes" + of);
    }
    return std::nullopt;
}

} // namespace trunkline
