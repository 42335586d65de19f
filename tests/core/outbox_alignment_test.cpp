// Samples are written into an outbox as numbers, so that room for them lies where numbers may lie.
#include <trunkline/core/outbox.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "support/print.hpp"

namespace trunkline {
namespace {

TEST_CASE(
    "core::outbox: room for samples begins at a multiple of 16, whatever was written before") {
    outbox out;
    for (std::size_t before = 1; before < 40; ++before) {
        const auto packet = out.reserve({1, 1}, before);
        CHECK(packet.size() == before);
        CHECK(out.commit(before).size() == before);
        const auto room = out.make(10);
        CHECK(reinterpret_cast<std::uintptr_t>(room.data()) % 16 == 0);
        const std::array<std::byte, 3> bytes{};
        CHECK(reinterpret_cast<std::uintptr_t>(out.keep(bytes).data()) % 16 == 0);
    }
}

} // namespace
} // namespace trunkline
