// Real calls: what tshark 4.0 says of captures that others made is what we must say of them.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <trunkline/rtp/jitter_buffer.hpp>
#include <trunkline/rtp/packet.hpp>
#include <trunkline/rtp/receiver.hpp>
#include <trunkline/rtp/rtcp.hpp>

#include "support/print.hpp"
#include "support/shared.hpp"

namespace trunkline::rtp {
namespace {

using namespace std::chrono_literals;

struct datagram {
    time_point at;
    unsigned from_port = 0;
    unsigned to_port = 0;
    std::vector<std::byte> bytes;
};

unsigned number(const std::vector<std::byte>& bytes, std::size_t at, std::size_t size, bool big) {
    unsigned value = 0;
    for (std::size_t i = 0; i < size; ++i) {
        value = value << 8 | std::to_integer<unsigned>(bytes.at(big ? at + i : at + size - 1 - i));
    }
    return value;
}

/// The UDP datagrams of a little-endian pcap file of Ethernet frames; none when there is no file.
std::vector<datagram> read_capture(const std::string& name) {
    std::vector<datagram> all;
    if (!support::have_shared("pcap/" + name)) return all;
    const auto chars = support::read_file(support::shared("pcap/" + name));
    std::vector<std::byte> bytes(chars.size());
    std::transform(chars.begin(), chars.end(), bytes.begin(),
                   [](char c) { return static_cast<std::byte>(c); });
    REQUIRE(number(bytes, 0, 4, false) == 0xa1b2'c3d4);
    for (std::size_t at = 24; at + 16 <= bytes.size();) {
        const auto size = number(bytes, at + 8, 4, false);
        const auto frame = at + 16;
        const bool udp = size > 42 && number(bytes, frame + 12, 2, true) == 0x0800 &&
                         number(bytes, frame + 23, 1, true) == 17;
        if (udp) {
            const auto ip = frame + 14;
            const auto header = ip + (number(bytes, ip, 1, true) & 0xf) * 4;
            const auto length = number(bytes, header + 4, 2, true);
            if (length >= 8 && header + length <= frame + size) {
                const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(header);
                all.push_back(
                    {time_point{std::chrono::seconds{number(bytes, at, 4, false)} +
                                std::chrono::microseconds{number(bytes, at + 4, 4, false)}},
                     number(bytes, header, 2, true),
                     number(bytes, header + 2, 2, true),
                     {first + 8, first + static_cast<std::ptrdiff_t>(length)}});
            }
        }
        at = frame + size;
    }
    return all;
}

/// One row of `tshark -q -z rtp,streams`.
struct stream {
    std::string file;
    unsigned from_port;
    unsigned to_port;
    std::uint32_t ssrc;
    unsigned packets;
    double longest_jitter; ///< Milliseconds.
};

const stream streams[] = {
    {"milliwatt.pcmu.rtp.pcap", 26264, 7078, 0x61dc'f074, 232, 1.312},
    {"SIP_CALL_RTP_G711", 40376, 8000, 0x58f3'3dea, 891, 0.251},
    {"SIP_CALL_RTP_G711", 4800, 40378, 0x58f3'3dea, 891, 0.078},
    {"SIP_CALL_RTP_G711", 40378, 4800, 0xd2bd'4e3e, 548, 7.400},
    {"SIP_CALL_RTP_G711", 8000, 40376, 0xd2bd'4e3e, 548, 7.407},
};

TEST_CASE("rtp::receiver: agrees with tshark on packets, losses and jitter of captured calls") {
    for (const auto& row : streams) {
        CAPTURE(row.file);
        CAPTURE(row.from_port);
        const auto capture = read_capture(row.file);
        if (capture.empty()) return;
        receiver here{8000};
        unsigned packets = 0;
        std::uint32_t jitter = 0;
        for (const auto& one : capture) {
            if (one.from_port != row.from_port || one.to_port != row.to_port) continue;
            const auto parsed = packet_view::parse(one.bytes);
            REQUIRE(parsed);
            CHECK(parsed->header.ssrc == row.ssrc);
            here.receive(parsed->header, one.at);
            jitter = std::max(jitter, here.jitter());
            ++packets;
        }
        CHECK(packets == row.packets);
        CHECK(here.totals().received == row.packets);
        CHECK(here.totals().lost == 0);
        CHECK(here.totals().duplicates == 0);
        CHECK(here.totals().sources == 1);
        // Ours is in whole eighths of a millisecond, as reports carry it.
        CHECK(jitter / 8.0 > row.longest_jitter - 0.3);
        CHECK(jitter / 8.0 < row.longest_jitter + 0.15);
    }
}

TEST_CASE("rtp::jitter_buffer: plays captured calls whole, with their silences of seconds") {
    for (const auto& row : streams) {
        const auto capture = read_capture(row.file);
        if (capture.empty()) return;
        for (const auto how : {release::as_arrived, release::playout}) {
            CAPTURE(row.from_port);
            CAPTURE(static_cast<int>(how));
            jitter_buffer buffer{{.release = how}};
            unsigned played = 0;
            duration longest{};
            const auto drain = [&](time_point until) {
                while (buffer.next_deadline() && *buffer.next_deadline() <= until) {
                    const auto now = *buffer.next_deadline();
                    const auto item = buffer.take(now);
                    REQUIRE(item);
                    CHECK(item->kind == jitter_buffer::item::what::packet);
                    CHECK(item->payload.size() > 0);
                    if (now - item->arrived > longest) longest = now - item->arrived;
                    ++played;
                }
            };
            for (const auto& one : capture) {
                if (one.from_port != row.from_port || one.to_port != row.to_port) continue;
                drain(one.at);
                CHECK(buffer.put(*packet_view::parse(one.bytes), one.at) == put_result::taken);
                drain(one.at);
            }
            drain(time_point::max());
            CHECK(played == row.packets);
            CHECK(longest <= (how == release::as_arrived ? 0ms : 200ms));
        }
    }
}

TEST_CASE("rtp::rtcp_view: reads the reports of a captured call as tshark does") {
    const auto capture = read_capture("SIP_CALL_RTP_G711");
    if (capture.empty()) return;
    std::size_t compounds = 0;
    for (const auto& one : capture) {
        if ((one.to_port != 40'377 && one.to_port != 40'379 && one.to_port != 8001 &&
             one.to_port != 4801) ||
            !is_rtcp(one.bytes)) {
            continue;
        }
        const auto parsed = rtcp_view::parse(one.bytes);
        REQUIRE(parsed);
        if (++compounds > 1) continue;
        CHECK(std::distance(parsed->begin(), parsed->end()) == 2);
        const auto sr = std::get<sender_report_view>(*parsed->begin());
        CHECK(sr.ssrc == 0xd2bd'4e3e);
        CHECK(sr.info == sender_info{0xc592'86d4'e6e9'78d5, {320}, 2, 320});
        REQUIRE(sr.reports.size() == 1);
        CHECK(sr.reports[0] == report_block{0xd2bd'4e3e, 0, 0, 131'074, 0, 0x86d4'e6e9, 1});
        CHECK(std::get<receiver_report_view>(*std::next(parsed->begin())).reports.size() == 1);
    }
    CHECK(compounds == 28);
}

TEST_CASE("rtp::rtcp_view: reads name and reason of a captured goodbye as tshark does") {
    const auto capture = read_capture("aaa.pcap");
    if (capture.empty()) return;
    unsigned goodbyes = 0;
    for (const auto& one : capture) {
        if (one.from_port != 30'001 || !is_rtcp(one.bytes)) continue;
        const auto parsed = rtcp_view::parse(one.bytes);
        REQUIRE(parsed);
        for (const rtcp_packet_view& packet : *parsed) {
            if (const auto* sdes = std::get_if<sdes_view>(&packet)) {
                CHECK(sdes->cname_of(0x3796'cb71) == "11894297-4432a9f8@192.168.1.2");
            }
            if (const auto* bye = std::get_if<bye_view>(&packet)) {
                CHECK(bye->names(0x3796'cb71));
                CHECK(bye->why == "session shutdown");
                ++goodbyes;
            }
        }
    }
    CHECK(goodbyes == 1);
}

} // namespace
} // namespace trunkline::rtp
