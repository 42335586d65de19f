#include <trunkline/rtp/packet.hpp>

#include "wire.hpp"

namespace trunkline::rtp {

namespace {

[[nodiscard]] constexpr error at(errc code, std::size_t offset) noexcept {
    return {.code = code, .offset = static_cast<std::uint32_t>(offset)};
}

} // namespace

result<header> read_header(std::span<const std::byte> bytes) noexcept {
    if (bytes.size() < header_size) return at(errc::need_more, bytes.size());
    if (read_8(bytes, 0) >> 6 != 2) return at(errc::bad_version, 0);
    const auto second = read_8(bytes, 1);
    return header{.marker = (second & 0x80) != 0,
                  .payload_type = static_cast<std::uint8_t>(second & 0x7f),
                  .sequence = {read_16(bytes, 2)},
                  .timestamp = {read_32(bytes, 4)},
                  .ssrc = read_32(bytes, 8)};
}

result<packet_view> packet_view::parse(std::span<const std::byte> bytes) noexcept {
    const auto read = read_header(bytes);
    if (!read) return read.reason();
    const auto first = read_8(bytes, 0);
    packet_view parsed;
    parsed.header = *read;

    std::size_t payload = header_size;
    const std::size_t csrcs = std::size_t{first & 0x0fU} * 4;
    if (csrcs > bytes.size() - payload) return at(errc::bad_length, 0);
    parsed.csrcs = bytes.subspan(payload, csrcs);
    payload += csrcs;

    if ((first & 0x10) != 0) {
        if (bytes.size() - payload < 4) return at(errc::need_more, bytes.size());
        const std::size_t words = std::size_t{read_16(bytes, payload + 2)} * 4;
        if (words > bytes.size() - payload - 4) return at(errc::bad_length, payload + 2);
        parsed.profile = read_16(bytes, payload);
        parsed.extension = bytes.subspan(payload + 4, words);
        payload += 4 + words;
    }

    if ((first & 0x20) != 0) {
        // The count includes itself, so 0 is as wrong as more than there is.
        const auto last = bytes.size() - 1;
        const auto padding = read_8(bytes, last);
        if (padding == 0 || padding > bytes.size() - payload) return at(errc::bad_length, last);
        parsed.padding = padding;
    }
    parsed.payload = bytes.subspan(payload, bytes.size() - payload - parsed.padding);
    return parsed;
}

std::size_t write_header(const header& what, std::span<std::byte> into) noexcept {
    if (into.size() < header_size) return 0;
    write_8(into, 0, 0x80);
    write_8(into, 1, (what.marker ? 0x80U : 0U) | (what.payload_type & 0x7fU));
    write_16(into, 2, what.sequence.value);
    write_32(into, 4, what.timestamp.value);
    write_32(into, 8, what.ssrc);
    return header_size;
}

} // namespace trunkline::rtp
