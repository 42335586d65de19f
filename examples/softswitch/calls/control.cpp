#include "control.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <trunkline/sip/uri.hpp>
#include <trunkline/trunk/dialling_guard.hpp>

#include "dialling_rules.hpp"
#include "text.hpp"
#include "trunk_of_row.hpp"

namespace softswitch {

namespace {

constexpr std::size_t longest_number = 64;

[[nodiscard]] bool can_be_dialled(std::string_view number) {
    constexpr std::string_view beside = "+*#._-";
    return !number.empty() && number.size() <= longest_number &&
           std::ranges::all_of(number, [&](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      beside.find(c) != std::string_view::npos;
           });
}

/// Beside the rules of dialling: no password, and no thousand numbers.
[[nodiscard]] trunkline::trunk_config guard_of(const trunkline::trunk_config& of) {
    trunkline::trunk_config made;
    made.name = of.name;
    copy_dialling_rules(of, made);
    return made;
}

} // namespace

control::control(trunks_in_service& trunks, const agent_catalogue& agents,
                 softswitch::reception& desk, live_calls& list, const registrations& registered,
                 const std::vector<trunkline::trunk_config>& of_file, bool one_shard)
    : trunks_{trunks},
      agents_{agents},
      desk_{desk},
      list_{list},
      registered_{registered},
      one_shard_{one_shard} {
    for (const auto& one : of_file) {
        file_trunks_.push_back(to_row(one));
        routes_.push_back({.id = one.name,
                           .name = one.name,
                           .caller_id = one.caller_id,
                           .outbound = one.outbound && !one.gateways.empty(),
                           .guard = guard_of(one)});
    }
}

std::optional<field_problem> control::check(const trunk_row& what) const {
    const auto wrong = [&](std::string field,
                           std::string_view agent) -> std::optional<field_problem> {
        if (agent.empty()) return std::nullopt;
        auto message = agents_.wrong_with(agent);
        if (message.empty()) return std::nullopt;
        return field_problem{std::move(field), std::move(message)};
    };
    if (auto found = wrong("default_inbound_agent_id", what.default_inbound_agent_id)) return found;
    if (auto found = wrong("fallback_agent_id", what.fallback_agent_id)) return found;
    for (std::size_t i = 0; i < what.numbers.size(); ++i) {
        const auto& number = what.numbers[i];
        const auto field = fmt::format("numbers[{}].", i);
        if (auto found = wrong(field + "agent_id", number.agent_id)) return found;
        if (auto found = wrong(field + "fallback_agent_id", number.fallback_agent_id)) return found;
    }
    if (what.transport != "udp" && !one_shard_) {
        return field_problem{"transport", "has to be udp, as this switch has more than one shard"};
    }
    const auto good = trunkline::trunk_manager::check(to_config(what));
    if (good) return std::nullopt;
    // One that is being put together piece by piece may still have nobody to call or be called by.
    const bool unfinished = good.reason().field == "gateways" && good.reason().rule == "required";
    if (unfinished) return std::nullopt;
    return to_problem(what, good.reason());
}

void control::put(const trunk_row& what) {
    const std::lock_guard held{guard_};
    auto found = std::ranges::find(routes_, what.id, &route::id);
    const bool serves = what.is_active && !(what.gateways.empty() && what.ip_acls.empty());
    if (!serves) {
        if (found != routes_.end()) forget(*found);
        return;
    }
    if (found == routes_.end()) {
        routes_.push_back({.id = what.id, .name = {}, .caller_id = {}, .guard = {}});
        found = routes_.end() - 1;
    }
    found->name = what.name;
    found->caller_id = what.caller_id;
    found->outbound = what.outbound_enabled && !what.gateways.empty();
    found->guard = guard_of(to_config(what));
    const auto complain = [&](const trunkline::config_error& reason) {
        spdlog::error("trunk `{}` cannot be put into service: {}", printable(what.name),
                      reason.message);
    };
    if (found->known) {
        const auto changed = trunks_.replace(*found->known, to_config(what));
        if (!changed) complain(changed.reason());
        return;
    }
    const auto added = trunks_.add(to_config(what));
    if (added) {
        found->known = *added;
    } else {
        complain(added.reason());
        routes_.erase(found);
    }
}

void control::remove(std::string_view trunk_id) {
    const std::lock_guard held{guard_};
    const auto found = std::ranges::find(routes_, trunk_id, &route::id);
    if (found != routes_.end()) forget(*found);
}

void control::forget(const route& which) {
    if (which.known) trunks_.remove(*which.known);
    std::erase_if(routes_, [&](const route& one) { return &one == &which; });
}

trunk_health control::health(std::string_view trunk_name) const {
    return {list_.active(trunk_name), list_.failed_in_a_row(trunk_name),
            registered_.find(trunk_name)};
}

std::optional<control::route> control::find(std::string_view wanted) const {
    const std::lock_guard held{guard_};
    for (const auto& one : routes_) {
        if (wanted.empty() ? one.outbound : one.name == wanted || one.id == wanted) return one;
    }
    return std::nullopt;
}

std::optional<field_problem> control::check(const call_request& what) const {
    if (!can_be_dialled(what.to)) {
        return field_problem{"to", "has to be a number such as +14155550100, or a SIP user name"};
    }
    if (!what.from.empty() && !can_be_dialled(what.from)) {
        return field_problem{"from", "has to be a number such as +14155550100, or a SIP user name"};
    }
    const auto by = find(what.route);
    if (!by && what.route.empty()) {
        return field_problem{"route", "no trunk takes outbound calls: add one with a gateway"};
    }
    if (!by) return field_problem{"route", "there is no active trunk of this name or id"};
    if (!by->outbound) return field_problem{"route", "this trunk takes no outbound calls"};
    if (auto forbidden = trunkline::forbidden(by->guard, what.to)) {
        return field_problem{"to", std::move(forbidden->message)};
    }
    if (auto wrong = agents_.wrong_with(what.agent); !wrong.empty()) {
        return field_problem{"agent", std::move(wrong)};
    }
    return std::nullopt;
}

std::optional<std::string> control::too_many(const call_request& what) const {
    const auto by = find(what.route);
    if (!by || by->guard.calls_per_token == 0 || what.token.empty()) return std::nullopt;
    const auto has = list_.active(by->name, what.token);
    if (has < by->guard.calls_per_token) return std::nullopt;
    return fmt::format("the token `{}` has {} calls on the trunk `{}`, and calls_per_token allows "
                       "no more",
                       printable(what.token), has, printable(by->name));
}

std::optional<field_problem> control::check_transfer(std::string_view call_id,
                                                     const std::string& to) const {
    const auto call = list_.find(call_id);
    const auto by = call ? find(call->trunk) : std::nullopt;
    auto forbidden = by ? trunkline::forbidden(by->guard, to) : std::nullopt;
    if (!forbidden) return std::nullopt;
    return field_problem{"to", std::move(forbidden->message)};
}

std::string control::trunk_for(const call_request& what) const {
    const auto by = find(what.route);
    return by && by->outbound ? by->name : std::string{};
}

switch_port::transfer_answer control::transfer(std::string_view call_id, const std::string& to) {
    const auto uri = trunkline::sip::uri_view::parse(to);
    const bool known = uri && uri->scheme != trunkline::sip::uri_view::scheme_kind::other &&
                       to.find_first_of(uri->is_sip() ? "<>\" #" : "<>\" ") == std::string::npos;
    if (!known && trunkline::sip::telephone_number(to) != to) return transfer_answer::bad_target;
    switch (list_.transfer(call_id, to)) {
    case live_calls::transfer_start::asked: return transfer_answer::asked;
    case live_calls::transfer_start::not_answered: return transfer_answer::not_answered;
    case live_calls::transfer_start::under_way: return transfer_answer::under_way;
    case live_calls::transfer_start::no_such_call: break;
    }
    return transfer_answer::no_such_call;
}

void control::dial(const call_request& what) {
    const auto by = find(what.route);
    auto wanted = what;
    if (by && wanted.from.empty()) wanted.from = by->caller_id;
    // One that went out of service since the check fails as such a call does, with an event.
    desk_.dial(trunks_, wanted, by ? by->name : what.route);
}

} // namespace softswitch
