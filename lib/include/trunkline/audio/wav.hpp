// WAV (RIFF WAVE) as bytes: what a prompt or a recording is kept in. Reads no file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <trunkline/core/export.hpp>
#include <trunkline/core/result.hpp>

namespace trunkline::audio {

/// Borrows the bytes that it was parsed from.
struct TRUNKLINE_EXPORT wav_view {
    /// As the fmt chunk numbers them.
    enum class encoding : std::uint16_t { pcm16 = 1, alaw = 6, ulaw = 7 };
    static constexpr std::uint32_t highest_rate = 192'000;

    encoding coding = encoding::pcm16;
    std::uint16_t channels = 1; ///< 1 or 2.
    std::uint32_t rate = 8'000;
    bool truncated = false; ///< The data chunk claims more than there is, as a stream's does.
    std::span<const std::byte> data{}; ///< Whole frames only.

    /// Walks the chunks; those nobody here needs are skipped. errc::not_supported for any other
    /// format, an offset with every error.
    [[nodiscard]] static result<wav_view> parse(std::span<const std::byte> file) noexcept;

    [[nodiscard]] std::size_t frame_size() const noexcept {
        return std::size_t{channels} * (coding == encoding::pcm16 ? 2 : 1);
    }
    /// Samples of each channel.
    [[nodiscard]] std::size_t frames() const noexcept { return data.size() / frame_size(); }
    /// The frame's sample; two channels are mixed into one.
    [[nodiscard]] std::int16_t sample(std::size_t frame) const noexcept;
};

inline constexpr std::size_t wav_header_size = 44;

/// Before `frames` of PCM16, little-endian. errc::limit_exceeded over the 4 GiB of the format,
/// errc::not_supported for channels and rates that parse() would refuse.
[[nodiscard]] TRUNKLINE_EXPORT result<void> write_header(std::span<std::byte, wav_header_size> into,
                                                         std::uint32_t rate, std::uint16_t channels,
                                                         std::uint64_t frames) noexcept;

/// All of it as 8 kHz PCM16. From 8, 16, 24 and 48 kHz; errc::not_supported from any other rate.
/// Allocates, so it is for loading prompts, not for use in a call.
[[nodiscard]] TRUNKLINE_EXPORT result<std::vector<std::int16_t>> to_8khz(const wav_view& what);

} // namespace trunkline::audio
