// Steady state allocates nothing: counted where every allocation of this program passes.
#include <doctest/doctest.h>

#include <array>

#include <trunkline/rtp/jitter_buffer.hpp>
#include <trunkline/rtp/session.hpp>
#include <trunkline/rtp/telephone_event.hpp>

#include "support/counted_heap.hpp"
#include "support/print.hpp"

namespace trunkline::rtp {
namespace {

using namespace std::chrono_literals;

TEST_CASE("rtp::session: a call allocates nothing after its objects are made") {
    seeded_entropy random{1};
    session here{{}, random};
    session there{{}, random};
    jitter_buffer at_once{{}};
    jitter_buffer in_time{{.release = release::playout}};
    telephone_event_sender dialer{{}};
    telephone_event_receiver digits{{}};
    std::array<std::byte, 256> bytes{};
    std::size_t released = 0;

    const auto before = support::allocations();
    for (int i = 0; i < 5000; ++i) {
        const auto now = time_point{1000s} + i * 20ms;
        write_header(here.send(0, false, 160, now), bytes);
        here.advance(160);
        const auto parsed = packet_view::parse(std::span{bytes}.first(header_size + 160));
        if (i % 20 != 7) {
            there.receive(*parsed, now);
            at_once.put(*parsed, now);
            in_time.put(*parsed, now);
        }
        while (at_once.take(now)) ++released;
        while (in_time.take(now)) ++released;
        if (now >= dialer.ready_at()) static_cast<void>(dialer.start('5', {}, now));
        if (const auto event = dialer.take(now)) {
            digits.receive({.timestamp = event->timestamp}, *telephone_event::parse(event->payload),
                           now);
        }
        if (here.next_report() && *here.next_report() <= now) {
            const auto size = here.write_report(bytes, now);
            static_cast<void>(there.receive_rtcp(std::span{bytes}.first(size), now));
        }
    }
    const auto after = support::allocations();
    CHECK(after == before);
    CHECK(released > 9'900);
}

} // namespace
} // namespace trunkline::rtp
