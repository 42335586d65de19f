// A WAV file that is whole at every moment: whoever kills the switch loses a tenth of a second of
// the call at most, and never the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include <trunkline/core/result.hpp>

namespace softswitch {

class recording {
public:
    /// Makes a new file of 8 kHz mono. Never writes over one: "heard.wav" becomes "heard-2.wav".
    [[nodiscard]] static trunkline::result<recording, std::error_code>
    create(const std::filesystem::path& wanted);

    recording(recording&& other) noexcept;
    recording& operator=(recording&& other) noexcept;
    recording(const recording&) = delete;
    recording& operator=(const recording&) = delete;
    ~recording();

    /// First the samples and then the header that counts them: what is between the two when the
    /// process dies is ignored by every reader.
    std::error_code append(std::span<const std::int16_t> samples);
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    recording(int file, std::filesystem::path path) noexcept;
    std::error_code write_header();

    int file_ = -1;
    std::filesystem::path path_;
    std::uint64_t frames_ = 0;
};

} // namespace softswitch
