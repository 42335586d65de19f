#include <trunkline/rtp/rtcp.hpp>

#include <algorithm>

#include <trunkline/core/assert.hpp>

#include "wire.hpp"

namespace trunkline::rtp {

namespace {

enum type : std::uint8_t { sr = 200, rr = 201, sdes = 202, bye = 203 };

constexpr std::size_t prefix_size = 4;
constexpr std::size_t info_size = 20;
constexpr std::size_t block_size = 24;

[[nodiscard]] constexpr error at(errc code, std::size_t offset) noexcept {
    return {.code = code, .offset = static_cast<std::uint32_t>(offset)};
}

/// One packet of a compound, cut to size.
struct piece {
    std::uint8_t type;
    std::uint8_t count;
    std::span<const std::byte> body; ///< Without the first word and without padding.
    std::size_t size;                ///< With both.
};

/// Precondition: `bytes` begins with a packet that `parse` has accepted.
[[nodiscard]] piece cut(std::span<const std::byte> bytes) noexcept {
    const auto first = read_8(bytes, 0);
    const std::size_t size = (std::size_t{read_16(bytes, 2)} + 1) * 4;
    const std::size_t padding = (first & 0x20) != 0 ? read_8(bytes, size - 1) : 0;
    return {read_8(bytes, 1), static_cast<std::uint8_t>(first & 0x1f),
            bytes.subspan(prefix_size, size - prefix_size - padding), size};
}

/// The smallest body that a packet of this type and count can have.
[[nodiscard]] constexpr std::size_t least(const piece& packet) noexcept {
    switch (packet.type) {
    case sr: return 4 + info_size + packet.count * block_size;
    case rr: return 4 + packet.count * block_size;
    case bye: return packet.count * std::size_t{4};
    default: return 0;
    }
}

[[nodiscard]] std::string_view text_of(std::span<const std::byte> bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// What is wrong with the body of a packet, whose own length is right. Offsets count from its
/// start.
[[nodiscard]] result<void> check_body(const piece& packet) noexcept {
    if (packet.body.size() < least(packet)) return at(errc::bad_length, 0);
    if (packet.type == sdes) {
        std::size_t wrong_at = 0;
        if (!sdes_view::valid(packet.body, packet.count, wrong_at)) {
            return at(errc::bad_length, prefix_size + wrong_at);
        }
    }
    if (packet.type == bye && packet.body.size() > least(packet)) {
        const auto why = least(packet);
        if (read_8(packet.body, why) > packet.body.size() - why - 1) {
            return at(errc::bad_length, prefix_size + why);
        }
    }
    return {};
}

[[nodiscard]] bye_view bye_of(const piece& packet) noexcept {
    const std::size_t sources = packet.count * std::size_t{4};
    bye_view parsed{.ssrcs = packet.body.first(sources), .why = {}};
    if (packet.body.size() > sources) {
        parsed.why = text_of(packet.body.subspan(sources + 1, read_8(packet.body, sources)));
    }
    return parsed;
}

void write_block(std::span<std::byte> into, const report_block& block) noexcept {
    constexpr std::int32_t most = 0x7f'ffff; // 24 bits, signed: it sticks where it would wrap.
    const auto lost = static_cast<unsigned>(std::clamp(block.cumulative_lost, -most - 1, most));
    write_32(into, 0, block.ssrc);
    write_32(into, 4, static_cast<std::uint32_t>(block.fraction_lost) << 24 | (lost & 0xff'ffffU));
    write_32(into, 8, block.extended_highest);
    write_32(into, 12, block.jitter);
    write_32(into, 16, block.last_sr);
    write_32(into, 20, block.delay_since_last_sr);
}

void write_blocks(std::span<std::byte> into, std::span<const report_block> blocks) noexcept {
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        write_block(into.subspan(i * block_size, block_size), blocks[i]);
    }
}

/// Zeroes what padding there is behind.
void write_text(std::span<std::byte> into, std::string_view text) noexcept {
    write_8(into, 0, static_cast<unsigned>(text.size()));
    std::fill(into.begin() + 1, into.end(), std::byte{0});
    std::transform(text.begin(), text.end(), into.begin() + 1,
                   [](char c) { return static_cast<std::byte>(c); });
}

[[nodiscard]] constexpr std::size_t whole_words(std::size_t size) noexcept {
    return (size + 3) / 4 * 4;
}

} // namespace

report_block report_blocks_view::operator[](std::size_t index) const noexcept {
    TRUNKLINE_ASSERT(index < size());
    const auto bytes = bytes_.subspan(index * block_size, block_size);
    const auto lost = read_32(bytes, 4) & 0xff'ffffU;
    return {.ssrc = read_32(bytes, 0),
            .fraction_lost = read_8(bytes, 4),
            .cumulative_lost = static_cast<std::int32_t>(lost ^ 0x80'0000U) - 0x80'0000,
            .extended_highest = read_32(bytes, 8),
            .jitter = read_32(bytes, 12),
            .last_sr = read_32(bytes, 16),
            .delay_since_last_sr = read_32(bytes, 20)};
}

/// A chunk is a source and items, and ends with one to four zeroes at the next word.
std::optional<sdes_item> sdes_view::walker::next() noexcept {
    for (;;) {
        if (!inside) {
            if (chunks_left == 0) return std::nullopt;
            if (bytes.size() - at < 4) break;
            --chunks_left;
            ssrc = read_32(bytes, at);
            at += 4;
            inside = true;
        }
        if (at == bytes.size()) break;
        const auto type = read_8(bytes, at);
        if (type == 0) {
            const auto end = whole_words(at + 1);
            if (end > bytes.size()) break;
            at = end;
            inside = false;
            continue;
        }
        if (bytes.size() - at < 2) break;
        const std::size_t length = read_8(bytes, at + 1);
        if (length > bytes.size() - at - 2) break;
        const auto text = text_of(bytes.subspan(at + 2, length));
        at += 2 + length;
        return sdes_item{ssrc, type, text};
    }
    good = false;
    return std::nullopt;
}

bool sdes_view::valid(std::span<const std::byte> chunks, unsigned count,
                      std::size_t& wrong_at) noexcept {
    walker all{.bytes = chunks, .chunks_left = count};
    while (all.next()) {
    }
    wrong_at = all.at;
    return all.good;
}

std::optional<std::string_view> sdes_view::cname_of(std::uint32_t ssrc) const noexcept {
    walker all{.bytes = chunks_, .chunks_left = count_};
    while (const auto item = all.next()) {
        if (item->ssrc == ssrc && item->type == sdes_item::cname) return item->text;
    }
    return std::nullopt;
}

bool bye_view::names(std::uint32_t ssrc) const noexcept {
    for (std::size_t i = 0; i + 4 <= ssrcs.size(); i += 4) {
        if (read_32(ssrcs, i) == ssrc) return true;
    }
    return false;
}

result<rtcp_view> rtcp_view::parse(std::span<const std::byte> bytes) noexcept {
    if (bytes.size() < prefix_size) return at(errc::need_more, bytes.size());
    std::size_t start = 0;
    while (bytes.size() - start >= prefix_size) {
        const auto rest = bytes.subspan(start);
        if (read_8(rest, 0) >> 6 != 2) return at(errc::bad_version, start);
        const std::size_t size = (std::size_t{read_16(rest, 2)} + 1) * 4;
        if (size > rest.size()) return at(errc::bad_length, start + 2);
        if ((read_8(rest, 0) & 0x20) != 0) {
            // Only the last packet of a compound may be padded, and by whole words.
            const auto padding = read_8(rest, size - 1);
            if (rest.size() - size >= prefix_size) return at(errc::bad_length, start);
            if (padding == 0 || padding % 4 != 0 || padding > size - prefix_size) {
                return at(errc::bad_length, start + size - 1);
            }
        }
        if (const auto checked = check_body(cut(rest)); !checked) {
            return at(checked.reason().code, start + checked.reason().offset);
        }
        start += size;
    }
    return rtcp_view{bytes.first(start)};
}

rtcp_packet_view rtcp_view::iterator::operator*() const noexcept {
    const auto packet = cut(rest_);
    const auto& body = packet.body;
    const std::size_t blocks = packet.count * block_size;
    switch (packet.type) {
    case sr:
        return sender_report_view{
            read_32(body, 0),
            {.ntp = static_cast<std::uint64_t>(read_32(body, 4)) << 32 | read_32(body, 8),
             .timestamp = {read_32(body, 12)},
             .packets = read_32(body, 16),
             .octets = read_32(body, 20)},
            report_blocks_view{body.subspan(4 + info_size, blocks)}};
    case rr:
        return receiver_report_view{read_32(body, 0), report_blocks_view{body.subspan(4, blocks)}};
    case sdes: return sdes_view{body, packet.count};
    case bye: return bye_of(packet);
    default: return unknown_rtcp_view{packet.type, packet.count, body};
    }
}

rtcp_view::iterator& rtcp_view::iterator::operator++() noexcept {
    rest_ = rest_.subspan(cut(rest_).size);
    return *this;
}

std::span<std::byte> rtcp_writer::open(std::uint8_t type, std::size_t count,
                                       std::size_t size) noexcept {
    TRUNKLINE_ASSERT(count < 32 && size % 4 == 0);
    if (failed_ || size > into_.size() - size_) {
        failed_ = true;
        return {};
    }
    const auto packet = into_.subspan(size_, size);
    size_ += size;
    write_8(packet, 0, 0x80U | static_cast<unsigned>(count));
    write_8(packet, 1, type);
    write_16(packet, 2, static_cast<unsigned>(size / 4 - 1));
    return packet;
}

rtcp_writer& rtcp_writer::sender_report(std::uint32_t ssrc, const sender_info& info,
                                        std::span<const report_block> reports) noexcept {
    const auto size = prefix_size + 4 + info_size + reports.size() * block_size;
    if (const auto packet = open(sr, reports.size(), size); !packet.empty()) {
        write_32(packet, 4, ssrc);
        write_32(packet, 8, static_cast<std::uint32_t>(info.ntp >> 32));
        write_32(packet, 12, static_cast<std::uint32_t>(info.ntp & 0xffff'ffffU));
        write_32(packet, 16, info.timestamp.value);
        write_32(packet, 20, info.packets);
        write_32(packet, 24, info.octets);
        write_blocks(packet.subspan(prefix_size + 4 + info_size), reports);
    }
    return *this;
}

rtcp_writer& rtcp_writer::receiver_report(std::uint32_t ssrc,
                                          std::span<const report_block> reports) noexcept {
    const auto size = prefix_size + 4 + reports.size() * block_size;
    if (const auto packet = open(rr, reports.size(), size); !packet.empty()) {
        write_32(packet, 4, ssrc);
        write_blocks(packet.subspan(prefix_size + 4), reports);
    }
    return *this;
}

rtcp_writer& rtcp_writer::cname(std::uint32_t ssrc, std::string_view name) noexcept {
    TRUNKLINE_ASSERT(name.size() <= 255);
    // Behind the item stands at least one zero.
    const auto size = prefix_size + 4 + whole_words(2 + name.size() + 1);
    if (const auto packet = open(sdes, 1, size); !packet.empty()) {
        write_32(packet, 4, ssrc);
        write_8(packet, 8, sdes_item::cname);
        write_text(packet.subspan(9), name);
    }
    return *this;
}

rtcp_writer& rtcp_writer::bye(std::uint32_t ssrc, std::string_view why) noexcept {
    TRUNKLINE_ASSERT(why.size() <= 255);
    const auto text = why.empty() ? std::size_t{0} : whole_words(1 + why.size());
    if (const auto packet = open(type::bye, 1, prefix_size + 4 + text); !packet.empty()) {
        write_32(packet, 4, ssrc);
        if (!why.empty()) write_text(packet.subspan(8), why);
    }
    return *this;
}

} // namespace trunkline::rtp
