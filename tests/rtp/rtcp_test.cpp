#include <trunkline/rtp/rtcp.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <utility>

#include "bytes.hpp"
#include "support/print.hpp"

namespace trunkline::rtp {
namespace {

// SR with one block, SDES with CNAME "ab" and NOTE "c", BYE with a reason, an APP.
constexpr std::string_view compound =
    "81c8000c 00000001 e0000000 80000000 000000a0 00000002 00000140"
    "        00000009 40fffffe 00010005 00000007 12345678 00010000"
    "81ca0004 00000001 01026162 07016300 00000000"
    "81cb0002 00000001 03627965"
    "80cc0002 00000001 74657374";

template <class View>
View part(const rtcp_view& all, std::ptrdiff_t index) {
    return std::get<View>(*std::next(all.begin(), index));
}

TEST_CASE("rtp::rtcp_view: walks a compound packet of every kind") {
    const auto bytes = hex(compound);
    const auto parsed = rtcp_view::parse(bytes);
    REQUIRE(parsed);
    CHECK(std::distance(parsed->begin(), parsed->end()) == 4);

    const auto sr = part<sender_report_view>(*parsed, 0);
    CHECK(sr.ssrc == 1);
    CHECK(sr.info == sender_info{0xe000'0000'8000'0000, {160}, 2, 320});
    REQUIRE(sr.reports.size() == 1);
    CHECK(sr.reports[0] == report_block{9, 0x40, -2, 0x1'0005, 7, 0x1234'5678, 0x1'0000});

    std::string items;
    part<sdes_view>(*parsed, 1).each([&](const sdes_item& item) {
        items += std::to_string(item.ssrc) + ':' + std::to_string(item.type) + '=';
        items += std::string{item.text} + ' ';
    });
    CHECK(items == "1:1=ab 1:7=c ");
    CHECK(part<sdes_view>(*parsed, 1).cname_of(1) == "ab");
    CHECK(part<sdes_view>(*parsed, 1).cname_of(2) == std::nullopt);

    CHECK(part<bye_view>(*parsed, 2).names(1));
    CHECK_FALSE(part<bye_view>(*parsed, 2).names(2));
    CHECK(part<bye_view>(*parsed, 2).why == "bye");
    CHECK(part<unknown_rtcp_view>(*parsed, 3).type == 204);
    CHECK(part<unknown_rtcp_view>(*parsed, 3).body.size() == 8);
}

TEST_CASE("rtp::rtcp_view: every prefix of a compound packet is whole packets and less than a "
          "word, or refused") {
    const auto bytes = hex(compound);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        const std::vector<std::byte> cut(bytes.begin(),
                                         bytes.begin() + static_cast<std::ptrdiff_t>(length));
        const bool whole = length / 4 == 13 || length / 4 == 18 || length / 4 == 21;
        CHECK(rtcp_view::parse(cut).has_value() == whole);
    }
}

TEST_CASE("rtp::rtcp_view: says what is wrong, and where") {
    struct rejected {
        std::string_view bytes;
        error reason;
    };
    const rejected table[] = {
        {"", {.code = errc::need_more, .offset = 0}},
        {"80c900", {.code = errc::need_more, .offset = 3}},
        {"40c90001 00000001", {.code = errc::bad_version, .offset = 0}},
        {"80c90002 00000001", {.code = errc::bad_length, .offset = 2}},
        {"80c90001 00000001 80cbffff", {.code = errc::bad_length, .offset = 10}},
        {"81c90001 00000001", {.code = errc::bad_length, .offset = 0}}, // A block, and no room.
        {"80c90000", {.code = errc::bad_length, .offset = 0}},          // No SSRC.
        {"80c80005 00000001 0000000000000000 00000000 00000000",
         {.code = errc::bad_length, .offset = 0}},
        {"80c90001 00000001 82cb0001 00000001", {.code = errc::bad_length, .offset = 8}},
        {"81cb0002 00000001 04627965", {.code = errc::bad_length, .offset = 8}},
        {"81ca0000", {.code = errc::bad_length, .offset = 4}},                    // No chunk.
        {"81ca0001 00000001", {.code = errc::bad_length, .offset = 8}},           // No end.
        {"81ca0002 00000001 01026162", {.code = errc::bad_length, .offset = 12}}, // No end.
        {"81ca0002 00000001 01030000", {.code = errc::bad_length, .offset = 8}},
        {"82ca0002 00000001 00000000", {.code = errc::bad_length, .offset = 12}},
        {"a0c90002 00000001 00000000", {.code = errc::bad_length, .offset = 11}}, // Padding of 0.
        {"a0c90002 00000001 00000003", {.code = errc::bad_length, .offset = 11}},
        {"a0c90002 00000001 0000000c", {.code = errc::bad_length, .offset = 11}},
        {"a0c90002 00000001 00000004 80c90001 00000001",
         {.code = errc::bad_length, .offset = 0}}, // Padded, and not the last.
    };
    for (const auto& row : table) {
        CAPTURE(row.bytes);
        const auto parsed = rtcp_view::parse(hex(row.bytes));
        REQUIRE_FALSE(parsed);
        CHECK(parsed.reason() == row.reason);
    }
}

TEST_CASE("rtp::rtcp_view: padding counts for nothing, a BYE may name nobody") {
    CHECK(
        part<receiver_report_view>(*rtcp_view::parse(hex("a0c90002 00000001 00000004")), 0).ssrc ==
        1);
    const auto bytes = hex("80cb0000");
    CHECK_FALSE(part<bye_view>(*rtcp_view::parse(bytes), 0).names(0));
}

TEST_CASE("rtp::rtcp_writer: writes what the RFC's figures show") {
    std::array<std::byte, 256> into{};
    rtcp_writer out{into};
    const report_block block{9, 0x40, -2, 0x1'0005, 7, 0x1234'5678, 0x1'0000};
    out.sender_report(1, {0xe000'0000'8000'0000, {160}, 2, 320}, {&block, 1});
    out.cname(1, "abc").bye(1, "bye").bye(2);
    const auto expected = hex("81c8000c 00000001 e0000000 80000000 000000a0 00000002 00000140"
                              "        00000009 40fffffe 00010005 00000007 12345678 00010000"
                              "81ca0003 00000001 01036162 63000000"
                              "81cb0002 00000001 03627965"
                              "81cb0001 00000002");
    CHECK(std::vector<std::byte>(into.begin(), into.begin() + static_cast<long>(out.size())) ==
          expected);
}

TEST_CASE("rtp::rtcp_writer: names of every length end in one to four zeroes") {
    for (std::size_t length = 0; length < 256; ++length) {
        std::array<std::byte, 300> into;
        into.fill(std::byte{0xff});
        const std::string name(length, 'x');
        const auto size = rtcp_writer{into}.receiver_report(1, {}).cname(1, name).size();
        const auto parsed = rtcp_view::parse(std::span{into}.first(size));
        REQUIRE(parsed);
        CHECK(part<sdes_view>(*parsed, 1).cname_of(1) == name);
    }
}

TEST_CASE("rtp::rtcp_writer: losses stick at 24 bits") {
    std::array<std::byte, 64> into{};
    for (const auto& [lost, told] : {std::pair{8'388'608, 8'388'607},
                                     {-8'388'609, -8'388'608},
                                     {8'388'607, 8'388'607},
                                     {-1, -1},
                                     {0, 0}}) {
        const report_block block{.cumulative_lost = lost};
        const auto size = rtcp_writer{into}.receiver_report(1, {&block, 1}).size();
        const auto parsed = rtcp_view::parse(std::span{into}.first(size));
        CHECK(part<receiver_report_view>(*parsed, 0).reports[0].cumulative_lost == told);
    }
}

TEST_CASE("rtp::rtcp_writer: what does not fit is nothing") {
    std::array<std::byte, 31> into{};
    CHECK(rtcp_writer{into}.receiver_report(1, {}).cname(1, "abcdefghij").size() == 0);
    CHECK(rtcp_writer{into}.receiver_report(1, {}).cname(1, "abcdefghij").bye(1).size() == 0);
    CHECK(rtcp_writer{into}.receiver_report(1, {}).cname(1, "abcde").size() == 24);
}

} // namespace
} // namespace trunkline::rtp
