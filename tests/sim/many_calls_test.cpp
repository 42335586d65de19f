// Ten thousand calls between two engines over networks that lose, repeat and reorder what they
// carry. Nobody scripts them: both sides do what comes into their heads, from a seed that a failure
// prints.
#include <trunkline/sim/world.hpp>

#include <doctest/doctest.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace trunkline::sim {
namespace {

using namespace std::chrono_literals;

const endpoint here{address::v4(192, 0, 2, 1), 5060};
const endpoint there{address::v4(198, 51, 100, 1), 5060};

/// What became of the calls of one side: each agent that came to be is told of one end, and of
/// nothing after it.
struct ledger {
    int begun = 0; ///< Calls that were given an agent.
    int answered = 0;
    int ended = 0;
    int agents = 0; ///< That are alive.
    int after_the_end = 0;
    std::map<std::uint64_t, call_handle> live{};
};

class fickle final : public agent {
public:
    explicit fickle(ledger& of) : of_{of} { ++of_.agents; }
    ~fickle() override { --of_.agents; }
    void on_initiated(call& c) override { told(c); }
    void on_ringing(call& c) override { told(c); }
    void on_early_media(call& c) override { told(c); }
    void on_answered(call& c) override {
        told(c);
        ++of_.answered;
    }
    void on_audio(call& c, const audio_frame&) override { told(c); }
    void on_transfer(call& c, const transfer_progress&) override { told(c); }
    void on_ended(call& c, const call_record&) override {
        if (std::exchange(over_, true)) ++of_.after_the_end;
        ++of_.ended;
        of_.live.erase(c.id());
    }

private:
    void told(const call& c) {
        if (over_) ++of_.after_the_end;
        of_.live.insert_or_assign(c.id(), c.handle());
    }
    ledger& of_;
    bool over_ = false;
};

/// Two engines, and a hand that meddles with their calls ten times a second.
struct pair_of_engines {
    static constexpr int calls_at_once = 25;

    seeded_entropy random;
    world network;
    ledger caller;
    ledger callee;
    std::map<std::uint64_t, call_handle> ringing; ///< Undecided, at the callee.
    host* left = nullptr;
    host* right = nullptr;
    std::vector<std::function<void()>> posted;

    pair_of_engines(std::uint64_t seed, const weather& how) : random{seed}, network{seed, how} {
        left = &network.add_host(here, config_of(false));
        right = &network.add_host(there, config_of(true));
        left->set_trunks({trunk_to(there)});
        right->set_trunks({trunk_to(here)});
    }
    [[nodiscard]] trunks::engine_config config_of(bool answers) {
        trunks::engine_config made;
        made.mailbox = std::make_shared<const call_handle::mailbox>(
            [this, answers](const std::function<void(trunks::engine&)>& task) {
                posted.push_back([this, answers, task] {
                    (answers ? right : left)
                        ->run([&](trunks::engine& engine, time_point now, outbox& out) {
                            engine.run(task, now, out);
                        });
                });
                return true;
            });
        if (answers) made.on_incoming = [this](incoming_call& call) { incoming(call); };
        return made;
    }
    [[nodiscard]] trunk_config trunk_to(const endpoint& peer) {
        trunk_config made{
            .name = "other", .gateways = {{.host = to_text(peer.address)}}, .numbers = {did{"*"}}};
        // A channel that is not given back refuses a call of the next wave.
        made.channels = calls_at_once;
        made.calls_per_second = 10'000;
        made.ringing_timeout = 20s;
        made.session_expires = 90s;
        constexpr std::array policies{prack_policy::off, prack_policy::supported,
                                      prack_policy::required};
        made.prack = policies[random.below(2) + (random.below(2) == 0 ? 0U : 1U)];
        if (peer == here && made.prack == prack_policy::required)
            made.prack = prack_policy::supported;
        return made;
    }
    [[nodiscard]] bool one_in(std::uint64_t n) { return random.below(n) == 0; }

    void incoming(incoming_call& call) {
        if (one_in(4)) static_cast<void>(call.ringing());
        if (one_in(6)) static_cast<void>(call.progress());
        if (one_in(3)) {
            answer(call, one_in(8));
        } else if (one_in(5)) {
            CHECK(call.reject(486));
        } else {
            ringing.insert_or_assign(call.id(), call.handle());
        }
    }
    /// A call that was answered already, or has ended, takes no agent.
    void answer(call& which, bool media) {
        if (which.answer(std::make_unique<fickle>(callee), {.media = media})) ++callee.begun;
    }
    void decide(const call_handle& which) {
        const auto what = random.below(8);
        which.post([this, what](call& c) {
            if (what < 4) {
                answer(c, what == 0);
            } else if (what < 5) {
                static_cast<void>(c.reject(603));
            } else if (what < 6) {
                c.hang_up("the callee's mind changed");
            } else if (what < 7) {
                static_cast<void>(c.progress());
            }
        });
    }
    void meddle(const call_handle& with) {
        const auto what = random.below(12);
        with.post([what](call& c) {
            if (what < 3) return c.hang_up("enough");
            if (what < 4) return static_cast<void>(c.transfer("tel:+14155550123"));
            if (what < 5) return static_cast<void>(c.report_referral(486));
        });
    }
    void do_posted() {
        while (!posted.empty()) {
            for (const auto& one : std::exchange(posted, {})) one();
        }
    }
    void step() {
        for (const auto& [id, handle] : std::map{ringing}) {
            if (!one_in(5)) continue;
            decide(handle);
            if (one_in(2)) ringing.erase(id);
        }
        for (auto* side : {&caller, &callee}) {
            for (const auto& [id, handle] : std::map{side->live}) {
                if (one_in(20)) meddle(handle);
            }
        }
        do_posted();
        network.run_for(100ms);
    }
    void wave(int count) {
        for (int i = 0; i < count; ++i) {
            dial_request what{.to = "+4930" + std::to_string(i), .from = "+49170"};
            what.agent = std::make_unique<fickle>(caller);
            ++caller.begun;
            left->run([&](trunks::engine& engine, time_point now, outbox& out) {
                engine.dial(std::move(what), now, out);
            });
            if (one_in(3)) step();
        }
        for (int i = 0; i < 40; ++i) step();
        if (one_in(8)) network.run_for(100s); // Who still talks has refreshed the session by then.
        // Now everybody leaves, and what was lost on the way is given up.
        for (auto* side : {&caller, &callee}) {
            for (const auto& [id, handle] : std::map{side->live}) handle.hang_up();
        }
        do_posted();
        ringing.clear();
        CHECK(network.run_until([&] { return left->engine().idle() && right->engine().idle(); },
                                300s));
        network.run_for(70s); // The last transactions absorb what may still come.
    }
    void check_over(int dialled) {
        CHECK(caller.begun == dialled);
        for (const auto* side : {&caller, &callee}) {
            CHECK(side->ended == side->begun);
            CHECK(side->agents == 0);
            CHECK(side->after_the_end == 0);
            CHECK(side->live.empty());
        }
        for (auto* side : {left, right}) {
            CHECK(side->engine().calls() == 0);
            CHECK(side->engine().transactions() == 0);
        }
    }
};

/// 40 pairs of engines with two waves of 25 calls each: 2,000 calls.
void two_thousand_calls(std::uint64_t first_seed, const weather& how, int least_answered) {
    int answered = 0;
    for (std::uint64_t seed = first_seed; seed < first_seed + 40; ++seed) {
        CAPTURE(seed);
        pair_of_engines both{seed, how};
        for (int i = 1; i <= 2; ++i) {
            both.wave(pair_of_engines::calls_at_once);
            both.check_over(i * pair_of_engines::calls_at_once);
        }
        answered += both.caller.answered;
    }
    CHECK(answered >= least_answered); // Or the weather was tried, and not the calls.
}

TEST_CASE("sim::world: two thousand calls on a dry day all end, once, and leave nothing behind") {
    two_thousand_calls(1, {}, 500);
}
TEST_CASE("sim::world: two thousand calls through loss all end, once, and leave nothing behind") {
    two_thousand_calls(1'000, {.delay = 30ms, .loss = 0.15}, 500);
}
TEST_CASE("sim::world: two thousand calls of which much comes twice end once all the same") {
    two_thousand_calls(2'000, {.delay = 10ms, .jitter = 5ms, .doubled = 0.5}, 500);
}
TEST_CASE("sim::world: two thousand calls whose messages overtake each other all end") {
    two_thousand_calls(3'000, {.delay = 5ms, .jitter = 400ms}, 500);
}
TEST_CASE("sim::world: two thousand calls in a storm all end, once, and leave nothing behind") {
    two_thousand_calls(4'000, {.delay = 50ms, .jitter = 300ms, .loss = 0.3, .doubled = 0.2}, 100);
}

} // namespace
} // namespace trunkline::sim
