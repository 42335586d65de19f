#include <trunkline/codec/g711.hpp>

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <vector>

#include <spandsp.h>

namespace trunkline::codec {
namespace {

constexpr int lowest = std::numeric_limits<std::int16_t>::min();
constexpr int highest = std::numeric_limits<std::int16_t>::max();

int count_decode_differences(law which, int16_t (*peer)(std::uint8_t)) {
    int differences = 0;
    for (int code = 0; code < 256; ++code) {
        const auto octet = static_cast<std::uint8_t>(code);
        if (decode(which, octet) != peer(octet)) ++differences;
    }
    return differences;
}

int count_encode_differences(law which, std::uint8_t (*peer)(int)) {
    int differences = 0;
    for (int sample = lowest; sample <= highest; ++sample) {
        if (encode(which, static_cast<std::int16_t>(sample)) != peer(sample)) ++differences;
    }
    return differences;
}

TEST_CASE("codec::g711: decodes all 256 code words of both laws exactly as spandsp does") {
    CHECK(count_decode_differences(law::ulaw, ulaw_to_linear) == 0);
    CHECK(count_decode_differences(law::alaw, alaw_to_linear) == 0);
}

TEST_CASE("codec::g711: encodes all 65,536 samples of both laws exactly as spandsp does") {
    CHECK(count_encode_differences(law::ulaw, linear_to_ulaw) == 0);
    CHECK(count_encode_differences(law::alaw, linear_to_alaw) == 0);
}

TEST_CASE("codec::g711: the loudest and the quietest samples are those of the tables of G.711") {
    CHECK(decode(law::ulaw, 0x00) == -32'124);
    CHECK(decode(law::ulaw, 0x80) == 32'124);
    CHECK(decode(law::ulaw, 0x7f) == 0);
    CHECK(decode(law::ulaw, 0xff) == 0);
    CHECK(decode(law::alaw, 0x2a) == -32'256);
    CHECK(decode(law::alaw, 0xaa) == 32'256);
    CHECK(decode(law::alaw, 0x55) == -8);
    CHECK(decode(law::alaw, 0xd5) == 8);
    CHECK(encode(law::ulaw, lowest) == 0x00);
    CHECK(encode(law::ulaw, highest) == 0x80);
    CHECK(encode(law::alaw, lowest) == 0x2a);
    CHECK(encode(law::alaw, highest) == 0xaa);
}

TEST_CASE("codec::g711: a code word survives decoding and encoding, but for the negative zero") {
    for (const auto which : {law::ulaw, law::alaw}) {
        for (int code = 0; code < 256; ++code) {
            const auto octet = static_cast<std::uint8_t>(code);
            const bool negative_zero = which == law::ulaw && octet == 0x7f;
            CHECK(encode(which, decode(which, octet)) == (negative_zero ? 0xff : octet));
        }
    }
}

TEST_CASE("codec::g711: blocks do to every sample what the single forms do") {
    std::vector<std::int16_t> samples;
    for (int sample = lowest; sample <= highest; ++sample) {
        samples.push_back(static_cast<std::int16_t>(sample));
    }
    std::vector<std::byte> coded(samples.size());
    std::vector<std::int16_t> back(samples.size());
    for (const auto which : {law::ulaw, law::alaw}) {
        encode(which, samples, coded);
        decode(which, coded, back);
        bool same = true;
        for (std::size_t i = 0; i < samples.size(); ++i) {
            const auto octet = encode(which, samples[i]);
            same = same && coded[i] == std::byte{octet} && back[i] == decode(which, octet);
        }
        CHECK(same);
    }
    decode(law::ulaw, {}, {});
    encode(law::alaw, {}, {});
}

TEST_CASE("codec::g711: silence is what a sample of 0 becomes") {
    CHECK(silence(law::ulaw) == std::byte{encode(law::ulaw, 0)});
    CHECK(silence(law::alaw) == std::byte{encode(law::alaw, 0)});
}

static_assert(decode(law::ulaw, 0xff) == 0);

} // namespace
} // namespace trunkline::codec
