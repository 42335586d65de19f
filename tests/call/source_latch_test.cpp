#include <trunkline/call/source_latch.hpp>

#include <doctest/doctest.h>

namespace trunkline::calls {
namespace {

const endpoint described{address::v4(192, 0, 2, 1), 4000};
const endpoint renumbered{address::v4(192, 0, 2, 1), 5000};
const endpoint elsewhere{address::v4(203, 0, 113, 9), 4000};
const endpoint attacker{address::v4(198, 51, 100, 6), 4000};

rtp::header packet(std::uint16_t sequence, std::uint32_t ssrc = 1) {
    rtp::header made;
    made.sequence.value = sequence;
    made.ssrc = ssrc;
    return made;
}

TEST_CASE("call::source_latch: believes SDP at once, and nobody else afterwards") {
    source_latch latch;
    latch.expect(described, true);
    CHECK(latch.accept(described, packet(1)));
    for (std::uint16_t n = 1; n < 20; ++n) CHECK_FALSE(latch.accept(attacker, packet(n)));
    CHECK(latch.current() == described);
    CHECK(latch.foreign() == 19);
}

TEST_CASE("call::source_latch: another address needs four packets in sequence") {
    source_latch latch;
    latch.expect(described, true);
    CHECK_FALSE(latch.accept(elsewhere, packet(7)));
    CHECK_FALSE(latch.accept(elsewhere, packet(8)));
    CHECK_FALSE(latch.accept(elsewhere, packet(10))); // A gap starts the count anew.
    CHECK_FALSE(latch.accept(elsewhere, packet(11)));
    CHECK_FALSE(latch.accept(elsewhere, packet(12)));
    CHECK(latch.accept(elsewhere, packet(13)));
    CHECK(latch.current() == elsewhere);
    CHECK(latch.moved());
    CHECK_FALSE(latch.accept(described, packet(14)));
}

TEST_CASE("call::source_latch: the described address from another port is a NAT") {
    source_latch latch;
    latch.expect(described, true);
    CHECK(latch.accept(renumbered, packet(1)));
    CHECK(latch.current() == renumbered);
}

TEST_CASE("call::source_latch: not symmetric, it believes SDP alone") {
    source_latch latch;
    latch.expect(described, false);
    for (std::uint16_t n = 1; n < 9; ++n) CHECK_FALSE(latch.accept(renumbered, packet(n)));
    CHECK(latch.accept(described, packet(1)));
}

} // namespace
} // namespace trunkline::calls
