#include <trunkline/sim/world.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace trunkline::sim {
namespace {

using namespace std::chrono_literals;

const endpoint here{address::v4(192, 0, 2, 1), 5060};
const endpoint there{address::v4(198, 51, 100, 1), 5060};

struct seen {
    int answered = 0;
    std::size_t samples = 0;
    std::optional<call_record> record;
};

struct speaker : agent {
    explicit speaker(seen& into) : saw{into} {}
    void on_answered(call& call) override {
        ++saw.answered;
        std::vector<std::int16_t> tone(8'000, 1'000);
        if (auto speech = call.say()) {
            speech->write(tone);
            speech->finish();
        }
    }
    void on_audio(call&, const audio_frame& heard) override { saw.samples += heard.samples.size(); }
    void on_drained(call& call) override { call.hang_up(); }
    void on_ended(call&, const call_record& record) override { saw.record = record; }
    seen& saw;
};

struct listener : agent {
    explicit listener(seen& into) : saw{into} {}
    void on_audio(call&, const audio_frame& heard) override { saw.samples += heard.samples.size(); }
    seen& saw;
};

trunk_config trunk_to(const endpoint& peer) {
    return {
        .name = "carrier", .gateways = {{.host = to_text(peer.address)}}, .numbers = {did{"*"}}};
}

TEST_CASE("sim::world: a call of a second takes no time, through loss and reordering") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        world network{seed, {.delay = 30ms, .jitter = 25ms, .loss = 0.05, .doubled = 0.05}};
        seen caller;
        seen callee;
        trunks::engine_config answering;
        answering.on_incoming = [&](incoming_call& call) {
            call.answer(std::make_unique<listener>(callee));
        };
        auto& left = network.add_host(here);
        auto& right = network.add_host(there, std::move(answering));
        left.set_trunks({trunk_to(there)});
        right.set_trunks({trunk_to(here)});
        left.run([&](trunks::engine& engine, time_point now, outbox& out) {
            engine.dial({.to = "+14155550100", .agent = std::make_unique<speaker>(caller)}, now,
                        out);
        });
        REQUIRE(network.run_until([&] { return caller.record.has_value(); }, 60s));
        CHECK(caller.answered == 1);
        CHECK(caller.record->sip_code != 408);
        CHECK(callee.samples >= 6'000);
        network.run_for(80s);
        CHECK(left.engine().idle());
        CHECK(right.engine().idle());
    }
}

TEST_CASE("sim::world: a carrier of literal text is busy") {
    world network{7};
    seen caller;
    auto& left = network.add_host(here);
    auto& busy =
        network.add_carrier(there, [](carrier& self, std::string_view heard, const endpoint& from) {
            if (!heard.starts_with("INVITE ")) return;
            const auto line = [&](std::string_view name) {
                const auto at = heard.find(name);
                return std::string{heard.substr(at, heard.find("\r\n", at) + 2 - at)};
            };
            auto to = line("To: ");
            to.insert(to.size() - 2, ";tag=busy");
            self.say("SIP/2.0 486 Busy Here\r\n" + line("Via: ") + line("From: ") + to +
                         line("Call-ID: ") + line("CSeq: ") + "Content-Length: 0\r\n\r\n",
                     from);
        });
    left.set_trunks({trunk_to(there)});
    left.run([&](trunks::engine& engine, time_point now, outbox& out) {
        engine.dial({.to = "+14155550100", .agent = std::make_unique<speaker>(caller)}, now, out);
    });
    REQUIRE(network.run_until([&] { return caller.record.has_value(); }, 5s));
    CHECK(caller.record->sip_code == 486);
    CHECK(caller.record->ended_by == ended_by::callee);
    network.run_for(40s);
    CHECK(busy.heard.back().starts_with("ACK "));
    CHECK(left.engine().idle());
}

} // namespace
} // namespace trunkline::sim
