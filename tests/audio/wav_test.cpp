#include <trunkline/audio/wav.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/audio/decimation.hpp>
#include <trunkline/audio/tone.hpp>
#include <trunkline/codec/g711.hpp>
#include <trunkline/core/text.hpp>

#include "support/print.hpp"

namespace doctest {
template <>
struct StringMaker<trunkline::audio::wav_view> {
    static String convert(const trunkline::audio::wav_view& wav) {
        return fmt::format("{} Hz, {} frames", wav.rate, wav.frames()).c_str();
    }
};
} // namespace doctest

namespace trunkline::audio {
namespace {

std::string little(std::uint32_t value, std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
    return text;
}

std::string chunk(std::string_view name, std::string_view body) {
    return std::string{name} + little(static_cast<std::uint32_t>(body.size()), 4) +
           std::string{body} + (body.size() % 2 != 0 ? std::string(1, '\0') : "");
}

std::string format(std::uint32_t tag, std::uint32_t channels, std::uint32_t rate,
                   std::uint32_t bits) {
    const auto frame = channels * bits / 8;
    return little(tag, 2) + little(channels, 2) + little(rate, 4) + little(rate * frame, 4) +
           little(frame, 2) + little(bits, 2);
}

std::string riff(const std::string& chunks) {
    return "RIFF" + little(static_cast<std::uint32_t>(4 + chunks.size()), 4) + "WAVE" + chunks;
}

result<wav_view> parse(const std::string& file) {
    return wav_view::parse(as_bytes(file));
}

std::vector<std::int16_t> asset(const char* name) {
    std::ifstream file{std::string{TRUNKLINE_SOURCE_DIR "/examples/assets/"} + name,
                       std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
    const auto wav = parse(bytes);
    REQUIRE(wav);
    CHECK(wav->rate == 8'000);
    CHECK(wav->channels == 1);
    CHECK(!wav->truncated);
    return *to_8khz(*wav);
}

TEST_CASE("audio::wav_view: parses PCM16 and both laws, mono and stereo") {
    const auto pcm = riff(chunk("fmt ", format(1, 1, 16'000, 16)) +
                          chunk("data", std::string{"\x01\x00\xff\x7f\x00\x80", 6}));
    auto wav = parse(pcm);
    REQUIRE(wav);
    CHECK(wav->rate == 16'000);
    REQUIRE(wav->frames() == 3);
    CHECK(wav->sample(0) == 1);
    CHECK(wav->sample(1) == 32'767);
    CHECK(wav->sample(2) == -32'768);

    const auto stereo = riff(chunk("fmt ", format(1, 2, 8'000, 16)) +
                             chunk("data", std::string{"\x00\x80\x00\x80\x64\x00\xc8\x00", 8}));
    wav = parse(stereo);
    REQUIRE(wav);
    REQUIRE(wav->frames() == 2);
    CHECK(wav->sample(0) == -32'768);
    CHECK(wav->sample(1) == 150);

    const auto ulaw = riff(chunk("fmt ", format(7, 1, 8'000, 8) + little(0, 2)) +
                           chunk("fact", little(3, 4)) + chunk("data", "\xff\x80\x21"));
    wav = parse(ulaw);
    REQUIRE(wav);
    CHECK(wav->coding == wav_view::encoding::ulaw);
    REQUIRE(wav->frames() == 3);
    CHECK(wav->sample(1) == 32'124);
    CHECK(wav->sample(2) == codec::decode(codec::law::ulaw, 0x21));

    const auto alaw = riff(chunk("fmt ", format(6, 1, 8'000, 8)) + chunk("data", "\xd5"));
    wav = parse(alaw);
    REQUIRE(wav);
    CHECK(wav->sample(0) == 8);
}

TEST_CASE("audio::wav_view: skips other chunks, odd ones with their padding") {
    const auto wav = parse(riff(chunk("LIST", "odd") + chunk("fmt ", format(1, 1, 8'000, 16)) +
                                chunk("junk", "") + chunk("data", "abcd") + chunk("id3 ", "x")));
    REQUIRE(wav);
    CHECK(wav->frames() == 2);
}

TEST_CASE("audio::wav_view: the extensible format is what its GUID begins with") {
    const auto guid = little(1, 2) + std::string(14, 'g');
    const auto format_chunk = chunk("fmt ", format(0xfffe, 1, 8'000, 16) + little(22, 2) +
                                                little(16, 2) + little(4, 4) + guid);
    const auto wav = parse(riff(format_chunk + chunk("data", "abcd")));
    REQUIRE(wav);
    CHECK(wav->coding == wav_view::encoding::pcm16);
}

TEST_CASE("audio::wav_view: a data chunk longer than the file is a recording that broke off") {
    const auto start = riff(chunk("fmt ", format(1, 1, 8'000, 16)));
    for (const std::uint32_t claimed : {6U, 0x7fff'fff0U, 0xffff'ffffU}) {
        const auto wav = parse(start + "data" + little(claimed, 4) + "abcde");
        REQUIRE(wav);
        CHECK(wav->truncated);
        CHECK(wav->frames() == 2);
    }
}

TEST_CASE("audio::wav_view: says what is wrong, and where") {
    const auto good_format = chunk("fmt ", format(1, 1, 8'000, 16));
    struct rejected {
        std::string file;
        error reason;
    };
    const rejected table[] = {
        {"", {.code = errc::need_more, .offset = 0}},
        {"RIFF....WAV", {.code = errc::need_more, .offset = 11}},
        {"RIFX....WAVE", {.code = errc::bad_token, .offset = 0}},
        {"RIFF....AVI ", {.code = errc::bad_token, .offset = 8}},
        {riff(""), {.code = errc::missing, .offset = 12}},
        {riff(good_format), {.code = errc::missing, .offset = 36}},
        {riff(good_format + "data\x01"), {.code = errc::missing, .offset = 41}},
        {riff(chunk("data", "abcd")), {.code = errc::missing, .offset = 12}},
        {riff(good_format + good_format), {.code = errc::duplicate, .offset = 36}},
        {riff("LIST" + little(0xffff'ffff, 4)), {.code = errc::bad_length, .offset = 16}},
        {riff(chunk("fmt ", "short")), {.code = errc::bad_length, .offset = 16}},
        {riff(chunk("fmt ", format(0xfffe, 1, 8'000, 16))),
         {.code = errc::bad_length, .offset = 16}},
        {riff(chunk("fmt ", format(3, 1, 8'000, 32))), {.code = errc::not_supported, .offset = 20}},
        {riff(chunk("fmt ", format(1, 0, 8'000, 16))), {.code = errc::not_supported, .offset = 22}},
        {riff(chunk("fmt ", format(1, 6, 8'000, 16))), {.code = errc::not_supported, .offset = 22}},
        {riff(chunk("fmt ", format(1, 1, 0, 16))), {.code = errc::not_supported, .offset = 24}},
        {riff(chunk("fmt ", format(1, 1, 192'001, 16))),
         {.code = errc::not_supported, .offset = 24}},
        {riff(chunk("fmt ", format(1, 1, 8'000, 24))), {.code = errc::not_supported, .offset = 34}},
        {riff(chunk("fmt ", format(7, 1, 8'000, 16))), {.code = errc::not_supported, .offset = 34}},
    };
    for (const auto& row : table) {
        CAPTURE(row.file);
        const auto parsed = parse(row.file);
        REQUIRE(!parsed);
        CHECK(parsed.reason() == row.reason);
    }
    auto mismatched = riff(good_format);
    mismatched[32] = 4; // The block of two channels.
    CHECK(parse(mismatched).reason() == error{.code = errc::mismatch, .offset = 32});
}

TEST_CASE("audio::write_header: parse reads what it wrote") {
    std::vector<std::byte> file(wav_header_size + 12);
    const auto header = std::span{file}.first<wav_header_size>();
    CHECK(write_header(header, 48'000, 2, 3));
    const auto wav = wav_view::parse(file);
    REQUIRE(wav);
    CHECK(wav->rate == 48'000);
    CHECK(wav->channels == 2);
    CHECK(wav->frames() == 3);
    CHECK(!wav->truncated);

    CHECK(write_header(header, 8'000, 1, 0x7fff'ffed));
    CHECK(write_header(header, 8'000, 1, 0x7fff'ffee) == error{.code = errc::limit_exceeded});
    CHECK(write_header(header, 8'000, 3, 1) == error{.code = errc::not_supported});
    CHECK(write_header(header, 0, 1, 1) == error{.code = errc::not_supported});
}

TEST_CASE("audio::decimator: keeps speech, and lets nothing fold back into it") {
    for (const unsigned ratio : {2U, 3U, 6U}) {
        CAPTURE(ratio);
        const auto through = [ratio](double hz) {
            std::vector<std::int16_t> fast(8'000 * ratio);
            tone_generator{tones::sine(hz, -10), 8'000 * ratio}.next(fast);
            const decimator down{ratio};
            std::vector<std::int16_t> slow(down.size_after(fast.size()));
            down.apply(fast, slow);
            // Without the ends, where the signal starts and stops.
            return std::vector<std::int16_t>(slow.begin() + 400, slow.end() - 400);
        };
        for (const double hz : {100.0, 300.0, 1'000.0, 2'000.0, 3'300.0}) {
            CAPTURE(hz);
            CHECK(level_at(hz, through(hz)) == doctest::Approx(-10).epsilon(0.005));
        }
        for (const double hz : {4'100.0, 5'000.0, 7'000.0}) {
            CAPTURE(hz);
            CHECK(level(through(hz)) < -70);
        }
        CHECK(decimator{ratio}.size_after(0) == 0);
        CHECK(decimator{ratio}.size_after(1) == 1);
        CHECK(decimator{ratio}.size_after(ratio) == 1);
        CHECK(decimator{ratio}.size_after(ratio + 1) == 2);
    }
}

TEST_CASE("audio::decimator: delays nothing, even at the ends of a short signal") {
    const decimator down{3};
    const std::vector<std::int16_t> impulse{0, 0, 0, 30'000, 0, 0, 0};
    std::vector<std::int16_t> slow(down.size_after(impulse.size()));
    down.apply(impulse, slow);
    CHECK(std::ranges::max_element(slow) - slow.begin() == 1);
    CHECK(slow[0] == slow[2]);
}

TEST_CASE("audio::to_8khz: takes whole multiples of 8 kHz, and no other rate") {
    for (const std::uint32_t rate : {8'000U, 16'000U, 24'000U, 48'000U}) {
        std::vector<std::int16_t> fast(rate);
        tone_generator{tones::sine(440), rate}.next(fast);
        const wav_view wav{.rate = rate, .data = std::as_bytes(std::span{fast})};
        const auto slow = to_8khz(wav);
        REQUIRE(slow);
        CHECK(slow->size() == 8'000);
        CHECK(level_at(440, *slow) == doctest::Approx(-10).epsilon(0.01));
    }
    for (const std::uint32_t rate : {4'000U, 11'025U, 32'000U, 44'100U, 96'000U}) {
        const auto refused = to_8khz(wav_view{.rate = rate});
        REQUIRE(!refused);
        CHECK(refused.reason() == error{.code = errc::not_supported});
    }
}

TEST_CASE("audio::wav_view: reads the sentences of the examples, which sox wrote") {
    for (const char* const name : {"greeting.wav", "caller.wav", "other.wav"}) {
        CAPTURE(name);
        const auto samples = asset(name);
        CHECK(samples.size() > 8'000);
        int peak = 0;
        for (const int sample : samples) peak = std::max(peak, std::abs(sample));
        CHECK(peak > 16'000); // -6 dBFS
        CHECK(peak < 17'000);
    }
}

} // namespace
} // namespace trunkline::audio
