#include <trunkline/trunk/peer_names.hpp>

#include <algorithm>

namespace trunkline::trunks {

peer_names::finding peer_names::lead_to(const address& what, const std::vector<gateway_name>& names,
                                        time_point now, outbox& out) {
    std::erase_if(wanted_, [&](const wanted& one) { return one.until <= now; });
    bool fresh = false;
    for (const auto& name : names) {
        const auto known = std::ranges::find(wanted_, name, &wanted::name);
        if (known != wanted_.end()) {
            known->until = now + kept;
        } else if (wanted_.size() < most) {
            wanted_.push_back({name, now + kept});
            fresh = true;
        }
    }
    if (fresh) keep(now, out);
    auto found = finding::no;
    for (const auto& name : names) {
        if (names_.stands_for(name, what)) return finding::yes;
        const bool asked = std::ranges::find(wanted_, name, &wanted::name) != wanted_.end();
        if (asked && !names_.settled(name)) found = finding::pending;
    }
    return found;
}

void peer_names::fire(time_point now, outbox& out) {
    const auto over = std::erase_if(wanted_, [&](const wanted& one) { return one.until <= now; });
    if (over != 0) keep(now, out);
    names_.fire(now, out);
}

void peer_names::keep(time_point now, outbox& out) {
    std::vector<gateway_name> names;
    names.reserve(wanted_.size());
    for (const auto& one : wanted_) names.push_back(one.name);
    names_.keep(names, now, out);
}

} // namespace trunkline::trunks
