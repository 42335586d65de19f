#include "flow_table.hpp"

#include <algorithm>
#include <bit>
#include <string_view>

#include <trunkline/core/assert.hpp>

namespace trunkline::net {

flow_table::flow_table(siphash_key key, std::size_t most)
    : key_{key},
      flows_(most),
      buckets_(std::bit_ceil(2 * most), none) {
    TRUNKLINE_ASSERT(most > 0);
    free_.reserve(most);
    for (std::size_t i = most; i-- > 0;) {
        flows_[i].id = {static_cast<std::uint32_t>(i), 1};
        free_.push_back(static_cast<std::uint32_t>(i));
    }
}

flow_table::flow* flow_table::find(flow_id id) noexcept {
    if (id.slot >= flows_.size()) return nullptr;
    auto& found = flows_[id.slot];
    return found.open && found.id == id ? &found : nullptr;
}

flow_table::flow* flow_table::find(listener_id listener, const address& local,
                                   const endpoint& peer) noexcept {
    flow* match = nullptr;
    each_to(listener, peer, [&](flow& found) {
        if (found.info.local.address == local) match = &found;
    });
    return match;
}

flow_table::flow& flow_table::open(const flow_info& info) noexcept {
    TRUNKLINE_ASSERT(!full());
    auto& made = flows_[free_.back()];
    free_.pop_back();
    made.info = info;
    made.open = true;
    made.asked_for = false;
    auto& bucket = buckets_[bucket_of(info.listener, info.peer)];
    made.collides = bucket;
    bucket = made.id.slot;
    link(made);
    return made;
}

flow_table::flow& flow_table::idlest() noexcept {
    TRUNKLINE_ASSERT(full());
    const auto& strangers = lines_[0];
    return flows_[strangers.first != none ? strangers.first : lines_[1].first];
}

void flow_table::close(flow& gone) noexcept {
    TRUNKLINE_ASSERT(gone.open);
    unlink(gone);
    auto* at = &buckets_[bucket_of(gone.info.listener, gone.info.peer)];
    while (*at != gone.id.slot) at = &flows_[*at].collides;
    *at = gone.collides;
    gone.open = false;
    if (++gone.id.generation == 0) gone.id.generation = 1;
    free_.push_back(gone.id.slot);
}

std::size_t flow_table::bucket_of(listener_id listener, const endpoint& peer) const noexcept {
    std::array<char, 20> text{};
    std::ranges::copy(std::bit_cast<std::array<char, 16>>(peer.address.bytes), text.begin());
    const auto number = static_cast<std::uint16_t>(listener);
    text[16] = static_cast<char>(peer.port & 0xff);
    text[17] = static_cast<char>(peer.port >> 8);
    text[18] = static_cast<char>(number & 0xff);
    text[19] = static_cast<char>(number >> 8);
    return siphash(key_, {text.data(), text.size()}) & (buckets_.size() - 1);
}

void flow_table::move_to(flow& used, bool asked_for) noexcept {
    unlink(used);
    used.asked_for = asked_for;
    link(used);
}

void flow_table::link(flow& used) noexcept {
    auto& [first, last] = lines_[used.asked_for ? 1 : 0];
    used.previous = last;
    used.next = none;
    (last == none ? first : flows_[last].next) = used.id.slot;
    last = used.id.slot;
}

void flow_table::unlink(flow& used) noexcept {
    auto& [first, last] = lines_[used.asked_for ? 1 : 0];
    (used.previous == none ? first : flows_[used.previous].next) = used.next;
    (used.next == none ? last : flows_[used.next].previous) = used.previous;
}

} // namespace trunkline::net
