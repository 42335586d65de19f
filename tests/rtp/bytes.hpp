// Packets as people read them.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace trunkline::rtp {

/// Hex digits to bytes; everything else is white space.
inline std::vector<std::byte> hex(std::string_view text) {
    std::vector<std::byte> bytes;
    unsigned value = 0;
    bool half = false;
    for (const char c : text) {
        unsigned digit = 0;
        if (c >= '0' && c <= '9') {
            digit = static_cast<unsigned>(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            digit = static_cast<unsigned>(c - 'a') + 10;
        } else {
            continue;
        }
        value = value << 4 | digit;
        if (half) bytes.push_back(static_cast<std::byte>(value & 0xffU));
        half = !half;
    }
    return bytes;
}

} // namespace trunkline::rtp
