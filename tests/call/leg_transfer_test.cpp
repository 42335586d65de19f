// Transfers by REFER, RFC 3515, both sides.
#include <trunkline/call/leg.hpp>

#include <fmt/core.h>

#include "support/one_leg.hpp"

#include "support/print.hpp"

namespace trunkline::calls {
namespace {

using namespace support;
using what = notice::what;

const std::string fragment_type = "message/sipfrag";

struct talking : one_leg {
    caller peer{*this};
    unsigned cseq = 100;

    talking() { peer.established(); }
    void transfer(std::string_view target, bool good = true) {
        command(
            [&](calls::leg& one) { CHECK(one.transfer(target, now, out).has_value() == good); });
    }
    void notify(std::string_view status, std::string_view state = "active;expires=60",
                std::string_view event = "refer") {
        const auto said = status.empty() ? std::string{} : fmt::format("SIP/2.0 {}\n", status);
        receive(peer.request("NOTIFY", ++cseq, said,
                             fmt::format("Event: {}\nSubscription-State: {}\n", event, state),
                             fragment_type));
    }
    [[nodiscard]] std::vector<transfer_progress> transfers() const {
        std::vector<transfer_progress> found;
        for (const auto& one : events) {
            if (one.code != event::transfer) continue;
            found.push_back(
                {static_cast<transfer_state>(one.values[0]), static_cast<int>(one.values[1])});
        }
        return found;
    }
    [[nodiscard]] bool last_is(transfer_state state, int status) const {
        const auto all = transfers();
        return !all.empty() && all.back().state == state && all.back().status == status;
    }
    void over() {
        hang_up();
        receive(answer_to(last("BYE "), "200 OK"));
        check_over();
    }
};

TEST_CASE("call::leg: a transfer is asked for by REFER, and what NOTIFY tells is told on") {
    talking call;
    call.transfer("sip:+14155550123@carrier.example");
    const auto refer = call.last("REFER ");
    CHECK(start_line(refer) == "REFER sip:gw@192.0.2.10:5060 SIP/2.0");
    CHECK(header(refer, "Refer-To") == "<sip:+14155550123@carrier.example>");
    CHECK(header(refer, "Referred-By") == "<sip:+14155550100@198.51.100.1:5060>");
    CHECK(header(refer, "Contact") == "<sip:+14155550100@198.51.100.1:5060>");
    call.receive(answer_to(refer, "202 Accepted", ""));
    CHECK(call.last_is(transfer_state::accepted, 202));
    call.notify("100 Trying");
    CHECK(call.last_is(transfer_state::trying, 100));
    call.notify("180 Ringing");
    CHECK(call.last_is(transfer_state::trying, 180));
    call.notify("200 OK", "terminated;reason=noresource");
    CHECK(call.last_is(transfer_state::succeeded, 200));
    CHECK(call.count("SIP/2.0 200") == 4); // Of the INVITE, and of each NOTIFY.
    CHECK(call.told(what::ended) == 0);    // Whether it is over, the agent says.
    call.over();
}

TEST_CASE("call::leg: a transfer that fails leaves the call as it was, and another may follow") {
    talking call;
    call.transfer("tel:+14155550123");
    call.transfer("tel:+14155550124", false); // One at a time.
    call.receive(answer_to(call.last("REFER "), "202 Accepted", ""));
    call.notify("486 Busy Here", "terminated;reason=noresource");
    CHECK(call.last_is(transfer_state::failed, 486));
    call.transfer("tel:+14155550124");
    call.receive(answer_to(call.last("REFER "), "603 Decline", ""));
    CHECK(call.last_is(transfer_state::failed, 603));
    CHECK(call.told(what::ended) == 0);
    call.over();
}

TEST_CASE("call::leg: what a NOTIFY tells of the transfer before is not told of this one") {
    talking call;
    call.transfer("tel:+14155550123");
    const auto first = header(call.last("REFER "), "CSeq");
    call.receive(answer_to(call.last("REFER "), "486 Busy Here", ""));
    call.transfer("tel:+14155550124");
    call.receive(answer_to(call.last("REFER "), "202 Accepted", ""));
    call.notify("486 Busy Here", "terminated", "refer;id=" + first.substr(0, first.find(' ')));
    CHECK(call.count("SIP/2.0 481") == 1);
    CHECK(call.last_is(transfer_state::accepted, 202));
    const auto second = header(call.last("REFER "), "CSeq");
    call.notify("200 OK", "terminated", "refer;id=" + second.substr(0, second.find(' ')));
    CHECK(call.last_is(transfer_state::succeeded, 200));
    call.over();
}

TEST_CASE("call::leg: who agrees and never tells leaves an unknown end, after 32 s or at BYE") {
    for (const bool bye : {false, true}) {
        talking call;
        call.transfer("tel:+14155550123");
        call.receive(answer_to(call.last("REFER "), "202 Accepted", ""));
        if (bye) {
            call.receive(call.peer.request("BYE", ++call.cseq));
            CHECK(call.last_is(transfer_state::unknown, 0));
            call.check_over();
        } else {
            call.pass(31s);
            CHECK(call.last_is(transfer_state::accepted, 202));
            call.pass(2s);
            CHECK(call.last_is(transfer_state::unknown, 0));
            call.over();
        }
    }
}

TEST_CASE("call::leg: a NOTIFY may overtake the 202, and the REFER may get no answer at all") {
    talking call;
    call.transfer("tel:+14155550123");
    call.notify("180 Ringing");
    CHECK(call.last_is(transfer_state::trying, 180));
    call.receive(answer_to(call.last("REFER "), "202 Accepted", ""));
    call.notify("200 OK", "terminated;reason=noresource");
    CHECK(call.last_is(transfer_state::succeeded, 200));
    call.transfer("tel:+14155550123");
    call.pass(33s);
    CHECK(call.last_is(transfer_state::failed, 408));
    call.over();
}

TEST_CASE("call::leg: a subscription that ends without a final status is unknown") {
    talking call;
    call.transfer("tel:+14155550123");
    call.receive(answer_to(call.last("REFER "), "202 Accepted", ""));
    call.notify("180 Ringing", "terminated;reason=timeout");
    CHECK(call.last_is(transfer_state::unknown, 180));
    call.over();
}

TEST_CASE("call::leg: a NOTIFY that nobody asked for, or cannot be read, is refused") {
    talking call;
    call.notify("200 OK", "terminated");
    CHECK(call.count("SIP/2.0 481") == 1);
    call.transfer("tel:+14155550123");
    call.notify("200 OK", "active", "presence");
    CHECK(call.count("SIP/2.0 489") == 1);
    for (const auto* said : {"", "9 Nine", "99999 Many", "OK"}) {
        CAPTURE(said);
        const auto before = call.count("SIP/2.0 400");
        call.notify(said);
        CHECK(call.count("SIP/2.0 400") == before + 1);
    }
    CHECK(call.transfers().empty());
    call.over();
}

TEST_CASE("call::leg: a transfer to what is no SIP or tel URI is refused before anything is sent") {
    talking call;
    for (const auto* target : {"", "+14155550123", "http://example.net", "sip:a@b>\r\nEvil: 1",
                               "sip:a@b c", "sip:@", "sip:a#b@h", "sip:a b@h"}) {
        CAPTURE(target);
        call.transfer(target, false);
    }
    call.transfer("sip:" + std::string(2'000, 'a') + "@h", false);
    CHECK(call.count("REFER ") == 0);
    call.over();
}

TEST_CASE("call::leg: a REFER that is challenged is sent again with credentials") {
    talking call;
    call.settings->auth_username = "alice";
    call.settings->auth_password = "secret";
    call.transfer("tel:+14155550123");
    call.receive(answer_to(call.last("REFER "), "407 Proxy Authentication Required", "",
                           "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n1\"\n"));
    const auto again = call.last("REFER ");
    CHECK(header(again, "Refer-To") == "<tel:+14155550123>");
    CHECK(!header(again, "Proxy-Authorization").empty());
    call.receive(answer_to(again, "202 Accepted", ""));
    CHECK(call.last_is(transfer_state::accepted, 202));
    // RFC 3515 section 2.4.6: the id is the CSeq of the REFER that made the subscription.
    const auto refers = call.all("REFER ");
    const auto id_of = [](const std::string& refer) {
        const auto cseq = header(refer, "CSeq");
        return "refer;id=" + cseq.substr(0, cseq.find(' '));
    };
    call.notify("180 Ringing", "active;expires=60", id_of(refers.front()));
    CHECK(call.count("SIP/2.0 481") == 1);
    call.notify("180 Ringing", "active;expires=60", id_of(again));
    CHECK(call.last_is(transfer_state::trying, 180));
    call.notify("200 OK", "terminated", id_of(again));
    CHECK(call.last_is(transfer_state::succeeded, 200));
    call.over();
}

TEST_CASE("call::leg: a REFER of theirs is agreed to, told, and what becomes of it is reported") {
    talking call;
    call.receive(call.peer.request("REFER", ++call.cseq, {},
                                   "Refer-To: \"A\" <sip:+14155550123@carrier.example>\n"));
    CHECK(call.count("SIP/2.0 202") == 1);
    const auto trying = call.last("NOTIFY ");
    CHECK(header(trying, "Event") == "refer;id=101"); // As section 2.4.6 wants it.
    CHECK(header(trying, "Subscription-State") == "active;expires=180");
    CHECK(body(trying) == "SIP/2.0 100 Trying\r\n");
    call.receive(answer_to(trying, "200 OK", ""));
    REQUIRE(call.events.back().code == event::referred);
    CHECK(as_text(call.events.back().bytes) == "sip:+14155550123@carrier.example");
    call.receive(call.peer.request("REFER", ++call.cseq, {}, "Refer-To: <tel:+1>\n"));
    CHECK(call.count("SIP/2.0 491") == 1); // One at a time.
    call.command([&](calls::leg& one) {
        CHECK_FALSE(one.report_referral(99, call.now, call.out).has_value());
        CHECK(one.report_referral(180, call.now, call.out).has_value());
        CHECK(one.report_referral(603, call.now, call.out).has_value());
        CHECK_FALSE(one.report_referral(200, call.now, call.out).has_value()); // It is over.
    });
    const auto last = call.last("NOTIFY ");
    CHECK(header(last, "Subscription-State") == "terminated;reason=noresource");
    CHECK(body(last) == "SIP/2.0 603 Decline\r\n");
    call.over();
}

TEST_CASE("call::leg: a REFER that overtakes the ACK waits for it, and does not end the call") {
    one_leg call;
    caller peer{call};
    const std::string fields = "Refer-To: <sip:+14155550123@192.0.2.30>\n";
    call.receive(peer.invite());
    call.answer();
    call.receive(peer.request("REFER", 101, {}, fields));
    CHECK(header(call.last("SIP/2.0 491"), "CSeq") == "101 REFER");
    call.receive(peer.request("ACK", 100));
    call.receive(peer.request("REFER", 102, {}, fields));
    CHECK(header(call.last("SIP/2.0 202"), "CSeq") == "102 REFER");
    call.receive(peer.request("BYE", 103));
    call.check_over();
}

TEST_CASE("call::leg: a REFER to nobody is 400") {
    talking call;
    call.receive(call.peer.request("REFER", ++call.cseq));
    CHECK(call.count("SIP/2.0 400") == 1);
    CHECK(call.count("NOTIFY ") == 0);
    call.over();
}

TEST_CASE("call::leg: a NOTIFY of ours that is refused ends the subscription") {
    talking call;
    call.receive(call.peer.request("REFER", ++call.cseq, {}, "Refer-To: <tel:+1>\n"));
    call.receive(answer_to(call.last("NOTIFY "), "481 Call/Transaction Does Not Exist", ""));
    call.command([&](calls::leg& one) {
        CHECK_FALSE(one.report_referral(200, call.now, call.out).has_value());
    });
    call.over();
}

TEST_CASE("call::leg: a transfer that no agent ever reports of ends after three minutes") {
    talking call;
    call.receive(call.peer.request("REFER", 101, {}, "Refer-To: <sip:1@example.net>\n"));
    REQUIRE(call.count("NOTIFY ") == 1);
    call.receive(answer_to(call.last("NOTIFY "), "200 OK"));
    call.pass(180s);
    const auto last = call.last("NOTIFY ");
    CHECK(header(last, "Subscription-State") == "terminated;reason=timeout");
    CHECK(body(last) == "SIP/2.0 408 Request Timeout\r\n");
    call.receive(answer_to(last, "200 OK"));
    CHECK(call.count("NOTIFY ") == 2);
    call.receive(call.peer.request("REFER", 102, {}, "Refer-To: <sip:2@example.net>\n"));
    CHECK(!call.all("SIP/2.0 202").empty());
    CHECK(call.count("NOTIFY ") == 3);
    call.receive(answer_to(call.last("NOTIFY "), "200 OK"));
    call.over();
}

} // namespace
} // namespace trunkline::calls
