// Forks that ring: what each has said before one of them answers.
#include <trunkline/call/leg.hpp>

#include "support/one_leg.hpp"

#include "support/print.hpp"

namespace trunkline::calls {
namespace {

using namespace support;
using what = notice::what;

const std::string contact = "Contact: <sip:gw@192.0.2.10:5060>\n";

struct forked : one_leg {
    void ring(std::string_view status, std::string_view fork, std::string_view sdp = {},
              const std::string& fields = {}) {
        receive(answer_to(last("INVITE "), status, fork, contact + fields, sdp));
    }
    void over() {
        hang_up();
        receive(answer_to(last("BYE "), "200 OK"));
        check_over();
    }
};

std::string at_port(int port) {
    return replaced(their_sdp, "m=audio 30000", "m=audio " + std::to_string(port));
}

// RFC 3261 section 13.2.1: an answer in a provisional response is the answer, and the 2xx of that
// dialog need not repeat it.
TEST_CASE("call::leg: a fork that answers without SDP is sent to where its own 183 said") {
    forked call;
    call.invite();
    call.ring("183 Session Progress", "fork1", at_port(31'000));
    call.ring("183 Session Progress", "fork2", at_port(32'000));
    call.ring("200 OK", "fork1");
    CHECK(call.told(what::answered) == 1);
    CHECK(tag(call.last("ACK "), "To") == "fork1");
    call.media.clear();
    call.pass(100ms);
    REQUIRE(!call.media.empty());
    CHECK(call.media.back().to.port == 31'000);
    call.over();
}

TEST_CASE("call::leg: sixteen forks ring reliably, and the seventeenth rings without a PRACK") {
    forked call;
    call.settings->provisionals = reliability::supported;
    call.invite();
    for (int i = 1; i <= 17; ++i) {
        call.ring("180 Ringing", "fork" + std::to_string(i), {},
                  "Require: 100rel\nRSeq: " + std::to_string(10 * i) + "\n");
        // Eight of our requests may wait at once.
        if (i <= 16) call.receive(answer_to(call.last("PRACK "), "200 OK"));
    }
    CHECK(call.count("PRACK ") == 16);
    CHECK(call.told(what::ringing) == 17);
    CHECK(header(call.last("PRACK "), "RAck") == "160 1 INVITE");
    CHECK(tag(call.last("PRACK "), "To") == "fork16");
    call.ring("200 OK", "fork16", their_sdp);
    call.over();
}

// RFC 3262 section 4: the numbers of one dialog say nothing about those of another.
TEST_CASE("call::leg: the second reliable response of the second fork follows that fork's first") {
    forked call;
    call.invite();
    const auto ring = [&](std::string_view fork, int rseq) {
        call.ring("180 Ringing", fork, {}, "Require: 100rel\nRSeq: " + std::to_string(rseq) + "\n");
    };
    ring("fork1", 10);
    ring("fork2", 50);
    ring("fork1", 11);
    CHECK(call.count("PRACK ") == 3);
    CHECK(header(call.last("PRACK "), "RAck") == "11 1 INVITE");
    ring("fork2", 52); // 51 was lost: section 4 has us wait for it.
    CHECK(call.count("PRACK ") == 3);
    ring("fork2", 51);
    CHECK(call.count("PRACK ") == 4);
    for (const auto& prack : call.all("PRACK ")) call.receive(answer_to(prack, "200 OK"));
    call.ring("200 OK", "fork2", their_sdp);
    call.over();
}

TEST_CASE("call::leg: of our requests eight wait at once, and a ninth response is not lost by it") {
    forked call;
    call.invite();
    for (int i = 1; i <= 9; ++i) {
        call.ring("180 Ringing", "fork" + std::to_string(i), {},
                  "Require: 100rel\nRSeq: " + std::to_string(i) + "\n");
    }
    CHECK(call.count("PRACK ") == 8);
    call.receive(answer_to(call.all("PRACK ").front(), "200 OK"));
    call.ring("180 Ringing", "fork9", {}, "Require: 100rel\nRSeq: 9\n"); // Once more (section 3).
    CHECK(call.count("PRACK ") == 9);
    CHECK(header(call.last("PRACK "), "RAck") == "9 1 INVITE");
    call.ring("200 OK", "fork9", their_sdp);
    call.over();
}

} // namespace
} // namespace trunkline::calls
