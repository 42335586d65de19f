#include <trunkline/srtp/context.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

/// Nobody without the key gets anything in, and what the key protects comes out as it was.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace srtp = trunkline::srtp;
    const srtp::master_key key{};
    srtp::receiver receiver{key};
    const auto* first = reinterpret_cast<const std::byte*>(data);
    std::vector<std::byte> forged{first, first + size};
    static_cast<void>(receiver.unprotect(forged));
    srtp::sender sender{key};
    std::vector<std::byte> packet{first, first + size};
    packet.resize(size + srtp::room_behind);
    const auto made = sender.protect(packet, size);
    if (!made) return 0;
    packet.resize(*made);
    srtp::receiver fresh{key};
    const auto back = fresh.unprotect(packet);
    if (!back || *back != size) std::abort();
    for (std::size_t i = 0; i < size; ++i) {
        if (packet[i] != first[i]) std::abort();
    }
    return 0;
}
