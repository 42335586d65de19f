#include <trunkline/rtp/packet.hpp>

#include <doctest/doctest.h>

#include <algorithm>

#include "bytes.hpp"
#include "support/print.hpp"

namespace trunkline::rtp {
namespace {

TEST_CASE("rtp::packet_view: reads every field of the header") {
    const auto bytes = hex("80 88 fffe 00000140 deadbeef 0102");
    const auto parsed = packet_view::parse(bytes);
    REQUIRE(parsed);
    CHECK(parsed->header == header{true, 8, {0xfffe}, {0x140}, 0xdead'beef});
    CHECK(parsed->payload.data() == bytes.data() + 12);
    CHECK(parsed->payload.size() == 2);
    CHECK(parsed->profile == std::nullopt);
}

TEST_CASE("rtp::packet_view: the payload is what CSRCs, extension and padding leave") {
    const auto bytes = hex("b2 00 0001 00000002 00000003"
                           "0000000a 0000000b"
                           "bede 0001 10ff0000"
                           "aabbcc 000003");
    const auto parsed = packet_view::parse(bytes);
    REQUIRE(parsed);
    CHECK(parsed->csrcs.size() == 8);
    CHECK(parsed->profile == 0xbede);
    CHECK(parsed->extension.size() == 4);
    CHECK(parsed->extension[0] == std::byte{0x10});
    CHECK(parsed->padding == 3);
    REQUIRE(parsed->payload.size() == 3);
    CHECK(parsed->payload[0] == std::byte{0xaa});
}

TEST_CASE("rtp::packet_view: says what is wrong, and where") {
    struct rejected {
        std::string_view bytes;
        error reason;
    };
    const rejected table[] = {
        {"", {.code = errc::need_more, .offset = 0}},
        {"80000001000000020000 00", {.code = errc::need_more, .offset = 11}},
        {"40 00 0001 00000002 00000003", {.code = errc::bad_version, .offset = 0}},
        {"c0 00 0001 00000002 00000003", {.code = errc::bad_version, .offset = 0}},
        {"81 00 0001 00000002 00000003 000000", {.code = errc::bad_length, .offset = 0}},
        {"90 00 0001 00000002 00000003 bede00", {.code = errc::need_more, .offset = 15}},
        {"90 00 0001 00000002 00000003 bede0001 000000", {.code = errc::bad_length, .offset = 14}},
        {"90 00 0001 00000002 00000003 bedeffff 00000000",
         {.code = errc::bad_length, .offset = 14}},
        {"a0 00 0001 00000002 00000003", {.code = errc::bad_length, .offset = 11}},
        {"a0 00 0001 00000002 00000003 aa00", {.code = errc::bad_length, .offset = 13}},
        {"a0 00 0001 00000002 00000003 aa03", {.code = errc::bad_length, .offset = 13}},
    };
    for (const auto& row : table) {
        CAPTURE(row.bytes);
        const auto parsed = packet_view::parse(hex(row.bytes));
        REQUIRE_FALSE(parsed);
        CHECK(parsed.reason() == row.reason);
    }
}

TEST_CASE("rtp::packet_view: empty and wholly padded payloads are legal") {
    CHECK(packet_view::parse(hex("80 00 0001 00000002 00000003"))->payload.empty());
    CHECK(packet_view::parse(hex("a0 00 0001 00000002 00000003 000002"))->payload.size() == 1);
    CHECK(packet_view::parse(hex("a0 00 0001 00000002 00000003 0002"))->payload.empty());
}

TEST_CASE("rtp::write_header: writes what parse reads, or nothing") {
    std::array<std::byte, 13> bytes{};
    const header made{true, 127, {1}, {0xffff'ffff}, 0x0102'0304};
    CHECK(write_header(made, bytes) == 12);
    CHECK(packet_view::parse(bytes)->header == made);
    CHECK(write_header(made, std::span{bytes}.first(11)) == 0);
}

TEST_CASE("rtp::is_rtcp: tells the two apart on one port") {
    CHECK(is_rtcp(hex("80c8")));
    CHECK(is_rtcp(hex("81cc")));
    CHECK_FALSE(is_rtcp(hex("8000")));
    CHECK_FALSE(is_rtcp(hex("80e5"))); // Marker and payload type 101.
    CHECK_FALSE(is_rtcp(hex("80")));
}

} // namespace
} // namespace trunkline::rtp
