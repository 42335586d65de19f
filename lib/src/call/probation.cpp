#include <trunkline/call/probation.hpp>

#include <algorithm>

namespace trunkline::calls {

namespace {

[[nodiscard]] int distance(std::uint16_t one, std::uint16_t other) noexcept {
    const int ahead = static_cast<std::int16_t>(static_cast<std::uint16_t>(one - other));
    return ahead < 0 ? -ahead : ahead;
}

} // namespace

probation::candidate* probation::find(const endpoint& from, std::uint32_t ssrc) noexcept {
    for (auto& each : candidates_) {
        if (each.count > 0 && each.from == from && each.ssrc == ssrc) return &each;
    }
    return nullptr;
}

/// A free place, else that of a source which fell silent, else that of a less plausible one. A
/// flood of sources so never takes the place of a better one.
probation::candidate* probation::room_for(const packet& what) noexcept {
    candidate* worst = nullptr;
    for (auto& each : candidates_) {
        if (each.count == 0) return &each;
        if (each.kept[each.count - 1].arrived + each.span < what.arrived) return &each;
        if (worst == nullptr || each.rank > worst->rank) worst = &each;
    }
    return worst->rank > what.rank ? worst : nullptr;
}

void probation::drop(candidate& of, std::size_t index) noexcept {
    const auto at = of.kept.begin() + static_cast<std::ptrdiff_t>(index);
    std::move(at + 1, of.kept.begin() + static_cast<std::ptrdiff_t>(of.count), at);
    --of.count;
}

void probation::expire(candidate& of, const packet& next) noexcept {
    for (std::size_t i = of.count; i-- > 0;) {
        const auto& one = of.kept[i];
        const bool stale = one.arrived + of.span < next.arrived;
        if (stale || distance(one.sequence, next.header.sequence.value) >= window) drop(of, i);
    }
}

bool probation::receive(const packet& what, duration span) noexcept {
    if (what.bytes.size() > longest_packet) return false;
    auto* into = find(what.from, what.header.ssrc);
    if (into == nullptr) {
        into = room_for(what);
        if (into == nullptr) return false;
        into->from = what.from;
        into->ssrc = what.header.ssrc;
        into->count = 0;
    }
    into->rank = what.rank;
    into->span = span;
    expire(*into, what);
    const auto last = into->kept.begin() + static_cast<std::ptrdiff_t>(into->count);
    if (std::any_of(into->kept.begin(), last, [&](const kept_packet& one) {
            return one.sequence == what.header.sequence.value;
        })) {
        return false;
    }
    if (into->count == enough) drop(*into, 0);
    auto& kept = into->kept[into->count++];
    std::ranges::copy(what.bytes, kept.bytes.begin());
    kept.size = static_cast<std::uint16_t>(what.bytes.size());
    kept.sequence = what.header.sequence.value;
    kept.arrived = what.arrived;
    return into->count == enough;
}

} // namespace trunkline::calls
