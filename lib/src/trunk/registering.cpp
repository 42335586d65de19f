// Registrations: which trunks have one, and what of the engine's business is theirs.
#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include <trunkline/core/siphash.hpp>
#include <trunkline/trunk/engine.hpp>

namespace trunkline::trunks {

namespace {

/// No leg lives in such a slot (limits::calls), so that one owner tells what it is the owner of.
constexpr std::uint32_t registration_bit = 0x8000'0000;

[[nodiscard]] slot_id slot_of(owner_id owner) noexcept {
    const auto id = slot_id::of(owner);
    return {id.slot & ~registration_bit, id.generation};
}

/// Every shard has to agree on it, so the key is fixed; it spreads work and guards nothing.
[[nodiscard]] bool is_ours(const trunk& one, std::uint16_t shard, std::uint16_t shards) {
    return !one.contact_user.empty() && siphash({1, 2}, one.contact_user) % shards == shard;
}

} // namespace

registration* engine::registration_of(owner_id owner) {
    if ((slot_id::of(owner).slot & registration_bit) == 0) return nullptr;
    return registrations_.find(slot_of(owner));
}

/// A trunk that is registered in another way, or no longer, has to leave before anything else
/// registers its Contact: what is taken back late would take the new one along.
void engine::keep_registrations(time_point now, outbox& out) {
    std::map<std::string_view, std::shared_ptr<const trunk>> wanted;
    for (const auto& one : *directory_) {
        if (is_ours(*one, config_.shard, config_.shards)) wanted[one->contact_user] = one;
    }
    registrations_.each([&](registration& each) {
        const auto found = wanted.find(each.of().contact_user);
        if (found != wanted.end() && each.serves(*found->second)) {
            return each.serve(found->second);
        }
        each.leave(now, out);
        if (each.over()) registrations_.erase(slot_of(each.owner()));
    });
    begin_registrations(now, out);
}

void engine::begin_registrations(time_point now, outbox& out) {
    if (draining_) return;
    std::map<std::string_view, const registration*> there;
    registrations_.each([&](const registration& each) { there[each.of().contact_user] = &each; });
    for (const auto& one : *directory_) {
        if (!is_ours(*one, config_.shard, config_.shards) || there.contains(one->contact_user)) {
            continue;
        }
        auto id = registrations_.next();
        id.slot |= registration_bit;
        registrations_
            .emplace(registration::environment{transactions_, wheel_, random_, names_,
                                               registrations_told_, config_.shard},
                     one, id.owner())
            .begin(now, out);
    }
}

void engine::registration_moved(registration& which, time_point now, outbox& out) {
    if (!which.over()) return;
    registrations_.erase(slot_of(which.owner()));
    begin_registrations(now, out);
}

void engine::leave_registrars(time_point now, outbox& out) {
    const entry here{*this, now, out};
    registrations_.each([&](registration& each) {
        each.leave(now, out);
        if (each.over()) registrations_.erase(slot_of(each.owner()));
    });
}

void engine::tell_registration() {
    const auto told = std::move(registrations_told_.front());
    registrations_told_.pop_front();
    if (!config_.on_registration) return;
    try {
        config_.on_registration(told);
    } catch (...) {
        active_->out.note(severity::failure, diagnostic::agent_failed, owner_id::none);
    }
}

} // namespace trunkline::trunks
