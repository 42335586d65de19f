// Audio that says which frame of which call it is, wherever it comes back: mu-law that a decoder
// and an encoder between leave as it is.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace crowd {

inline constexpr std::size_t frame_size = 160; ///< 20 ms.
inline constexpr std::uint8_t silence = 0xff;

using frame = std::array<std::uint8_t, frame_size>;

struct frame_name {
    std::uint32_t call = 0;
    std::uint32_t number = 0;
};

/// One nibble a byte, and no byte is 0x7f or 0xff: both are zero to a decoder.
inline constexpr std::array<std::uint8_t, 4> magic{0x11, 0x52, 0x23, 0x64};
inline constexpr std::size_t mark_size = magic.size() + 16;

[[nodiscard]] inline frame marked(frame_name name) noexcept {
    frame made;
    made.fill(0x30);
    std::ranges::copy(magic, made.begin());
    for (std::size_t i = 0; i < 8; ++i) {
        const auto nibble = [&](std::uint32_t of) {
            return static_cast<std::uint8_t>(0x40 | (of >> (4 * i) & 15));
        };
        made[magic.size() + i] = nibble(name.call);
        made[magic.size() + 8 + i] = nibble(name.number);
    }
    return made;
}

/// Finds marks in what comes back, also where one frame of ours is in two of theirs.
class mark_finder {
public:
    /// How many were found, each of which was told.
    std::size_t find(std::span<const std::uint8_t> heard,
                     const std::function<void(frame_name)>& tell) {
        kept_.insert(kept_.end(), heard.begin(), heard.end());
        std::size_t found = 0;
        std::size_t at = 0;
        for (; at + mark_size <= kept_.size(); ++at) {
            const auto here = kept_.begin() + static_cast<std::ptrdiff_t>(at);
            if (!std::equal(magic.begin(), magic.end(), here)) continue;
            frame_name name;
            for (std::size_t i = 0; i < 8; ++i) {
                const auto nibble = [&](std::size_t of) {
                    return (kept_[at + magic.size() + of] & 15U) << (4 * i);
                };
                name.call |= nibble(i);
                name.number |= nibble(8 + i);
            }
            tell(name);
            ++found;
            at += mark_size - 1;
        }
        kept_.erase(kept_.begin(),
                    kept_.begin() + static_cast<std::ptrdiff_t>(std::min(at, kept_.size())));
        return found;
    }

private:
    std::vector<std::uint8_t> kept_;
};

} // namespace crowd
