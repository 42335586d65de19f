// What is seen of a leg from outside when something has happened to it, and the state it is in by
// what it does next.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "call/leg_states.hpp"
#include "support/table.hpp"

#include "support/print.hpp"

namespace trunkline::calls {

[[nodiscard]] inline std::string sent_since(const leg_in_state& call, std::size_t before) {
    support::in_order all;
    for (std::size_t i = before; i < call.sent.size(); ++i) {
        all.add(word_of(call.sent[i].text));
    }
    return all.text();
}

[[nodiscard]] inline std::string told_of(const leg_in_state::event_told& one) {
    static constexpr std::string_view transfers[] = {"accepted", "trying", "succeeded", "failed",
                                                     "unknown"};
    if (one.code == event::digit) return std::string{"digit "} + static_cast<char>(one.values[0]);
    if (one.code == event::audio) return {};
    if (one.code == event::referred) return "referred";
    if (one.code != event::transfer) return "event " + std::to_string(static_cast<int>(one.code));
    return "transfer " + std::string{transfers[one.values[0]]} +
           (one.values[1] == 0 ? "" : ' ' + std::to_string(one.values[1]));
}

[[nodiscard]] inline std::string told_of(const notice& one) {
    using what = notice::what;
    const auto how = [&] {
        return std::string{name(one.end.by)} + ' ' + std::to_string(one.end.sip_code);
    };
    switch (one.kind) {
    case what::ringing: return "ringing";
    case what::progress: return "progress " + std::to_string(one.end.sip_code);
    case what::early_media: return "early";
    case what::answered: return "answered";
    case what::refused: return "refused " + how();
    case what::ended: return "ended " + how();
    case what::reroute: return "reroute";
    case what::large: return "large";
    case what::unproved: return "unproved";
    case what::proved: return "proved";
    case what::finished: return {};
    }
    return {};
}

[[nodiscard]] inline std::string told_since(const leg_in_state& call) {
    std::string all;
    const auto add = [&](const std::string& one) {
        if (!one.empty()) all += (all.empty() ? "" : ", ") + one;
    };
    for (std::size_t i = call.events_before; i < call.events.size(); ++i) {
        add(told_of(call.events[i]));
    }
    for (std::size_t i = call.notices_before; i < call.notices.size(); ++i) {
        add(told_of(call.notices[i]));
    }
    if (call.refused) add("refused");
    return all.empty() ? "-" : all;
}

/// A peer acknowledges what refuses an INVITE of its own, whatever it thinks of it.
inline void acknowledge_refusals(leg_in_state& call) {
    for (std::size_t i = 0, most = call.sent.size(); i < most; ++i) {
        const auto& text = call.sent[i].text;
        const bool final = text.starts_with("SIP/2.0 ") && text.at(8) >= '3';
        if (!final || !header(text, "CSeq").ends_with(" INVITE")) continue;
        call.receive(
            message("ACK sip:trunk@198.51.100.1:5060 SIP/2.0\nVia: " + header(text, "Via") +
                    "\nFrom: " + header(text, "From") + "\nTo: " + header(text, "To") +
                    "\nCall-ID: " + header(text, "Call-ID") +
                    "\nCSeq: " + std::to_string(std::stoi(header(text, "CSeq"))) + " ACK\n"));
    }
}

/// Two legs that answer all of this alike are in the same state, whatever they think of it. In the
/// end nothing of the leg is left behind, and it was told of once.
struct signature {
    std::string did;
    std::set<std::string> later; ///< What is sent, then or again, when nobody answers.

    friend bool operator==(const signature&, const signature&) = default;
    [[nodiscard]] std::string text() const {
        auto all = did + "later";
        for (const auto& each : later) all += ' ' + each;
        return all;
    }
};

[[nodiscard]] inline signature sign(leg_in_state& call) {
    signature made;
    acknowledge_refusals(call);
    if (call.leg->over()) made.did += call.finished() ? "over, " : "ending, ";
    const auto media = call.media.size();
    auto before = call.sent.size();
    call.pass(600ms);
    const auto note = [&] {
        for (; before < call.sent.size(); ++before)
            made.later.insert(word_of(call.sent[before].text));
    };
    note();
    if (call.media.size() > media) made.did += "speaks, ";
    const auto ask = [&](std::string_view what, const std::string& request) {
        call.begin();
        call.receive(request);
        made.did += std::string{what} + ' ' + sent_since(call, call.sent_before) + ", ";
    };
    ask("UPDATE", call.request("UPDATE", call.offer()));
    ask("REFER", call.request("REFER", {}, "Refer-To: <sip:+14155550124@192.0.2.31>\n"));
    call.command([&](calls::leg& one) {
        const auto how = one.transfer("sip:+14155550125@192.0.2.32", call.now, call.out);
        if (how) made.did += "transfers, ";
    });
    before = call.sent.size();
    call.hang_up();
    for (const auto& one : std::exchange(call.asked, {})) call.answer_media(one);
    auto path = call.path;
    path.flow = {9, 1};
    call.command([&](calls::leg& one) { one.set_path(path, call.now, call.out); });
    call.pass(70s);
    note();
    call.check_over();
    return made;
}

/// Of each state, from a leg that nothing else has happened to.
[[nodiscard]] inline const signature& signature_of(std::string_view state) {
    static std::map<std::string_view, signature> known;
    if (const auto found = known.find(state); found != known.end()) return found->second;
    for (const auto& each : leg_states) {
        if (each.name != state) continue;
        leg_in_state call;
        each.bring_about(call);
        return known[each.name] = sign(call);
    }
    return known[{}] = {"no such state", {}};
}

/// "up+PRACK" is the state `up` in which, besides, that is still being sent. "mixed" is two states
/// at once, each with a row of its own: only what holds for all of them is looked at.
///
/// Compares what happens with the table's cell: `happen` was called on a leg in `state`.
inline void check_cell(support::table& expected, std::string_view event, std::string_view where,
                       const leg_state& state, leg_in_state& call) {
    const auto wanted = expected.take(event, where);
    const auto wire = sent_since(call, call.sent_before);
    const auto told = told_since(call);
    CAPTURE(std::string{event});
    CAPTURE(std::string{where});
    CHECK(wire == wanted.wire);
    CHECK(told == wanted.told);
    const auto seen = sign(call);
    if (wanted.after == "mixed") return;
    const auto plus = wanted.after.find('+');
    const auto name = wanted.after.substr(0, plus);
    auto after = signature_of(name == "-" ? state.name : std::string_view{name});
    if (plus != std::string::npos) after.later.insert(wanted.after.substr(plus + 1));
    CHECK(seen.text() == after.text());
}

} // namespace trunkline::calls
