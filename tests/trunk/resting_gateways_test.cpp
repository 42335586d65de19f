// Retry-After of a gateway: which answers keep calls away from it, and for how long.
#include <string>
#include <utility>

#include "trunk/driver.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::driver;

struct dialling : driver {
    dialling() {
        auto wanted = carrier();
        wanted.gateways = {{"198.51.100.1"}, {"198.51.100.2"}};
        wanted.calls_per_second = 1'000;
        add(wanted);
    }
    /// Where the INVITE of a new call goes.
    [[nodiscard]] std::string dial() {
        const auto before = sent.size();
        dial_request what;
        what.to = "+4930999";
        running().dial(std::move(what), now, out());
        settle();
        for (auto i = before; i < sent.size(); ++i) {
            if (sent[i].text.starts_with("INVITE ")) return to_text(sent[i].to);
        }
        return {};
    }
    void refuse(const std::string& status, const std::string& retry_after) {
        std::string invite;
        for (const auto& each : sent) {
            if (each.text.starts_with("INVITE ")) invite = each.text;
        }
        receive(support::answer_to(invite, status, "peer1", "Retry-After: " + retry_after + '\n'));
    }
};

// RFC 3261 section 20.33: with 404, 413, 480, 486, 600 and 603 it is about whom was called.
TEST_CASE("trunks::engine: Retry-After of a callee keeps no call from the gateway") {
    for (const std::string status : {"480 Temporarily Unavailable", "486 Busy Here",
                                     "404 Not Found", "600 Busy Everywhere", "603 Decline"}) {
        CAPTURE(status);
        dialling d;
        CHECK(d.dial() == "198.51.100.1:5060");
        d.refuse(status, "30");
        d.advance(1s);
        CHECK(d.dial() == "198.51.100.1:5060");
    }
}

// RFC 3261 section 21.5.4: a client SHOULD NOT send to a server that said 503 until then.
TEST_CASE(
    "trunks::engine: a gateway that is overloaded rests for as long as it says, and no longer") {
    dialling d;
    CHECK(d.dial() == "198.51.100.1:5060");
    d.refuse("503 Service Unavailable", "10");
    d.advance(9'999ms);
    CHECK(d.dial() == "198.51.100.2:5060");
    d.advance(1ms);
    CHECK(d.dial() == "198.51.100.1:5060");
}

TEST_CASE("trunks::engine: a gateway rests a minute at the most, whatever it says") {
    dialling d;
    CHECK(d.dial() == "198.51.100.1:5060");
    d.refuse("503 Service Unavailable", "86400");
    d.advance(59'999ms);
    CHECK(d.dial() == "198.51.100.2:5060");
    d.advance(1ms);
    CHECK(d.dial() == "198.51.100.1:5060");
}

} // namespace
} // namespace trunkline
