#include <trunkline/audio/correlation.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <trunkline/audio/tone.hpp>
#include <trunkline/audio/wav.hpp>
#include <trunkline/codec/g711.hpp>
#include <trunkline/core/entropy.hpp>
#include <trunkline/core/text.hpp>

namespace trunkline::audio {
namespace {

using speech = std::vector<std::int16_t>;

speech sentence(const char* name) {
    std::ifstream file{std::string{TRUNKLINE_SOURCE_DIR "/examples/assets/"} + name,
                       std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
    const auto wav = wav_view::parse(as_bytes(bytes));
    REQUIRE(wav);
    return *to_8khz(*wav);
}

speech through(codec::law law, speech samples) {
    for (auto& sample : samples) sample = codec::decode(law, codec::encode(law, sample));
    return samples;
}

speech after_silence(std::size_t silence, const speech& samples) {
    speech later(silence);
    later.insert(later.end(), samples.begin(), samples.end());
    later.resize(later.size() + 5'000);
    return later;
}

TEST_CASE("audio::best_likeness: finds a sentence that went through G.711, wherever it starts") {
    for (const char* const name : {"greeting.wav", "caller.wav", "other.wav"}) {
        const auto said = sentence(name);
        for (const auto law : {codec::law::ulaw, codec::law::alaw}) {
            for (const std::size_t silence : {0U, 1U, 2'403U, 40'001U}) {
                CAPTURE(name);
                CAPTURE(silence);
                const auto found = best_likeness(said, through(law, after_silence(silence, said)));
                CHECK(found.correlation > 0.99);
                CHECK(found.lag == static_cast<std::ptrdiff_t>(silence));
            }
        }
    }
}

TEST_CASE("audio::best_likeness: tells sentences apart") {
    const char* const names[] = {"greeting.wav", "caller.wav", "other.wav"};
    for (const char* const said : names) {
        for (const char* const heard : names) {
            if (said == heard) continue;
            CAPTURE(said);
            CAPTURE(heard);
            const auto found = best_likeness(
                sentence(said), through(codec::law::ulaw, after_silence(700, sentence(heard))));
            CHECK(found.correlation < 0.3);
        }
    }
}

TEST_CASE("audio::best_likeness: loudness and an offset do not matter, what is missing does") {
    const auto said = sentence("greeting.wav");
    auto quiet = said;
    for (auto& sample : quiet) sample = static_cast<std::int16_t>(sample / 8 + 500);
    CHECK(best_likeness(said, quiet).correlation > 0.99);

    const speech cut{said.begin() + 8'000, said.end()};
    const auto found = best_likeness(said, cut);
    CHECK(found.lag == -8'000);
    CHECK(found.correlation < 0.98);
    CHECK(found.correlation > 0.5);
    CHECK(best_likeness(cut, said).correlation > 0.99); // All of the cut one is in the whole one.
}

TEST_CASE("audio::best_likeness: hears speech in noise, and none in noise alone") {
    const auto said = sentence("caller.wav");
    seeded_entropy entropy{7};
    const auto noise = [&](speech samples) {
        for (auto& sample : samples) {
            sample =
                static_cast<std::int16_t>(sample + static_cast<int>(entropy.below(2'001)) - 1'000);
        }
        return samples;
    };
    CHECK(best_likeness(said, noise(after_silence(3'000, said))).correlation > 0.9);
    CHECK(best_likeness(said, noise(speech(20'000))).correlation < 0.1);
}

TEST_CASE("audio::best_likeness: of nothing, and of silence, is none") {
    const auto said = sentence("caller.wav");
    CHECK(best_likeness({}, said).correlation == 0);
    CHECK(best_likeness(said, {}).correlation == 0);
    CHECK(best_likeness(said, speech(8'000)).correlation == 0);
    CHECK(best_likeness(speech(8'000, 8), said).correlation == 0); // A-law's silence.
    CHECK(best_likeness(speech(1, 5), speech(1, 5)).correlation == 0);
}

TEST_CASE("audio::best_likeness: takes ten seconds against ten") {
    auto said = after_silence(80'000 - 5'000 - 27'000, sentence("greeting.wav"));
    said.resize(80'000);
    CHECK(best_likeness(said, through(codec::law::alaw, said)).correlation > 0.99);
}

} // namespace
} // namespace trunkline::audio
