// Forks of an INVITE of ours that answer when another one has, RFC 3261 section 13.2.2.4.
#include <trunkline/call/leg.hpp>

#include "support/one_leg.hpp"

#include "support/print.hpp"

namespace trunkline::calls {
namespace {

using namespace support;

const std::string contact = "Contact: <sip:gw@192.0.2.10:5060>\n";
const std::string reliable = "Require: 100rel\nRSeq: 7\n";

struct forked : one_leg {
    forked() {
        settings->provisionals = reliability::supported;
        invite();
    }
    void accept(std::string_view peer, const std::string& fields = contact) {
        receive(answer_to(last("INVITE "), "200 OK", peer, fields, their_sdp));
    }
    void over() {
        hang_up();
        receive(answer_to(last("BYE "), "200 OK"));
        check_over();
    }
};

TEST_CASE("call::leg: BYE of a fork that is left comes after the PRACKs that it had") {
    forked call;
    call.receive(answer_to(call.last("INVITE "), "183 Progress", "a", contact + reliable));
    call.receive(answer_to(call.last("INVITE "), "183 Progress", "b", contact + reliable));
    REQUIRE(call.count("PRACK ") == 2);
    const auto prack = call.last("PRACK ");
    CHECK(tag(prack, "To") == "b");
    call.receive(answer_to(prack, "200 OK", "b"));
    call.accept("a");
    call.accept("b");
    const auto bye = call.last("BYE ");
    CHECK(tag(bye, "To") == "b");
    CHECK(std::stoul(header(bye, "CSeq")) > std::stoul(header(prack, "CSeq")));
    CHECK(header(call.last("ACK "), "CSeq") == "1 ACK");
    call.receive(answer_to(bye, "200 OK", "b"));
    call.over();
}

TEST_CASE("call::leg: a fork is left by the way of the INVITE, wherever the call went") {
    forked call;
    call.path.flow = {2, 1};
    call.accept("a", "Contact: <sip:a@203.0.113.5>\n");
    REQUIRE(call.told(notice::what::reroute) == 1);
    auto moved = call.path;
    moved.peer = {address::v4(203, 0, 113, 5), 5060};
    call.command([&](calls::leg& one) { one.set_path(moved, call.now, call.out); });
    CHECK(call.sent.back().flow == flow_id{2, 1});
    call.accept("b", "Contact: <sip:b@203.0.113.6>\n");
    CHECK(call.sent.back().text.starts_with("BYE sip:b@203.0.113.6 SIP/2.0"));
    CHECK(call.sent.back().flow == flow_id{1, 1});
    call.receive(answer_to(call.last("BYE "), "200 OK", "b"));
    call.over();
}

TEST_CASE("call::forks: one that answers when the call is over is acknowledged and ended") {
    forked call;
    const auto invite = call.last("INVITE ");
    call.accept("a");
    call.hang_up();
    call.receive(answer_to(call.last("BYE "), "200 OK"));
    CHECK(call.finished());
    call.leg.reset();
    const auto late = answer_to(invite, "200 OK", "b", contact, their_sdp);
    for (int copies = 0; copies < 2; ++copies) {
        const auto parsed = sip::message::parse(late);
        REQUIRE(parsed);
        const auto got = call.transactions.receive(**parsed, {1, 1}, call.now, call.out);
        CHECK(got.what == sip::transaction_layer::fate::response);
        call.around.other_forks.leave(**parsed, {{1, 1}, transport::udp, "198.51.100.1:5060"},
                                      call.transactions, call.random, call.now, call.out);
        call.settle();
    }
    CHECK(call.count("ACK ") == 3);
    REQUIRE(call.count("BYE ") == 2);
    CHECK(tag(call.last("BYE "), "To") == "b");
    CHECK(header(call.last("BYE "), "Via").starts_with("SIP/2.0/UDP 198.51.100.1:5060;branch="));
    call.pass(70s);
    CHECK(call.transactions.size() == 0);
}

TEST_CASE("call::leg: an UPDATE cannot take the media of forks that ring") {
    forked call;
    for (const auto* peer : {"a", "b"}) {
        call.receive(
            answer_to(call.last("INVITE "), "183 Progress", peer, contact + reliable, their_sdp));
    }
    const auto ours = header(call.last("INVITE "), "From");
    call.receive(message("UPDATE sip:trunk@198.51.100.1:5060 SIP/2.0\n"
                         "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-u1\n"
                         "From: <sip:+14155550100@192.0.2.10>;tag=a\nTo: " +
                             ours + "\nCall-ID: " + header(call.last("INVITE "), "Call-ID") +
                             "\nCSeq: 5 UPDATE\n" + contact,
                         their_sdp));
    CHECK(call.sent.back().text.starts_with("SIP/2.0 500 "));
    CHECK(!header(call.sent.back().text, "Retry-After").empty());
    call.accept("b");
    CHECK(call.told(notice::what::answered) == 1);
    call.over();
}

TEST_CASE(
    "call::leg: what a fork answered early holds when it is the one that answers, 200 empty") {
    forked call;
    const auto at = [](std::string_view host) {
        return replaced(their_sdp, "c=IN IP4 192.0.2.20", "c=IN IP4 " + std::string{host});
    };
    call.receive(
        answer_to(call.last("INVITE "), "183 Progress", "a", contact + reliable, at("192.0.2.21")));
    call.receive(
        answer_to(call.last("INVITE "), "183 Progress", "b", contact + reliable, at("192.0.2.22")));
    call.receive(answer_to(call.last("INVITE "), "200 OK", "a", contact));
    CHECK(call.told(notice::what::answered) == 1);
    call.media.clear();
    call.pass(100ms);
    REQUIRE_FALSE(call.media.empty());
    CHECK(call.media.back().to.address == address::v4(192, 0, 2, 21));
    call.over();
}

} // namespace
} // namespace trunkline::calls
