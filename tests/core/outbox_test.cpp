#include <trunkline/core/outbox.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <variant>
#include <vector>

#include "support/counted_heap.hpp"

namespace trunkline {
namespace {

constexpr flow_id flow{3, 1};
constexpr owner_id owner{42};

void send(outbox& out, std::size_t size) {
    const auto room = out.reserve(flow, size + 100, owner);
    std::ranges::fill(room.first(size), std::byte{'x'});
    out.commit(size);
}

TEST_CASE("core::outbox: keeps effects in order, each with its owner") {
    outbox out;
    send(out, 5);
    out.resolve(token{1}, record_type::a, "sip.example.net");
    out.note(severity::warning, diagnostic::call_ended, owner, {1, -2});
    out.tell(owner, 9, out.keep(std::as_bytes(std::span{"gone", 4})));
    out.close(flow);

    const std::vector<effect> all{out.begin(), out.end()};
    REQUIRE(all.size() == 5);
    CHECK(std::get<effects::send>(all[0]).owner == owner);
    CHECK(std::get<effects::send>(all[0]).bytes.size() == 5);
    CHECK(std::get<effects::resolve>(all[1]).name == "sip.example.net");
    CHECK(std::get<effects::note>(all[2]).values[1] == -2);
    CHECK(std::get<effects::note>(all[2]).count == 2);
    CHECK(std::get<effects::event>(all[3]).bytes[3] == std::byte{'e'});
    CHECK(std::get<effects::close>(all[4]).flow == flow);
}

TEST_CASE("core::outbox: bytes stay where they are while more are added") {
    outbox out;
    send(out, 1);
    const auto* first = std::get<effects::send>(*out.begin()).bytes.data();
    for (int n = 0; n < 100; ++n) send(out, 1500);
    send(out, 65'000); // Larger than any block.
    CHECK(std::get<effects::send>(*out.begin()).bytes.data() == first);
    CHECK(*first == std::byte{'x'});
    CHECK(std::get<effects::send>(*(out.end() - 1)).bytes.size() == 65'000);
}

TEST_CASE("core::outbox: a packet that was given up is not sent, and its room is used again") {
    outbox out;
    const auto* room = out.reserve(flow, 100).data();
    out.commit(0);
    CHECK(out.empty());
    CHECK(out.reserve(flow, 100).data() == room);
    out.commit(1);
}

TEST_CASE("core::outbox: once warm, allocates nothing") {
    outbox out;
    const auto work = [&out] {
        for (std::size_t n = 0; n < 64; ++n) send(out, 200 * n);
        send(out, 65'000);
        for (int n = 0; n < 64; ++n) out.tell(owner, 1, out.keep(std::vector<std::byte>{}));
        out.resolve(token{1}, record_type::a, "a name that no small string holds.example.net");
        out.note(severity::info, diagnostic::call_ended, owner, {1, 2, 3, 4});
        out.clear();
    };
    work();
    const auto before = support::allocations();
    CHECK(before > 0);
    for (int n = 0; n < 10; ++n) work();
    CHECK(support::allocations() == before);
}

} // namespace
} // namespace trunkline
