// The bytes of a WAV file, as Microsoft's RIFF specification draws them.
#include <trunkline/audio/wav.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include <trunkline/core/text.hpp>

#include "support/print.hpp"

namespace trunkline::audio {
namespace {

TEST_CASE("audio::write_header: writes the 44 bytes of a PCM file, each field in its place") {
    std::array<std::byte, wav_header_size> header{};
    CHECK(write_header(header, 16'000, 2, 100)); // 400 bytes of samples, 64,000 a second.
    const std::string expected{"RIFF\xb4\x01\x00\x00WAVEfmt \x10\x00\x00\x00"
                               "\x01\x00"         // PCM
                               "\x02\x00"         // channels
                               "\x80\x3e\x00\x00" // samples a second
                               "\x00\xfa\x00\x00" // bytes a second
                               "\x04\x00"         // bytes a frame
                               "\x10\x00"         // bits a sample
                               "data\x90\x01\x00\x00",
                               wav_header_size};
    CHECK(std::string{as_text(header)} == expected);
}

TEST_CASE("audio::wav_view: its data are whole frames, though the chunk has half of one more") {
    const std::string file{"RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00"
                           "\x40\x1f\x00\x00\x00\x7d\x00\x00\x04\x00\x10\x00"
                           "data\x07\x00\x00\x00"
                           "abcdefg",
                           wav_header_size + 7};
    const auto read = wav_view::parse(as_bytes(file));
    REQUIRE(read);
    CHECK(read->frames() == 1);
    CHECK(as_text(read->data) == "abcd");
}

} // namespace
} // namespace trunkline::audio
