#include <trunkline/rtp/packet.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

/// A reason never points past the input. What was accepted accounts for every byte, in order, and
/// its header is read again from what write_header() makes of it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trunkline::rtp;
    const auto bytes = std::as_bytes(std::span{data, size});
    const auto parsed = packet_view::parse(bytes);
    if (!parsed) {
        if (parsed.reason().offset > size) std::abort();
        return 0;
    }
    const auto extension = parsed->profile ? 4 + parsed->extension.size() : 0;
    const auto before = header_size + parsed->csrcs.size() + extension;
    if (before + parsed->payload.size() + parsed->padding != size) std::abort();
    if (parsed->payload.data() != bytes.data() + before) std::abort();
    if (!parsed->profile && !parsed->extension.empty()) std::abort();

    std::byte printed[header_size];
    if (write_header(parsed->header, printed) != header_size) std::abort();
    const auto again = packet_view::parse(printed);
    if (!again || again->header != parsed->header || !again->payload.empty()) std::abort();
    // Without CSRCs, extension and padding the first twelve bytes are all there is to a header.
    const bool plain = data[0] == 0x80;
    if (plain && !std::equal(printed, printed + header_size, bytes.begin())) std::abort();
    return 0;
}
