// Names for what REST makes: nobody guesses one, and no two are the same.
#pragma once

#include <string>
#include <string_view>

namespace softswitch {

/// `prefix` and 32 hex digits of the system's random numbers: "CA" for calls, "TK" for trunks, "GW"
/// for gateways, "IA" for allowed sources, "PN" for numbers. Any thread may call it.
[[nodiscard]] std::string new_id(std::string_view prefix);

/// Lower-case hex, as the store keeps digests.
[[nodiscard]] std::string sha256_hex(std::string_view text);

} // namespace softswitch
