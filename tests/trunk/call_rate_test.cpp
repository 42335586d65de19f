// Calls out leave at their trunk's rate.
#include <trunkline/trunk/call_rate.hpp>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "trunk/driver.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::driver;
using support::request_text;

struct dialling : driver {
    std::vector<std::pair<int, std::string>> ends;

    struct told final : agent {
        explicit told(dialling& of) : of_{of} {}
        void on_ended(call&, const call_record& record) override {
            of_.ends.emplace_back(record.sip_code, record.reason);
        }
        dialling& of_;
    };

    dialling() {
        auto wanted = carrier();
        wanted.gateways = {{"198.51.100.1", 5060}};
        wanted.calls_per_second = 2;
        wanted.channels = 100;
        add(wanted);
    }
    void dial(std::chrono::seconds ringing = 60s) {
        dial_request what;
        what.to = "+4930123";
        what.agent = std::make_unique<told>(*this);
        what.ringing_timeout = ringing;
        running().dial(std::move(what), now, out());
        settle();
    }
    [[nodiscard]] std::size_t invites() {
        std::set<std::string> calls;
        for (const auto& text : texts()) {
            if (text.starts_with("INVITE ")) calls.insert(support::header(text, "Call-ID"));
        }
        known.merge(calls);
        return known.size();
    }
    std::set<std::string> known;
};

TEST_CASE_FIXTURE(dialling,
                  "trunks::engine: calls out leave at the trunk's rate, each in its turn") {
    for (int i = 0; i < 4; ++i) dial();
    CHECK(invites() == 1);
    advance(499ms);
    CHECK(invites() == 1);
    advance(1ms);
    CHECK(invites() == 2);
    advance(500ms);
    CHECK(invites() == 3);
    advance(500ms);
    CHECK(invites() == 4);
    CHECK(ends.empty());
    // After a pause there is no burst: carriers count in windows of their own.
    advance(2s);
    dial();
    dial();
    CHECK(invites() == 5);
}

TEST_CASE_FIXTURE(dialling, "trunks::engine: a call whose turn is later than it may ring is 503") {
    for (int i = 0; i < 4; ++i) dial(1s);
    REQUIRE(ends.size() == 1);
    CHECK(ends[0].first == 0);
    CHECK(ends[0].second.find("calls_per_second") != std::string::npos);
    CHECK(trunks[0]->channels->taken() == 3);
}

TEST_CASE_FIXTURE(dialling,
                  "trunks::engine: a call that is hung up before its turn sends nothing") {
    dial();
    dial();
    running().hang_up_all("never mind", now, out());
    settle();
    CHECK(ends.size() >= 1);
    advance(10s);
    CHECK(invites() == 1);
    CHECK(engine->calls() <= 1);
}

TEST_CASE_FIXTURE(dialling, "trunks::engine: what goes out takes nothing from what comes in") {
    config.on_incoming = [](incoming_call& call) { CHECK(call.ringing()); };
    engine.reset();
    publish();
    for (int i = 0; i < 10; ++i) dial();
    static_cast<void>(texts());
    receive(request_text{}.text());
    CHECK(support::status_of(last()) == "180");
}

} // namespace
} // namespace trunkline
