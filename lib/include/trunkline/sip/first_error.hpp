// The error that a message is refused for: of several the one that stands first in it.
#pragma once

#include <cstddef>
#include <cstdint>

#include <trunkline/core/result.hpp>
#include <trunkline/sip/header.hpp>

namespace trunkline::sip {

/// Headers are not checked in the order in which they stand, so the earlier place wins.
class first_error {
public:
    void note(errc code, header which, std::size_t at) noexcept {
        // A version that is not ours says least: 505 is for what is right but for that.
        const bool version_only = error_.code == errc::bad_version;
        if (noted_ && !version_only && (code == errc::bad_version || at >= error_.offset)) return;
        noted_ = true;
        error_ = {.code = code,
                  .field = static_cast<std::uint8_t>(which),
                  .offset = static_cast<std::uint32_t>(at)};
    }

    [[nodiscard]] bool noted() const noexcept { return noted_; }
    [[nodiscard]] error reason() const noexcept { return error_; }

private:
    bool noted_ = false;
    error error_{};
};

} // namespace trunkline::sip
