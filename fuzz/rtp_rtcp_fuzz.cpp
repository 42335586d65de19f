#include <trunkline/rtp/rtcp.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <variant>
#include <vector>

#include <trunkline/core/entropy.hpp>
#include <trunkline/rtp/session.hpp>

namespace {

using namespace trunkline;
using namespace trunkline::rtp;

std::vector<report_block> copy_of(const report_blocks_view& reports) {
    std::vector<report_block> all;
    for (std::size_t i = 0; i < reports.size(); ++i) all.push_back(reports[i]);
    return all;
}

/// What our writer can say of a packet; the rest it cannot, by design.
void print(const rtcp_packet_view& packet, rtcp_writer& out) {
    if (const auto* sr = std::get_if<sender_report_view>(&packet)) {
        out.sender_report(sr->ssrc, sr->info, copy_of(sr->reports));
    } else if (const auto* rr = std::get_if<receiver_report_view>(&packet)) {
        out.receiver_report(rr->ssrc, copy_of(rr->reports));
    } else if (const auto* sdes = std::get_if<sdes_view>(&packet)) {
        sdes->each([&](const sdes_item& item) { out.cname(item.ssrc, item.text); });
    } else if (const auto* bye = std::get_if<bye_view>(&packet)) {
        if (bye->names(7)) out.bye(7, bye->why);
    }
}

std::vector<std::byte> printed(const rtcp_view& parsed, std::size_t room) {
    std::vector<std::byte> bytes(room);
    rtcp_writer out{bytes};
    for (const rtcp_packet_view& packet : parsed) print(packet, out);
    bytes.resize(out.size());
    return bytes;
}

} // namespace

/// A reason never points past the input; walking what was accepted ends; printing what was parsed
/// and parsing that prints the same again. A session survives all of it, and its answer parses.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span{data, size});
    seeded_entropy random{size};
    session hearing{{}, random};
    const time_point now{std::chrono::seconds{1000}};
    hearing.send(0, false, 160, now);
    const auto heard = hearing.receive_rtcp(bytes, now);
    std::byte answer[session::report_size];
    const auto answered = hearing.write_report(answer, now);
    if (!rtcp_view::parse(std::span{answer}.first(answered))) std::abort();

    const auto parsed = rtcp_view::parse(bytes);
    if (heard.has_value() != parsed.has_value()) std::abort();
    if (!parsed) {
        if (parsed.reason().offset > size) std::abort();
        return 0;
    }
    const auto once = printed(*parsed, 32 * size + 64);
    if (once.empty()) return 0;
    const auto again = rtcp_view::parse(once);
    if (!again || printed(*again, once.size()) != once) std::abort();
    return 0;
}
