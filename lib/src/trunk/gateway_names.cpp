#include <trunkline/trunk/gateway_names.hpp>

#include <algorithm>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/dns.hpp>

namespace trunkline::trunks {

using namespace std::chrono_literals;

namespace {

// A TTL of 0 would ask for every call, and a day would miss a carrier's move.
constexpr std::chrono::seconds shortest = 5s;
constexpr std::chrono::seconds longest = 300s;
constexpr std::chrono::seconds after_failure = 10s;
/// Ours among the tokens of a shard: the top bit is set.
constexpr std::uint64_t mark = 1ULL << 63U;

} // namespace

void gateway_names::ask(const std::string& name, entry& about, outbox& out) {
    if (about.pending > 0) return;
    for (const auto type : {record_type::a, record_type::aaaa}) {
        const auto number = mark | next_token_++;
        questions_.emplace(number, question{name, type});
        ++about.pending;
        out.resolve(token{number}, type, name);
    }
}

void gateway_names::keep(const std::vector<std::string>& names, time_point now, outbox& out) {
    std::erase_if(entries_, [&](const auto& one) {
        return std::ranges::find(names, one.first) == names.end();
    });
    for (const auto& name : names) {
        if (address::parse(name)) continue;
        auto [at, fresh] = entries_.try_emplace(name);
        if (!fresh) continue;
        at->second.refresh_at = now + after_failure;
        ask(name, at->second, out);
    }
    arm();
}

bool gateway_names::receive(const inputs::resolved& answer, time_point now, outbox& out) {
    const auto asked = questions_.find(static_cast<std::uint64_t>(answer.asked));
    if (asked == questions_.end()) return false;
    const auto what = std::move(asked->second);
    questions_.erase(asked);
    const auto at = entries_.find(what.name);
    if (at == entries_.end()) return true;
    auto& about = at->second;
    if (about.pending > 0) --about.pending;
    std::vector<address> found{answer.hosts.begin(), answer.hosts.end()};
    std::chrono::seconds life = longest;
    bool good = !found.empty();
    if (!answer.answer.empty()) {
        if (auto parsed = sip::dns::parse(answer.answer)) {
            good = parsed->rcode == 0 || parsed->rcode == 3;
            found.insert(found.end(), parsed->addresses.begin(), parsed->addresses.end());
            if (!found.empty()) life = parsed->ttl;
        }
    }
    if (good)
        (what.type == record_type::a ? about.v4 : about.v6) = std::move(found);
    else
        life = after_failure;
    if (!good) {
        out.note(severity::warning, diagnostic::resolve_failed, owner_id::none,
                 {static_cast<std::int64_t>(what.type)});
    }
    const auto refresh = now + std::clamp(life, shortest, longest);
    about.refresh_at = about.pending == 0 ? std::min(about.refresh_at, refresh) : refresh;
    if (about.refresh_at <= now) about.refresh_at = refresh;
    if (about.pending == 0) about.settled = true;
    arm();
    return true;
}

void gateway_names::fire(time_point now, outbox& out) {
    for (auto& [name, about] : entries_) {
        if (about.refresh_at > now) continue;
        about.refresh_at = now + after_failure;
        ask(name, about, out);
    }
    arm();
}

void gateway_names::arm() {
    std::optional<time_point> next;
    for (const auto& [name, about] : entries_) next = earliest(next, about.refresh_at);
    if (next)
        wheel_.arm(timer_, *next);
    else
        wheel_.disarm(timer_);
}

std::vector<address> gateway_names::find(std::string_view name) const {
    if (const auto literal = address::parse(name)) return {*literal};
    const auto at = entries_.find(name);
    if (at == entries_.end()) return {};
    auto found = at->second.v4;
    found.insert(found.end(), at->second.v6.begin(), at->second.v6.end());
    return found;
}

bool gateway_names::settled(std::string_view name) const {
    if (address::parse(name)) return true;
    const auto at = entries_.find(name);
    return at == entries_.end() || at->second.settled;
}

} // namespace trunkline::trunks
