// The running switch, to whoever commands it from outside.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/trunkline.hpp>

#include "agents.hpp"
#include "live_calls.hpp"
#include "reception.hpp"
#include "registrations.hpp"
#include "rest/switch_port.hpp"
#include "trunks_in_service.hpp"

namespace softswitch {

class control final : public switch_port {
public:
    /// `of_file` are the trunks that are in service from the configuration file.
    control(trunks_in_service& trunks, const agent_catalogue& agents, softswitch::reception& desk,
            live_calls& list, const registrations& registered,
            const std::vector<trunkline::trunk_config>& of_file, bool one_shard);

    [[nodiscard]] std::optional<field_problem> check(const trunk_row& what) const override;
    void put(const trunk_row& what) override;
    void remove(std::string_view trunk_id) override;
    [[nodiscard]] std::vector<trunk_row> file_trunks() const override { return file_trunks_; }
    [[nodiscard]] trunk_health health(std::string_view trunk_name) const override;

    [[nodiscard]] std::optional<field_problem> check(const call_request& what) const override;
    [[nodiscard]] std::string trunk_for(const call_request& what) const override;
    [[nodiscard]] std::optional<std::string> too_many(const call_request& what) const override;
    void dial(const call_request& what) override;
    bool hang_up(std::string_view call_id) override { return list_.hang_up(call_id); }
    [[nodiscard]] std::optional<field_problem> check_transfer(std::string_view call_id,
                                                              const std::string& to) const override;
    transfer_answer transfer(std::string_view call_id, const std::string& to) override;

    [[nodiscard]] std::vector<call_view> calls() const override { return list_.all(); }
    [[nodiscard]] std::optional<call_view> call(std::string_view id) const override {
        return list_.find(id);
    }
    [[nodiscard]] std::shared_ptr<void> subscribe(listener who) override {
        return list_.subscribe(std::move(who));
    }
    [[nodiscard]] std::vector<call_event> events_since(std::uint64_t after) const override {
        return list_.events_since(after);
    }

private:
    /// What a call out needs to know of a trunk.
    struct route {
        std::string id;
        std::string name;
        std::string caller_id;
        bool outbound = false;
        trunkline::trunk_config guard{}; ///< What says which numbers are dialled, and no more.
        std::optional<trunkline::trunk_id> known{}; ///< To the manager, unless it is the file's.
    };

    [[nodiscard]] std::optional<route> find(std::string_view wanted) const;
    void forget(const route& which);

    trunks_in_service& trunks_;
    const agent_catalogue& agents_;
    softswitch::reception& desk_;
    live_calls& list_;
    const registrations& registered_;
    const bool one_shard_; ///< Else a trunk of TCP or TLS cannot be put into service.
    std::vector<trunk_row> file_trunks_;
    mutable std::mutex guard_;
    std::vector<route> routes_; ///< In the order in which the manager has them.
};

} // namespace softswitch
