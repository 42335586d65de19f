// What a call does at its limits, and in what words it ends.
#include <trunkline/call/leg.hpp>

#include <string>
#include <utility>

#include "support/one_leg.hpp"

#include "support/print.hpp"

namespace trunkline::calls {
namespace {

using namespace support;
using what = notice::what;

TEST_CASE("call::leg: 512 requests in 32 s are answered, the next one is told to come later") {
    one_leg call;
    caller peer{call};
    peer.established();
    const auto before = call.count("SIP/2.0 200");
    for (unsigned i = 1; i <= 512; ++i) call.receive(peer.request("OPTIONS", 100 + i));
    CHECK(call.count("SIP/2.0 200") == before + 512);
    CHECK(call.count("SIP/2.0 500") == 0);
    call.receive(peer.request("OPTIONS", 613));
    CHECK(call.count("SIP/2.0 200") == before + 512);
    REQUIRE(call.count("SIP/2.0 500") == 1);
    CHECK(header(call.last("SIP/2.0 500"), "Retry-After") == "10");
    call.pass(32s);
    call.receive(peer.request("OPTIONS", 614));
    CHECK(call.count("SIP/2.0 200") == before + 513);
    call.hang_up();
    call.receive(answer_to(call.last("BYE "), "200 OK"));
    call.check_over();
}

// RFC 3261 section 21.6: 600 and 603 are the callee's own word, as 486 is.
TEST_CASE("call::leg: who refused is the callee for 486, 600 and 603, and the carrier otherwise") {
    for (const auto& [status, by] : {std::pair{"486 Busy Here", ended_by::callee},
                                     {"600 Busy Everywhere", ended_by::callee},
                                     {"603 Decline", ended_by::callee},
                                     {"404 Not Found", ended_by::carrier},
                                     {"604 Does Not Exist Anywhere", ended_by::carrier},
                                     {"503 Service Unavailable", ended_by::carrier}}) {
        CAPTURE(status);
        one_leg call;
        call.invite();
        call.receive(answer_to(call.last("INVITE "), status));
        CHECK(call.notice(what::refused).end.by == by);
        call.check_over();
    }
}

// RFC 3326 section 2, RFC 3261 section 25.1: a quoted-string hides quotes and backslashes.
TEST_CASE("call::leg: the words of a BYE may have quotes, backslashes and line breaks in them") {
    one_leg call;
    caller peer{call};
    peer.established();
    call.command([&](calls::leg& one) {
        one.hang_up(ended_by::agent, 500, "said \"no\" to C:\\\r\nX: y", call.now, call.out);
    });
    const auto bye = call.last("BYE ");
    CHECK(header(bye, "Reason") == R"(SIP;cause=500;text="said \"no\" to C:\\X: y")");
    CHECK(headers(bye, "X").empty());
    call.receive(answer_to(bye, "200 OK"));
    call.check_over();
}

} // namespace
} // namespace trunkline::calls
