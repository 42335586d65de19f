// What is under way when the driver forgets the flow that it went by, which is nobody's failure.
#include "trunk/engine_in_state.hpp"

namespace trunkline {
namespace {

using decision = engine_in_state::decision;

TEST_CASE("trunks::engine: a CANCEL goes by the flow that its peer has now") {
    engine_in_state e;
    e.dials();
    e.says("180 Ringing");
    e.evict(support::carrier_at);
    e.begin();
    e.hang_up();
    REQUIRE(e.sent.size() == e.before + 1);
    CHECK(e.sent.back().text.starts_with("CANCEL "));
    CHECK(e.sent.back().to == *endpoint::parse(support::carrier_at));
    e.says("487 Request Terminated");
    e.advance(70s);
    CHECK(e.empty());
}

TEST_CASE("trunks::engine: an INVITE that nobody has answered yet tries no other gateway for it") {
    engine_in_state e;
    e.dials();
    const auto first = e.sent.back();
    e.evict(support::carrier_at);
    e.begin();
    e.advance(600ms);
    REQUIRE(e.sent.size() == e.before + 1);
    CHECK(e.sent.back().text == first.text); // Timer A, by another flow.
    CHECK(e.sent.back().to == first.to);
    e.says("486 Busy Here");
    e.advance(70s);
    CHECK(e.empty());
}

TEST_CASE("trunks::engine: a BYE is repeated by the flow that its peer has now") {
    engine_in_state e;
    e.up();
    e.hang_up();
    e.evict(support::carrier_at);
    e.begin();
    e.advance(600ms);
    REQUIRE(e.sent.size() == e.before + 1);
    CHECK(e.sent.back().text.starts_with("BYE "));
    e.receive(support::answer_to(e.sent.back().text, "200 OK"));
    e.advance(70s);
    CHECK(e.empty());
}

TEST_CASE("trunks::engine: an INVITE that comes again is answered where its sender is now") {
    engine_in_state e;
    e.is_called(decision::ring);
    e.evict(support::carrier_at);
    e.begin();
    e.receive(e.request.text());
    REQUIRE(e.sent.size() == e.before + 1);
    CHECK(support::status_of(e.sent.back().text) == "180");
    e.receive(e.request.cancel());
    e.advance(70s);
    CHECK(e.empty());
}

} // namespace
} // namespace trunkline
