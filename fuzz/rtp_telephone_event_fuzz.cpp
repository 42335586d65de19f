#include <trunkline/rtp/telephone_event.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

namespace {

using namespace trunkline;
using namespace trunkline::rtp;

void require(bool holds) {
    if (!holds) std::abort();
}

/// Starts and ends alternate, with the same digit.
struct ledger {
    char down = 0;
    void note(const digit_changes& changes) {
        for (const auto& change : changes) {
            require(to_event(change.digit).has_value() && change.length >= duration::zero());
            const bool starts = change.what == digit_change::kind::started;
            require(starts ? down == 0 : down == change.digit);
            down = starts ? change.digit : '\0';
        }
    }
};

} // namespace

/// The payload's fixpoint, and then the input as a program: eight bytes a packet (marker, SSRC and
/// timestamp, time that passes, payload) for a receiver that must tell of whole digits only.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span{data, size});
    if (const auto parsed = telephone_event::parse(bytes)) {
        std::byte printed[telephone_event::size];
        require(parsed->write(printed) == sizeof printed);
        require(telephone_event::parse(printed) == parsed);
    } else {
        require(parsed.reason().offset <= size);
    }

    telephone_event_receiver here{{}};
    ledger told;
    time_point now{};
    for (std::size_t at = 0; at + 8 <= size; at += 8) {
        now += std::chrono::milliseconds{data[at + 2]};
        if ((data[at] & 2) != 0) told.note(here.tick(now));
        const auto stamp = data[at + 1] * ((data[at] & 4) != 0 ? 0xffffU : 160U);
        const header packet{.marker = (data[at] & 1) != 0,
                            .timestamp = {stamp},
                            .ssrc = static_cast<std::uint32_t>(data[at] >> 6)};
        const auto payload = telephone_event::parse(bytes.subspan(at + 4, 4));
        require(payload.has_value());
        told.note(here.receive(packet, *payload, now));
        require(here.next_deadline().has_value() == (told.down != 0));
    }
    if (const auto due = here.next_deadline()) told.note(here.tick(*due));
    require(told.down == 0 && !here.next_deadline());
    return 0;
}
