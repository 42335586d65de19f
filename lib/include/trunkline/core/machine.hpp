// What a driver drives: the four kinds of operation of architecture section 1, as one interface.
#pragma once

#include <optional>

#include <trunkline/core/flow.hpp>
#include <trunkline/core/outbox.hpp>
#include <trunkline/core/time.hpp>

namespace trunkline {

/// A sans-I/O machine and its host's ears. The driver feeds `receive` and `tick`, acts on what they
/// append, and delivers events and notes when every send was flushed; commands that a delivery
/// gives go to `out`, which is settled in the next round. All of it on one thread.
class machine {
public:
    virtual void receive(const input& what, time_point now, outbox& out) = 0;
    virtual void tick(time_point now, outbox& out) = 0; ///< Early is legal and does nothing.
    [[nodiscard]] virtual std::optional<time_point> next_deadline() const = 0;
    virtual void deliver(const effects::event& what, time_point now, outbox& out) = 0;
    virtual void deliver(const effects::note& what) = 0;
    /// Whether a source means something to the machine. A driver asks where it has room for few,
    /// before that source has said anything: when a connection is accepted.
    [[nodiscard]] virtual bool knows(const address& source, time_point now) const {
        static_cast<void>(source);
        static_cast<void>(now);
        return false;
    }

protected:
    machine() = default;
    machine(const machine&) = default;
    machine& operator=(const machine&) = default;
    ~machine() = default;
};

} // namespace trunkline
