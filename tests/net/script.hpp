// A machine that writes down what happens to it, and peers that share no code with the library.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <trunkline/core/text.hpp>
#include <trunkline/net/clock.hpp>
#include <trunkline/net/shard.hpp>

#include "support/far_end.hpp"

namespace trunkline::net {

inline constexpr owner_id caller{42};

inline void send(outbox& out, flow_id flow, std::string_view text, owner_id owner = caller) {
    std::ranges::copy(as_bytes(text), out.reserve(flow, text.size(), owner).begin());
    out.commit(text.size());
}
inline void send_media(outbox& out, media_id from, bool rtcp, const endpoint& to,
                       std::string_view text) {
    std::ranges::copy(as_bytes(text), out.reserve_media(from, rtcp, to, text.size()).begin());
    out.commit(text.size());
}

struct script final : machine {
    std::function<void(const input&, time_point, outbox&)> on_input;
    std::function<void(const effects::event&, outbox&)> on_event;
    std::function<bool(const address&)> on_knows;
    std::optional<time_point> deadline;
    std::size_t ticks = 0;

    std::vector<std::string> heard; ///< Packets of signalling,
    std::vector<flow_id> from;      ///< and the flow of each.
    std::vector<inputs::flow_up> ups;
    std::vector<inputs::flow_down> downs; ///< Their words are in `words`, as they live no longer.
    std::vector<std::string> words;
    std::vector<inputs::send_failed> failures;
    std::vector<inputs::media_opened> opened;
    std::vector<inputs::media_failed> refused;
    std::vector<std::pair<bool, std::string>> media; ///< RTCP?
    std::vector<endpoint> media_from;
    struct answer {
        token asked;
        std::string message;
        std::vector<address> hosts;
    };
    std::vector<answer> answers;
    bool quiet = false; ///< Writes nothing down.

    void receive(const input& what, time_point now, outbox& out) override {
        if (!quiet) write_down(what);
        if (on_input) on_input(what, now, out);
    }
    void tick(time_point now, outbox&) override {
        if (!deadline || now < *deadline) return;
        deadline.reset();
        ++ticks;
    }
    [[nodiscard]] std::optional<time_point> next_deadline() const override { return deadline; }
    void deliver(const effects::event& what, time_point, outbox& out) override {
        if (on_event) on_event(what, out);
    }
    void deliver(const effects::note&) override {}
    [[nodiscard]] bool knows(const address& source, time_point) const override {
        return on_knows && on_knows(source);
    }

    void write_down(const input& what) {
        if (const auto* packet = std::get_if<inputs::packet>(&what)) {
            heard.emplace_back(as_text(packet->bytes));
            from.push_back(packet->flow);
        } else if (const auto* up = std::get_if<inputs::flow_up>(&what)) {
            ups.push_back(*up);
        } else if (const auto* down = std::get_if<inputs::flow_down>(&what)) {
            words.emplace_back(down->words);
            downs.push_back(*down);
            downs.back().words = {};
        } else if (const auto* failed = std::get_if<inputs::send_failed>(&what)) {
            failures.push_back(*failed);
        } else if (const auto* ports = std::get_if<inputs::media_opened>(&what)) {
            opened.push_back(*ports);
        } else if (const auto* none = std::get_if<inputs::media_failed>(&what)) {
            refused.push_back(*none);
        } else if (const auto* rtp = std::get_if<inputs::media_packet>(&what)) {
            media.emplace_back(rtp->rtcp, as_text(rtp->bytes));
            media_from.push_back(rtp->from);
        } else if (const auto* name = std::get_if<inputs::resolved>(&what)) {
            answers.push_back({name->asked,
                               std::string{as_text(name->answer)},
                               {name->hosts.begin(), name->hosts.end()}});
        }
    }
};

using support::far_end;

/// No test waits for longer than it takes, and none fails because the machine is busy. Once
/// reached, the condition is not asked again: it may well have received what there was.
template <class Condition>
bool until(std::initializer_list<shard*> shards, Condition reached) {
    const auto patience = now() + std::chrono::seconds{5};
    while (!reached()) {
        if (now() >= patience) return false;
        std::vector<pollfd> waiting;
        for (auto* each : shards) waiting.push_back({each->fd(), POLLIN, 0});
        static_cast<void>(::poll(waiting.data(), waiting.size(), 1));
        for (auto* each : shards) each->poll();
    }
    return true;
}

inline std::shared_ptr<listeners> listening(listeners_config wanted) {
    auto made = std::make_shared<listeners>();
    return made->open(std::move(wanted)) ? nullptr : made;
}
inline listener_config on(const char* at) {
    return {transport::udp, *endpoint::parse(at)};
}

} // namespace trunkline::net
