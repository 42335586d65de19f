// A transaction layer with its wheel and its outbox, on a clock that the test turns.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/transaction_layer.hpp>

#include "support/wire.hpp"

namespace trunkline::support {

inline constexpr flow_id flow{3, 1};

struct layer {
    using fate = sip::transaction_layer::fate;
    using ended = sip::transaction_layer::ended;

    struct sending {
        duration at;
        std::string text;
        owner_id owner;
    };

    explicit layer(std::uint64_t seed = 1, bool over_stream = false)
        : random{seed},
          transactions{values, wheel, random, 4},
          reliable{over_stream} {}

    /// Every timer at its own time, up to and with `until` after the start.
    void run(duration until) {
        while (const auto next = wheel.next_deadline()) {
            if (next->time_since_epoch() > until) break;
            now = std::max(now, *next);
            tick();
        }
        now = std::max(now, time_point{until});
        tick();
    }
    void tick() {
        wheel.advance(now, [this](timer_node& node) {
            const auto told = transactions.fire(node, now, out);
            if (told.what != ended::why::nothing) over.push_back(told);
        });
        collect();
    }
    /// What was put into the outbox since the last time.
    void collect() {
        for (const auto& one : out) {
            if (const auto* what = std::get_if<effects::send>(&one)) {
                sent.push_back(
                    {now.time_since_epoch(), std::string{as_text(what->bytes)}, what->owner});
                CHECK(what->flow == path);
            }
        }
        out.clear();
    }
    [[nodiscard]] std::vector<duration> times() const {
        std::vector<duration> all;
        for (const auto& one : sent) all.push_back(one.at);
        return all;
    }

    sip::transaction_layer::received receive(std::string_view text) {
        good message{text};
        const auto got = transactions.receive(*message, comes_by, now, out);
        collect();
        return got;
    }
    /// Opens a client transaction and sends `text` with its branch where BRANCH stands.
    sip::transaction_id send(sip::method what, std::string_view text,
                             owner_id owner = owner_id{1}) {
        const auto id = transactions.open(what, flow, reliable, owner);
        branch = std::string{transactions.branch(id)};
        transactions.sent(id, as_bytes(crlf(filled(text))), now);
        return id;
    }
    [[nodiscard]] std::string filled(std::string_view text) const {
        std::string made{text};
        for (auto at = made.find("BRANCH"); at != std::string::npos; at = made.find("BRANCH")) {
            made.replace(at, 6, branch);
        }
        return made;
    }
    sip::transaction_id accept(std::string_view text, owner_id owner = owner_id{2}) {
        good message{text};
        const auto got = transactions.receive(*message, flow, now, out);
        REQUIRE(got.what == fate::fresh);
        return transactions.accept(*message, flow, reliable, owner);
    }
    void respond(sip::transaction_id id, int status, std::string_view text) {
        transactions.responded(id, status, as_bytes(crlf(text)), now);
    }

    sip::timers values;
    timer_wheel wheel;
    seeded_entropy random;
    sip::transaction_layer transactions;
    bool reliable;
    flow_id comes_by = flow; ///< What is received,
    flow_id path = flow;     ///< and where all that is sent has to go.
    outbox out;
    time_point now{};
    std::string branch;
    std::vector<sending> sent;
    std::vector<ended> over;
};

} // namespace trunkline::support
