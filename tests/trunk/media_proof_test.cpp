// What media may leave for, and for how long, before a peer has shown that it reads us.
#include <map>
#include <string>

#include "trunk/driver.hpp"

namespace trunkline {
namespace {

using namespace std::chrono_literals;
using support::answer_to;
using support::driver;
using support::replaced;
using support::request_text;

struct switchboard : driver {
    switchboard() {
        auto wanted = carrier();
        wanted.gateways = {{"198.51.100.1"}};
        wanted.channels = 100;
        config.on_incoming = [](incoming_call& call) {
            CHECK(call.answer(std::make_unique<agent>()));
        };
        config.own_services = {*endpoint::parse("0.0.0.0:5060"),
                               *endpoint::parse("127.0.0.1:8080")};
        add(wanted);
    }
    [[nodiscard]] static request_text numbered(int which) {
        request_text made;
        made.call_id = "call-" + std::to_string(which);
        made.branch += std::to_string(which);
        made.body = replaced(made.body, "30000", std::to_string(30'000 + 2 * which));
        return made;
    }
    /// Packets of a second, by the port that they were sent to.
    [[nodiscard]] std::map<unsigned, std::size_t> a_second() {
        media.clear();
        advance(1s);
        std::map<unsigned, std::size_t> counted;
        for (const auto& one : media) {
            if (!one.rtcp) ++counted[one.to.port];
        }
        return counted;
    }
};

TEST_CASE_FIXTURE(switchboard,
                  "trunks::engine: ten streams of a trunk run on for who acknowledges nothing") {
    std::map<int, std::string> oks;
    for (int i = 0; i < 12; ++i) {
        receive(numbered(i).text());
        oks[i] = last();
        REQUIRE(support::status_of(oks[i]) == "200");
    }
    CHECK(a_second().size() == 12); // The first two seconds are everybody's.
    advance(1100ms);
    CHECK(a_second().size() == 10);
    CHECK(noted(diagnostic::media_unproved) == 2);

    receive(numbered(11).ack(oks[11])); // It was silenced, and has read our 200.
    CHECK(a_second().contains(30'022));
    CHECK(a_second().size() == 11);
    receive(numbered(0).ack(oks[0])); // It gives its place back, for streams to come.
    receive(numbered(20).text());
    advance(3s);
    CHECK(a_second().size() == 12);
    // RTP of the described address is as good as an ACK, and a stranger's is not.
    std::swap(open_ports.back(), open_ports[10]); // rtp() is heard by the last.
    rtp("203.0.113.66:30020", 1);
    CHECK_FALSE(a_second().contains(30'020));
    rtp("192.0.2.20:30020", 1);
    CHECK(a_second().contains(30'020));
}

TEST_CASE_FIXTURE(switchboard, "trunks::engine: who acknowledged at once is never asked again") {
    for (int i = 0; i < 30; ++i) {
        receive(numbered(i).text());
        receive(numbered(i).ack(last()));
    }
    advance(3s);
    CHECK(a_second().size() == 30);
    CHECK(noted(diagnostic::media_unproved) == 0);
}

TEST_CASE_FIXTURE(switchboard,
                  "trunks::engine: an offer of media where none may go is 488 with the reason") {
    for (const std::string where : {"224.0.0.251", "255.255.255.255", "127.0.0.1", "169.254.1.1"}) {
        CAPTURE(where);
        auto offer = numbered(1);
        offer.call_id += where;
        offer.branch += where;
        offer.body = replaced(offer.body, "c=IN IP4 192.0.2.20", "c=IN IP4 " + where);
        receive(offer.text());
        const auto answer = last();
        CHECK(support::status_of(answer) == "488");
        const auto warning = support::header(answer, "Warning");
        const bool group = where == "224.0.0.251" || where == "255.255.255.255";
        CHECK(warning.starts_with(group ? "301 trunkline \"no address that media can be sent to"
                                        : "399 trunkline \"media at a "));
        CHECK(records.back().sip_code == 488);
    }
    auto ours = numbered(2);
    ours.body = replaced(ours.body, "c=IN IP4 192.0.2.20", "c=IN IP4 192.0.2.1");
    ours.body = replaced(ours.body, "m=audio 30004", "m=audio 5060");
    receive(ours.text());
    CHECK(support::status_of(last()) == "488");
    auto control = numbered(3); // RTCP is media, too.
    control.body += "a=rtcp:5060 IN IP4 192.0.2.1\n";
    receive(control.text());
    CHECK(support::status_of(last()) == "488");
    CHECK(media.empty());
}

TEST_CASE_FIXTURE(switchboard,
                  "trunks::engine: an answer like that is acknowledged and ended by BYE") {
    for (const bool early : {false, true}) {
        CAPTURE(early);
        advance(1s); // The trunk's rate spreads calls.
        running().dial({.to = "+4930999", .agent = std::make_unique<agent>()}, now, out());
        settle();
        const auto invite = last();
        const auto body = replaced(support::their_sdp, "c=IN IP4 192.0.2.20", "c=IN IP4 127.0.0.1");
        const std::string contact = "Contact: <sip:gw@198.51.100.1:5060>\n";
        media.clear();
        if (early) {
            receive(answer_to(invite, "183 Session Progress", "peer1", contact, body));
            advance(1s);
            CHECK(media.empty());
        }
        receive(answer_to(invite, "200 OK", "peer1", contact, early ? "" : body));
        const auto said = texts();
        REQUIRE(said.size() >= 2);
        CHECK(said[said.size() - 2].starts_with("ACK "));
        CHECK(said.back().starts_with("BYE "));
        CHECK(media.empty());
        CHECK(records.back().sip_code == 0);
        CHECK(records.back().failure == call_failure::unusable_answer);
        CHECK(records.back().reason == "media at a loopback address");
    }
}

} // namespace
} // namespace trunkline
