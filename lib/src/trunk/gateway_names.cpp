#include <trunkline/trunk/gateway_names.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>

#include <trunkline/core/limits.hpp>
#include <trunkline/core/text.hpp>
#include <trunkline/sip/service_order.hpp>

namespace trunkline::trunks {

namespace {

using sip::dns::service;

constexpr std::array families{record_type::a, record_type::aaaa};

/// RFC 3263 section 4.2.
[[nodiscard]] std::uint16_t default_port(transport over) noexcept {
    return over == transport::tls ? 5061 : 5060;
}

/// RFC 3263 section 4.1.
[[nodiscard]] name_question service_question(const gateway_name& of) {
    const std::string_view protocol = of.over == transport::udp   ? "_sip._udp."
                                      : of.over == transport::tcp ? "_sip._tcp."
                                                                  : "_sips._tcp.";
    return {std::string{protocol} + of.host, record_type::srv};
}

[[nodiscard]] bool names_one_of(const std::vector<service>& targets, std::string_view name) {
    return std::ranges::find(targets, name, &service::target) != targets.end();
}

} // namespace

std::string in_uri(std::string_view host, std::uint16_t port) {
    std::string text{host};
    const auto literal = address::parse(host);
    if (literal && !literal->is_v4() && !text.starts_with('[')) text = '[' + text + ']';
    return port == 0 ? text : text + ':' + std::to_string(port);
}

bool gateway_names::by_service(const gateway_name& of) const {
    if (of.port != 0) return false;
    return std::ranges::none_of(families, [&](record_type family) {
        const auto* own = records_.find({of.host, family});
        return own != nullptr && own->from_hosts;
    });
}

gateway_names::targets gateway_names::targets_of(const gateway_name& of) const {
    const auto* found = by_service(of) ? records_.find(service_question(of)) : nullptr;
    if (found == nullptr || found->services.empty()) {
        return {{0, 0, of.port == 0 ? default_port(of.over) : of.port, of.host}};
    }
    targets made;
    for (const auto& one : found->services) {
        // The root as a target says that the service is decidedly not there (RFC 2782).
        if (one.target.empty() || one.port == 0) continue;
        made.push_back(one);
        std::ranges::transform(one.target, made.back().target.begin(), to_lower);
    }
    return made;
}

bool gateway_names::all(bool name_record::*holds, const gateway_name& of,
                        const targets& among) const {
    const auto has = [&](const name_question& about) {
        const auto* found = records_.find(about);
        return found != nullptr && found->*holds;
    };
    if (by_service(of) && !has(service_question(of))) return false;
    return std::ranges::all_of(among, [&](const service& one) {
        return std::ranges::all_of(families, [&](record_type family) {
            return has({one.target, family});
        });
    });
}

bool gateway_names::lead_anywhere(const targets& among) const {
    return std::ranges::any_of(among, [&](const service& one) {
        return std::ranges::any_of(families, [&](record_type family) {
            const auto* found = records_.find({one.target, family});
            return found != nullptr && !found->addresses.empty();
        });
    });
}

bool gateway_names::decide(const gateway_name& of, entry& about, time_point now) {
    auto coming = targets_of(of);
    const bool changed = coming != about.coming;
    about.coming = std::move(coming);
    if (about.settled && about.coming == about.in_use) {
        about.undecided = false;
        return changed;
    }
    if (!about.undecided) {
        about.undecided = true;
        about.decide_by = now + name_records::patience;
    }
    if (!all(&name_record::good, of, about.coming)) {
        const bool over = about.decide_by <= now;
        if (!over && !all(&name_record::answered, of, about.coming)) return changed;
        // Where calls went so far is better than nowhere.
        if (about.settled && !lead_anywhere(about.coming)) {
            if (over) about.decide_by = now + name_records::patience;
            return changed;
        }
    }
    about.in_use = about.coming;
    about.settled = true;
    about.undecided = false;
    return true;
}

void gateway_names::keep_records(time_point now, outbox& out) {
    std::set<name_question> wanted;
    for (const auto& [of, about] : entries_) {
        if (of.port == 0) wanted.insert(service_question(of));
        for (const auto family : families) {
            wanted.insert({of.host, family});
            for (const auto& one : about.in_use) wanted.insert({one.target, family});
            for (const auto& one : about.coming) wanted.insert({one.target, family});
        }
    }
    records_.keep(wanted, now, out);
}

void gateway_names::keep(const std::vector<gateway_name>& names, time_point now, outbox& out) {
    const std::set<gateway_name> wanted{names.begin(), names.end()};
    std::erase_if(entries_, [&](const auto& one) { return !wanted.contains(one.first); });
    literals_.clear();
    for (const auto& name : wanted) {
        if (const auto literal = address::parse(name.host)) {
            literals_.push_back(*literal);
            continue;
        }
        const auto [at, fresh] = entries_.try_emplace(name);
        if (!fresh) continue;
        at->second.decide_by = now + name_records::patience;
        decide(name, at->second, now); // Another gateway's answers may be all that it takes.
    }
    keep_records(now, out);
    gather();
    arm();
}

bool gateway_names::receive(const inputs::resolved& answer, time_point now, outbox& out) {
    const auto answered = records_.receive(answer, now, out);
    if (!answered) return false;
    bool changed = false;
    for (auto& [of, about] : entries_) {
        const bool concerned = answered->name.ends_with(of.host) ||
                               names_one_of(about.coming, answered->name) ||
                               names_one_of(about.in_use, answered->name);
        if (concerned) changed = decide(of, about, now) || changed;
    }
    if (changed) keep_records(now, out);
    gather();
    arm();
    return true;
}

void gateway_names::fire(time_point now, outbox& out) {
    records_.refresh(now, out);
    bool changed = false;
    for (auto& [of, about] : entries_) {
        if (about.undecided) changed = decide(of, about, now) || changed;
    }
    if (changed) {
        keep_records(now, out);
        gather();
    }
    arm();
}

void gateway_names::gather() {
    const auto put_in_order = [](std::vector<address>& which) {
        std::ranges::sort(which);
        which.erase(std::unique(which.begin(), which.end()), which.end());
    };
    addresses_ = literals_;
    for (auto& [of, about] : entries_) {
        about.addresses.clear();
        for (const auto& one : about.in_use) {
            for (const auto family : families) {
                const auto* record = records_.find({one.target, family});
                if (record == nullptr) continue;
                about.addresses.insert(about.addresses.end(), record->addresses.begin(),
                                       record->addresses.end());
            }
        }
        put_in_order(about.addresses);
        addresses_.insert(addresses_.end(), about.addresses.begin(), about.addresses.end());
    }
    put_in_order(addresses_);
}

void gateway_names::arm() {
    auto next = records_.next_deadline();
    for (const auto& [of, about] : entries_) {
        if (about.undecided) next = earliest(next, about.decide_by);
    }
    if (next)
        wheel_.arm(timer_, *next);
    else
        wheel_.disarm(timer_);
}

std::vector<endpoint> gateway_names::find(const gateway_name& of) const {
    if (const auto literal = address::parse(of.host)) {
        return {{*literal, of.port == 0 ? default_port(of.over) : of.port}};
    }
    const auto at = entries_.find(of);
    if (at == entries_.end()) return {};
    auto order = at->second.in_use;
    sip::dns::put_in_order(order, random_);
    std::vector<endpoint> found;
    for (const auto& one : order) {
        for (const auto family : families) {
            const auto* record = records_.find({one.target, family});
            if (record == nullptr) continue;
            for (const auto& where : record->addresses) {
                const endpoint to{where, one.port};
                if (found.size() == limits::gateway_addresses) return found;
                if (std::ranges::find(found, to) == found.end()) found.push_back(to);
            }
        }
    }
    return found;
}

bool gateway_names::stands_for(const gateway_name_view& of, const address& what) const {
    if (const auto literal = address::parse(of.host)) return *literal == what;
    const auto at = entries_.find(of);
    return at != entries_.end() && std::ranges::binary_search(at->second.addresses, what);
}

bool gateway_names::lead_to(const address& what) const {
    return std::ranges::binary_search(addresses_, what);
}

bool gateway_names::settled(const gateway_name& of) const {
    if (address::parse(of.host)) return true;
    const auto at = entries_.find(of);
    return at == entries_.end() || at->second.settled;
}

} // namespace trunkline::trunks
