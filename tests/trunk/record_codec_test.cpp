// What a record says of the audio: the codec that was agreed, whichever it was.
#include <memory>
#include <string>

#include "trunk/driver.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::driver;
using support::request_text;

struct quiet final : agent {};

TEST_CASE("trunks::engine: a record names the codec of its call, PCMA as well as PCMU") {
    for (const std::string codec : {"PCMU", "PCMA"}) {
        CAPTURE(codec);
        driver d;
        d.config.on_incoming = [](incoming_call& call) {
            CHECK(call.answer(std::make_unique<quiet>()));
        };
        d.add(driver::carrier());
        request_text invite;
        invite.body = codec == "PCMU"
                          ? support::replaced(invite.body, "RTP/AVP 0 8 101", "RTP/AVP 0")
                          : support::replaced(invite.body, "RTP/AVP 0 8 101", "RTP/AVP 8");
        d.receive(invite.text());
        const auto answered = d.last();
        REQUIRE(answered.starts_with("SIP/2.0 200"));
        d.receive(invite.ack(answered));
        d.advance(1s);
        d.receive(invite.within("BYE", answered).text());
        REQUIRE(d.records.size() == 1);
        CHECK(d.records[0].codec == codec);
    }
}

} // namespace
} // namespace trunkline
