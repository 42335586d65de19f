#include <trunkline/audio/wav.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

namespace {

using trunkline::audio::wav_view;

void require(bool holds) {
    if (!holds) std::abort();
}

/// Writes the samples as one channel of PCM16 and parses that: nothing may be lost on the way.
void print_and_parse_again(const wav_view& wav) {
    using trunkline::audio::wav_header_size;
    std::vector<std::byte> file(wav_header_size + 2 * wav.frames());
    const auto header = std::span{file}.first<wav_header_size>();
    require(trunkline::audio::write_header(header, wav.rate, 1, wav.frames()).has_value());
    for (std::size_t i = 0; i < wav.frames(); ++i) {
        const auto sample = static_cast<std::uint16_t>(wav.sample(i));
        file[wav_header_size + 2 * i] = static_cast<std::byte>(sample & 0xff);
        file[wav_header_size + 2 * i + 1] = static_cast<std::byte>(sample >> 8);
    }
    const auto again = wav_view::parse(file);
    require(again.has_value());
    require(again->rate == wav.rate && again->channels == 1 && !again->truncated);
    require(again->frames() == wav.frames());
    for (std::size_t i = 0; i < wav.frames(); ++i) require(again->sample(i) == wav.sample(i));
}

} // namespace

/// A reason points into the file; what was accepted lies in the file and survives being written;
/// and as a truncated recording it is a recording still.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = std::as_bytes(std::span{data, size});
    const auto wav = wav_view::parse(file);
    if (!wav) {
        require(wav.reason().offset <= size);
        return 0;
    }
    require(wav->channels == 1 || wav->channels == 2);
    require(wav->data.size() == wav->frames() * wav->frame_size());
    const auto start = static_cast<std::size_t>(wav->data.data() - file.data());
    require(start <= size && wav->data.size() <= size - start);
    print_and_parse_again(*wav);

    const auto broken_off = wav_view::parse(file.first(start + wav->data.size() / 2));
    require(broken_off.has_value());
    require(broken_off->frames() == wav->data.size() / 2 / wav->frame_size());

    const auto speech = trunkline::audio::to_8khz(*wav);
    if (speech) require(speech->size() == (wav->frames() * 8'000 + wav->rate - 1) / wav->rate);
    return 0;
}
