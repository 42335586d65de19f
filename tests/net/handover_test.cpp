// From one shard to another: in order, each with what belongs to it, up to a bound.
#include "handover.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include <trunkline/core/text.hpp>

#include "support/print.hpp"

namespace trunkline::net {
namespace {

[[nodiscard]] handover_record record(std::uint16_t number) {
    return {.listener = listener_id{number},
            .local = address::v4(192, 0, 2, static_cast<std::uint8_t>(number)),
            .peer = {address::v4(198, 51, 100, static_cast<std::uint8_t>(number)), number}};
}

TEST_CASE("net::handover: the second datagram has its own bytes, listener, address and peer") {
    handover box;
    REQUIRE_FALSE(box.open());
    const std::vector<std::string> texts{"first", "", "the third one"};
    for (std::uint16_t n = 0; n < 3; ++n) CHECK(box.push(record(n), as_bytes(texts[n])));
    CHECK_FALSE(box.next()); // Not before they are fetched.
    box.turn();
    for (std::uint16_t n = 0; n < 3; ++n) {
        CHECK_FALSE(box.done());
        const auto taken = box.next();
        REQUIRE(taken);
        CHECK(as_text(taken->datagram) == texts[n]);
        CHECK(taken->what.kind == handed::datagram);
        CHECK(taken->what.listener == listener_id{n});
        CHECK(taken->what.local == record(n).local);
        CHECK(taken->what.peer == record(n).peer);
    }
    CHECK(box.done());
    CHECK_FALSE(box.next());
}

TEST_CASE("net::handover: what is written while a batch is read comes with the next one") {
    handover box;
    REQUIRE_FALSE(box.open());
    CHECK(box.push(record(1), as_bytes(std::string_view{"one"})));
    CHECK(box.push(record(2), as_bytes(std::string_view{"two"})));
    box.turn();
    const auto one = box.next();
    REQUIRE(one);
    CHECK(box.push(record(3), as_bytes(std::string_view{"three"})));
    box.turn(); // The batch is not done, so that nothing of it is given up.
    CHECK(as_text(one->datagram) == "one");
    const auto two = box.next();
    REQUIRE(two);
    CHECK(as_text(two->datagram) == "two");
    CHECK_FALSE(box.next());
    box.turn();
    const auto three = box.next();
    REQUIRE(three);
    CHECK(as_text(three->datagram) == "three");
}

TEST_CASE("net::handover: it takes what fits into a mebibyte, to the byte, and then refuses") {
    handover box;
    REQUIRE_FALSE(box.open());
    const std::vector<std::byte> half(handover::capacity / 2 - sizeof(handover_record));
    CHECK(box.push(record(1), half));
    CHECK_FALSE(box.push(record(2), std::vector<std::byte>(half.size() + 1)));
    CHECK(box.push(record(3), half));
    CHECK_FALSE(box.push(record(4), {}));
    box.turn(); // Read, it makes room at once.
    CHECK(box.push(record(5), half));
    CHECK(box.next()->what.listener == listener_id{1});
    CHECK(box.next()->what.listener == listener_id{3});
    CHECK_FALSE(box.next());
}

} // namespace
} // namespace trunkline::net
