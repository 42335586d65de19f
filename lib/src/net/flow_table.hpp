// Who has talked to us, and whom we talk to: the flows of a shard, by id and by peer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <trunkline/core/flow.hpp>
#include <trunkline/core/siphash.hpp>

namespace trunkline::net {

/// Of a fixed size, made at once. When it is full the flow that has been idle for the longest has
/// to go, so a scanner cannot keep anybody out; and those that our own machine asked for go last,
/// so a thousand forged senders do not cut the path to a carrier.
class flow_table {
public:
    struct flow {
        flow_id id;
        flow_info info;

    private:
        friend class flow_table;
        bool open = false;
        bool asked_for = false;
        std::uint32_t previous = 0, next = 0; ///< In the order of use.
        std::uint32_t collides = 0;           ///< The next in the same bucket; the last is `none`.
    };

    flow_table(siphash_key key, std::size_t most);

    [[nodiscard]] flow* find(flow_id id) noexcept;
    [[nodiscard]] flow* find(listener_id listener, const address& local,
                             const endpoint& peer) noexcept;
    /// Whatever local address it uses; any of several.
    template <class Visit>
    void each_to(listener_id listener, const endpoint& peer, Visit visit) {
        for (auto at = buckets_[bucket_of(listener, peer)]; at != none;) {
            auto& found = flows_[at];
            at = found.collides;
            if (found.info.listener == listener && found.info.peer == peer) visit(found);
        }
    }
    template <class Visit>
    void each_of(listener_id listener, Visit visit) {
        for (auto& found : flows_) {
            if (found.open && found.info.listener == listener) visit(found);
        }
    }

    /// Slots, in use or not.
    [[nodiscard]] std::size_t size() const noexcept { return flows_.size(); }
    [[nodiscard]] bool full() const noexcept { return free_.empty(); }
    [[nodiscard]] flow& open(const flow_info& info) noexcept; ///< Precondition: !full().
    [[nodiscard]] flow& idlest() noexcept;                    ///< Precondition: full().
    void touch(flow& used) noexcept { move_to(used, used.asked_for); }
    /// Our machine asked for it.
    void keep(flow& used) noexcept { move_to(used, true); }
    void close(flow& gone) noexcept;

private:
    static constexpr std::uint32_t none = UINT32_MAX;
    struct line {
        std::uint32_t first = none; ///< The idlest.
        std::uint32_t last = none;
    };

    [[nodiscard]] std::size_t bucket_of(listener_id listener, const endpoint& peer) const noexcept;
    void move_to(flow& used, bool asked_for) noexcept;
    void link(flow& used) noexcept;
    void unlink(flow& used) noexcept;

    siphash_key key_; ///< A peer chooses its port and, with IPv6, its address: not its bucket.
    std::vector<flow> flows_;
    std::vector<std::uint32_t> free_;
    std::vector<std::uint32_t> buckets_;
    std::array<line, 2> lines_; ///< Strangers, and those that were asked for.
};

} // namespace trunkline::net
