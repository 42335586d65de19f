#include "exposure.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <trunkline/core/address.hpp>
#include <trunkline/core/text.hpp>

#include "text.hpp"

namespace softswitch {

namespace {

using trunkline::address;
using trunkline::cidr;

/// What lists of guesses begin with.
constexpr std::array<std::string_view, 16> common{
    "change",  "password", "passw0rd", "secret", "qwerty",    "12345", "letmein", "admin",
    "welcome", "test",     "asterisk", "sip",    "trunkline", "voip",  "abc123",  "00000"};

[[nodiscard]] std::string lower(std::string_view text) {
    std::string made{text};
    std::ranges::transform(made, made.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return made;
}

/// Why a password is weak, as the end of a sentence; empty when it is not. Guesses are slow, but a
/// digest that was overheard is tried against billions of words in a day.
[[nodiscard]] std::string weakness(const trunkline::userpass& of) {
    const auto& password = of.password;
    if (password.size() < 12) return "has fewer than 12 characters";
    const auto small = lower(password);
    const auto user = lower(of.username);
    if (user.size() >= 3 && small.find(user) != std::string::npos) return "holds its user's name";
    const auto known = std::ranges::find_if(common, [&](std::string_view word) {
        const auto at = small.find(word);
        // A short word in a long password is chance.
        return at != std::string::npos && (word.size() >= 5 || at == 0);
    });
    if (known != common.end()) return fmt::format("holds \"{}\", as lists of guesses do", *known);
    const auto all = [&](auto kind) { return std::ranges::all_of(password, kind); };
    if (all([](char c) { return c >= '0' && c <= '9'; })) return "is digits alone";
    std::string distinct = password;
    std::ranges::sort(distinct);
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    if (distinct.size() < 6) return "has few different characters";
    return {};
}

/// Where a trunk's calls come from: a network, and whether allow_from names it.
struct origin {
    cidr from{};
    bool listed = false;
    std::string text{};
};

[[nodiscard]] std::vector<origin> origins(const trunkline::trunk_config& of) {
    std::vector<origin> found;
    for (const auto& text : of.allow_from) {
        if (const auto net = cidr::parse(text)) found.push_back({*net, true, text});
    }
    for (const auto& gateway : of.gateways) {
        if (const auto literal = address::parse(gateway.host)) {
            found.push_back({{*literal, 128}, false, gateway.host});
        }
    }
    return found;
}

[[nodiscard]] bool holds(const cidr& outer, const cidr& inner) {
    return outer.prefix <= inner.prefix && outer.contains(inner.network);
}

/// As trunk_of() in the library's inbound pipeline ranks them: who lists the source goes before who
/// has it as a gateway only, and the first of two equal ones is taken.
[[nodiscard]] bool goes_before(const trunkline::trunk_config& first, bool stands_before,
                               const origin& of_second) {
    return std::ranges::any_of(origins(first), [&](const origin& one) {
        if (!holds(one.from, of_second.from)) return false;
        return one.listed == of_second.listed ? stands_before : one.listed;
    });
}

[[nodiscard]] std::string_view digits(std::string_view number) {
    return number.starts_with('+') ? number.substr(1) : number;
}

[[nodiscard]] bool takes(const trunkline::trunk_config& which, std::string_view number) {
    return std::ranges::any_of(which.numbers, [&](const trunkline::did& one) {
        return one.number == "*" || (number != "*" && digits(one.number) == digits(number));
    });
}

void warn_of_shadows(const configuration& of, std::size_t index, problems& into) {
    const auto& second = of.trunks[index];
    if (!second.inbound) return;
    for (const auto& origin : origins(second)) {
        for (std::size_t i = 0; i < of.trunks.size(); ++i) {
            const auto& first = of.trunks[i];
            if (i == index || !first.inbound || !goes_before(first, i < index, origin)) continue;
            const auto lost = std::ranges::find_if(second.numbers, [&](const trunkline::did& one) {
                return takes(first, one.number);
            });
            if (lost == second.numbers.end()) continue;
            const auto name = fmt::format("trunk[{}]", index);
            into.push_back(
                {of.line_of(name), name,
                 fmt::format("calls from {} to {} are taken by trunk \"{}\", which "
                             "knows the source and the number, too",
                             printable(origin.text),
                             lost->number == "*" ? "any number" : printable(lost->number),
                             printable(first.name))});
            return;
        }
    }
}

void warn_of_open_doors(const configuration& of, std::size_t index, problems& into) {
    const auto& trunk = of.trunks[index];
    if (!trunk.inbound || trunk.inbound_auth) return;
    const bool any =
        std::ranges::any_of(trunk.numbers, [](const auto& one) { return one.number == "*"; });
    if (!any) return;
    for (std::size_t k = 0; k < trunk.allow_from.size(); ++k) {
        const auto net = cidr::parse(trunk.allow_from[k]);
        if (!net || net->identifies()) continue;
        const bool inside = net->prefix >= (net->network.is_v4() ? 96 + 8 : 7) &&
                            (net->network.is_private() || net->network.is_loopback());
        if (inside) continue;
        const auto field = fmt::format("trunk[{}].allow_from[{}]", index, k);
        into.push_back({of.line_of(field), field,
                        fmt::format("anybody in {} may call any number without a password: name "
                                    "the carrier's networks, or set inbound_auth",
                                    printable(trunk.allow_from[k]))});
        return;
    }
}

} // namespace

void warn_of_exposure(const configuration& of, problems& into) {
    for (std::size_t i = 0; i < of.trunks.size(); ++i) {
        const auto& trunk = of.trunks[i];
        const auto warn = [&](const char* part, std::string text) {
            const auto field = fmt::format("trunk[{}].{}", i, part);
            into.push_back({of.line_of(field), field, std::move(text)});
        };
        if (trunk.inbound_auth) {
            if (const auto why = weakness(*trunk.inbound_auth); !why.empty()) {
                warn("inbound_auth.password",
                     fmt::format("{}: it will be guessed; 16 random characters will not", why));
            }
        }
        if (!trunk.tls.verify) {
            warn("tls.verify", "is off, so whoever is on the way may pass for the carrier, read "
                               "and redirect its calls");
        }
        warn_of_open_doors(of, i, into);
        warn_of_shadows(of, i, into);
    }
}

} // namespace softswitch
