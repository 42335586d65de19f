// A switch that remembers what it was told and makes the events that a test asks for.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "rest/switch_port.hpp"

namespace softswitch::testing {

class fake_switch final : public switch_port {
public:
    static constexpr std::string_view answers_at_once = "+14155550111";

    /// Agents are `echo` and web sockets; a gateway by the name of "bad.example" is one that the
    /// library will not have.
    std::optional<field_problem> check(const trunk_row& what) const override {
        for (std::size_t i = 0; i < what.gateways.size(); ++i) {
            if (what.gateways[i].host != "bad.example") continue;
            return field_problem{"gateways[" + std::to_string(i) + "].host", "is a bad example"};
        }
        if (!knows_agent(what.default_inbound_agent_id)) {
            return field_problem{"default_inbound_agent_id", "there is no such agent"};
        }
        for (std::size_t i = 0; i < what.numbers.size(); ++i) {
            if (knows_agent(what.numbers[i].agent_id)) continue;
            return field_problem{"numbers[" + std::to_string(i) + "].agent_id",
                                 "there is no such agent"};
        }
        return std::nullopt;
    }
    void put(const trunk_row& what) override {
        const std::lock_guard lock{guard_};
        running_.insert_or_assign(what.id, what);
    }
    void remove(std::string_view trunk_id) override {
        const std::lock_guard lock{guard_};
        running_.erase(std::string{trunk_id});
    }
    std::vector<trunk_row> file_trunks() const override {
        trunk_row row;
        row.id = row.name = "of the file";
        row.gateways = {{"", "192.0.2.1", 5060, 1}};
        row.numbers = {{"PNfile", row.id, "+14155550199", "", "echo", ""}};
        return {row};
    }
    trunk_health health(std::string_view trunk_name) const override {
        const std::lock_guard lock{guard_};
        return {0, trunk_name == "failing" ? 3U : 0U};
    }

    std::optional<field_problem> check(const call_request& what) const override {
        if (!knows_agent(what.agent)) return field_problem{"agent", "there is no such agent"};
        if (what.route == "nowhere") return field_problem{"route", "there is no such trunk"};
        return std::nullopt;
    }
    [[nodiscard]] std::string trunk_for(const call_request& what) const override {
        return what.route;
    }
    std::optional<std::string> too_many(const call_request& what) const override {
        if (what.token != exhausted) return std::nullopt;
        return "this token has all its calls";
    }
    std::optional<field_problem> check_transfer(std::string_view /*any call*/,
                                                const std::string& to) const override {
        if (to != "911") return std::nullopt;
        return field_problem{"to", "is an emergency number"};
    }
    std::string exhausted{"none"}; ///< The token that has no call left.
    void dial(const call_request& what) override {
        call_view call;
        call.id = what.id;
        call.direction = trunkline::direction::outbound;
        call.to = what.to;
        call.from = what.from;
        call.agent = what.agent;
        call.trunk = what.route;
        call.started_unix_ns = 1'785'652'200'123'456'789;
        happen(call);
        if (what.to == answers_at_once) {
            call.state = call_state::answered;
            happen(call);
        }
        const std::lock_guard lock{guard_};
        dialled_.push_back(what);
    }
    bool hang_up(std::string_view call_id) override {
        auto found = call(call_id);
        if (!found || found->state == call_state::ended) return false;
        auto record = std::make_shared<trunkline::call_record>();
        record->direction = found->direction;
        record->to = found->to;
        found->state = call_state::ended;
        found->record = std::move(record);
        happen(*found);
        return true;
    }
    transfer_answer transfer(std::string_view call_id, const std::string& to) override {
        const std::lock_guard lock{guard_};
        const auto found = std::ranges::find(calls_, call_id, &call_view::id);
        if (found == calls_.end() || found->state == call_state::ended) {
            return transfer_answer::no_such_call;
        }
        if (to == "nobody") return transfer_answer::bad_target;
        if (found->state != call_state::answered) return transfer_answer::not_answered;
        if (found->transfer) return transfer_answer::under_way;
        found->transfer = transfer_view{to, "asked", 0};
        return transfer_answer::asked;
    }
    std::vector<call_view> calls() const override {
        const std::lock_guard lock{guard_};
        std::vector<call_view> live;
        std::ranges::copy_if(calls_, std::back_inserter(live),
                             [](const auto& one) { return one.state != call_state::ended; });
        return live;
    }
    std::optional<call_view> call(std::string_view id) const override {
        const std::lock_guard lock{guard_};
        const auto at = std::ranges::find(calls_, id, &call_view::id);
        return at == calls_.end() ? std::nullopt : std::optional{*at};
    }

    std::shared_ptr<void> subscribe(listener who) override {
        const std::lock_guard lock{guard_};
        listener_ = std::make_shared<listener>(std::move(who));
        return listener_;
    }
    std::vector<call_event> events_since(std::uint64_t after) const override {
        const std::lock_guard lock{guard_};
        std::vector<call_event> made;
        const auto first =
            std::max<std::uint64_t>(after, events_.size() > 100 ? events_.size() - 100 : 0);
        for (auto i = first; i < events_.size(); ++i) made.push_back(events_[i]);
        return made;
    }

    /// The call is now as it is here, and listeners are told; on whatever thread this is.
    void happen(const call_view& call) {
        const std::lock_guard lock{guard_};
        const auto at = std::ranges::find(calls_, call.id, &call_view::id);
        if (at == calls_.end()) {
            calls_.push_back(call);
        } else {
            *at = call;
        }
        events_.push_back({events_.size() + 1, call.state, call.started_unix_ns, call});
        if (listener_) (*listener_)(events_.back());
    }

    [[nodiscard]] std::map<std::string, trunk_row> running() const {
        const std::lock_guard lock{guard_};
        return running_;
    }
    [[nodiscard]] std::vector<call_request> dialled() const {
        const std::lock_guard lock{guard_};
        return dialled_;
    }

private:
    [[nodiscard]] static bool knows_agent(std::string_view name) {
        return name.empty() || name == "echo" || name.starts_with("ws://") ||
               name.starts_with("wss://");
    }

    mutable std::mutex guard_;
    std::map<std::string, trunk_row> running_;
    std::vector<call_request> dialled_;
    std::vector<call_view> calls_;
    std::vector<call_event> events_;
    std::shared_ptr<listener> listener_;
};

} // namespace softswitch::testing
