// What agents are told, what they may do, and what becomes of a call when they fail.
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "trunk/driver.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::driver;
using support::request_text;

/// Writes down what it is told, and does what the test wants when it is told it.
struct diary final : agent {
    std::vector<std::string>* told;
    std::map<std::string, std::function<void(call&)>>* reactions;
    int* alive;

    diary(std::vector<std::string>& into, std::map<std::string, std::function<void(call&)>>& what,
          int& count)
        : told{&into},
          reactions{&what},
          alive{&count} {
        ++*alive;
    }
    ~diary() override { --*alive; }

    void on_ringing(call& c) override { happened(c, "ringing"); }
    void on_early_media(call& c) override { happened(c, "early media"); }
    void on_answered(call& c) override { happened(c, "answered"); }
    void on_audio(call& c, const audio_frame&) override { happened(c, "audio"); }
    void on_digit(call& c, char digit) override { happened(c, "digit", std::string{digit}); }
    void on_mark(call& c, std::string_view name, bool played) override {
        happened(c, "mark", std::string{name} + (played ? " played" : " dropped"));
    }
    void on_drained(call& c) override { happened(c, "drained"); }
    void on_ended(call& c, const call_record&) override { happened(c, "ended"); }

    void happened(call& c, const std::string& what, const std::string& detail = {}) {
        told->push_back(detail.empty() ? what : what + ' ' + detail);
        const auto at = reactions->find(what);
        // A copy: a reaction may end the call, and with it this.
        if (at != reactions->end()) std::function<void(call&)>{at->second}(c);
    }
};

struct desk : driver {
    std::vector<std::string> told;
    std::map<std::string, std::function<void(call&)>> when;
    int agents = 0;
    call_handle handle;
    std::string ok;
    request_text request;

    desk() {
        auto wanted = carrier();
        wanted.gateways = {{"198.51.100.1"}, {"198.51.100.2"}};
        config.on_incoming = [this](incoming_call& call) {
            handle = call.handle();
            if (const auto at = when.find("incoming"); at != when.end()) {
                return std::function<void(trunkline::call&)>{at->second}(call);
            }
            CHECK(call.answer(make()));
        };
        add(wanted);
    }
    [[nodiscard]] std::unique_ptr<agent> make() {
        return std::make_unique<diary>(told, when, agents);
    }
    /// An inbound call that is answered and acknowledged.
    void answered() {
        receive(request.text());
        ok = last();
        REQUIRE(support::status_of(ok) == "200");
        receive(request.ack(ok));
        static_cast<void>(texts());
    }
    /// All but what was heard: a caller who sends nothing is heard to be silent.
    [[nodiscard]] std::vector<std::string> told_without_audio() const {
        auto rest = told;
        std::erase(rest, "audio");
        return rest;
    }
    void with(std::function<void(call&)> what) {
        REQUIRE(handle.post(std::move(what)));
        settle();
    }
    void hear(int packets = 1) {
        for (int i = 0; i < packets; ++i) {
            rtp("192.0.2.20:30000", sequence++);
            advance(20ms);
        }
    }
    void dial(std::string to = "+4930999") {
        running().dial({.to = std::move(to), .agent = make()}, now, out());
        settle();
    }
    void digit(char which) {
        std::array<std::byte, 16> bytes{};
        bytes[0] = std::byte{0x80};
        bytes[1] = std::byte{0x80 | 101};
        bytes[2] = static_cast<std::byte>(sequence >> 8);
        bytes[3] = static_cast<std::byte>(sequence & 0xff);
        ++sequence;
        bytes[6] = static_cast<std::byte>(sequence);
        bytes[11] = std::byte{9};
        bytes[12] = static_cast<std::byte>(which - '0');
        bytes[13] = std::byte{10};
        bytes[15] = std::byte{160};
        running().receive(inputs::media_packet{open_ports.back(), owners[open_ports.back().slot],
                                               *endpoint::parse("192.0.2.20:30000"), false, bytes},
                          now, out());
        settle();
    }
    std::uint16_t sequence = 100;
};

constexpr std::array<std::int16_t, 1'600> two_hundred_ms{};

[[nodiscard]] error error_of(const auto& outcome) {
    return outcome ? error{} : outcome.reason();
}

TEST_CASE_FIXTURE(desk, "trunkline::agent: an inbound call is told from answer to end") {
    answered();
    hear(2);
    digit('5');
    receive(request.within("BYE", ok).text());
    const std::vector<std::string> expected{"answered", "audio", "audio", "digit 5", "ended"};
    CHECK(told == expected);
    CHECK(agents == 0);
    CHECK(handle.post([](call&) { FAIL("the call is over"); }, [this] { told.push_back("gone"); }));
    settle();
    CHECK(told.back() == "gone");
    advance(40s);
    CHECK(empty());
}

TEST_CASE_FIXTURE(desk, "trunkline::agent: an outbound call is told from ringing to end") {
    dial();
    const auto invite = last();
    receive(support::answer_to(invite, "180 Ringing"));
    receive(support::answer_to(invite, "183 Session Progress", "peer1", {}, support::their_sdp));
    hear(1);
    receive(support::answer_to(invite, "200 OK", "peer1", "Contact: <sip:gw@198.51.100.1:5060>\n",
                               support::their_sdp));
    CHECK(support::start_line(last()).starts_with("ACK "));
    hear(1);
    running().hang_up_all("enough", now, out());
    settle();
    const std::vector<std::string> expected{"ringing",  "early media", "audio",
                                            "answered", "audio",       "ended"};
    CHECK(told == expected);
    CHECK(agents == 0);
    receive(support::answer_to(last(), "200 OK"));
    advance(40s);
    CHECK(empty());
}

/// How far a call gets: the callbacks in which something can go wrong.
const std::vector<std::string> inbound_callbacks{"incoming", "answered", "audio",
                                                 "digit",    "mark",     "drained"};

/// Another call, to see that nothing happens to it.
struct two_calls : desk {
    void go_through(const std::string& callback, const std::function<void(call&)>& reaction) {
        CAPTURE(callback);
        when[callback] = [reaction, this](call& c) {
            when.clear();
            reaction(c);
        };
        receive(request.text());
        ok = last();
        if (support::status_of(ok) == "200") {
            receive(request.ack(ok));
            handle.post([](call& c) {
                auto speech = c.say();
                if (!speech) return;
                CHECK(speech->write(two_hundred_ms));
                CHECK(speech->mark("here"));
                CHECK(speech->finish());
            });
            settle();
            if (!open_ports.empty()) hear(1);
            if (!open_ports.empty()) digit('1');
            advance(400ms);
        } else if (ok.starts_with("SIP/2.0")) {
            receive(request.ack(ok));
        }
    }
    /// The other side takes the BYE, if that is how it ended.
    [[nodiscard]] std::string ending() {
        const auto fresh = texts();
        for (const auto& text : fresh) {
            if (!text.starts_with("BYE ")) continue;
            receive(support::answer_to(text, "200 OK"));
            return "BYE";
        }
        return support::status_of(ok);
    }
};

TEST_CASE("trunkline::agent: one that throws loses its call, and nothing else happens") {
    for (const auto& callback : inbound_callbacks) {
        for (const bool standard : {true, false}) {
            two_calls d;
            const request_text other{
                .from = "<sip:2@b>;tag=2", .call_id = "2", .branch = "z9hG4bK2"};
            d.receive(other.text());
            const auto other_ok = d.last();
            d.receive(other.ack(other_ok));
            static_cast<void>(d.texts());
            d.told.clear();
            d.go_through(callback, [standard](call&) {
                if (standard) throw std::runtime_error{"on purpose"};
                throw 5;
            });
            CHECK(d.ending() == (callback == "incoming" ? "500" : "BYE"));
            REQUIRE(d.records.size() == 1);
            CHECK(d.records[0].ended_by == ended_by::agent);
            CHECK(d.records[0].sip_code == (callback == "incoming" ? 500 : 0));
            CHECK(d.records[0].failure == call_failure::agent_failed);
            CHECK(d.noted(diagnostic::agent_failed) == 1);
            if (callback != "incoming") CHECK(std::ranges::count(d.told, "ended") == 1);
            CHECK(d.agents == 1);
            CHECK(d.engine->calls() == 1);
            d.receive(other.within("BYE", other_ok).text());
            CHECK(d.engine->calls() == 0);
            d.advance(40s);
            CHECK(d.empty());
        }
    }
}

TEST_CASE("trunkline::agent: one that throws at the end, or is told of it, harms nobody") {
    desk d;
    d.config.on_record = [](const call_record&) { throw 1; };
    d.config.on_note = [](const effects::note&) { throw 2; };
    d.engine.reset();
    d.publish();
    d.when["ended"] = [](call&) { throw 3; };
    d.answered();
    d.with([](call&) { throw 4; });
    CHECK(d.told.back() == "ended");
    CHECK(d.agents == 0);
    d.receive(support::answer_to(d.last(), "200 OK"));
    CHECK(d.handle.post([](call&) {}, [] { throw 5; }));
    d.settle();
    // A refused INVITE's record is told in another way.
    d.receive(
        request_text{.uri = "sip:9@a", .to = "<sip:9@a>", .call_id = "n", .branch = "z9hG4bKn"}
            .text());
    CHECK(support::status_of(d.last()) == "404");
    d.advance(40s);
    CHECK(d.engine->idle());
}

TEST_CASE("trunkline::agent: one that throws between two gateways ends the call") {
    desk d;
    bool threw = false;
    d.when["ringing"] = [&](call&) {
        threw = true;
        throw std::runtime_error{"on purpose"};
    };
    d.dial();
    const auto invite = d.last();
    // Ringing and failing in one turn: the callback comes when the first leg is gone already.
    auto& engine = *d.engine;
    const auto flow = d.flow_of(*endpoint::parse(support::carrier_at));
    for (auto text : {support::answer_to(invite, "180 Ringing"),
                      support::answer_to(invite, "503 Service Unavailable")}) {
        engine.receive(
            inputs::packet{flow, std::as_writable_bytes(std::span{text.data(), text.size()})},
            d.now, d.out());
    }
    d.settle();
    CHECK(threw);
    for (const auto& text : d.texts()) CHECK_FALSE(text.starts_with("INVITE"));
    REQUIRE(d.records.size() == 1);
    CHECK(d.records[0].ended_by == ended_by::agent);
    CHECK(d.agents == 0);
    d.advance(70s);
    CHECK(d.empty());
}

TEST_CASE("trunkline::agent: hanging up is legal in every callback") {
    for (const auto& callback : inbound_callbacks) {
        two_calls d;
        d.go_through(callback, [&](call& c) {
            c.hang_up();
            c.hang_up();
            c.hang_up_after_drain();
            CHECK_FALSE(c.ringing());
            CHECK_FALSE(c.reject(486));
        });
        CHECK(d.ending() == (callback == "incoming" ? "480" : "BYE"));
        REQUIRE(d.records.size() == 1);
        CHECK(d.records[0].ended_by == ended_by::application);
        if (callback != "incoming") CHECK(d.told.back() == "ended");
        CHECK(d.agents == 0);
        d.advance(40s);
        CHECK(d.empty());
    }
    for (const auto* callback : {"ringing", "early media", "answered", "ended"}) {
        desk d;
        CAPTURE(callback);
        d.when[callback] = [](call& c) { c.hang_up(); };
        d.dial();
        const auto invite = d.last();
        d.receive(support::answer_to(invite, "180 Ringing"));
        d.receive(
            support::answer_to(invite, "183 Session Progress", "peer1", {}, support::their_sdp));
        const bool early = std::string_view{callback} == "ringing" || callback[0] == 'e';
        if (early && std::string_view{callback} != "ended") {
            const auto cancel = d.last();
            CHECK(support::start_line(cancel).starts_with("CANCEL "));
            d.receive(support::answer_to(cancel, "200 OK"));
            d.receive(support::answer_to(invite, "487 Request Terminated"));
            CHECK(support::start_line(d.last()).starts_with("ACK "));
            REQUIRE(d.records.size() == 1);
            REQUIRE(d.records[0].attempts.size() == 1);
            CHECK(d.records[0].attempts[0].gateway == "198.51.100.1");
        } else {
            d.receive(support::answer_to(invite, "200 OK", "peer1",
                                         "Contact: <sip:gw@198.51.100.1:5060>\n",
                                         support::their_sdp));
            if (std::string_view{callback} == "ended") {
                d.engine->hang_up_all("enough", d.now, d.out());
                d.settle();
            }
            const auto bye = d.last();
            CHECK(support::start_line(bye).starts_with("BYE "));
            d.receive(support::answer_to(bye, "200 OK"));
        }
        CHECK(d.told.back() == "ended");
        CHECK(std::ranges::count(d.told, "ended") == 1);
        CHECK(d.agents == 0);
        d.advance(40s);
        CHECK(d.empty());
    }
}

TEST_CASE_FIXTURE(desk, "trunkline::call: nothing is told after the end") {
    when["answered"] = [](call& c) {
        auto speech = c.say();
        REQUIRE(speech);
        CHECK(speech->mark("at once"));
        CHECK(speech->write(two_hundred_ms));
        CHECK(speech->mark("never"));
        CHECK(speech->mark(""));
        c.hang_up();
    };
    answered();
    const std::vector<std::string> expected{"answered", "mark at once played", "mark never dropped",
                                            "mark  dropped", "ended"};
    CHECK(told == expected);
}

// Commands.

TEST_CASE_FIXTURE(desk,
                  "trunkline::call: speech before there is media is wrong_state, after it gone") {
    when["incoming"] = [this](call& c) {
        CHECK(error_of(c.say()) == error{.code = errc::wrong_state});
        CHECK(c.send(two_hundred_ms) == error{.code = errc::wrong_state});
        CHECK(c.pause() == error{.code = errc::wrong_state});
        CHECK(c.resume() == error{.code = errc::wrong_state});
        CHECK(c.send_digits("1") == error{.code = errc::wrong_state});
        CHECK(c.clear());
        CHECK(c.reject(200) == error{.code = errc::bad_number});
        CHECK(c.reject(700) == error{.code = errc::bad_number});
        CHECK(c.reject(486, "two\r\nlines") == error{.code = errc::bad_token, .offset = 3});
        CHECK(c.answer(make()));
        CHECK(c.answer(make()) == error{.code = errc::wrong_state});
        CHECK(c.reject(486) == error{.code = errc::wrong_state});
    };
    when["ended"] = [this](call& c) {
        CHECK(error_of(c.say()) == error{.code = errc::gone});
        CHECK(c.send(two_hundred_ms) == error{.code = errc::gone});
        CHECK(c.pause() == error{.code = errc::gone});
        CHECK(c.resume() == error{.code = errc::gone});
        CHECK(c.send_digits("1") == error{.code = errc::gone});
        CHECK_FALSE(c.clear());
        CHECK(c.answer(make()) == error{.code = errc::gone});
        CHECK(c.ringing() == error{.code = errc::gone});
        CHECK(c.progress() == error{.code = errc::gone});
        c.hang_up();
        c.hang_up_after_drain();
    };
    answered();
    CHECK(agents == 1);
    receive(request.within("BYE", ok).text());
    CHECK(told.back() == "ended");
    CHECK(agents == 0);
}

TEST_CASE_FIXTURE(desk, "trunkline::call: sends frames of 10 to 60 ms at once") {
    answered();
    advance(100ms);
    with([](call& c) {
        CHECK(c.send(std::span{two_hundred_ms}.first(480)));
        CHECK(c.send(std::span{two_hundred_ms}.first(481)) == error{.code = errc::limit_exceeded});
        CHECK(c.send(std::span<const std::int16_t>{}) == error{.code = errc::limit_exceeded});
        CHECK(c.send(audio_frame{std::span{two_hundred_ms}.first(160)}));
    });
    REQUIRE(media.size() >= 2);
    CHECK(media[media.size() - 2].bytes.size() == 12 + 480);
    CHECK(media.back().bytes.size() == 12 + 160);
    CHECK(media.back().to == *endpoint::parse("192.0.2.20:30000"));
}

TEST_CASE_FIXTURE(desk, "trunkline::utterance: played, marked and finished in order") {
    answered();
    utterance first;
    utterance second;
    with([&](call& c) {
        first = *c.say();
        second = *c.say();
        // Written in turn, played one after the other.
        CHECK(*second.write(two_hundred_ms) == 1'600);
        CHECK(second.mark("second"));
        CHECK(*first.write(two_hundred_ms) == 1'600);
        CHECK(first.mark("first"));
        CHECK(first.finish());
        CHECK(first.write(two_hundred_ms) == error{.code = errc::wrong_state});
        CHECK(second.finish());
    });
    advance(150ms);
    with([&](call&) { CHECK(*first.sent_up_to() >= 1'120); });
    CHECK(told == std::vector<std::string>{"answered"});
    advance(1s);
    CHECK(told_without_audio() == std::vector<std::string>{"answered", "mark first played",
                                                           "mark second played", "drained"});
    // From another place than the call's callbacks it is refused, not run.
    CHECK(first.write(two_hundred_ms) == error{.code = errc::wrong_thread});
    CHECK(utterance{}.finish() == error{.code = errc::wrong_state});
    receive(request.within("BYE", ok).text());
    running().run(
        [&](trunks::engine&) {
            CHECK(first.write(two_hundred_ms) == error{.code = errc::gone});
            CHECK(first.mark("m") == error{.code = errc::gone});
            CHECK(first.finish() == error{.code = errc::gone});
            CHECK(first.sent_up_to() == error{.code = errc::gone});
        },
        now, out());
}

TEST_CASE_FIXTURE(desk, "trunkline::utterance: one that was cleared says so, and what was unsent") {
    answered();
    utterance speech;
    std::vector<cleared> unsent;
    with([&](call& c) {
        speech = *c.say();
        CHECK(speech.write(two_hundred_ms));
        CHECK(speech.mark("end"));
    });
    advance(100ms);
    CHECK(handle.clear([&](std::vector<cleared> told_of) { unsent = std::move(told_of); }));
    settle();
    REQUIRE(unsent.size() == 1);
    CHECK(unsent[0].utterance == speech.id());
    CHECK(unsent[0].sent + unsent[0].unsent == 1'600);
    CHECK(unsent[0].sent >= 640);
    CHECK(told.back() == "mark end dropped");
    with([&](call& c) {
        CHECK(speech.write(two_hundred_ms) == error{.code = errc::cleared});
        CHECK(speech.mark("m") == error{.code = errc::cleared});
        CHECK(c.clear()->empty());
    });
}

TEST_CASE_FIXTURE(desk, "trunkline::call: pausing holds speech where it is, never the packets") {
    answered();
    utterance speech;
    with([&](call& c) {
        speech = *c.say();
        CHECK(speech.write(two_hundred_ms));
        CHECK(speech.finish());
        CHECK(c.pause());
    });
    const auto packets = media.size();
    advance(500ms);
    CHECK(media.size() >= packets + 25);
    CHECK(told_without_audio() == std::vector<std::string>{"answered"});
    with([&](call& c) {
        CHECK(*speech.sent_up_to() == 0);
        CHECK(c.resume());
    });
    advance(500ms);
    CHECK(told_without_audio().back() == "drained");
}

TEST_CASE_FIXTURE(desk, "trunkline::call_batch: what is for many calls is done in its order") {
    answered();
    std::string done;
    call_batch batch;
    CHECK(batch.empty());
    for (const char which : {'a', 'b', 'c'}) {
        batch.add(handle, [&done, which](call&) { done += which; });
    }
    batch.add({}, [](call&) { FAIL("there is no such call"); });
    CHECK_FALSE(batch.empty());
    CHECK(done.empty());
    CHECK(batch.post());
    settle();
    CHECK(done == "abc");
    CHECK(batch.empty());
    CHECK(batch.post());
    with([](call& c) { c.hang_up(); });
    batch.add(handle, [](call&) { FAIL("the call is over"); });
    CHECK(batch.post());
    settle();
}

TEST_CASE_FIXTURE(desk, "trunkline::agent: a caller who sends nothing is heard to be silent") {
    answered();
    advance(190ms);
    CHECK(told == std::vector<std::string>{"answered"});
    advance(110ms);
    CHECK(std::ranges::count(told, "audio") >= 5);
    hear(2);
    advance(1s);
    CHECK(std::ranges::count(told, "audio") >= 45);
}

TEST_CASE_FIXTURE(desk, "trunkline::call: a BYE says why, in words that cannot break it") {
    answered();
    with([](call& c) { c.hang_up("the \"bot\" said\r\nBYE"); });
    CHECK(support::header(last(), "Reason") == R"(Q.850;cause=16;text="the \"bot\" saidBYE")");
    REQUIRE(records.size() == 1);
    CHECK(records[0].ended_by == ended_by::application);
    CHECK(records[0].sip_code == 0);
}

TEST_CASE_FIXTURE(desk, "trunkline::call: an agent that fails ends its call in its own name") {
    answered();
    with([](call& c) { c.fail("agent lost"); });
    const auto bye = last();
    CHECK(support::start_line(bye).starts_with("BYE "));
    CHECK(support::header(bye, "Reason") == R"(SIP;cause=500;text="agent lost")");
    REQUIRE(records.size() == 1);
    CHECK(records[0].ended_by == ended_by::agent);
    CHECK(records[0].sip_code == 0); // A BYE has none.
    CHECK(records[0].failure == call_failure::agent_failed);
    CHECK(records[0].reason == "agent lost");
}

TEST_CASE_FIXTURE(desk, "trunkline::call: hangs up when all was said, not before") {
    answered();
    with([&](call& c) {
        auto speech = *c.say();
        CHECK(speech.write(two_hundred_ms));
        CHECK(speech.finish());
        c.hang_up_after_drain();
    });
    advance(160ms);
    CHECK(texts().empty());
    advance(100ms);
    CHECK(support::start_line(last()).starts_with("BYE "));
    CHECK(told == std::vector<std::string>{"answered", "drained", "ended"});
}

TEST_CASE_FIXTURE(desk, "trunkline::call: what is cleared is not waited for") {
    answered();
    with([&](call& c) {
        CHECK(c.say()->write(two_hundred_ms));
        c.hang_up_after_drain();
    });
    CHECK(texts().empty());
    with([](call& c) { CHECK(c.clear()); });
    CHECK(support::start_line(last()).starts_with("BYE "));
}

TEST_CASE_FIXTURE(desk, "trunkline::call: without an agent it hangs up after what a handle said") {
    when["incoming"] = [](call& c) { CHECK(c.answer(nullptr)); };
    answered();
    with([](call& c) {
        auto speech = *c.say();
        CHECK(speech.write(two_hundred_ms));
        CHECK(speech.mark("unheard"));
        CHECK(speech.finish());
        c.hang_up_after_drain();
    });
    advance(1s);
    CHECK(support::start_line(last()).starts_with("BYE "));
}

TEST_CASE_FIXTURE(desk,
                  "trunkline::call: more said in on_drained keeps a call that would hang up") {
    answered();
    int rounds = 0;
    when["drained"] = [&](call& c) {
        if (++rounds == 3) return;
        auto speech = *c.say();
        CHECK(speech.write(two_hundred_ms));
        CHECK(speech.finish());
    };
    with([&](call& c) {
        auto speech = *c.say();
        CHECK(speech.write(two_hundred_ms));
        CHECK(speech.finish());
        c.hang_up_after_drain();
    });
    advance(500ms);
    CHECK(texts().empty());
    advance(500ms);
    CHECK(support::start_line(last()).starts_with("BYE "));
    CHECK(rounds == 3);
}

TEST_CASE_FIXTURE(desk, "trunkline::call: sends digits, and refuses what is none") {
    answered();
    with([](call& c) {
        CHECK(c.send_digits("12x") == error{.code = errc::bad_token, .offset = 2});
        CHECK(c.send_digits("1#"));
        CHECK(c.send_digits(std::string(64, '1')) == error{.code = errc::full});
    });
    const auto before = media.size();
    advance(1s);
    std::string digits;
    for (auto at = before; at < media.size(); ++at) {
        const auto& bytes = media[at].bytes;
        if (media[at].rtcp || (bytes[1] & std::byte{0x7f}) != std::byte{101}) continue;
        const bool first = (bytes[1] & std::byte{0x80}) != std::byte{};
        if (first)
            digits += bytes[12] == std::byte{11}
                          ? '#'
                          : static_cast<char>('0' + static_cast<int>(bytes[12]));
    }
    CHECK(digits == "1#");
}

TEST_CASE_FIXTURE(desk, "trunkline::call: answered without media it has none, and opens no port") {
    when["incoming"] = [this](call& c) { CHECK(c.answer(make(), {.media = false})); };
    answered();
    CHECK(ports_opened == 0);
    CHECK(support::body(ok).find("a=inactive") != std::string::npos);
    CHECK(told == std::vector<std::string>{"answered"});
    with([](call& c) { CHECK(error_of(c.say()) == error{.code = errc::wrong_state}); });
    with([](call& c) { c.hang_up_after_drain(); });
    CHECK(support::start_line(last()).starts_with("BYE "));
}

TEST_CASE_FIXTURE(desk, "trunkline::call: early media is sent before the answer") {
    when["incoming"] = [](call& c) { CHECK(c.progress()); };
    receive(request.text());
    const auto progress = last();
    CHECK(support::status_of(progress) == "183");
    CHECK(support::body(progress).starts_with("v=0\r\n"));
    with([](call& c) {
        auto speech = *c.say();
        CHECK(speech.write(two_hundred_ms));
        CHECK(speech.finish());
    });
    advance(300ms);
    CHECK(media.size() > 10);
    with([this](call& c) { CHECK(c.answer(make())); });
    ok = last();
    CHECK(support::status_of(ok) == "200");
    CHECK(support::body(ok) == support::body(progress));
}

TEST_CASE_FIXTURE(desk, "trunkline::call: rejected with the application's own code and words") {
    when["incoming"] = [](call& c) { CHECK(c.reject(603, "Not today")); };
    receive(request.text());
    CHECK(support::start_line(last()) == "SIP/2.0 603 Not today");
    REQUIRE(records.size() == 1);
    CHECK(records[0].refused == diagnostic::refused_by_application);
    CHECK(records[0].reason == "Not today");
    CHECK(noted(diagnostic::refused_by_application) == 1);
}

TEST_CASE_FIXTURE(desk, "trunkline::call: no port left is 503, and the agent is told") {
    ports_left = false;
    receive(request.text());
    CHECK(support::status_of(last()) == "503");
    CHECK(told == std::vector<std::string>{"ended"});
    CHECK(agents == 0);
}

TEST_CASE_FIXTURE(desk,
                  "trunkline::call: ends while its port is being opened, and the port closes") {
    hold_ports = true;
    receive(request.text());
    receive(request.cancel());
    CHECK(told == std::vector<std::string>{"ended"});
    open_held();
    CHECK(ports_opened == 1);
    CHECK(open_ports.empty());
}

TEST_CASE_FIXTURE(desk, "trunkline::call_handle: one of a call that is over finds nobody's call") {
    answered();
    const auto stale = handle;
    receive(request.within("BYE", ok).text());
    advance(40s);
    request.call_id = "second";
    request.branch = "z9hG4bKsecond";
    answered();
    CHECK(static_cast<std::uint32_t>(stale.id()) == static_cast<std::uint32_t>(handle.id()));
    CHECK(stale.id() != handle.id());
    CHECK(stale.hang_up());
    bool gone = false;
    CHECK(stale.post([](call&) { FAIL("a stranger's call"); }, [&] { gone = true; }));
    settle();
    CHECK(gone);
    CHECK(engine->calls() == 1);
    CHECK(handle.hang_up());
    settle();
    CHECK(support::start_line(last()).starts_with("BYE "));
    stopped = true;
    CHECK_FALSE(handle.hang_up());
    CHECK_FALSE(call_handle{}.hang_up());
}

} // namespace
} // namespace trunkline
