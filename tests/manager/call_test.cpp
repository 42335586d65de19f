// Two managers that call each other over real sockets.
#include <array>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "manager/phones.hpp"
#include "support/counted_heap.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::on_loopback;
using support::pair_of_managers;
using support::seen;
using support::toner;
using support::until;

/// Says one thing, and hangs up when it was said.
struct greeter final : agent {
    void on_answered(call& c) override {
        auto speech = c.say();
        REQUIRE(speech);
        const std::array<std::int16_t, 1'600> hello{};
        CHECK(speech->write(hello));
        CHECK(speech->finish());
        c.hang_up_after_drain();
    }
};

TEST_CASE("trunkline::trunk_manager: two of them talk, with tones both ways, and one hangs up") {
    seen called;
    auto config = on_loopback();
    config.on_incoming = [&](incoming_call& call) {
        CHECK(call.from() == "100");
        CHECK(call.to() == "200");
        CHECK(call.trunk() == "other");
        CHECK(call.ringing());
        CHECK(call.answer(std::make_unique<toner>(called, 1'000)));
    };
    pair_of_managers both{std::move(config)};
    call_handle handle;
    std::atomic<bool> up = false;
    both.dial(std::make_unique<toner>(both.calling, 600, [&](call& c) {
        handle = c.handle();
        up = true;
    }));
    REQUIRE(until([&] { return both.calling.level_at(1'000) > -13; }));
    REQUIRE(until([&] { return called.level_at(600) > -13; }));
    // Each hears the other and nobody else: -10 dBm0 as it was sent, and 20 dB less of any other.
    CHECK(both.calling.level_at(1'000) == doctest::Approx(-10).epsilon(0.1));
    CHECK(both.calling.level_at(600) < -40);
    CHECK(called.level_at(600) == doctest::Approx(-10).epsilon(0.1));
    CHECK(called.level_at(1'000) < -40);
    CHECK(both.caller.calls() == 1);
    CHECK(both.callee.calls() == 1);

    REQUIRE(up);
    handle.post([](call& c) { CHECK(c.send_digits("19#")); });
    REQUIRE(until([&] {
        const std::lock_guard held{called.guard};
        return called.digits == "19#";
    }));
    CHECK(handle.hang_up());
    REQUIRE(until([&] { return both.calling.ended() == 1 && called.ended() == 1; }));
    CHECK(both.calling.record().ended_by == ended_by::application);
    CHECK(called.record().ended_by == ended_by::caller);
    CHECK(called.record().media.lost == 0);
    CHECK(called.record().first_heard.has_value());
    CHECK(called.record().call_id == both.calling.record().call_id);
    REQUIRE(until([&] { return both.caller.calls() + both.callee.calls() == 0; }));
    std::atomic<bool> gone = false;
    CHECK(handle.post([](call&) { FAIL("the call is over"); }, [&] { gone = true; }));
    REQUIRE(until([&] { return gone.load(); }));
    both.caller.stop();
    CHECK_FALSE(handle.hang_up());
}

TEST_CASE("trunkline::trunk_manager: the called side may hang up, too, and refuse") {
    seen called;
    auto config = on_loopback();
    config.on_incoming = [&](incoming_call& call) {
        if (call.to() == "486") {
            CHECK(call.reject(486));
            return;
        }
        CHECK(call.answer(std::make_unique<greeter>()));
    };
    pair_of_managers both{std::move(config)};
    both.dial(std::make_unique<toner>(both.calling, 600), "486");
    REQUIRE(until([&] { return both.calling.ended() == 1; }));
    CHECK(both.calling.record().sip_code == 486);
    CHECK(both.calling.record().ended_by == ended_by::callee);
    both.dial(std::make_unique<toner>(both.calling, 600));
    REQUIRE(until([&] { return both.calling.ended() == 2; }));
    CHECK(both.calling.record(1).ended_by == ended_by::callee);
    // All of it was sent before the BYE.
    CHECK(both.calling.record(1).lasted > 180ms);
}

TEST_CASE("trunkline::trunk_manager: with four shards the eleventh call of ten is refused") {
    seen called;
    std::atomic<int> shards_seen = 0;
    std::mutex guard;
    std::set<std::thread::id> threads;
    auto config = on_loopback(4);
    config.on_incoming = [&](incoming_call& call) {
        {
            const std::lock_guard held{guard};
            threads.insert(std::this_thread::get_id());
            shards_seen = static_cast<int>(threads.size());
        }
        CHECK(call.answer(std::make_unique<toner>(called, 1'000)));
    };
    // Agents write here for as long as the managers live, so these outlive them.
    std::mutex handles_guard;
    std::vector<call_handle> handles;
    pair_of_managers both{std::move(config), 10};
    for (int round = 1; round <= 3; ++round) {
        const auto want = static_cast<std::size_t>(round);
        for (int i = 0; i < 25; ++i) {
            both.dial(std::make_unique<toner>(both.calling, 600, [&](call& c) {
                const std::lock_guard held{handles_guard};
                handles.push_back(c.handle());
            }));
        }
        REQUIRE(until([&] {
            const std::lock_guard held{handles_guard};
            return handles.size() == 10 && both.calling.ended() == 25 * want - 10;
        }));
        CHECK(both.calling.count("answered") == 10 * want);
        CHECK(both.callee.calls() == 10);
        {
            const std::lock_guard held{handles_guard};
            for (const auto& each : handles) CHECK(each.hang_up());
            handles.clear();
        }
        REQUIRE(until([&] { return both.caller.calls() + both.callee.calls() == 0; }));
        REQUIRE(until([&] { return both.calling.ended() == 25 * want; }));
    }
    std::size_t busy = 0;
    for (std::size_t i = 0; i < 75; ++i) busy += both.calling.record(i).sip_code == 486 ? 1U : 0U;
    CHECK(busy == 45);
    CHECK(shards_seen > 1);
}

TEST_CASE(
    "trunkline::trunk_manager: a drain lets calls end, refuses others, and then run returns") {
    for (const std::uint16_t shards : {std::uint16_t{1}, std::uint16_t{4}}) {
        seen called;
        auto config = on_loopback(shards);
        config.on_incoming = [&](incoming_call& call) {
            CHECK(call.answer(std::make_unique<toner>(called, 1'000)));
        };
        seen calling;
        trunk_manager caller{on_loopback()};
        trunk_manager callee{std::move(config)};
        REQUIRE(caller.add_trunk(support::trunk_to(callee)).has_value());
        REQUIRE(callee.add_trunk(support::trunk_to(caller)).has_value());
        caller.start();
        std::atomic<bool> returned = false;
        std::thread loop{[&] {
            callee.run();
            returned = true;
        }};
        const auto dial = [&](std::vector<call_handle>* keep) {
            dial_request made;
            made.to = "1";
            made.agent = std::make_unique<toner>(calling, 600, [keep](call& c) {
                if (keep != nullptr) keep->push_back(c.handle());
            });
            caller.dial(std::move(made));
        };
        std::vector<call_handle> handles;
        for (int i = 0; i < 8; ++i) dial(&handles);
        REQUIRE(until([&] { return calling.count("answered") == 8; }));
        callee.drain(60s);
        // The command has to have arrived before a call is made that it is to refuse.
        REQUIRE(until([&] {
            dial(nullptr);
            return until([&] { return calling.ended() > 0; }, 1s) &&
                   calling.record(calling.ended() - 1).sip_code == 503;
        }));
        CHECK_FALSE(returned);
        CHECK(callee.calls() >= 8);
        caller.drain(0s); // All of ours get BYE.
        REQUIRE(until([&] { return returned.load(); }));
        loop.join();
        CHECK(callee.calls() == 0);
        CHECK(called.ended() >= 8);
    }
}

TEST_CASE("trunkline::trunk_manager: at the deadline of a drain every shard's calls get BYE") {
    seen called;
    auto config = on_loopback(3);
    config.on_incoming = [&](incoming_call& call) {
        CHECK(call.answer(std::make_unique<toner>(called, 1'000)));
    };
    pair_of_managers both{std::move(config)};
    for (int i = 0; i < 9; ++i) both.dial(std::make_unique<toner>(both.calling, 600));
    REQUIRE(until([&] { return both.calling.count("answered") == 9; }));
    REQUIRE(until([&] { return called.count("answered") == 9; }));
    both.callee.drain(50ms);
    REQUIRE(until([&] { return both.calling.ended() == 9; }));
    for (std::size_t i = 0; i < 9; ++i) {
        CHECK(both.calling.record(i).ended_by == ended_by::callee);
        CHECK(called.record(i).ended_by == ended_by::application);
        CHECK(called.record(i).reason == "shutting down");
    }
    REQUIRE(until([&] { return both.callee.calls() == 0; }));
}

TEST_CASE("trunkline::trunk_manager: stops in a callback, and is destroyed with calls alive") {
    seen called;
    std::atomic<bool> stopped = false;
    trunk_manager* running = nullptr;
    auto config = on_loopback();
    config.on_incoming = [&](incoming_call& call) {
        CHECK(call.answer(std::make_unique<toner>(called, 1'000)));
        running->stop();
        stopped = true;
    };
    seen calling;
    trunk_manager caller{on_loopback()};
    trunk_manager callee{std::move(config)};
    running = &callee;
    REQUIRE(caller.add_trunk(support::trunk_to(callee)).has_value());
    REQUIRE(callee.add_trunk(support::trunk_to(caller)).has_value());
    caller.start();
    dial_request made;
    made.to = "1";
    made.agent = std::make_unique<toner>(calling, 600);
    caller.dial(std::move(made));
    callee.run();
    CHECK(stopped);
    callee.run(); // Stopped is stopped.
}

TEST_CASE("trunkline::call_handle: outlives its manager, and says that nobody is there") {
    call_handle handle;
    seen calling;
    {
        seen called;
        auto config = on_loopback();
        config.on_incoming = [&](incoming_call& call) {
            CHECK(call.answer(std::make_unique<toner>(called, 1'000)));
        };
        pair_of_managers both{std::move(config)};
        std::atomic<bool> up = false;
        both.dial(std::make_unique<toner>(calling, 600, [&](call& c) {
            handle = c.handle();
            up = true;
        }));
        REQUIRE(until([&] { return up.load(); }));
    }
    CHECK_FALSE(handle.hang_up());
    CHECK_FALSE(handle.post([](call&) {}));
    CHECK_FALSE(handle.clear());
}

TEST_CASE("trunkline::call_handle: commands of many threads reach the call, the late ones nobody") {
    seen called;
    auto config = on_loopback(2);
    config.on_incoming = [&](incoming_call& call) {
        CHECK(call.answer(std::make_unique<toner>(called, 1'000)));
    };
    pair_of_managers both{std::move(config)};
    std::mutex guard;
    std::vector<call_handle> handles;
    for (int i = 0; i < 4; ++i) {
        both.dial(std::make_unique<toner>(both.calling, 600, [&](call& c) {
            const std::lock_guard held{guard};
            handles.push_back(c.handle());
        }));
    }
    REQUIRE(until([&] {
        const std::lock_guard held{guard};
        return handles.size() == 4;
    }));
    std::atomic<int> reached = 0;
    std::atomic<int> gone = 0;
    std::vector<std::thread> others;
    for (std::size_t n = 0; n < 4; ++n) {
        others.emplace_back([&, n] {
            for (std::size_t i = 0; i < 200; ++i) {
                const auto& handle = handles[(n + i) % 4];
                CHECK(handle.post(
                    [&](call& c) {
                        static_cast<void>(c.pause());
                        static_cast<void>(c.resume());
                        ++reached;
                    },
                    [&] { ++gone; }));
                if (n == 0 && i == 100) handles[0].hang_up();
                if (n == 1 && i == 100) handles[1].clear();
            }
        });
    }
    for (auto& each : others) each.join();
    REQUIRE(until([&] { return reached + gone == 800; }));
    CHECK(reached >= 600);
    REQUIRE(until([&] { return both.calling.ended() == 1; }));
}

TEST_CASE("trunkline::trunk_manager: trunks come and go while it runs") {
    seen called;
    auto config = on_loopback(2);
    config.on_incoming = [&](incoming_call& call) {
        CHECK(call.answer(std::make_unique<toner>(called, 1'000)));
    };
    pair_of_managers both{std::move(config)};
    auto second = support::trunk_to(both.callee);
    second.name = "second";
    const auto id = both.caller.add_trunk(second);
    REQUIRE(id.has_value());
    const auto twice = both.caller.add_trunk(second);
    REQUIRE_FALSE(twice.has_value());
    CHECK(twice.reason().rule == "unique");
    const auto dial = [&] { both.dial_by("second"); };
    dial();
    REQUIRE(until([&] { return both.calling.count("answered") == 1; }));
    CHECK(both.caller.remove_trunk(*id));
    CHECK_FALSE(both.caller.remove_trunk(*id));
    dial();
    REQUIRE(until([&] { return both.calling.ended() == 1; }));
    CHECK(both.calling.record().failure == call_failure::no_route);
    CHECK(both.caller.calls() == 1); // The first one keeps the trunk that it began with.
    CHECK(both.caller.add_trunk(second).has_value());
    dial();
    REQUIRE(until([&] { return both.calling.count("answered") == 2; }));
}

TEST_CASE(
    "trunkline::trunk_manager: a trunk changes in one step, and its calls in progress count") {
    seen called;
    auto config = on_loopback(2);
    config.on_incoming = [&](incoming_call& call) {
        CHECK(call.answer(std::make_unique<toner>(called, 1'000)));
    };
    pair_of_managers both{std::move(config)};
    auto second = support::trunk_to(both.callee);
    second.name = "second";
    const auto id = both.caller.add_trunk(second);
    REQUIRE(id.has_value());
    both.dial_by("second");
    REQUIRE(until([&] { return both.calling.count("answered") == 1; }));
    auto changed = second;
    changed.name = "third";
    changed.channels = 1;
    CHECK(both.caller.replace_trunk(*id, changed).has_value());
    both.dial_by("second");
    REQUIRE(until([&] { return both.calling.ended() == 1; }));
    CHECK(both.calling.record().failure == call_failure::no_route);
    both.dial_by("third");
    REQUIRE(until([&] { return both.calling.ended() == 2; }));
    CHECK(both.calling.record(1).failure ==
          call_failure::no_channel); // Its one channel is the first call's.
    CHECK(both.caller.calls() == 1);
    changed.name = "other";
    const auto twice = both.caller.replace_trunk(*id, changed);
    REQUIRE_FALSE(twice.has_value());
    CHECK(twice.reason().rule == "unique");
    changed.name = "";
    CHECK(both.caller.replace_trunk(*id, changed).reason().field == "name");
    CHECK(both.caller.remove_trunk(*id));
    CHECK(both.caller.replace_trunk(*id, second).reason().rule == "known");
}

TEST_CASE("trunkline::trunk_manager: says what is wrong with its configuration") {
    const auto reason = [](manager_config config) -> std::string {
        try {
            const trunk_manager made{std::move(config)};
        } catch (const std::invalid_argument& failed) {
            return failed.what();
        } catch (const std::system_error& failed) {
            return std::string{"system: "} + failed.what();
        }
        return {};
    };
    const auto listening = [](std::string at, std::string advertise = {}) {
        auto made = on_loopback();
        made.listen = {{std::move(at), std::move(advertise)}};
        return made;
    };
    CHECK(reason(on_loopback()).empty());
    CHECK(reason(on_loopback(0)).find("shards") != std::string::npos);
    CHECK(reason(on_loopback(65)).find("shards") != std::string::npos);
    for (const auto* at : {"", "udp", "udp:", "127.0.0.1:5060", "sctp:127.0.0.1:0", "udp:here:5060",
                           "udp:127.0.0.1", "udp:127.0.0.1:65536"}) {
        CHECK(reason(listening(at)).find("expected udp:ADDRESS:PORT") != std::string::npos);
    }
    for (const auto* good : {"203.0.113.7", "203.0.113.7:5060", "sip.example.org",
                             "sip.example.org:5080", "2001:db8::1", "[2001:db8::1]:5060"}) {
        CHECK(reason(listening("udp:127.0.0.1:0", good)).empty());
    }
    for (const auto* bad : {"sip.example.org:", "sip.example.org:x", "sip.example.org:70000",
                            "sip.example.org:5060x", ":5060"}) {
        CHECK(reason(listening("udp:127.0.0.1:0", bad)).find("advertise") != std::string::npos);
    }
    auto config = on_loopback();
    config.media.at = "somewhere";
    CHECK(reason(config).find("media.at") != std::string::npos);
    CHECK(reason(listening("udp:192.0.2.254:5060")).starts_with("system: "));
}

/// Gives back what it hears.
struct echo final : agent {
    std::atomic<std::size_t>* frames;
    explicit echo(std::atomic<std::size_t>& into) : frames{&into} {}
    void on_audio(call& c, const audio_frame& frame) override {
        static_cast<void>(c.send(frame));
        ++*frames;
    }
};

TEST_CASE("trunkline::trunk_manager: a running call allocates nothing a packet") {
    std::atomic<std::size_t> here = 0;
    std::atomic<std::size_t> there = 0;
    auto config = on_loopback();
    config.on_incoming = [&](incoming_call& call) {
        CHECK(call.answer(std::make_unique<echo>(there)));
    };
    pair_of_managers both{std::move(config)};
    both.dial(std::make_unique<echo>(here));
    // Long enough for every buffer to have its size, and for the first reports to have gone.
    REQUIRE(until([&] { return here > 300 && there > 300; }, 20s));
    // A late report may still find a buffer its size, once; what allocates a packet does so each
    // time.
    std::size_t allocated = 1;
    for (int chances = 3; allocated != 0 && chances > 0; --chances) {
        const auto from = here.load();
        const auto before = support::allocations();
        REQUIRE(until([&] { return here > from + 150; }, 20s));
        allocated = support::allocations() - before;
    }
    CHECK(allocated == 0);
}

TEST_CASE("trunkline::trunk_manager: what is wrong with a configuration is named") {
    const auto words = [](manager_config wanted) {
        try {
            const trunk_manager made{std::move(wanted)};
        } catch (const std::exception& why) {
            return std::string{why.what()};
        }
        return std::string{};
    };
    auto wrong = support::on_loopback();
    wrong.media_ports = {20'000, 10'000};
    CHECK(words(wrong) ==
          "media_ports: has to be a range of two ports or more, and is 20000 to 10000");
    wrong.media_ports = {0, 10'000};
    CHECK(words(wrong).starts_with("media_ports: "));
    wrong = support::on_loopback();
    wrong.max_calls = 0;
    CHECK(words(wrong).starts_with("max_calls "));
    trunk_manager running{support::on_loopback()};
    CHECK_THROWS_AS(running.drain(-1ms), std::invalid_argument);
    // Of several listeners the one that is in use, and not the first of them.
    const auto taken = "udp:" + to_text(running.listening(0));
    auto config = support::on_loopback();
    config.listen = {{.at = "udp:127.0.0.1:0"}, {.at = taken}};
    CHECK(words(config).starts_with("cannot listen at " + taken));
}

} // namespace
} // namespace trunkline
