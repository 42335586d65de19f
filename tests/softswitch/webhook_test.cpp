#include "rest/webhook.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include "http_receiver.hpp"
#include "rest/event_json.hpp"
#include "softswitch/support/log_catcher.hpp"

namespace softswitch {
namespace {

using testing::log_catcher;

using namespace std::chrono_literals;

[[nodiscard]] call_event event_of(const std::string& call, std::uint64_t number,
                                  call_state what = call_state::ringing) {
    call_event made;
    made.number = number;
    made.what = what;
    made.call.id = call;
    return made;
}

[[nodiscard]] webhook_settings impatient(const std::string& url) {
    // Whoever runs the tests may be behind a proxy.
    ::setenv("no_proxy", "*", 1); // NOLINT(concurrency-mt-unsafe)
    webhook_settings made;
    made.url = url;
    made.allow_private = true; // The receiver is on this host.
    made.secret = "whsec";
    made.pace.first = 5ms;
    made.pace.most = 200ms;
    made.report_every = 10ms;
    return made;
}

[[nodiscard]] std::string always_good(std::size_t, const received_request&) {
    return "200 OK";
}

TEST_CASE("softswitch::webhook: the signature is an HMAC-SHA256 over time and body") {
    // printf '1785652200.{"id":"CA1"}' | openssl dgst -sha256 -hmac whsec
    CHECK(webhook_signature("whsec", 1'785'652'200, R"({"id":"CA1"})") ==
          "t=1785652200,v1=c63be63ffdb587b58acfc0af3c0ac2a4621219f067fd8ce1b5f8cf053ea7ab88");
}

TEST_CASE("softswitch::webhook: the request that docs/webhook.md shows has the right signature") {
    std::ifstream file{TRUNKLINE_SOURCE_DIR "/docs/webhook.md"};
    const std::string document{std::istreambuf_iterator<char>{file}, {}};
    const auto after = [&](std::string_view what) {
        const auto at = document.find(what) + what.size();
        return document.substr(at, document.find('\n', at) - at);
    };
    const auto body = "{\"id\"" + after("    {\"id\"");
    CHECK(after("X-Trunkline-Signature: ") == webhook_signature("change-me", 1'785'652'205, body));
    const auto read = nlohmann::json::parse(body);
    const auto sent = nlohmann::json::parse(to_json(event_of("CA1", 1)));
    for (const auto& field : sent.items()) {
        INFO(field.key());
        CHECK(read.contains(field.key()));
        CHECK(document.find("`" + field.key() + "`") != std::string::npos);
    }
}

TEST_CASE("softswitch::webhook: no event goes to this host unless that is allowed") {
    http_receiver receiver{always_good};
    const auto port = receiver.url().substr(receiver.url().rfind(':'));
    // Names and numbers that lead to the same place; the resolver reads the last four, too.
    for (const std::string host : {"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]",
                                   "0.0.0.0", "2130706433", "0x7f000001", "0177.0.0.1", "127.1"}) {
        CAPTURE(host);
        auto strict = impatient("http://" + host + port);
        strict.allow_private = false;
        log_catcher log;
        {
            webhook hook{strict};
            CHECK(hook.post(event_of("CA1", 1)));
        }
        CHECK(log.text.str().find("is a private address") != std::string::npos);
    }
    CHECK(receiver.received(0).empty());
}

TEST_CASE("softswitch::webhook: an event arrives as signed JSON") {
    http_receiver receiver{always_good};
    const auto sent = event_of("CA1", 7);
    const auto before = std::time(nullptr);
    {
        webhook hook{impatient(receiver.url())};
        CHECK(hook.post(sent));
        REQUIRE(receiver.received(1).size() == 1);
    }
    const auto got = receiver.received(1).front();
    CHECK(got.head.starts_with("POST /calls?of=test HTTP/1.1\r\n"));
    CHECK(got.header("Content-Type") == "application/json");
    CHECK(got.header("X-Trunkline-Event-Id") == "CA1-7");
    CHECK(got.body == to_json(sent));
    const auto signature = got.header("X-Trunkline-Signature");
    REQUIRE(signature.starts_with("t="));
    const auto when = std::stoll(signature.substr(2));
    CHECK(when >= before);
    CHECK(when <= std::time(nullptr));
    CHECK(signature == webhook_signature("whsec", when, got.body));
}

TEST_CASE("softswitch::webhook: what may pass is tried again, with the same event id") {
    constexpr std::string_view answers[]{"500 Oops", "503 Busy", "429 Slower", "408 Late"};
    http_receiver receiver{[&](std::size_t number, const received_request&) -> std::string {
        return number < std::size(answers) ? std::string{answers[number]} : "204 No Content";
    }};
    log_catcher log;
    {
        webhook hook{impatient(receiver.url())};
        CHECK(hook.post(event_of("CA1", 1)));
        const auto got = receiver.received(std::size(answers) + 1);
        REQUIRE(got.size() == std::size(answers) + 1);
        for (const auto& one : got) CHECK(one.header("X-Trunkline-Event-Id") == "CA1-1");
    }
    CHECK(receiver.received(0).size() == std::size(answers) + 1);
    CHECK(log.text.str().find("it answered 500") != std::string::npos);
    CHECK(log.text.str().find("before the end") == std::string::npos);
}

TEST_CASE("softswitch::webhook: what was refused for good is not tried again, nor a redirect "
          "followed") {
    http_receiver elsewhere{always_good};
    constexpr std::string_view answers[]{"400 Bad", "404 Gone", "401 No", "410 Gone"};
    http_receiver receiver{[&](std::size_t number, const received_request&) -> std::string {
        if (number < std::size(answers)) return std::string{answers[number]};
        return number == 4 ? "307 There\r\nLocation: " + elsewhere.url() : "200 OK";
    }};
    {
        webhook hook{impatient(receiver.url())};
        // Of one call, so that each shows that the one before it is done with.
        for (std::uint64_t i = 1; i <= 6; ++i) CHECK(hook.post(event_of("CA1", i)));
        const auto got = receiver.received(6);
        REQUIRE(got.size() == 6);
        for (std::size_t i = 0; i < got.size(); ++i) {
            CHECK(got[i].header("X-Trunkline-Event-Id") == fmt::format("CA1-{}", i + 1));
        }
    }
    CHECK(elsewhere.received(0).empty());
}

TEST_CASE("softswitch::webhook: Retry-After is waited for") {
    http_receiver receiver{[](std::size_t number, const received_request&) -> std::string {
        return number == 0 ? "429 Slower\r\nRetry-After: 1" : "200 OK";
    }};
    auto with = impatient(receiver.url());
    with.pace.most = 5s;
    webhook hook{with};
    CHECK(hook.post(event_of("CA1", 1)));
    const auto got = receiver.received(2);
    REQUIRE(got.size() == 2);
    CHECK(got[1].when - got[0].when >= 1s);
}

TEST_CASE("softswitch::webhook: events of a call stay in order, though some fail at first") {
    http_receiver receiver{[](std::size_t number, const received_request&) -> std::string {
        return number % 3 == 1 ? "500 Oops" : "200 OK";
    }};
    constexpr std::uint64_t calls = 5;
    constexpr std::uint64_t events = 20;
    std::map<std::string, std::vector<std::uint64_t>> order;
    {
        webhook hook{impatient(receiver.url())};
        for (std::uint64_t i = 1; i <= events; ++i) {
            for (std::uint64_t call = 0; call < calls; ++call) {
                CHECK(hook.post(event_of(fmt::format("CA{}", call), i)));
            }
        }
        // Each third request fails: half as many again.
        REQUIRE(receiver.received(calls * events * 3 / 2).size() == calls * events * 3 / 2);
    }
    for (const auto& one : receiver.received(0)) {
        const auto read = nlohmann::json::parse(one.body);
        auto& seen = order[read["id"]];
        if (seen.empty() || seen.back() != read["number"]) seen.push_back(read["number"]);
    }
    REQUIRE(order.size() == calls);
    for (const auto& one : order) {
        INFO(one.first);
        CHECK(std::ranges::is_sorted(one.second));
        CHECK(one.second.size() == events);
    }
}

TEST_CASE("softswitch::webhook: an event that is not answered holds up its call alone") {
    http_receiver receiver{[](std::size_t, const received_request& what) -> std::string {
        return what.header("X-Trunkline-Event-Id").starts_with("slow") ? "" : "200 OK";
    }};
    auto with = impatient(receiver.url());
    with.timeout = 20s; // Longer than the test.
    with.ending = 50ms;
    log_catcher log;
    {
        webhook hook{with};
        for (int i = 0; i < 7; ++i) CHECK(hook.post(event_of(fmt::format("slow{}", i), 1)));
        CHECK(hook.post(event_of("slow0", 2)));
        for (std::uint64_t i = 0; i < 50; ++i)
            CHECK(hook.post(event_of(fmt::format("CA{}", i), i)));
        CHECK(receiver.received(57).size() == 57);
    }
    CHECK(log.text.str().find("webhook: 8 events could not be delivered before the end") !=
          std::string::npos);
}

TEST_CASE("softswitch::webhook: a receiver that is not there costs no more than was agreed") {
    auto with = impatient("http://127.0.0.1:9/"); // Discard, which nobody runs.
    with.most_waiting = 100;
    with.pace.first = with.pace.most = 100s;
    const log_catcher log;
    const auto before = std::chrono::steady_clock::now();
    {
        webhook hook{with};
        std::size_t taken = 0;
        for (std::uint64_t i = 0; i < 1'000; ++i) {
            if (hook.post(event_of(fmt::format("CA{}", i), i))) ++taken;
        }
        CHECK(taken == 100);
    }
    CHECK(std::chrono::steady_clock::now() - before < 20s);
    const auto text = log.text.str();
    std::size_t dropped = 0;
    constexpr std::string_view before_count = "dropped because 100 wait: ";
    for (auto at = text.find(before_count); at != std::string::npos;
         at = text.find(before_count, at + 1)) {
        dropped += std::stoul(text.substr(at + before_count.size()));
    }
    CHECK(dropped == 900);
    CHECK(text.find("100 events could not be delivered before the end") != std::string::npos);
}

TEST_CASE("softswitch::webhook: ends in time though the receiver says nothing") {
    http_receiver receiver{[](std::size_t, const received_request&) { return std::string{}; }};
    auto with = impatient(receiver.url());
    with.timeout = 5s;
    log_catcher log;
    auto hook = std::make_unique<webhook>(with);
    CHECK(hook->post(event_of("CA1", 1)));
    REQUIRE(receiver.received(1).size() == 1);
    const auto before = std::chrono::steady_clock::now();
    hook.reset();
    // Before the five seconds of a try are over.
    CHECK(std::chrono::steady_clock::now() - before < 4s);
    CHECK(log.text.str().find("webhook: 1 event could not be delivered") != std::string::npos);
}

TEST_CASE("softswitch::webhook: what was posted just before the end is delivered") {
    http_receiver receiver{always_good};
    {
        webhook hook{impatient(receiver.url())};
        for (std::uint64_t i = 1; i <= 100; ++i) {
            CHECK(hook.post(event_of(fmt::format("CA{}", i % 7), i)));
        }
    }
    CHECK(receiver.received(0).size() == 100);
}

TEST_CASE("softswitch::webhook: after eight failures an event is given up, and its next one goes "
          "out") {
    http_receiver receiver{[](std::size_t, const received_request& what) -> std::string {
        return what.header("X-Trunkline-Event-Id") == "CA1-1" ? "503 Busy" : "200 OK";
    }};
    log_catcher log;
    {
        webhook hook{impatient(receiver.url())};
        CHECK(hook.post(event_of("CA1", 1)));
        CHECK(hook.post(event_of("CA1", 2)));
        const auto got = receiver.received(9);
        REQUIRE(got.size() == 9);
        CHECK(got[7].header("X-Trunkline-Event-Id") == "CA1-1");
        CHECK(got[8].header("X-Trunkline-Event-Id") == "CA1-2");
    }
    CHECK(log.text.str().find("events given up: 1,") != std::string::npos);
}

} // namespace
} // namespace softswitch
