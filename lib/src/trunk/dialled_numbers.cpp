#include "dialled_numbers.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include <trunkline/core/text.hpp>

namespace trunkline::trunks {

namespace {

/// An escape may be escaped again; a target that goes on longer than this is no number.
constexpr unsigned most_unescaped = 4;
/// What is longer cannot be dialled anyway, and is not to cost time.
constexpr std::size_t longest_target = 512;
constexpr std::size_t digits_of_a_number = 7;

[[nodiscard]] bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
[[nodiscard]] bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

[[nodiscard]] int hex_of(char c) noexcept {
    if (is_digit(c)) return c - '0';
    const char lower = to_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

[[nodiscard]] std::string unescaped(std::string_view text) {
    std::string made;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? hex_of(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_of(text[i + 2]) : -1;
        if (low < 0) {
            made += text[i];
            continue;
        }
        made += static_cast<char>(high << 4 | low);
        i += 2;
    }
    return made;
}

/// The digits that other scripts write in UTF-8, as ASCII; what else is not ASCII is left out, as a
/// separator is: an en dash, a thin space.
[[nodiscard]] std::string in_ascii(std::string_view text) {
    /// Fullwidth, Arabic-Indic, its eastern form, Devanagari.
    constexpr std::array<std::uint32_t, 4> zeros{0xff10, 0x0660, 0x06f0, 0x0966};
    constexpr std::uint32_t fullwidth_plus = 0xff0b;
    std::string made;
    for (std::size_t i = 0; i < text.size();) {
        const auto first = static_cast<unsigned char>(text[i]);
        if (first < 0x80) {
            made += text[i++];
            continue;
        }
        const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
        std::uint32_t point = first & (0xffU >> (length + 1));
        for (std::size_t k = 1; k < length && i + k < text.size(); ++k) {
            point = point << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3fU);
        }
        i += length;
        for (const auto zero : zeros) {
            if (point >= zero && point <= zero + 9) made += static_cast<char>('0' + point - zero);
        }
        if (point == fullwidth_plus) made += '+';
    }
    return made;
}

/// ITU-T E.161: what stands on the key of a telephone.
[[nodiscard]] char key_of(char letter) noexcept {
    constexpr std::string_view keys = "22233344455566677778889999";
    return keys[static_cast<std::size_t>(to_lower(letter) - 'a')];
}

/// The value of ";name=value" in what follows a user part.
[[nodiscard]] std::string_view parameter(std::string_view text, std::string_view name) noexcept {
    for (auto at = text.find(';'); at != std::string_view::npos; at = text.find(';', at + 1)) {
        auto one = text.substr(at + 1);
        if (!iequals(one.substr(0, name.size()), name)) continue;
        one.remove_prefix(std::min(name.size(), one.size()));
        if (!one.starts_with('=')) continue;
        return one.substr(1, one.find_first_of(";@?>") - 1);
    }
    return {};
}

class reader {
public:
    explicit reader(bool north_american) noexcept : north_american_{north_american} {}

    dialled_numbers made{};

    void target(std::string_view text, unsigned depth) {
        text = text.substr(0, longest_target);
        const auto whole = text;
        text = without_scheme(text);
        const auto user = text.substr(0, text.find_first_of(";?@:>"));
        if (iequals(user, "sos") || iequals(user.substr(0, 4), "sos.") ||
            text.find("service:sos") != std::string_view::npos) {
            made.service = true;
        }
        user_part(user);
        // RFC 3966 section 5.1.5: a local number is one of its context.
        if (const auto context = parameter(text, "phone-context"); context.starts_with('+')) {
            user_part(std::string{context}.append(user));
        }
        // RFC 4694: a call is routed by this one, and not by the number itself.
        if (const auto routed = parameter(text, "rn"); !routed.empty()) user_part(routed);
        const auto plain = unescaped(whole);
        if (plain != whole && depth < most_unescaped) target(plain, depth + 1);
    }

private:
    [[nodiscard]] static std::string_view without_scheme(std::string_view text) noexcept {
        for (bool again = true; again;) {
            again = false;
            while (!text.empty() && (text.front() == '<' || text.front() == '"' ||
                                     static_cast<unsigned char>(text.front()) <= ' ')) {
                text.remove_prefix(1);
            }
            for (const std::string_view scheme : {"tel:", "sip:", "sips:", "callto:", "//"}) {
                if (!iequals(text.substr(0, scheme.size()), scheme)) continue;
                text.remove_prefix(scheme.size());
                again = true;
            }
        }
        return text;
    }

    void user_part(std::string_view raw) {
        const auto text = in_ascii(raw);
        const auto digits = std::ranges::count_if(text, is_digit);
        if (digits == 0) return;
        const auto letters = std::ranges::count_if(text, is_letter);
        const auto first =
            std::ranges::find_if(text, [](char c) { return is_digit(c) || is_letter(c); });
        // A name with digits in it, such as bob42. One letter before a number is a pause or a slip.
        const bool name =
            letters > 1 && is_letter(*first) && digits < static_cast<int>(digits_of_a_number);
        if (name) return;
        if (letters == 0) return dial_string(text);
        std::string keyed = text;
        std::string dropped;
        for (auto& c : keyed) {
            if (is_letter(c))
                c = key_of(c);
            else
                dropped += c;
        }
        dial_string(keyed);
        dial_string(dropped);
        dial_string(text.substr(
            0, static_cast<std::size_t>(std::ranges::find_if(text, is_letter) - text.begin())));
    }

    void dial_string(std::string_view text) {
        // "+44 (0)20": the zero in brackets is not dialled from abroad.
        if (const auto zero = text.find("(0)"); zero != std::string_view::npos) {
            dial_string(std::string{text.substr(0, zero)}.append(text.substr(zero + 3)));
        }
        std::string keys;
        bool plus = false;
        for (const char c : text) {
            if (is_digit(c) || c == '*' || c == '#') keys += c;
            if (c == '+' && keys.empty()) plus = true;
        }
        const auto digits_from = [](std::string_view from) {
            std::string digits;
            std::ranges::copy_if(from, std::back_inserter(digits), is_digit);
            return digits;
        };
        add(digits_from(keys), plus, false);
        // A service before the number, *67 or #31#, is the carrier's; the number follows it.
        if (!keys.starts_with('*') && !keys.starts_with('#')) return;
        const auto number = keys.find_first_not_of("*#");
        if (number == std::string::npos) return;
        const std::string_view rest{keys};
        if (number + 2 <= keys.size()) add(digits_from(rest.substr(number + 2)), plus, true);
        if (number + 3 <= keys.size()) add(digits_from(rest.substr(number + 3)), plus, true);
    }

    void put(std::string digits, bool international, bool guessed) {
        if (digits.empty()) return;
        for (const auto& one : made.found) {
            if (one.digits == digits && one.international == international &&
                one.guessed == guessed) {
                return;
            }
        }
        made.found.push_back({std::move(digits), international, guessed});
    }

    void add(const std::string& digits, bool plus, bool guessed) {
        put(digits, plus, guessed);
        // No country code begins with 0: behind a plus, too, it is a prefix.
        if (plus && !digits.starts_with('0')) return trunk_zero(digits);
        const auto behind = [&](std::string_view prefix, bool is_guess) {
            if (!digits.starts_with(prefix) || digits.size() == prefix.size()) return;
            auto rest = digits.substr(prefix.size());
            rest.erase(0, std::min(rest.find_first_not_of('0'), rest.size()));
            trunk_zero(rest);
            put(std::move(rest), true, guessed || is_guess);
        };
        behind("00", false);
        behind("011", false);
        behind("0011", false);
        if (plus) behind("0", true);
        behind("900", true); // 9 for a line.
        behind("9011", true);
        // 101XXXX chooses a carrier in North America; a number follows.
        if (digits.starts_with("101") && digits.size() > 7 + digits_of_a_number) {
            add(digits.substr(7), false, true);
        }
        if (north_american_ && digits.size() == 10) put('1' + digits, true, true);
        if (digits == "1911" || digits == "9911" || digits == "91911") put("911", false, true);
        trunk_zero(digits);
    }

    /// "+44 0900": a national prefix that stands behind the country code, where it does not belong,
    /// is left out by many carriers. Italy's zero is part of the number.
    void trunk_zero(std::string_view digits) {
        const auto country = country_code_length(digits);
        if (digits.size() <= country + 1 || digits[country] != '0') return;
        if (digits.starts_with("39")) return;
        auto without = std::string{digits.substr(0, country)};
        const auto rest = digits.find_first_not_of('0', country);
        if (rest == std::string_view::npos) return;
        put(without.append(digits.substr(rest)), true, true);
    }

    bool north_american_;
};

} // namespace

std::size_t country_code_length(std::string_view digits) noexcept {
    if (digits.size() < 2) return digits.size();
    if (digits[0] == '1' || digits[0] == '7') return 1;
    constexpr std::string_view two = " 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 "
                                     "53 54 55 56 57 58 60 61 62 63 "
                                     "64 65 66 81 82 84 86 90 91 92 93 94 95 98 ";
    const std::array<char, 4> wanted{' ', digits[0], digits[1], ' '};
    if (two.find(std::string_view{wanted.data(), wanted.size()}) != std::string_view::npos) {
        return 2;
    }
    return std::min<std::size_t>(3, digits.size());
}

dialled_numbers numbers_in(std::string_view target, bool north_american) {
    reader from{north_american};
    from.target(target, 0);
    return std::move(from.made);
}

} // namespace trunkline::trunks
