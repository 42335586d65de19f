// Digits by INFO: every key that there is.
#include <trunkline/call/leg.hpp>

#include "support/one_leg.hpp"

#include "support/print.hpp"

namespace trunkline::calls {
namespace {

using namespace support;

TEST_CASE("call::leg: INFO names each key by its character, * as 10 and # as 11") {
    one_leg call;
    caller peer{call};
    peer.established();
    const std::vector<std::pair<std::string, char>> keys{
        {"0", '0'}, {"1", '1'}, {"2", '2'}, {"3", '3'}, {"4", '4'},  {"5", '5'},
        {"6", '6'}, {"7", '7'}, {"8", '8'}, {"9", '9'}, {"*", '*'},  {"#", '#'},
        {"A", 'A'}, {"B", 'B'}, {"C", 'C'}, {"D", 'D'}, {"10", '*'}, {"11", '#'}};
    unsigned cseq = 200;
    for (const auto& [written, key] : keys) {
        CAPTURE(written);
        call.events.clear();
        call.receive(peer.request("INFO", ++cseq, "Signal=" + written + "\nDuration=160\n", {},
                                  "application/dtmf-relay"));
        REQUIRE(call.events.size() == 1);
        CHECK(call.events[0].code == event::digit);
        CHECK(call.events[0].values[0] == key);
        call.pass(2s); // Another press, whatever is made of two that follow close.
    }
    call.hang_up();
    call.receive(answer_to(call.last("BYE "), "200 OK"));
    call.check_over();
}

} // namespace
} // namespace trunkline::calls
