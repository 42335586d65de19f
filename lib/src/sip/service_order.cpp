#include <trunkline/sip/service_order.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace trunkline::sip::dns {

namespace {

using iterator = std::vector<service>::iterator;

/// Weights add up from the first; whoever reaches the number that was drawn comes next. The draw
/// includes 0, so that a weight of 0, which stands in front, has a small chance and not none.
[[nodiscard]] iterator drawn(iterator from, iterator to, entropy& random) {
    std::uint64_t sum = 0;
    for (auto at = from; at != to; ++at) sum += at->weight;
    const auto wanted = random.below(sum + 1);
    std::uint64_t reached = 0;
    for (auto at = from; at != to; ++at) {
        reached += at->weight;
        if (reached >= wanted) return at;
    }
    return from;
}

} // namespace

void put_in_order(std::vector<service>& services, entropy& random) {
    std::ranges::stable_sort(services, {}, [](const service& one) {
        return std::pair{one.priority, one.weight != 0};
    });
    for (auto place = services.begin(); place != services.end(); ++place) {
        const auto end = std::find_if(place, services.end(), [&](const service& one) {
            return one.priority != place->priority;
        });
        // The rest keeps its order: those of weight 0 stay in front.
        const auto next = drawn(place, end, random);
        std::rotate(place, next, next + 1);
    }
}

} // namespace trunkline::sip::dns
