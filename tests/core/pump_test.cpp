#include <trunkline/core/pump.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include <trunkline/core/text.hpp>

#include "support/counted_heap.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;

constexpr time_point now{5s};

/// Writes down what is asked of it, and answers as it was told.
struct driver {
    pump boxes;
    std::vector<std::string> said;
    std::deque<input> answers;
    input answered;
    int commands = 0; ///< So many events command a send each.

    void flush(const outbox& full, time_point at) {
        CHECK(at == now);
        for (const auto& what : full) {
            if (const auto* send = std::get_if<effects::send>(&what)) {
                said.push_back("sent " + std::string{as_text(send->bytes)});
            }
        }
    }
    void act(const effect& what, time_point at) {
        CHECK(at == now);
        if (std::holds_alternative<effects::close>(what)) {
            said.emplace_back("closed");
            answers.push_back(inputs::writable{{7, 1}});
        }
    }
    void deliver(const effects::event& what, time_point at) {
        CHECK(at == now);
        said.push_back("event " + std::to_string(what.code));
        if (commands == 0) return;
        --commands;
        put("c");
        boxes.out().tell(owner_id::none, static_cast<std::uint16_t>(what.code + 1));
    }
    void deliver(const effects::note& what) { said.push_back("note " + std::string{what.text}); }
    const input* next_answer() {
        if (answers.empty()) return nullptr;
        answered = answers.front();
        answers.pop_front();
        return &answered;
    }
    void receive(const input& answer, time_point at) {
        CHECK(at == now);
        said.push_back("answer " + std::to_string(std::get<inputs::writable>(answer).flow.slot));
    }

    void put(std::string_view text) {
        auto room = boxes.out().reserve({1, 1}, text.size());
        std::ranges::copy(as_bytes(text), room.begin());
        boxes.out().commit(text.size());
    }
};

using words = std::vector<std::string>;

TEST_CASE("pump: sends leave, then effects are acted on, then callbacks run, then answers come") {
    driver one;
    one.boxes.out().tell(owner_id::none, 1);
    one.boxes.out().close({2, 1});
    one.put("a");
    one.boxes.out().note(severity::info, diagnostic::call_answered, owner_id::none, {}, "n");
    one.boxes.out().tell(owner_id::none, 2);
    one.put("b");
    CHECK(one.boxes.settle(one, now));
    CHECK(one.said ==
          words{"sent a", "sent b", "closed", "event 1", "note n", "event 2", "answer 7"});
    CHECK(one.boxes.out().empty());
}

TEST_CASE("pump: what a callback commands is acted on in the round after it") {
    driver one;
    one.commands = 1;
    one.boxes.out().tell(owner_id::none, 1);
    one.boxes.out().tell(owner_id::none, 10);
    CHECK(one.boxes.settle(one, now));
    CHECK(one.said == words{"event 1", "event 10", "sent c", "event 2"});
}

TEST_CASE("pump: an answer is received without an effect before it") {
    driver one;
    one.answers.push_back(inputs::writable{{3, 1}});
    CHECK(one.boxes.settle(one, now));
    CHECK(one.said == words{"answer 3"});
}

TEST_CASE("pump: callbacks that answer each other for ever are interrupted, and nothing is lost") {
    driver one;
    one.commands = 1'000;
    one.boxes.out().tell(owner_id::none, 1);
    CHECK_FALSE(one.boxes.settle(one, now, 4));
    CHECK(one.said ==
          words{"event 1", "sent c", "event 2", "sent c", "event 3", "sent c", "event 4"});
    one.commands = 0;
    one.said.clear();
    CHECK(one.boxes.settle(one, now, 1));
    CHECK(one.said == words{"sent c", "event 5"});
}

/// Acts on everything and keeps nothing.
struct idle_driver {
    void flush(const outbox&, time_point) {}
    void act(const effect&, time_point) { ++acted; }
    void deliver(const effects::event&, time_point) {}
    void deliver(const effects::note&) {}
    const input* next_answer() { return nullptr; }
    void receive(const input&, time_point) {}
    int acted = 0;
};

TEST_CASE("pump: warm, it allocates nothing") {
    pump boxes;
    idle_driver idle;
    const auto round = [&] {
        for (int i = 0; i < 50; ++i) {
            const auto room = boxes.out().reserve({1, 1}, 400);
            boxes.out().commit(room.size());
            boxes.out().tell(owner_id::none, 1);
        }
        return boxes.settle(idle, now);
    };
    for (int i = 0; i < 4; ++i) CHECK(round());
    const auto before = support::allocations();
    const bool settled = round();
    CHECK(support::allocations() == before);
    CHECK(settled);
    CHECK(idle.acted == 500);
}

} // namespace
} // namespace trunkline
