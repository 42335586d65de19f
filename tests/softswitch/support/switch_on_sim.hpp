// The whole switch but its sockets: REST commands it, its calls are on a simulated wire, and time
// is virtual. What a client of REST asks for is looked at where the carrier sees it.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <trunkline/sim/world.hpp>

#include "background.hpp"
#include "calls/control.hpp"
#include "calls/live_calls.hpp"
#include "calls/reception.hpp"
#include "calls/trunks_in_service.hpp"
#include "io_thread.hpp"
#include "rest/api.hpp"
#include "softswitch/support/memory_store.hpp"
#include "store/token.hpp"
#include "support/sip_text.hpp"

namespace softswitch::testing {

using namespace std::chrono_literals;
namespace sip_text = trunkline::support;

/// Trunks of a simulated host, as a manager would have them.
class simulated_trunks final : public trunks_in_service {
public:
    trunkline::result<trunkline::trunk_id, trunkline::config_error>
    add(trunkline::trunk_config config) override {
        if (auto good = trunkline::trunk_manager::check(config); !good) return good.reason();
        configs_.emplace_back(trunkline::trunk_id{++last_}, std::move(config));
        publish();
        return configs_.back().first;
    }
    trunkline::result<void, trunkline::config_error>
    replace(trunkline::trunk_id which, trunkline::trunk_config config) override {
        if (auto good = trunkline::trunk_manager::check(config); !good) return good.reason();
        for (auto& [id, one] : configs_) {
            if (id == which) one = std::move(config);
        }
        publish();
        return {};
    }
    void remove(trunkline::trunk_id which) override {
        std::erase_if(configs_, [&](const auto& one) { return one.first == which; });
        publish();
    }
    /// From any thread: an agent behind a socket is there on the sockets' thread.
    void dial(trunkline::dial_request what) override {
        const std::lock_guard held{guard_};
        wanted_.push_back(std::move(what));
    }
    /// Whether there was anything to be dialled.
    bool dial_what_waits() {
        std::vector<trunkline::dial_request> taken;
        {
            const std::lock_guard held{guard_};
            taken.swap(wanted_);
        }
        for (auto& one : taken) {
            host->run([&](trunkline::trunks::engine& engine, trunkline::time_point now,
                          trunkline::outbox& out) { engine.dial(std::move(one), now, out); });
        }
        return !taken.empty();
    }

    trunkline::sim::host* host = nullptr;

private:
    void publish() {
        std::vector<trunkline::trunk_config> all;
        for (const auto& [id, one] : configs_) all.push_back(one);
        host->set_trunks(std::move(all));
    }

    std::mutex guard_;
    std::vector<trunkline::dial_request> wanted_;
    std::uint32_t last_ = 0;
    std::vector<std::pair<trunkline::trunk_id, trunkline::trunk_config>> configs_;
};

/// Somebody at the other end: says what a test tells it to, and to requests in a call 200.
class far_end {
public:
    far_end(trunkline::sim::world& network, std::string_view at, const trunkline::endpoint& us)
        : us_{us},
          wire_{network.add_carrier(*trunkline::endpoint::parse(at),
                                    [this](trunkline::sim::carrier&, std::string_view text,
                                           const trunkline::endpoint&) { hear(text); })} {}
    far_end(const far_end&) = delete;
    far_end& operator=(const far_end&) = delete;

    /// The requests of that method, without retransmissions.
    [[nodiscard]] std::vector<std::string> requests(std::string_view method) const {
        std::vector<std::string> found;
        for (const auto& one : heard_) {
            if (one.starts_with(std::string{method} + ' ')) found.push_back(one);
        }
        return found;
    }
    [[nodiscard]] std::string last(std::string_view method) const {
        const auto all = requests(method);
        REQUIRE_FALSE(all.empty());
        return all.back();
    }
    /// The responses to a request of ours, by their codes.
    [[nodiscard]] std::string responses() const {
        std::string codes;
        for (const auto& one : heard_) {
            if (one.starts_with("SIP/2.0 ")) codes += one.substr(8, 3) + ' ';
        }
        return codes;
    }
    void say(const std::string& text) { wire_.say(text, us_); }
    void answer(const std::string& request, std::string_view status) {
        const bool talks = status.starts_with("2") && request.starts_with("INVITE ");
        say(sip_text::answer_to(request, status, "far",
                                "Contact: <sip:far@" + to_text(wire_.at()) + ">\n",
                                talks ? sip_text::their_sdp : std::string{}));
    }
    /// An INVITE to one of the switch's numbers; each is a call of its own.
    void call(std::string_view number) {
        ++calls_;
        const auto at = to_text(wire_.at());
        const auto name = std::to_string(calls_);
        invite_ = sip_text::message(
            "INVITE sip:" + std::string{number} + "@192.0.2.1:5060 SIP/2.0\nVia: SIP/2.0/UDP " +
                at + ";branch=z9hG4bK-" + name + "\nMax-Forwards: 70\nFrom: <sip:+12125550199@" +
                at + ">;tag=t" + name + "\nTo: <sip:" + std::string{number} +
                "@192.0.2.1>\nCall-ID: call" + name + "\nCSeq: 1 INVITE\nContact: <sip:a@" + at +
                ">\n",
            sip_text::their_sdp);
        heard_.clear();
        say(invite_);
    }
    /// The ACK for the answer to that INVITE.
    void acknowledge() {
        for (const auto& one : heard_) {
            if (!one.starts_with("SIP/2.0 200") || sip_text::header(one, "CSeq") != "1 INVITE") {
                continue;
            }
            const auto at = to_text(wire_.at());
            say(sip_text::message("ACK sip:us@192.0.2.1:5060 SIP/2.0\nVia: SIP/2.0/UDP " + at +
                                  ";branch=z9hG4bK-ack" + std::to_string(calls_) +
                                  "\nMax-Forwards: 70\nFrom: " + sip_text::header(one, "From") +
                                  "\nTo: " + sip_text::header(one, "To") + "\nCall-ID: " +
                                  sip_text::header(one, "Call-ID") + "\nCSeq: 1 ACK\n"));
            return;
        }
        FAIL("there is no answer to be acknowledged");
    }
    /// What becomes of a transfer that we were asked for (RFC 3515 section 2.4.5).
    void notify(std::string_view status) {
        const auto refer = last("REFER");
        const auto at = to_text(wire_.at());
        const auto number = ++notices_;
        const auto payload = "SIP/2.0 " + std::string{status} + "\n";
        say(sip_text::message("NOTIFY sip:us@192.0.2.1:5060 SIP/2.0\nVia: SIP/2.0/UDP " + at +
                                  ";branch=z9hG4bK-notify" + std::to_string(number) +
                                  "\nMax-Forwards: 70\nFrom: " + sip_text::header(refer, "To") +
                                  "\nTo: " + sip_text::header(refer, "From") +
                                  "\nCall-ID: " + sip_text::header(refer, "Call-ID") + "\nCSeq: " +
                                  std::to_string(100 + number) + " NOTIFY\nContact: <sip:far@" +
                                  at + ">\nEvent: refer\nSubscription-State: " +
                                  (status.starts_with("1") ? "active" : "terminated") + "\n",
                              payload, "message/sipfrag"));
    }
    void forget() { heard_.clear(); }

private:
    void hear(std::string_view text) {
        // A retransmission says nothing new, and what was forgotten may be said again.
        if (!known_.emplace(text).second) return;
        heard_.emplace_back(text);
        const auto& request = heard_.back();
        for (const auto* method : {"BYE ", "CANCEL ", "NOTIFY ", "REGISTER "}) {
            if (request.starts_with(method)) return answer(request, "200 OK");
        }
        if (request.starts_with("REFER ")) answer(request, "202 Accepted");
    }

    trunkline::endpoint us_;
    trunkline::sim::carrier& wire_;
    std::set<std::string, std::less<>> known_;
    std::vector<std::string> heard_;
    std::string invite_;
    unsigned calls_ = 0;
    unsigned notices_ = 0;
};

class switch_on_sim {
public:
    using json = nlohmann::json;

    switch_on_sim() {
        rows.token_hashes.insert(token_hash("tl_secret"));
        trunks.host = &us_;
    }
    switch_on_sim(const switch_on_sim&) = delete;
    switch_on_sim& operator=(const switch_on_sim&) = delete;
    ~switch_on_sim() { io_.stop(); }

    [[nodiscard]] http_response send(std::string method, std::string path, const json& body = {},
                                     std::string key = {}) {
        http_request request;
        request.idempotency_key = std::move(key);
        request.method = std::move(method);
        const auto query = std::min(path.find('?'), path.size());
        request.path = path.substr(0, query);
        request.query = path.substr(std::min(query + 1, path.size()));
        request.authorization = "Bearer tl_secret";
        if (!body.is_null()) {
            request.content_type = "application/json";
            request.body = body.dump();
        }
        auto made = api_.handle(request);
        run_for(200ms);
        return made;
    }
    json done(std::string method, std::string path, const json& body = {}) {
        const auto answer = send(std::move(method), std::move(path), body);
        INFO(answer.body);
        REQUIRE(answer.status / 100 == 2);
        return answer.body.empty() ? json() : json::parse(answer.body);
    }
    /// "400 to: ..." of a request that is refused.
    [[nodiscard]] std::string refusal(std::string method, std::string path, const json& body = {}) {
        const auto answer = send(std::move(method), std::move(path), body);
        REQUIRE(answer.status >= 400);
        return std::to_string(answer.status) + ' ' +
               json::parse(answer.body).at("message").get<std::string>();
    }
    /// A trunk to a gateway, which also may call; more of it as `with` says.
    std::string trunk(std::string_view gateway, json with = json::object()) {
        const auto at = *trunkline::endpoint::parse(gateway);
        with["gateways"] = {{{"host", to_text(at.address)}, {"port", at.port}}};
        if (!with.contains("name")) with["name"] = "carrier";
        return done("POST", "/trunks", with)["id"];
    }
    /// The id of a call that goes out.
    std::string place(json with) {
        if (!with.contains("to")) with["to"] = "+4930999";
        if (!with.contains("agent")) with["agent"] = "hold";
        return done("POST", "/calls", with)["id"];
    }
    [[nodiscard]] std::string state(const std::string& call) {
        return done("GET", "/calls/" + call)["state"];
    }

    /// As long as the far ends still hear what is said.
    void hang_up_all() {
        io_.stop();
        us_.run([](trunkline::trunks::engine& engine, trunkline::time_point now,
                   trunkline::outbox& out) { engine.hang_up_all("over", now, out); });
        run_for(60s);
    }

    void run_for(trunkline::duration time) {
        const auto end = network.now() + time;
        while (network.now() < end) {
            network.run_for(std::min<trunkline::duration>(5ms, end - network.now()));
            pump();
        }
    }

    trunkline::sim::world network{7};
    memory_store rows;
    simulated_trunks trunks;

private:
    [[nodiscard]] trunkline::trunks::engine_config engine_config() {
        trunkline::trunks::engine_config made;
        made.on_incoming = [this](trunkline::incoming_call& call) { desk_.incoming(call); };
        made.on_record = [this](const trunkline::call_record& record) { list_.ended(record, 1); };
        made.mailbox = std::make_shared<const trunkline::call_handle::mailbox>(
            [this](std::function<void(trunkline::trunks::engine&)> task) {
                const std::lock_guard held{guard_};
                posted_.push_back(std::move(task));
                return true;
            });
        return made;
    }
    /// What was posted to the shard, and what has waited for its time.
    void pump() {
        for (;;) {
            std::vector<std::function<void(trunkline::trunks::engine&)>> taken;
            {
                const std::lock_guard held{guard_};
                taken.swap(posted_);
            }
            for (std::size_t i = 0; i < later_.size();) {
                if (later_[i].first > network.now()) {
                    ++i;
                    continue;
                }
                const auto due = std::move(later_[i].second);
                later_.erase(later_.begin() + static_cast<std::ptrdiff_t>(i));
                due();
            }
            if (!trunks.dial_what_waits() && taken.empty()) return;
            for (const auto& task : taken) {
                us_.run([&](trunkline::trunks::engine& engine, trunkline::time_point now,
                            trunkline::outbox& out) { engine.run(task, now, out); });
            }
        }
    }

    std::mutex guard_;
    std::vector<std::function<void(trunkline::trunks::engine&)>> posted_;
    std::vector<std::pair<trunkline::time_point, std::function<void()>>> later_;
    agent_catalogue agents_;
    background files_;
    io_thread io_;
    live_calls list_;
    registrations registered_;
    socket_settings sockets_ = [] {
        socket_settings made;
        made.allow_private = true;
        return made;
    }();
    socket_hub hub_{sockets_, io_};
    reception desk_{agents_, files_,
                    [this](std::chrono::milliseconds delay, std::function<void()> what) {
                        later_.emplace_back(network.now() + delay, std::move(what));
                    },
                    hub_, list_};
    trunkline::sim::host& us_{
        network.add_host(*trunkline::endpoint::parse("192.0.2.1:5060"), engine_config())};
    control control_{trunks, agents_, desk_, list_, registered_, {}, true};
    api api_{rows, control_, [] { return 1'785'652'200'123'456'789; }};
};

/// The switch and a carrier at 198.51.100.1, which has a trunk.
struct office_on_sim : switch_on_sim {
    far_end carrier{network, "198.51.100.1:5060", *trunkline::endpoint::parse("192.0.2.1:5060")};
    far_end other{network, "198.51.100.2:5060", *trunkline::endpoint::parse("192.0.2.1:5060")};

    ~office_on_sim() { hang_up_all(); }

    /// A call that the carrier has answered.
    std::string answered(const json& with = json::object()) {
        const auto id = place(with);
        carrier.answer(carrier.last("INVITE"), "200 OK");
        run_for(200ms);
        REQUIRE(state(id) == "answered");
        return id;
    }
};

} // namespace softswitch::testing
