#include <trunkline/audio/wav.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>

#include <trunkline/audio/decimation.hpp>
#include <trunkline/codec/g711.hpp>
#include <trunkline/core/assert.hpp>
#include <trunkline/core/text.hpp>

namespace trunkline::audio {
namespace {

constexpr std::size_t riff_header_size = 12;
constexpr std::size_t chunk_header_size = 8;
constexpr std::size_t shortest_format = 16;
constexpr std::size_t extensible_format = 40;
constexpr std::uint16_t extensible_tag = 0xfffe; // The real format then starts a GUID at byte 24.

error at(errc code, std::size_t offset) noexcept {
    constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
    return {.code = code, .offset = static_cast<std::uint32_t>(std::min(offset, most))};
}

std::uint32_t number_at(std::span<const std::byte> bytes, std::size_t offset,
                        std::size_t size) noexcept {
    std::uint32_t value = 0;
    for (std::size_t i = size; i-- > 0;) {
        value = value << 8 | std::to_integer<std::uint32_t>(bytes[offset + i]);
    }
    return value;
}

std::uint16_t number16(std::span<const std::byte> bytes, std::size_t offset) noexcept {
    return static_cast<std::uint16_t>(number_at(bytes, offset, 2));
}

std::uint32_t number32(std::span<const std::byte> bytes, std::size_t offset) noexcept {
    return number_at(bytes, offset, 4);
}

/// `start` is where the chunk's body lies in the file, for the offsets of errors.
result<wav_view> parse_format(std::span<const std::byte> body, std::size_t start) noexcept {
    if (body.size() < shortest_format) return at(errc::bad_length, start - 4);
    auto tag = number16(body, 0);
    if (tag == extensible_tag) {
        if (body.size() < extensible_format) return at(errc::bad_length, start - 4);
        tag = number16(body, 24);
    }
    wav_view parsed;
    parsed.coding = static_cast<wav_view::encoding>(tag);
    std::uint16_t bits = 8;
    switch (parsed.coding) {
    case wav_view::encoding::pcm16: bits = 16; break;
    case wav_view::encoding::alaw:
    case wav_view::encoding::ulaw: break;
    default: return at(errc::not_supported, start);
    }
    parsed.channels = number16(body, 2);
    if (parsed.channels != 1 && parsed.channels != 2) return at(errc::not_supported, start + 2);
    parsed.rate = number32(body, 4);
    if (parsed.rate == 0 || parsed.rate > wav_view::highest_rate) {
        return at(errc::not_supported, start + 4);
    }
    // The byte rate in between says nothing new, and writers are known to get it wrong.
    if (number16(body, 14) != bits) return at(errc::not_supported, start + 14);
    if (number16(body, 12) != parsed.frame_size()) return at(errc::mismatch, start + 12);
    return parsed;
}

void put(std::span<std::byte> into, std::size_t offset, std::string_view text) noexcept {
    std::ranges::copy(as_bytes(text), into.subspan(offset).begin());
}

void put(std::span<std::byte> into, std::size_t offset, std::uint32_t value,
         std::size_t size) noexcept {
    for (std::size_t i = 0; i < size; ++i) {
        into[offset + i] = static_cast<std::byte>(value >> (8 * i) & 0xff);
    }
}

} // namespace

/// The length in the RIFF header is not looked at: recorders that died never filled it in. Every
/// chunk is held against the bytes that are really there instead.
result<wav_view> wav_view::parse(std::span<const std::byte> file) noexcept {
    if (file.size() < riff_header_size) return at(errc::need_more, file.size());
    if (as_text(file.first(4)) != "RIFF") return at(errc::bad_token, 0);
    if (as_text(file.subspan(8, 4)) != "WAVE") return at(errc::bad_token, 8);

    std::optional<wav_view> format;
    for (std::size_t offset = riff_header_size; file.size() - offset >= chunk_header_size;) {
        const auto name = as_text(file.subspan(offset, 4));
        const std::size_t declared = number32(file, offset + 4);
        const auto start = offset + chunk_header_size;
        const auto present = std::min(declared, file.size() - start);
        const auto body = file.subspan(start, present);
        if (name == "data") {
            if (!format) return at(errc::missing, offset);
            format->truncated = present < declared;
            format->data = body.first(present / format->frame_size() * format->frame_size());
            return *format;
        }
        if (present < declared) return at(errc::bad_length, offset + 4);
        if (name == "fmt ") {
            if (format) return at(errc::duplicate, offset);
            const auto parsed = parse_format(body, start);
            if (!parsed) return parsed.reason();
            format = *parsed;
        }
        const auto padded = present + present % 2; // The last chunk often lacks its padding.
        offset = start + std::min(padded, file.size() - start);
    }
    return at(errc::missing, file.size());
}

std::int16_t wav_view::sample(std::size_t frame) const noexcept {
    TRUNKLINE_ASSERT(frame < frames());
    int sum = 0;
    for (std::size_t channel = 0; channel < channels; ++channel) {
        const auto index = frame * channels + channel;
        if (coding == encoding::pcm16) {
            sum += static_cast<std::int16_t>(number16(data, 2 * index));
        } else {
            const auto law = coding == encoding::alaw ? codec::law::alaw : codec::law::ulaw;
            sum += codec::decode(law, std::to_integer<std::uint8_t>(data[index]));
        }
    }
    return static_cast<std::int16_t>(sum / channels);
}

result<void> write_header(std::span<std::byte, wav_header_size> into, std::uint32_t rate,
                          std::uint16_t channels, std::uint64_t frames) noexcept {
    if (channels != 1 && channels != 2) return error{.code = errc::not_supported};
    if (rate == 0 || rate > wav_view::highest_rate) return error{.code = errc::not_supported};
    constexpr std::uint64_t after_riff = wav_header_size - chunk_header_size;
    const std::uint32_t frame_size = 2U * channels;
    if (frames > (std::numeric_limits<std::uint32_t>::max() - after_riff) / frame_size) {
        return error{.code = errc::limit_exceeded};
    }
    const auto data_size = static_cast<std::uint32_t>(frames * frame_size);
    put(into, 0, "RIFF");
    put(into, 4, data_size + static_cast<std::uint32_t>(after_riff), 4);
    put(into, 8, "WAVEfmt ");
    put(into, 16, shortest_format, 4);
    put(into, 20, static_cast<std::uint32_t>(wav_view::encoding::pcm16), 2);
    put(into, 22, channels, 2);
    put(into, 24, rate, 4);
    put(into, 28, rate * frame_size, 4);
    put(into, 32, frame_size, 2);
    put(into, 34, 16, 2);
    put(into, 36, "data");
    put(into, 40, data_size, 4);
    return {};
}

result<std::vector<std::int16_t>> to_8khz(const wav_view& what) {
    constexpr std::uint32_t wanted = 8'000;
    const auto ratio = what.rate / wanted;
    if (what.rate % wanted != 0 || (ratio != 1 && ratio != 2 && ratio != 3 && ratio != 6)) {
        return error{.code = errc::not_supported};
    }
    std::vector<std::int16_t> samples(what.frames());
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = what.sample(i);
    if (ratio == 1) return samples;
    const decimator down{ratio};
    std::vector<std::int16_t> decimated(down.size_after(samples.size()));
    down.apply(samples, decimated);
    return decimated;
}

} // namespace trunkline::audio
