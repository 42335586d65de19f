// Calls that came and were never acknowledged: what they take, and what they do not.
#include <string>
#include <vector>

#include <trunkline/trunk/channels.hpp>

#include "trunk/driver.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::driver;
using support::request_text;

struct answering : driver {
    trunk_config wanted = carrier();
    bool answers = true;
    int next = 0;

    answering() {
        wanted.gateways = {{"198.51.100.1"}};
        wanted.channels = 3;
        config.on_incoming = [this](incoming_call& call) {
            if (answers)
                CHECK(call.answer(std::make_unique<agent>()));
            else
                CHECK(call.ringing());
        };
    }
    [[nodiscard]] request_text fresh() {
        request_text made;
        ++next;
        made.branch += std::to_string(next);
        made.call_id = std::to_string(next) + "@198.51.100.1";
        return made;
    }
    /// An INVITE that nothing follows, and its final answer.
    [[nodiscard]] std::string invite() {
        receive(fresh().text());
        return support::status_of(last());
    }
    [[nodiscard]] std::string dial() {
        advance(50ms); // Its turn, by calls_per_second.
        static_cast<void>(texts());
        dial_request made;
        made.to = "+4930999";
        made.agent = std::make_unique<agent>();
        running().dial(std::move(made), now, out());
        settle();
        const auto said = texts();
        return said.empty() ? std::string{} : said.back().substr(0, said.back().find(' '));
    }
};

TEST_CASE("trunkline::trunk_config: a trunk has thirty channels where nothing is said") {
    CHECK(trunk_config{}.channels == 30);
}

TEST_CASE("trunkline::channels: unacknowledged calls are held to the limit, and hold nobody out") {
    local_channels of{3};
    CHECK(of.take());
    CHECK(of.take_unacknowledged());
    CHECK(of.take_unacknowledged());
    CHECK_FALSE(of.take_unacknowledged());
    CHECK(of.take()); // Out: the two that wait for an ACK are none of its business.
    CHECK(of.take());
    CHECK_FALSE(of.take());
    CHECK(of.taken() == 5);
    of.acknowledged();
    CHECK_FALSE(of.take());
    of.give_back_unacknowledged();
    of.give_back();
    CHECK(of.taken() == 3);
    CHECK_FALSE(of.take());
    of.give_back();
    CHECK(of.take());
}

TEST_CASE_FIXTURE(answering, "trunks::engine: calls that nobody acknowledges take no channel from "
                             "calls that go out") {
    add(wanted);
    for (int n = 0; n < 3; ++n) CHECK(invite() == "200");
    CHECK(invite() == "486"); // They are as many as there are channels.
    for (int n = 0; n < 3; ++n) CHECK(dial() == "INVITE");
    CHECK(dial().empty());
    REQUIRE_FALSE(records.empty());
    CHECK(records.back().refused == diagnostic::refused_channels_full);
    CHECK(records.back().trunk == "carrier");
    CHECK(noted(diagnostic::refused_channels_full) == 2);
}

TEST_CASE_FIXTURE(answering,
                  "trunks::engine: a call counts for calls that go out from its ACK on") {
    add(wanted);
    std::vector<request_text> theirs;
    for (int n = 0; n < 3; ++n) {
        theirs.push_back(fresh());
        receive(theirs.back().text());
        receive(theirs.back().ack(last()));
    }
    CHECK(trunks[0]->channels->taken() == 3);
    CHECK(dial().empty());
    advance(3s);
    CHECK(invite() == "486"); // What is acknowledged makes no room.
    CHECK(engine->calls() == 3);
    running().hang_up_all("enough", now, out());
    settle();
    CHECK(trunks[0]->channels->taken() == 0);
}

TEST_CASE_FIXTURE(answering, "trunks::engine: calls that ring, or were cancelled, take no channel "
                             "from calls that go out") {
    answers = false;
    add(wanted);
    const auto first = fresh();
    receive(first.text());
    for (int n = 0; n < 2; ++n) CHECK(invite() == "180");
    CHECK(dial() == "INVITE");
    receive(first.cancel());
    CHECK(support::status_of(last()) == "487"); // Which is not acknowledged.
    CHECK(trunks[0]->channels->taken() == 3);
    CHECK(dial() == "INVITE");
    CHECK(dial() == "INVITE");
    CHECK(trunks[0]->channels->taken() == 5);
    running().hang_up_all("enough", now, out());
    settle();
    CHECK(trunks[0]->channels->taken() == 0);
}

TEST_CASE_FIXTURE(answering, "trunks::engine: where all are taken the call that waits for its ACK "
                             "longest makes room after two seconds") {
    add(wanted);
    for (int n = 0; n < 3; ++n) {
        CHECK(invite() == "200");
        advance(100ms);
    }
    advance(1600ms);
    CHECK(invite() == "486");
    advance(200ms);
    CHECK(invite() == "200");
    REQUIRE(records.size() == 2);
    CHECK(records[1].ended_by == ended_by::timeout);
    CHECK(records[1].call_id == "1@198.51.100.1");
    CHECK(trunks[0]->channels->taken() == 3);
    advance(120s);
    CHECK(trunks[0]->channels->taken() == 0);
    CHECK(engine->idle());
}

} // namespace
} // namespace trunkline
