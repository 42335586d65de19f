#include <trunkline/trunk/name_records.hpp>

#include <algorithm>
#include <utility>

#include <trunkline/core/limits.hpp>

namespace trunkline::trunks {

using namespace std::chrono_literals;

namespace {

// A TTL of 0 would ask for every call, and a day would miss a carrier's move.
constexpr duration shortest = 5s;
constexpr duration longest = 300s;
constexpr duration after_failure = 10s;
/// How long there is nothing when no SOA says it (RFC 2308 section 5).
constexpr std::chrono::seconds nothing_there = 60s;
/// Ours among the tokens of a shard: the top bit is set.
constexpr std::uint64_t mark = 1ULL << 63U;

constexpr std::uint8_t no_error = 0;
constexpr std::uint8_t no_such_name = 3;

/// Only what was asked for: an answer about one family says nothing about the other.
void read_answer(sip::dns::answer from, record_type type, name_record& into) {
    into.from_hosts = false;
    into.addresses.clear();
    into.services.clear();
    if (type == record_type::srv) {
        into.services = std::move(from.services);
        if (into.services.size() > limits::srv_targets) into.services.resize(limits::srv_targets);
        return;
    }
    for (const auto& one : from.addresses) {
        if (one.is_v4() == (type == record_type::a)) into.addresses.push_back(one);
    }
}

} // namespace

void name_records::ask(const name_question& about, name_record& into, time_point now, outbox& out) {
    into.refresh_at = now + after_failure;
    if (into.pending) return;
    into.pending = true;
    const auto number = mark | next_token_++;
    pending_.emplace(number, about);
    out.resolve(token{number}, about.type, about.name);
}

void name_records::keep(const std::set<name_question>& wanted, time_point now, outbox& out) {
    std::erase_if(records_, [&](const auto& one) { return !wanted.contains(one.first); });
    for (const auto& each : wanted) {
        const auto [at, fresh] = records_.try_emplace(each);
        if (fresh) ask(each, at->second, now, out);
    }
}

void name_records::refresh(time_point now, outbox& out) {
    for (auto& [about, record] : records_) {
        if (record.refresh_at <= now) ask(about, record, now, out);
    }
}

std::optional<name_question> name_records::receive(const inputs::resolved& answer, time_point now,
                                                   outbox& out) {
    const auto asked = pending_.find(static_cast<std::uint64_t>(answer.asked));
    if (asked == pending_.end()) return std::nullopt;
    auto about = std::move(asked->second);
    pending_.erase(asked);
    const auto at = records_.find(about);
    if (at == records_.end()) return about;
    auto& record = at->second;
    record.pending = false;
    record.answered = true;
    if (about.type != record_type::srv && !answer.hosts.empty()) {
        record.addresses.assign(answer.hosts.begin(), answer.hosts.end());
        record.from_hosts = record.good = true;
        record.refresh_at = now + longest;
        return about;
    }
    auto parsed = sip::dns::parse(answer.answer);
    if (!parsed || (parsed->rcode != no_error && parsed->rcode != no_such_name)) {
        record.refresh_at = now + after_failure;
        out.note(severity::warning, diagnostic::resolve_failed, owner_id::none,
                 {static_cast<std::int64_t>(about.type)});
        return about;
    }
    record.good = true;
    const duration ttl = parsed->ttl;
    const duration nothing_for = parsed->nothing_for.value_or(nothing_there);
    read_answer(*std::move(parsed), about.type, record);
    const bool nothing = record.addresses.empty() && record.services.empty();
    record.refresh_at = now + std::clamp(nothing ? nothing_for : ttl - patience, shortest, longest);
    return about;
}

const name_record* name_records::find(const name_question& about) const {
    const auto at = records_.find(about);
    return at == records_.end() ? nullptr : &at->second;
}

std::optional<time_point> name_records::next_deadline() const {
    std::optional<time_point> next;
    for (const auto& [about, record] : records_) next = earliest(next, record.refresh_at);
    return next;
}

} // namespace trunkline::trunks
