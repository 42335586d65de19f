#include "wav_file.hpp"

#include <array>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <trunkline/audio/wav.hpp>

namespace phone {

using namespace trunkline;

samples read_wav(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    const std::vector<char> bytes{std::istreambuf_iterator<char>{file}, {}};
    if (!file) throw std::runtime_error{path + ": cannot be read"};
    const auto parsed = audio::wav_view::parse(std::as_bytes(std::span{bytes}));
    if (!parsed) {
        throw std::runtime_error{path + ": not a WAV that we read (" +
                                 std::string{message(parsed.reason().code)} + " at byte " +
                                 std::to_string(parsed.reason().offset) + ")"};
    }
    auto converted = audio::to_8khz(*parsed);
    if (!converted) {
        throw std::runtime_error{path + ": " + std::to_string(parsed->rate) +
                                 " Hz; convert it to 8, 16, 24 or 48 kHz"};
    }
    return *std::move(converted);
}

void write_wav(const std::string& path, std::span<const std::int16_t> what) {
    std::array<std::byte, audio::wav_header_size> header{};
    if (!audio::write_header(header, 8'000, 1, what.size())) {
        throw std::runtime_error{path + ": longer than a WAV can be"};
    }
    std::string bytes(what.size() * 2, '\0');
    for (std::size_t i = 0; i < what.size(); ++i) {
        const auto sample = static_cast<std::uint16_t>(what[i]);
        bytes[2 * i] = static_cast<char>(sample & 0xff);
        bytes[2 * i + 1] = static_cast<char>(sample >> 8);
    }
    std::ofstream file{path, std::ios::binary};
    for (const auto byte : header) file.put(static_cast<char>(byte));
    file << bytes << std::flush;
    if (!file) throw std::runtime_error{path + ": cannot be written"};
}

} // namespace phone
