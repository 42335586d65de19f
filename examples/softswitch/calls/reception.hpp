// Who brings calls and agents together: built-in ones at once, those behind sockets as soon as they
// are connected, and whoever stands in for those that are not.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <trunkline/trunkline.hpp>

#include "agents.hpp"
#include "background.hpp"
#include "live_calls.hpp"
#include "rest/switch_port.hpp"
#include "sockets/socket_agent.hpp"
#include "sockets/socket_hub.hpp"
#include "trunks_in_service.hpp"

namespace softswitch {

class reception {
public:
    /// Runs something later, on whatever thread.
    using timing = std::function<void(std::chrono::milliseconds, std::function<void()>)>;

    /// All of them have to outlive the calls.
    reception(const agent_catalogue& agents, background& files, timing after, socket_hub& hub,
              live_calls& list)
        : agents_{agents},
          files_{files},
          after_{std::move(after)},
          hub_{hub},
          list_{list} {}

    /// Answers, or refuses with 404 and 503. On the call's shard.
    void incoming(trunkline::incoming_call& call);
    /// An agent that is behind a socket is connected before anybody's telephone rings. `trunk` is
    /// the name of the one that is meant.
    void dial(trunks_in_service& by, const call_request& what, const std::string& trunk);

    /// What a call is to those who talk in it.
    struct visitor {
        std::string id{};
        std::string from{};
        std::string to{};
        std::string trunk{};
        bool inbound = true;
        std::map<std::string, std::string> parameters{};
        std::string fallback{}; ///< Whom to ask when the first cannot; empty: nobody.
    };
    using whom = std::shared_ptr<const visitor>;
    /// An agent, or why there is none. On whatever thread.
    using hired = std::function<void(std::unique_ptr<trunkline::agent> who, std::string why)>;

    void hire(const whom& of, std::string_view name, hired then);

private:
    void answer_when_hired(const whom& of, const trunkline::call_handle& call,
                           const std::string& name, bool last);
    /// In mid-call, when the agent has died.
    void stand_in(const whom& of, socket_talk& talk, const trunkline::call_handle& call);
    [[nodiscard]] stream_start start_of(const visitor& of) const;
    [[nodiscard]] std::unique_ptr<trunkline::agent>
    watch(std::unique_ptr<trunkline::agent> who, const std::string& id,
          std::optional<std::chrono::seconds> most = {}) const;

    const agent_catalogue& agents_;
    background& files_;
    timing after_;
    socket_hub& hub_;
    live_calls& list_;
};

} // namespace softswitch
