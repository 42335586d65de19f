// How plausible it is that an RTP packet belongs to a call, by the address that it comes from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <trunkline/core/address.hpp>

namespace trunkline::calls {

/// The lower, the more plausible.
enum class source_rank : std::uint8_t {
    described = 1,     ///< The endpoint that SDP names.
    described_address, ///< Its address and another port: a NAT, or a gateway with asymmetric ports.
    expected,          ///< An address of the peer's signalling, of its proxies or of its trunk.
    stranger,
};

/// Addresses that a carrier's operator has named: gateways, and the narrow networks of `allow_from`
/// and `media_from`. Asked about a source that neither SDP nor the signalling explains.
class media_origins {
public:
    media_origins(const media_origins&) = delete;
    media_origins& operator=(const media_origins&) = delete;

    [[nodiscard]] virtual bool expects_media(const address& source) const = 0;

protected:
    media_origins() = default;
    ~media_origins() = default;
};

/// Where a call's signalling comes from, as far as media may come from there too.
struct signalling_sources {
    static constexpr std::size_t most = 8;

    address peer{};
    std::array<address, most> received{}; ///< Of the INVITE's Vias (RFC 3261 section 18.2.1).
    std::size_t received_count = 0;

    void add_received(const address& one) noexcept {
        if (received_count < most) received[received_count++] = one;
    }
    [[nodiscard]] bool holds(const address& source) const noexcept {
        if (source == peer) return true;
        for (std::size_t i = 0; i < received_count; ++i) {
            if (source == received[i]) return true;
        }
        return false;
    }
};

/// An address that only hosts of one site can reach.
[[nodiscard]] inline bool is_local(const address& which) noexcept {
    return which.is_private() || which.is_loopback();
}

/// Whether SDP names an address that the peer itself cannot be reached at: the peer is behind a NAT
/// that did not rewrite its SDP, and the signalling address is all that is known of it.
[[nodiscard]] inline bool is_substituted(const endpoint& described, const address& peer) noexcept {
    return is_local(described.address) && !is_local(peer);
}

/// The first endpoint and the first port of a substituted description count for nothing: the peer's
/// signalling address stands for both.
[[nodiscard]] inline source_rank rank_of(const endpoint& from, const endpoint& described,
                                         const signalling_sources& signalling,
                                         const media_origins* origins) {
    if (is_substituted(described, signalling.peer)) {
        if (from.address == signalling.peer) return source_rank::described;
    } else if (from == described) {
        return source_rank::described;
    }
    if (from.address == described.address) return source_rank::described_address;
    if (signalling.holds(from.address)) return source_rank::expected;
    if (origins != nullptr && origins->expects_media(from.address)) return source_rank::expected;
    return source_rank::stranger;
}

} // namespace trunkline::calls
