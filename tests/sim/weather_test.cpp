// The way between two ends: what is lost there, what comes twice, and how long it takes.
#include <trunkline/sim/world.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trunkline::sim {
namespace {

using namespace std::chrono_literals;

const endpoint here{address::v4(192, 0, 2, 1), 5060};
const endpoint there{address::v4(198, 51, 100, 1), 5060};

/// A hundred datagrams from one carrier to another, and when each came.
struct hundred {
    std::vector<std::pair<std::string, duration>> came;

    explicit hundred(weather how, std::uint64_t seed = 1) {
        world network{seed, how};
        auto& from = network.add_carrier(here, [](carrier&, std::string_view, const endpoint&) {});
        const auto began = network.now();
        network.add_carrier(there, [&](carrier&, std::string_view heard, const endpoint& by) {
            CHECK(by == here);
            came.emplace_back(heard, network.now() - began);
        });
        for (int i = 0; i < 100; ++i) from.say(std::to_string(i), there);
        network.run_for(10s);
    }
    [[nodiscard]] bool in_order() const {
        for (std::size_t i = 1; i < came.size(); ++i) {
            if (std::stoi(came[i].first) < std::stoi(came[i - 1].first)) return false;
        }
        return true;
    }
};

TEST_CASE("sim::world: on a dry day all comes once, in order, after the delay exactly") {
    const hundred sent{{.delay = 30ms}};
    REQUIRE(sent.came.size() == 100);
    CHECK(sent.in_order());
    for (const auto& [text, after] : sent.came) CHECK(after == 30ms);
}

TEST_CASE("sim::world: a loss of 1 lets nothing through, one of a half about half") {
    CHECK(hundred{{.loss = 1}}.came.empty());
    const auto half = hundred{{.loss = 0.5}}.came.size();
    CHECK(half > 25);
    CHECK(half < 75);
}

TEST_CASE("sim::world: what is doubled comes twice, and no more often") {
    const hundred sent{{.doubled = 1}};
    REQUIRE(sent.came.size() == 200);
    for (std::size_t i = 0; i < 200; ++i) CHECK(sent.came[i].first == std::to_string(i / 2));
}

TEST_CASE("sim::world: jitter comes on top of the delay, and lets one overtake another") {
    const hundred sent{{.delay = 30ms, .jitter = 20ms}};
    REQUIRE(sent.came.size() == 100);
    CHECK_FALSE(sent.in_order());
    for (const auto& [text, after] : sent.came) {
        CHECK(after >= 30ms);
        CHECK(after < 50ms);
    }
}

TEST_CASE("sim::world: a carrier hears what is sent to its own port alone") {
    world network{1};
    const auto deaf = [](carrier&, std::string_view, const endpoint&) {};
    auto& from = network.add_carrier(here, deaf);
    auto& first = network.add_carrier(there, deaf);
    auto& second = network.add_carrier({there.address, 5070}, deaf);
    from.say("to the second", second.at());
    from.say("to nobody", {there.address, 5080});
    network.run_for(1s);
    CHECK(first.heard.empty());
    CHECK(second.heard == std::vector<std::string>{"to the second"});
}

struct quiet : agent {
    explicit quiet(std::optional<call_record>& into) : record{into} {}
    void on_ended(call&, const call_record& told) override { record = told; }
    std::optional<call_record>& record;
};

// RFC 3550 section 6.4.1: what a report says of the round trip needs RTCP both ways.
TEST_CASE("sim::world: reports go beside the audio, and know the round trip") {
    world network{5, {.delay = 30ms}};
    std::optional<call_record> calling;
    std::optional<call_record> called;
    trunks::engine_config answering;
    answering.on_incoming = [&](incoming_call& call) {
        CHECK(call.answer(std::make_unique<quiet>(called)));
    };
    auto& left = network.add_host(here);
    auto& right = network.add_host(there, std::move(answering));
    const auto trunk_to = [](const endpoint& peer) {
        return trunk_config{.name = "carrier",
                            .gateways = {{.host = to_text(peer.address)}},
                            .numbers = {did{"*"}}};
    };
    left.set_trunks({trunk_to(there)});
    right.set_trunks({trunk_to(here)});
    left.run([&](trunks::engine& engine, time_point now, outbox& out) {
        engine.dial({.to = "+14155550100", .agent = std::make_unique<quiet>(calling)}, now, out);
    });
    network.run_for(30s);
    left.run([](trunks::engine& engine, time_point now, outbox& out) {
        engine.hang_up_all("enough", now, out);
    });
    REQUIRE(network.run_until([&] { return calling && called; }, 5s));
    for (const auto& record : {*calling, *called}) {
        REQUIRE(record.media.round_trip);
        CHECK(*record.media.round_trip > 59ms);
        CHECK(*record.media.round_trip < 61ms);
    }
}

} // namespace
} // namespace trunkline::sim
