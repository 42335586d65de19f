// The numbers that a carrier could read in what is dialled.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace trunkline::trunks {

/// One way to read a target as a number.
struct dialled_number {
    std::string digits{};
    bool international = false; ///< A plus or an international prefix stood before the digits.
    bool guessed = false;       ///< Only some carriers read it so: it can deny, and not allow.
};

struct dialled_numbers {
    std::vector<dialled_number> found{}; ///< The target as it stands is the first. Empty: a name.
    bool service = false;                ///< "sos", the emergency service of RFC 5031.
};

/// Of a number, a tel, sip or sips URI, or a user part. Where the caller is North American, ten
/// digits are a national number.
[[nodiscard]] dialled_numbers numbers_in(std::string_view target, bool north_american = false);

/// How many digits of an international number are its country code (ITU-T E.164).
[[nodiscard]] std::size_t country_code_length(std::string_view digits) noexcept;

} // namespace trunkline::trunks
