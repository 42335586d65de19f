// Flows, and what can happen to them: the inputs of every machine, in types that no network library
// owns. Plain data, so that a test, a fuzzer or a recorded trace can play the driver's part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include <trunkline/core/address.hpp>

namespace trunkline {

enum class transport : std::uint8_t { udp, tcp, tls };

/// A path that signalling takes: one socket of ours and the peer at its far end. Drivers make them.
/// A slot is used again, a generation is not: an id that outlived its flow finds nothing, never a
/// stranger.
struct flow_id {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0; ///< 0 in no flow that ever lived.

    friend constexpr bool operator==(const flow_id&, const flow_id&) = default;
};

/// A pair of sockets, RTP and RTCP, that carries the media of one call.
struct media_id {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0; ///< 0 in no pair that ever lived.

    friend constexpr bool operator==(const media_id&, const media_id&) = default;
};

/// Which of the configured listeners, in the order of the configuration.
enum class listener_id : std::uint16_t {};

/// Made up by a machine, and handed back untouched. An owner is the call or the trunk that an
/// effect belongs to; a token pairs an answer with its question.
enum class owner_id : std::uint64_t { none = 0 };
enum class token : std::uint64_t { none = 0 };

enum class cause : std::uint8_t {
    closed,
    table_full,  ///< No slot, or no port, is left.
    too_big,     ///< Larger than the transport carries.
    unreachable, ///< ICMP, or no route.
    blocked,     ///< The peer does not read.
    connect_failed,
    broken,
    insecure, ///< TLS came to nothing: the peer is not who it should be, or does not want us.
};

/// The listener of a connection of ours when there is none of its transport and family.
inline constexpr listener_id no_listener{0xffff};

/// What is known about a flow as long as it lives.
struct flow_info {
    trunkline::transport transport = trunkline::transport::udp;
    listener_id listener{};
    /// The address that packets really leave from, never a wildcard. The port is the listener's, so
    /// that the peer of a connection of ours is told one where somebody listens.
    endpoint local;
    endpoint peer;
};

/// What a connection is worth to the machine, for its driver, which has to choose one where places
/// are full.
enum class flow_standing : std::uint8_t {
    stranger, ///< Of a source that means nothing to the machine.
    known,    ///< Of a source that the machine knows.
    in_use,   ///< A call goes by it.
};

/// Whom a TLS connection has to reach: a profile of the driver's (certificates and rules), and the
/// name that the peer's certificate has to be made out to.
struct tls_target {
    std::uint32_t profile = 0;
    std::string_view name{};
};

namespace inputs {

/// A datagram, or some bytes of a stream, cut anywhere. Mutable, because ciphers decrypt in place.
/// The bytes live until the driver has flushed and delivered what this packet led to, so an event
/// may point into them.
struct packet {
    flow_id flow;
    std::span<std::byte> bytes;
};
/// Comes before the first packet of a flow; `asked` is none when the peer spoke first.
struct flow_up {
    flow_id flow;
    flow_info info;
    token asked = token::none;
};
/// No packet comes from the flow again. A peer that has closed its half of a connection may still
/// read: what is sent then either gets there or comes back as send_failed. A connect that failed
/// has a token and no flow; so has a peer's connection that never came up no flow and no token.
struct flow_down {
    flow_id flow;
    cause why;
    token asked = token::none;
    /// What was wrong, where more than the cause is known. It lives until this was received.
    std::string_view words{};
    endpoint peer{}; ///< Of what never came up.
};
/// A stream that had refused bytes takes them again.
struct writable {
    flow_id flow;
};
struct send_failed {
    flow_id flow;
    owner_id owner;
    cause why;
};
/// The answer to resolve: a DNS message as it came, or what the hosts file says, or neither when
/// nobody answered in time.
struct resolved {
    token asked;
    std::span<const std::byte> answer;
    std::span<const address> hosts;
};
/// The answer to open_media. Both are bound to the address that was asked for.
struct media_opened {
    token asked;
    media_id media;
    std::uint16_t rtp_port;
    std::uint16_t rtcp_port;
};
struct media_failed {
    token asked;
    cause why;
};
struct media_packet {
    media_id media;
    owner_id owner; ///< Whoever opened the pair.
    endpoint from;
    bool rtcp;
    std::span<std::byte> bytes;
};

} // namespace inputs

using input = std::variant<inputs::packet, inputs::flow_up, inputs::flow_down, inputs::writable,
                           inputs::send_failed, inputs::resolved, inputs::media_opened,
                           inputs::media_failed, inputs::media_packet>;

} // namespace trunkline
