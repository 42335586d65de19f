#include <trunkline/call/media_target.hpp>

#include <algorithm>

namespace trunkline::calls {

namespace {

/// RFC 3927 section 2.1, RFC 4291 section 2.5.6.
[[nodiscard]] bool is_link_local(const address& which) noexcept {
    const auto& bytes = which.bytes;
    if (which.is_v4()) return bytes[12] == 169 && bytes[13] == 254;
    return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

[[nodiscard]] bool is_ours(const address& which, std::span<const address> own) noexcept {
    return which.is_loopback() || std::ranges::find(own, which) != own.end();
}

} // namespace

std::string_view words(target_fault fault) noexcept {
    switch (fault) {
    case target_fault::none: break;
    case target_fault::own_service: return "media at a port where we serve something else";
    case target_fault::multicast: return "media at a multicast address";
    case target_fault::broadcast: return "media at a broadcast address";
    case target_fault::loopback: return "media at a loopback address";
    case target_fault::link_local: return "media at a link-local address";
    }
    return {};
}

target_fault fault_of(const endpoint& described, const address& peer,
                      std::span<const endpoint> own_services,
                      std::span<const address> own_addresses) noexcept {
    const auto& [where, port] = described;
    if (port == 0 || where.is_wildcard()) return target_fault::none; // Nothing is sent there.
    for (const auto& service : own_services) {
        if (service.port != port) continue;
        const bool same = service.address.is_wildcard() ? is_ours(where, own_addresses)
                                                        : service.address == where;
        if (same) return target_fault::own_service;
    }
    if (where == address::v4(255, 255, 255, 255)) return target_fault::broadcast;
    if (where.is_multicast()) return target_fault::multicast;
    const auto is_near = [&] { return peer.is_loopback() || is_link_local(peer); };
    if (where.is_loopback() && !is_near()) return target_fault::loopback;
    if (is_link_local(where) && !is_near()) return target_fault::link_local;
    return target_fault::none;
}

} // namespace trunkline::calls
