#include "live_calls.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <openssl/rand.h>

#include <trunkline/manager/trunk_manager.hpp>

namespace softswitch {

namespace {

/// A carrier that could not, rather than a callee who would not.
[[nodiscard]] bool is_failure(const trunkline::call_record& record) {
    using trunkline::call_failure;
    if (record.answered) return false;
    switch (record.failure) {
    case call_failure::name_unresolved:
    case call_failure::not_reached:
    case call_failure::tls:
    case call_failure::gateway_silent:
    case call_failure::gateway_resting:
    case call_failure::unusable_answer: return true;
    default: return record.by_wire && (record.sip_code == 408 || record.sip_code >= 500);
    }
}

[[nodiscard]] std::string_view name_of(trunkline::transfer_state which) {
    switch (which) {
    case trunkline::transfer_state::accepted: return "accepted";
    case trunkline::transfer_state::trying: return "trying";
    case trunkline::transfer_state::succeeded: return "succeeded";
    case trunkline::transfer_state::failed: return "failed";
    case trunkline::transfer_state::unknown: break;
    }
    return "unknown";
}

[[nodiscard]] bool is_open(const transfer_view& transfer) {
    return transfer.state == "asked" || transfer.state == "accepted" || transfer.state == "trying";
}

} // namespace

std::string new_sid(std::string_view prefix) {
    std::array<unsigned char, 16> bytes{};
    RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
    constexpr std::string_view digits = "0123456789abcdef";
    std::string made{prefix};
    made.reserve(prefix.size() + 2 * bytes.size());
    for (const auto byte : bytes) {
        made += digits[byte >> 4U];
        made += digits[byte & 0xfU];
    }
    return made;
}

void live_calls::begin(call_view view) {
    const std::lock_guard held{guard_};
    ++trunks_[view.trunk].active;
    const auto id = view.id;
    const auto at = view.started_unix_ns;
    const auto [made, fresh] = calls_.try_emplace(id, entry{std::move(view), ++born_});
    if (fresh) tell(made->second.view, at);
}

void live_calls::bind(std::string_view id, const trunkline::call_handle& handle) {
    const std::lock_guard held{guard_};
    const auto found = calls_.find(std::string{id});
    if (found == calls_.end()) return;
    found->second.handle = handle;
    by_record_.insert_or_assign(handle.id(), found->first);
    if (found->second.unwanted) handle.hang_up();
}

void live_calls::progressed(std::string_view id, int sip_code, std::int64_t at_unix_ns) {
    switch (sip_code) {
    case 181: return change(id, call_state::forwarded, at_unix_ns);
    case 182: return change(id, call_state::queued, at_unix_ns);
    case 183: return change(id, call_state::progress, at_unix_ns);
    default: return;
    }
}

void live_calls::ringing(std::string_view id, std::int64_t at_unix_ns) {
    change(id, call_state::ringing, at_unix_ns);
}

void live_calls::answered(std::string_view id, std::int64_t at_unix_ns) {
    change(id, call_state::answered, at_unix_ns);
}

void live_calls::change(std::string_view id, call_state to, std::int64_t at_unix_ns) {
    const std::lock_guard held{guard_};
    const auto found = calls_.find(std::string{id});
    if (found == calls_.end() || found->second.view.state >= to) return;
    auto& view = found->second.view;
    view.state = to;
    if (to == call_state::answered) {
        view.answered_unix_ns = at_unix_ns;
        if (view.direction == trunkline::direction::outbound) {
            trunks_[view.trunk].failed_in_a_row = 0;
        }
    }
    tell(view, at_unix_ns);
}

std::string live_calls::ended(const trunkline::call_record& record, std::int64_t at_unix_ns) {
    const std::lock_guard held{guard_};
    const auto bound = by_record_.find(record.id);
    if (bound == by_record_.end()) return {};
    const auto id = std::move(bound->second);
    by_record_.erase(bound);
    if (const auto found = calls_.find(id); found != calls_.end()) {
        end(found->second, record, at_unix_ns);
        calls_.erase(found);
    }
    return id;
}

void live_calls::failed(std::string_view id, trunkline::call_record record,
                        std::int64_t at_unix_ns) {
    const std::lock_guard held{guard_};
    const auto found = calls_.find(std::string{id});
    if (found == calls_.end()) return;
    end(found->second, std::move(record), at_unix_ns);
    calls_.erase(found);
}

void live_calls::end(entry& which, trunkline::call_record record, std::int64_t at_unix_ns) {
    auto& view = which.view;
    auto& of = trunks_[view.trunk];
    if (of.active > 0) --of.active;
    if (view.direction == trunkline::direction::outbound && is_failure(record)) {
        ++of.failed_in_a_row;
    }
    view.state = call_state::ended;
    view.record = std::make_shared<const trunkline::call_record>(std::move(record));
    tell(view, at_unix_ns);
    ended_.push_back(std::move(view));
    if (ended_.size() > kept_calls) ended_.pop_front();
}

bool live_calls::hang_up(std::string_view id) {
    const std::lock_guard held{guard_};
    const auto found = calls_.find(std::string{id});
    if (found == calls_.end()) return false;
    found->second.unwanted = true;
    found->second.handle.hang_up();
    return true;
}

live_calls::transfer_start live_calls::transfer(std::string_view id, const std::string& to) {
    const std::lock_guard held{guard_};
    const auto found = calls_.find(std::string{id});
    if (found == calls_.end()) return transfer_start::no_such_call;
    auto& view = found->second.view;
    if (view.state != call_state::answered) return transfer_start::not_answered;
    if (view.transfer && is_open(*view.transfer)) return transfer_start::under_way;
    view.transfer = transfer_view{to, "asked", 0};
    found->second.handle.post([this, id = found->first, to](trunkline::call& call) {
        if (call.transfer(to)) return;
        transferred(id, {trunkline::transfer_state::failed, 0},
                    trunkline::trunk_manager::to_unix(call.now()));
    });
    return transfer_start::asked;
}

void live_calls::transferred(std::string_view id, const trunkline::transfer_progress& how,
                             std::int64_t at_unix_ns) {
    const std::lock_guard held{guard_};
    const auto found = calls_.find(std::string{id});
    if (found == calls_.end() || !found->second.view.transfer) return;
    auto& transfer = *found->second.view.transfer;
    transfer.state = name_of(how.state);
    transfer.status = how.status;
    tell(found->second.view, at_unix_ns, true);
}

bool live_calls::unwanted(std::string_view id) const {
    const std::lock_guard held{guard_};
    const auto found = calls_.find(std::string{id});
    return found == calls_.end() || found->second.unwanted;
}

std::vector<call_view> live_calls::all() const {
    const std::lock_guard held{guard_};
    std::vector<const entry*> sorted;
    sorted.reserve(calls_.size());
    for (const auto& [id, one] : calls_) sorted.push_back(&one);
    std::ranges::sort(sorted, {}, [](const entry* one) { return one->born; });
    std::vector<call_view> made;
    made.reserve(sorted.size());
    for (const auto* one : sorted) made.push_back(one->view);
    return made;
}

std::optional<call_view> live_calls::find(std::string_view id) const {
    const std::lock_guard held{guard_};
    if (const auto found = calls_.find(std::string{id}); found != calls_.end()) {
        return found->second.view;
    }
    const auto found = std::ranges::find(ended_.rbegin(), ended_.rend(), id, &call_view::id);
    if (found == ended_.rend()) return std::nullopt;
    return *found;
}

unsigned live_calls::active(std::string_view trunk) const {
    const std::lock_guard held{guard_};
    const auto found = trunks_.find(trunk);
    return found == trunks_.end() ? 0 : found->second.active;
}

unsigned live_calls::active(std::string_view trunk, std::string_view token) const {
    const std::lock_guard held{guard_};
    return static_cast<unsigned>(std::ranges::count_if(calls_, [&](const auto& one) {
        const auto& view = one.second.view;
        return view.token == token && view.trunk == trunk;
    }));
}

unsigned live_calls::failed_in_a_row(std::string_view trunk) const {
    const std::lock_guard held{guard_};
    const auto found = trunks_.find(trunk);
    return found == trunks_.end() ? 0 : found->second.failed_in_a_row;
}

std::shared_ptr<void> live_calls::subscribe(listener who) {
    auto made = std::make_shared<listener>(std::move(who));
    const std::lock_guard held{guard_};
    listeners_.push_back(made);
    return made;
}

std::vector<call_event> live_calls::events_since(std::uint64_t after) const {
    const std::lock_guard held{guard_};
    const auto from = std::ranges::find_if(
        events_, [after](const call_event& one) { return one.number > after; });
    return {from, events_.end()};
}

void live_calls::tell(const call_view& of, std::int64_t at_unix_ns, bool of_transfer) {
    events_.push_back({++last_event_, of.state, at_unix_ns, of, of_transfer});
    if (events_.size() > kept_events) events_.pop_front();
    if (listeners_.empty()) return;
    std::erase_if(listeners_, [this](const auto& one) {
        const auto who = one.lock();
        if (who) (*who)(events_.back());
        return who == nullptr;
    });
}

} // namespace softswitch
