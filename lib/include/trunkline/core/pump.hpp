// The two outboxes of a driver, and the order in which it acts on them.
#pragma once

#include <array>
#include <cstddef>
#include <variant>

#include <trunkline/core/outbox.hpp>
#include <trunkline/core/time.hpp>

namespace trunkline {

/// Carries effects from a machine to its driver, and answers back, in rounds. A machine appends to
/// one outbox while the effects of the other are acted on: no loop reads a box that grows, and
/// nothing is re-entrant. Warm, a pump allocates nothing. One thread.
///
/// The driver has these functions:
///
///     void flush(const outbox& full, time_point now);  // sends: no callback can delay a packet
///     void act(const effect& what, time_point now);    // then all other effects, oldest first
///     void deliver(const effects::event& what, time_point now);  // then events and notes, to the
///     void deliver(const effects::note& what);                   // machine
///     const input* next_answer();                      // to effects; null: none is left
///     void receive(const input& answer, time_point now);
///
/// act() is given sends, events and notes as well, and has nothing to do with them. An answer is
/// asked for when all of a round was delivered, and lives until the next one is asked for. Bytes of
/// events live until the round is over.
class pump {
public:
    /// What machines and callbacks append to.
    [[nodiscard]] outbox& out() noexcept { return boxes_[filling_]; }

    /// Acts until nothing is left, in at most so many rounds. What a callback commands is acted on
    /// in the round after it, so callbacks that answer each other for ever are interrupted. True
    /// when nothing is left.
    template <class Driver>
    bool settle(Driver& driver, time_point now, int rounds = 4) {
        bool more = true;
        for (int round = 0; round < rounds && more; ++round) more = turn(driver, now);
        return !more;
    }

private:
    template <class Driver>
    [[nodiscard]] bool turn(Driver& driver, time_point now) {
        auto& full = out();
        if (!full.empty()) {
            filling_ ^= 1;
            driver.flush(full, now);
            for (const auto& what : full) driver.act(what, now);
            for (const auto& what : full) {
                if (const auto* event = std::get_if<effects::event>(&what)) {
                    driver.deliver(*event, now);
                } else if (const auto* note = std::get_if<effects::note>(&what)) {
                    driver.deliver(*note);
                }
            }
            full.clear();
        }
        while (const input* answer = driver.next_answer()) driver.receive(*answer, now);
        return !out().empty();
    }

    std::array<outbox, 2> boxes_;
    std::size_t filling_ = 0;
};

} // namespace trunkline
