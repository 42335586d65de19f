#include "reception.hpp"

#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <trunkline/net/clock.hpp>

#include "watched.hpp"

namespace softswitch {

namespace {

using agent_pointer = std::unique_ptr<trunkline::agent>;

[[nodiscard]] std::int64_t unix_now(const trunkline::call& call) {
    return trunkline::trunk_manager::to_unix(call.now());
}

void reject(trunkline::call& call, int code, std::string_view reason) {
    static_cast<void>(call.reject(code, reason));
}

void answer(trunkline::call& call, agent_pointer who, std::string_view name) {
    const auto answered = call.answer(std::move(who), agent_catalogue::options(name));
    if (answered) return;
    spdlog::error("call {} cannot be answered: {}", call.id(),
                  trunkline::message(answered.reason().code));
    reject(call, 500, {});
}

} // namespace

void reception::incoming(trunkline::incoming_call& call) {
    if (call.agent_name().empty()) return reject(call, 404, "No agent");
    visitor made{.id = new_sid("CA"),
                 .from = std::string{call.from()},
                 .to = std::string{call.to()},
                 .trunk = std::string{call.trunk()},
                 .fallback = std::string{call.fallback_name()}};
    list_.begin({.id = made.id,
                 .direction = trunkline::direction::inbound,
                 .from = made.from,
                 .to = made.to,
                 .trunk = made.trunk,
                 .agent = std::string{call.agent_name()},
                 .started_unix_ns = unix_now(call)});
    list_.bind(made.id, call.handle());
    const std::string name{call.agent_name()};
    if (!is_socket_url(name)) {
        auto agent = agents_.make(name, files_);
        if (agent == nullptr) return reject(call, 404, "No agent");
        return answer(call, watch(std::move(agent), made.id), name);
    }
    // The caller hears that there is somebody, while that somebody is fetched.
    static_cast<void>(call.ringing());
    list_.ringing(made.id, unix_now(call));
    answer_when_hired(std::make_shared<const visitor>(std::move(made)), call.handle(), name, false);
}

void reception::answer_when_hired(const whom& of, const trunkline::call_handle& call,
                                  const std::string& name, bool last) {
    hire(of, name, [=, this](agent_pointer who, const std::string& why) {
        if (who == nullptr) {
            spdlog::warn("call {}: no agent at {}: {}", call.id(), name, why);
            if (!last && !of->fallback.empty()) {
                return answer_when_hired(of, call, of->fallback, true);
            }
            call.post([](trunkline::call& unanswered) { reject(unanswered, 503, "No agent"); });
            return;
        }
        const auto carried = std::make_shared<agent_pointer>(std::move(who));
        call.post([=, this](trunkline::call& ringing) {
            auto* const socket = dynamic_cast<socket_agent*>(carried->get());
            if (socket != nullptr) socket->talk()->attach(ringing.handle());
            answer(ringing, watch(std::move(*carried), of->id), name);
        });
    });
}

void reception::hire(const whom& of, std::string_view name, hired then) {
    if (!is_socket_url(name)) {
        auto agent = agents_.make(name, files_);
        const bool known = agent != nullptr;
        return then(std::move(agent), known ? "" : fmt::format("there is no agent `{}`", name));
    }
    const auto url = socket_url::parse(name);
    if (!url) return then(nullptr, url.reason());
    hub_.connect(*url, [this, of, then = std::move(then)](std::shared_ptr<socket_line> line,
                                                          std::string failed) {
        if (line == nullptr) return then(nullptr, std::move(failed));
        socket_talk::losing lost;
        if (!of->fallback.empty()) {
            lost = [this, of](socket_talk& talk, const trunkline::call& call, const std::string&) {
                stand_in(of, talk, call.handle());
            };
        }
        then(std::make_unique<socket_agent>(
                 std::make_shared<socket_talk>(std::move(line), start_of(*of), std::move(lost))),
             {});
    });
}

void reception::stand_in(const whom& of, socket_talk& talk, const trunkline::call_handle& call) {
    auto without = *of;
    const auto name = std::exchange(without.fallback, {}); // Nobody stands in for who stands in.
    hire(std::make_shared<const visitor>(std::move(without)), name,
         [call, talk = talk.weak_from_this()](agent_pointer who, const std::string& why) {
             const auto carried = std::make_shared<agent_pointer>(std::move(who));
             call.post([carried, talk, why](trunkline::call& orphaned) {
                 const auto alive = talk.lock();
                 if (alive == nullptr) return;
                 if (*carried == nullptr) return orphaned.fail("agent lost, fallback: " + why);
                 alive->stand_in(orphaned, std::move(*carried));
             });
         });
}

stream_start reception::start_of(const visitor& of) const {
    stream_start made{.account_sid = hub_.settings().identity.account_sid,
                      .call_sid = of.id,
                      .stream_sid = new_sid("MZ"),
                      .parameters = {}};
    for (const auto& [name, value] : of.parameters) made.parameters.emplace_back(name, value);
    const auto set = [&](std::string_view name, std::string_view value) {
        std::erase_if(made.parameters, [&](const auto& one) { return one.first == name; });
        made.parameters.emplace_back(name, value);
    };
    set("from_number", of.from);
    set("to_number", of.to);
    set("direction", of.inbound ? "inbound" : "outbound");
    set("trunk", of.trunk);
    return made;
}

agent_pointer reception::watch(agent_pointer who, const std::string& id,
                               std::optional<std::chrono::seconds> most) const {
    watched::limiting limit;
    if (most) {
        limit = [after = after_, most](const trunkline::call_handle& call) {
            after(*most, [call] { call.hang_up("max_duration is over"); });
        };
    }
    return std::make_unique<watched>(std::move(who), list_, id, std::move(limit));
}

void reception::dial(trunks_in_service& by, const call_request& what, const std::string& trunk) {
    const auto of = std::make_shared<const visitor>(visitor{.id = what.id,
                                                            .from = what.from,
                                                            .to = what.to,
                                                            .trunk = trunk,
                                                            .inbound = false,
                                                            .parameters = what.parameters});
    const auto started = trunkline::trunk_manager::to_unix(trunkline::net::now());
    list_.begin({.id = what.id,
                 .direction = trunkline::direction::outbound,
                 .from = what.from,
                 .to = what.to,
                 .trunk = trunk,
                 .agent = what.agent,
                 .token = what.token,
                 .started_unix_ns = started});
    hire(of, what.agent, [=, this, &by](agent_pointer who, const std::string& why) {
        const bool unwanted = list_.unwanted(what.id);
        if (who == nullptr || unwanted) {
            trunkline::call_record record;
            record.direction = trunkline::direction::outbound;
            record.trunk = trunk;
            record.from = what.from;
            record.to = what.to;
            record.agent = what.agent;
            record.started = trunkline::net::now();
            record.ended_by =
                unwanted ? trunkline::ended_by::application : trunkline::ended_by::local_error;
            if (!unwanted) record.failure = trunkline::call_failure::agent_failed;
            record.reason = unwanted ? "hung up" : "no agent: " + why;
            return list_.failed(what.id, std::move(record),
                                trunkline::trunk_manager::to_unix(trunkline::net::now()));
        }
        trunkline::dial_request wanted;
        wanted.to = what.to;
        wanted.from = what.from;
        wanted.trunk = trunk;
        wanted.agent_name = what.agent;
        wanted.token = what.token;
        wanted.ringing_timeout = what.ringing_timeout;
        wanted.agent = watch(std::move(who), what.id, what.max_duration);
        by.dial(std::move(wanted));
    });
}

} // namespace softswitch
