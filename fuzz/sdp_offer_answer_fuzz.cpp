#include <trunkline/sdp/offer_answer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace trunkline;
using namespace trunkline::sdp;

void check(bool holds) {
    if (!holds) std::abort();
}

struct side {
    negotiation machine;
    local_media local;
    std::array<char, 16'384> memory{};

    side(std::uint64_t id, std::uint8_t host) : machine{id} {
        local.address = address::v4(192, 0, 2, host);
        local.rtp_port = static_cast<std::uint16_t>(1000 * host);
        machine.set_local(local);
    }
    std::string_view offer() {
        const auto size = machine.write_offer(local, memory);
        check(size.has_value());
        return {memory.data(), *size};
    }
    std::string_view answer() {
        const auto size = machine.write_answer(memory);
        check(size.has_value());
        return {memory.data(), *size};
    }
};

/// What an accepted offer was answered with: as many m-lines, of the same kinds, at most one alive.
void check_answer(std::string_view offer, std::string_view answer, const agreed& outcome) {
    static description offered;
    static description answered;
    check(parse(offer, offered).has_value() && parse(answer, answered).has_value());
    check(offered.media_count() == answered.media_count());
    std::size_t taken = 0;
    for (std::size_t i = 0; i < answered.media_count(); ++i) {
        const auto ours = answered.media(i);
        const auto theirs = offered.media(i);
        check(ours.kind_text() == theirs.kind_text());
        check(ours.transport_text() == theirs.transport_text());
        if (ours.port() == 0) continue;
        ++taken;
        check(theirs.port() != 0 && ours.kind() == media_kind::audio);
        // Never more than was offered.
        check(common(ours.direction(), reversed(theirs.direction())) == ours.direction());
        check(ours.format(0).payload_type == outcome.receive_payload_type);
    }
    check(taken == (outcome.disabled ? 0 : 1));
    check(outcome.ptime.count() >= 10 && outcome.ptime.count() <= 60);
}

/// We offer, they answer: that always works, however the session came to be what it is.
void check_round(side& from, side& to) {
    const auto offer = from.offer();
    const auto theirs = to.machine.receive_offer(offer);
    check(theirs.has_value() && !theirs->disabled);
    const auto answer = to.answer();
    check_answer(offer, answer, *theirs);
    const auto ours = from.machine.receive_answer(answer);
    check(ours.has_value() && ours->direction == reversed(theirs->direction));
    check(ours->send_payload_type == theirs->receive_payload_type);
    check(theirs->send_payload_type == ours->receive_payload_type);
    check(from.machine.current() == *ours && to.machine.current() == *theirs);
}

} // namespace

/// The first byte is a program of two bits a step: the text arrives as an offer or as an answer,
/// and what was agreed before survives every refusal.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
    side us{1, 1};
    side them{2, 2};
    if ((data[0] & 0x80U) != 0) us.local.codecs = {{8, encoding::pcma}, {97, encoding::pcmu}};
    if ((data[0] & 0x40U) != 0) check_round(us, them);
    us.machine.set_local(us.local);
    for (unsigned step = 0; step < 3; ++step) {
        const auto before = us.machine.current();
        const auto what = (data[0] >> (2 * step)) & 3U;
        if (what == 3) {
            us.offer();
            if (!us.machine.receive_answer(text)) {
                us.machine.abandon();
                check(us.machine.current() == before);
            }
            continue;
        }
        const auto outcome = us.machine.receive_offer(text);
        check(us.machine.current() == before);
        if (!outcome) continue;
        check(us.machine.receive_offer(text) == *outcome);
        if (what == 2) {
            us.machine.abandon();
            continue;
        }
        const std::string_view answer = us.answer();
        check_answer(text, answer, *outcome);
        check(us.machine.current() == *outcome);
        static std::array<char, 16'384> first;
        const auto length = answer.copy(first.data(), first.size());
        check(us.answer() == std::string_view{first.data(), length});
    }
    check_round(us, them);
    check_round(us, them);
    return 0;
}
