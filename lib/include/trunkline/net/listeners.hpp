// The signalling sockets of a process, opened once and shared by all of its shards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <system_error>
#include <vector>

#include <trunkline/core/address.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/flow.hpp>

namespace trunkline::net {

struct listener_config {
    trunkline::transport transport = trunkline::transport::udp;
    endpoint at{address::v4(0, 0, 0, 0), 5060}; ///< Port 0 takes any; local() says which.
};

/// The shard that a datagram belongs to, or a negative number when any will do. Called on shard 0.
using owner_of = std::function<int(std::span<const std::byte>)>;

struct listeners_config {
    std::vector<listener_config> at{};
    std::uint16_t shards = 1;
    net::owner_of owner_of{};
};

struct listeners_state;

/// Shard 0 reads the sockets and hands over the datagrams that are not its own; every shard sends
/// on them. A connection belongs to the shard that accepted it, which is 0, or asked for it. They
/// close when the last shard that shares them is gone.
class TRUNKLINE_EXPORT listeners {
public:
    listeners();
    listeners(const listeners&) = delete;
    listeners& operator=(const listeners&) = delete;
    ~listeners();

    /// All or nothing. Once, before any shard is opened.
    /// `failed_at` becomes the index of the one that cannot be opened; else it stays as it is.
    [[nodiscard]] std::error_code open(listeners_config wanted, std::size_t* failed_at = nullptr);

    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] std::uint16_t shards() const noexcept;
    /// Where it is bound: the address may be a wildcard, the port is never 0.
    [[nodiscard]] endpoint local(listener_id which) const;

private:
    friend class shard;
    std::unique_ptr<listeners_state> state_;
};

} // namespace trunkline::net
