// The states of an engine, each as it is brought about from outside, and what they are told by.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "support/table.hpp"
#include "trunk/engine_in_state.hpp"

namespace trunkline::engine_table {

using state = engine_in_state;
using decision = engine_in_state::decision;

struct named {
    std::string_view name;
    void (*happen)(state&);
};

inline const named states[] = {
    {"idle", [](state& e) { e.add(e.wanted); }},
    {"draining",
     [](state& e) {
         e.add(e.wanted);
         e.engine->drain();
     }},
    // A call in.
    {"undecided", [](state& e) { e.is_called(decision::none); }},
    {"ringing", [](state& e) { e.is_called(decision::ring); }},
    {"answered", [](state& e) { e.is_called(decision::answer); }},
    {"up", [](state& e) { e.up(); }},
    {"leaving",
     [](state& e) {
         e.up();
         e.hang_up();
     }},
    {"ended",
     [](state& e) {
         e.up();
         e.receive(e.within("BYE").text());
     }},
    {"refused", // By 404, which has no ACK yet.
     [](state& e) {
         e.wanted.numbers = {{"+4930999"}};
         e.is_called(decision::none);
         e.wanted.numbers = {{"+4930123"}};
         e.change_trunk();
     }},
    // A call in, and something that stands in the way of the next one.
    {"full", // All channels are taken,
     [](state& e) {
         e.wanted.channels = 1;
         e.up();
     }},
    {"hurried", // the trunk's rate is used up,
     [](state& e) {
         e.wanted.calls_per_second = 1;
         e.up();
     }},
    {"overloaded", // there are as many calls as there may be,
     [](state& e) {
         e.config.max_calls = 1;
         e.up();
     }},
    {"draining-up", // no more are wanted,
     [](state& e) {
         e.up();
         e.engine->drain();
     }},
    {"closed", // or none of this trunk,
     [](state& e) {
         e.up();
         e.wanted.inbound = false;
         e.change_trunk();
     }},
    {"removed", // which is gone: with its call,
     [](state& e) {
         e.up();
         e.remove_trunk();
     }},
    {"removed-ringing", // or with one that rings.
     [](state& e) {
         e.is_called(decision::ring);
         e.remove_trunk();
     }},
    // A call out.
    {"resolving", // Its gateway's name is being looked up.
     [](state& e) {
         e.wanted.gateways = {{"gw.carrier.example", 5060}};
         e.dials();
     }},
    {"dialling", [](state& e) { e.dials(); }},
    {"dialling-last", // No other gateway is left.
     [](state& e) {
         e.dials();
         e.says("503 Service Unavailable");
         e.note();
     }},
    {"alerting",
     [](state& e) {
         e.dials();
         e.says("180 Ringing");
     }},
    {"cancelling",
     [](state& e) {
         e.dials();
         e.says("180 Ringing");
         e.hang_up();
     }},
    {"talking", [](state& e) { e.talks(); }},
};

/// What the table calls several of them.
constexpr std::string_view sets = R"(
alone = idle draining ended refused
calls-in = undecided ringing answered up leaving
hindered = full hurried overloaded draining-up closed
gone = removed removed-ringing
calls-out = resolving dialling dialling-last alerting cancelling talking
)";

[[nodiscard]] inline std::string sent_since(const state& of, std::size_t before) {
    support::in_order all;
    for (; before < of.sent.size(); ++before) all.add(support::word_of(of.sent[before].text));
    return all.text();
}

[[nodiscard]] inline std::string told_since(const state& of) {
    std::string all;
    for (std::size_t i = of.told_before; i < of.told.size(); ++i) {
        all += (all.empty() ? "" : ", ") + of.told[i];
    }
    return all.empty() ? "-" : all;
}

/// A peer acknowledges what refuses an INVITE of its own, whatever it thinks of it.
inline void acknowledge_refusals(state& of) {
    for (std::size_t i = 0, most = of.sent.size(); i < most; ++i) {
        const auto text = of.sent[i].text;
        const bool final = text.starts_with("SIP/2.0 ") && text.at(8) >= '3';
        if (!final || !support::header(text, "CSeq").ends_with(" INVITE")) continue;
        auto ack = of.request;
        ack.from = support::header(text, "From");
        ack.call_id = support::header(text, "Call-ID");
        ack.branch = support::branch(text);
        of.receive(ack.ack(text));
    }
}

/// Two engines that do all of this alike are in the same state. In the end nothing is left of what
/// they had, and all channels are free.
[[nodiscard]] inline std::string signature(state& of) {
    acknowledge_refusals(of);
    std::string did = std::to_string(of.engine->calls()) + " calls, ";
    const auto ask = [&](std::string_view what, const std::string& text) {
        const auto before = of.sent.size();
        of.receive(text);
        did += std::string{what} + ' ' + sent_since(of, before) + ", ";
    };
    ask("INFO", of.within("INFO").text());
    auto options = of.another();
    options.method = "OPTIONS";
    ask("OPTIONS", options.text());
    ask("INVITE", of.another().text());
    acknowledge_refusals(of);
    auto before = of.sent.size();
    of.running().hang_up_all("over", of.now, of.out());
    of.settle();
    of.advance(150s);
    std::set<std::string> later;
    for (; before < of.sent.size(); ++before) later.insert(support::word_of(of.sent[before].text));
    did += "later";
    for (const auto& word : later) did += ' ' + word;
    CHECK(of.engine->calls() == 0);
    CHECK(of.engine->idle());
    CHECK(of.engine->transactions() == 0);
    CHECK(of.open_ports.empty());
    CHECK(of.agents == 0);
    for (const auto& one : of.trunks) CHECK(one->channels->taken() == 0);
    return did;
}

[[nodiscard]] inline const std::string& signature_of(std::string_view name) {
    static std::map<std::string_view, std::string> known;
    if (const auto found = known.find(name); found != known.end()) return found->second;
    for (const auto& each : states) {
        if (each.name != name) continue;
        state of;
        each.happen(of);
        return known[each.name] = signature(of);
    }
    return known[{}] = "no such state";
}

} // namespace trunkline::engine_table
