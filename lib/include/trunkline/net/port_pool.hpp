// Which ports the next call's RTP and RTCP get: the pair that has been free for the longest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <trunkline/core/entropy.hpp>

namespace trunkline::net {

/// Both ends included. RTP takes the even ports, RTCP the odd one above each (RFC 3550 11).
struct port_range {
    std::uint16_t first = 16'384;
    std::uint16_t last = 32'767;

    /// The part of it that is shard `index`'s: no two shards ever try for the same port.
    [[nodiscard]] port_range share(std::uint16_t index, std::uint16_t count) const noexcept;

    friend constexpr bool operator==(const port_range&, const port_range&) = default;
};

/// First in, first out: late packets of an ended call find their port closed, not a new call on it.
/// Where it starts is drawn, so that a restart does not hand the old calls' ports to the new ones
/// and nobody outside can guess where the next call will listen.
class port_pool {
public:
    port_pool(const port_range& from, entropy& dice);

    /// An even port; it and the next one are the caller's until put_back().
    [[nodiscard]] std::optional<std::uint16_t> take() noexcept;
    /// To the end of the line. Precondition: `port` came from take().
    void put_back(std::uint16_t port) noexcept;

    [[nodiscard]] std::size_t free() const noexcept { return count_; }
    [[nodiscard]] std::size_t size() const noexcept { return line_.size(); }

private:
    std::vector<std::uint16_t> line_; ///< A ring: `count_` free ports from `head_` on.
    std::size_t head_ = 0;
    std::size_t count_ = 0;
};

} // namespace trunkline::net
