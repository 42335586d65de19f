// Limits of what a peer sends, each with its reason. What is over a limit is refused with
// errc::limit_exceeded; nothing here allocates by what a peer declares. Tables that a peer can fill
// have their limits where they are: requests of a leg (call/leg_requests.cpp, leg_indialog.cpp),
// digits (call/media_stream.cpp), flows and connections (net/shard.hpp).
#pragma once

#include <chrono>
#include <cstddef>

#include <trunkline/core/time.hpp>

namespace trunkline::limits {

inline constexpr std::size_t datagram = 65'535;       // No UDP payload is larger.
inline constexpr std::size_t header_section = 32'768; // The largest real INVITE seen is 9 KiB.
inline constexpr std::size_t headers = 128;           // A header bomb costs no more than a message.
inline constexpr std::size_t vias = 70;               // Max-Forwards' own start value.
inline constexpr std::size_t routes = 32;             // No real path has more than a handful.
inline constexpr std::size_t body = 65'535;           // One datagram's worth.
inline constexpr std::size_t body_parts = 16;         // Carriers send two or three.
inline constexpr std::size_t call_id = 512;           // RFC 4475 3.1.1.7 sends 256 and more.
inline constexpr std::size_t sdp_media = 16;          // Carriers send up to 3, browsers up to 12.
inline constexpr std::size_t sdp_formats = 64;        // Of one m-line.
inline constexpr std::size_t sdp_attributes = 256;    // Of a whole description.
inline constexpr std::size_t srv_targets = 16;        // Of one name; carriers have two to six.
inline constexpr std::size_t gateway_addresses = 64;  // Nobody waits for a 65th attempt.
inline constexpr std::size_t transactions = 1'000'000; // What a shard was measured with.
inline constexpr std::size_t stranger_buckets = 4'096; // 96 KiB, however many sources there are.
inline constexpr std::size_t calls = 100'000;
inline constexpr std::size_t stream_message = header_section + body;
inline constexpr std::size_t stranger_stream = 16'384; // Half a message of nobody we know.
inline constexpr std::size_t udp_request = 1'300; // RFC 3261 18.1.1: larger ones want a stream.
inline constexpr int auth_retries = 2;            // One for the challenge, one for a stale nonce.
inline constexpr duration speech_queued = std::chrono::seconds{120}; // A long answer of a bot.

} // namespace trunkline::limits
