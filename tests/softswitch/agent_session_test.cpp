// A conversation with an agent behind a socket, without a socket.
#include "sockets/agent_session.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "sockets/twilio.hpp"

namespace softswitch {
namespace {

using namespace std::chrono_literals;
using json = nlohmann::json;

struct conversation {
    trunkline::time_point now{};
    agent_session session{std::make_unique<twilio>(), now};
    std::uint64_t at = 8'000; ///< Calls do not begin at 0 for an agent.

    void start() {
        session.start(
            {.account_sid = "AC", .call_sid = "CA", .stream_sid = "MZ", .parameters = {}});
    }
    void hear(std::size_t samples = 160, std::byte what = std::byte{0xff}) {
        session.hear(std::vector<std::byte>(samples, what), at);
        at += samples;
    }
    void say(const std::string& text, bool binary = false) {
        wire_message message{binary, text};
        session.receive(message);
    }
    [[nodiscard]] std::vector<json> sent() {
        std::vector<json> made;
        wire_message next;
        while (session.next_message(next)) made.push_back(json::parse(next.bytes));
        return made;
    }
    [[nodiscard]] std::vector<std::string> events() {
        std::vector<std::string> made;
        for (const auto& one : sent()) {
            made.push_back(one["event"]);
            if (made.back() == "mark") made.back() += " " + one["mark"]["name"].get<std::string>();
        }
        return made;
    }
    /// And forgets them.
    [[nodiscard]] std::vector<std::string> wanted() {
        std::vector<std::string> made;
        for (const auto& one : std::exchange(session.wants(), {})) {
            if (const auto* play = std::get_if<wishes::play>(&one))
                made.push_back("play " + std::to_string(play->ulaw.size()));
            else if (const auto* mark = std::get_if<wishes::mark>(&one))
                made.push_back("mark " + mark->name);
            else if (std::holds_alternative<wishes::clear>(one))
                made.emplace_back("clear");
            else if (std::holds_alternative<wishes::hang_up>(one))
                made.emplace_back("hang up");
            else if (std::holds_alternative<wishes::stand_in>(one))
                made.emplace_back("stand in");
            else if (std::holds_alternative<wishes::ping>(one))
                made.emplace_back("ping");
            else if (const auto* close = std::get_if<wishes::close>(&one))
                made.push_back("close " + std::to_string(close->code));
        }
        return made;
    }
};
using texts = std::vector<std::string>;

TEST_CASE("softswitch::agent_session: nothing is said before the call is answered, then in order") {
    conversation with;
    with.hear();
    with.session.digit('1');
    CHECK(with.sent().empty());
    with.start();
    with.hear(400); // Two frames and a half.
    with.hear(80);
    const auto sent = with.sent();
    REQUIRE(sent.size() == 5);
    CHECK(sent[0]["event"] == "connected");
    CHECK(sent[1]["event"] == "start");
    CHECK(sent[2]["media"]["timestamp"] == "0");
    CHECK(sent[3]["media"]["timestamp"] == "20");
    CHECK(sent[4]["media"]["timestamp"] == "40");
    CHECK(sent[4]["sequenceNumber"] == "4");
    with.session.digit('7');
    CHECK(with.events() == texts{"dtmf"});
    CHECK(with.wanted().empty());
}

TEST_CASE("softswitch::agent_session: what the agent says becomes what the call does") {
    conversation with;
    with.say(R"({"event":"clear"})"); // Before start, it has nothing to say.
    with.start();
    with.say(R"({"event":"media","media":{"payload":"////"}})");
    with.say(R"({"event":"mark","mark":{"name":"one"}})");
    with.say(R"({"event":"clear"})");
    with.say("garbage");
    with.say("binary", true);
    CHECK(with.wanted() == texts{"play 3", "mark one", "clear"});
    CHECK(with.session.counted().not_understood == 2);
    with.session.mark_reached("one");
    CHECK(with.events() == texts{"connected", "start", "mark one"});
}

TEST_CASE("softswitch::agent_session: a slow agent hears the last two seconds, and marks at once") {
    conversation with;
    with.start();
    CHECK(with.sent().size() == 2);
    for (int i = 0; i < 150; ++i) with.hear();
    with.session.mark_reached("late");
    const auto sent = with.sent();
    REQUIRE(sent.size() == 101);
    CHECK(sent[0]["event"] == "mark");
    CHECK(sent[1]["media"]["timestamp"] == "1000");
    CHECK(sent[1]["media"]["chunk"] == "1");
    CHECK(sent[100]["media"]["timestamp"] == "2980");
    CHECK(with.session.counted().frames_dropped == 50);
    CHECK(with.session.counted().frames_sent == 100);
}

TEST_CASE("softswitch::agent_session: one that sets marks and reads nothing is given up") {
    conversation with;
    with.start();
    for (std::size_t i = 0; i <= agent_session::most_notices; ++i) {
        with.session.mark_reached(std::to_string(i));
    }
    CHECK(with.wanted() == texts{"stand in", "close 1001"});
    CHECK(with.session.over());
    CHECK(with.sent().empty());
}

TEST_CASE("softswitch::agent_session: the end of the call is told behind its last words") {
    conversation with;
    with.start();
    with.hear(200, std::byte{0x10});
    with.session.call_ended();
    const auto sent = with.sent();
    REQUIRE(sent.size() == 5);
    CHECK(sent[3]["event"] == "media");
    CHECK(sent[3]["media"]["payload"].get<std::string>().starts_with("EBAQ"));
    CHECK(sent[3]["media"]["payload"].get<std::string>().ends_with("////w=="));
    CHECK(sent[4]["event"] == "stop");
    CHECK(with.wanted() == texts{"close 1000"});
    with.session.closed(1'000, "it closed");
    CHECK(with.wanted().empty());
    with.session.call_ended();
    CHECK(with.sent().empty());
}

TEST_CASE("softswitch::agent_session: a call that ends before it was answered says nothing") {
    conversation with;
    with.session.call_ended();
    CHECK(with.sent().empty());
    CHECK(with.wanted() == texts{"close 1000"});
}

TEST_CASE("softswitch::agent_session: a close frame ends the call, a broken line does not") {
    const std::map<int, texts> expected{
        {1'000, {"hang up"}},
        {1'001, {"hang up"}},
        {1'005, {"hang up"}},
        {1'011, {"stand in", "close 1001"}},
        {1'012, {"stand in", "close 1001"}},
        {-1, {"stand in", "close 1001"}},
    };
    for (const auto& [code, what] : expected) {
        for (const bool answered : {false, true}) {
            CAPTURE(code);
            conversation with;
            if (answered) with.start();
            if (code < 0)
                with.session.closed({}, "reset");
            else
                with.session.closed(static_cast<std::uint16_t>(code), "it closed");
            CHECK(with.wanted() == what);
            CHECK(with.session.over());
        }
    }
}

TEST_CASE("softswitch::agent_session: who answers no ping for 5 s is dead") {
    conversation with;
    with.start();
    const auto run = [&](trunkline::duration time, bool answers) {
        texts seen;
        for (const auto end = with.now + time; with.session.next_deadline();) {
            if (*with.session.next_deadline() > end) break;
            with.now = *with.session.next_deadline();
            with.session.tick(with.now);
            for (auto& one : with.wanted()) seen.push_back(std::move(one));
            if (answers) with.session.pong();
        }
        return seen;
    };
    CHECK(run(60s, true) == texts(24, "ping"));
    const auto seen = run(60s, false);
    CHECK(std::ranges::count(seen, "ping") >= 2);
    CHECK(seen.back() == "close 1001");
    CHECK(with.now < trunkline::time_point{} + 60s + 8s);
    CHECK_FALSE(with.session.next_deadline());
}

TEST_CASE("softswitch::agent_session: while we do not read, no pong is missed") {
    conversation with;
    with.start();
    with.now += 2'500ms;
    with.session.tick(with.now);
    CHECK(with.wanted() == texts{"ping"});
    for (int i = 0; i < 20; ++i) {
        with.now += 1s;
        with.session.read_again(with.now);
        with.session.tick(with.now);
    }
    CHECK_FALSE(with.session.over());
    with.now += 5s;
    with.session.tick(with.now);
    CHECK(with.session.over());
}

} // namespace
} // namespace softswitch
