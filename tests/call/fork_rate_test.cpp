// Forks that all answer: how many are ended at once, and that none is forgotten.
#include <trunkline/call/forks.hpp>

#include <string>

#include "support/one_leg.hpp"

#include "support/print.hpp"

namespace trunkline::calls {
namespace {

using namespace support;

struct crowd : one_leg {
    std::string first_invite;

    crowd() {
        invite();
        first_invite = last("INVITE ");
        accept(0);
    }
    void accept(int fork) {
        receive(answer_to(first_invite, "200 OK", "fork" + std::to_string(fork),
                          "Contact: <sip:gw@192.0.2.10:5060>\n", their_sdp));
    }
    void answer_byes() {
        for (const auto& bye : all("BYE ")) receive(answer_to(bye, "200 OK"));
    }
};

// RFC 3261 section 13.2.2.4: each dialog that is not wanted is acknowledged and ended.
TEST_CASE(
    "call::forks: sixteen that answer are ended at once, and the next by the copy of its 2xx") {
    crowd call;
    for (int fork = 1; fork <= 17; ++fork) call.accept(fork);
    CHECK(call.count("ACK ") == 18);
    CHECK(call.count("BYE ") == 16);
    CHECK(tag(call.last("BYE "), "To") == "fork16");
    call.answer_byes();
    call.accept(17); // There is no room for another BYE yet.
    CHECK(call.count("BYE ") == 16);
    call.pass(70ms);
    call.accept(17);
    REQUIRE(call.count("BYE ") == 17);
    CHECK(tag(call.last("BYE "), "To") == "fork17");
    call.pass(70ms);
    call.accept(17); // Ended is ended.
    CHECK(call.count("BYE ") == 17);
    CHECK(call.count("ACK ") == 21);
    call.answer_byes();
    call.hang_up();
    call.receive(answer_to(call.last("BYE "), "200 OK"));
    call.check_over();
}

} // namespace
} // namespace trunkline::calls
