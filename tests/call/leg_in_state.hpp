// A leg that was brought into a state by what an outsider can do, and what a peer says to it then.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <trunkline/call/leg.hpp>

#include "support/one_leg.hpp"

namespace trunkline::calls {

using namespace support;

inline const std::string gateway_contact = "Contact: <sip:gw@192.0.2.10:5060>\n";

/// An offer of the peer's that is not its first.
[[nodiscard]] inline std::string another_offer(int version) {
    return replaced(their_sdp, "o=- 1 1 ", "o=- 1 " + std::to_string(version) + " ");
}

struct leg_in_state : one_leg {
    std::size_t sent_before = 0; ///< What happens is what came after these.
    std::size_t events_before = 0;
    std::size_t notices_before = 0;
    unsigned cseq = 100;    ///< Of the peer's last request.
    unsigned invited = 100; ///< Of its last INVITE.
    int version = 1;        ///< Of its description.
    unsigned branches = 0;
    bool refused = false; ///< The command that came last.

    leg_in_state() {
        settings->auth_username = "alice";
        settings->auth_password = "secret";
        settings->session.least = 20s; // Every cell waits for half of it.
    }

    [[nodiscard]] bool inbound() const { return leg->which() == direction::inbound; }
    /// A request of the peer's in the dialog, or in what would be one.
    [[nodiscard]] std::string request(std::string_view method, std::string_view payload = {},
                                      std::string_view fields = {},
                                      std::string_view type = "application/sdp") {
        return numbered(method, ++cseq, payload, fields, type);
    }
    [[nodiscard]] std::string numbered(std::string_view method, unsigned number,
                                       std::string_view payload = {}, std::string_view fields = {},
                                       std::string_view type = "application/sdp") {
        const auto ours =
            inbound() ? "<sip:+14155550100@198.51.100.1>" : "<sip:+12125550199@198.51.100.1>";
        const auto theirs = inbound() ? "<sip:+12125550199@192.0.2.10>;tag=caller1"
                                      : "<sip:+14155550100@192.0.2.10>;tag=peer1";
        return message(std::string{method} + " sip:trunk@198.51.100.1:5060 SIP/2.0\n" +
                           "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-in" +
                           std::to_string(++branches) + "\nMax-Forwards: 70\nFrom: " + theirs +
                           "\nTo: " + ours + ";tag=" + std::string{leg->local_tag()} +
                           "\nCall-ID: " + std::string{leg->call_id()} +
                           "\nCSeq: " + std::to_string(number) + ' ' + std::string{method} + '\n' +
                           std::string{fields},
                       payload, type);
    }
    [[nodiscard]] std::string offer() { return another_offer(++version); }

    void called(std::string_view fields = {}, std::string_view sdp = their_sdp) {
        receive(caller{*this}.invite(sdp, fields));
        REQUIRE(incoming.has_value());
    }
    void rings() {
        command([&](calls::leg& one) { CHECK(one.ringing(now, out).has_value()); });
    }
    void progresses() {
        command([&](calls::leg& one) { CHECK(one.progress(now, out).has_value()); });
    }
    void prack(std::string_view number) {
        receive(request("PRACK", {}, "RAck: " + std::string{number} + " 100 INVITE\n"));
    }
    /// The number of our last reliable response, or one of none.
    [[nodiscard]] std::string rseq() const {
        const auto reliable = all("SIP/2.0 18");
        const auto number = reliable.empty() ? std::string{} : header(reliable.back(), "RSeq");
        return number.empty() ? "1" : number;
    }
    /// Its last INVITE, first or not.
    void acknowledges(std::string_view sdp = {}) { receive(numbered("ACK", invited, sdp)); }
    void reinvites(std::string_view sdp) {
        const auto text = request("INVITE", sdp);
        invited = cseq;
        receive(text);
    }
    void up(std::string_view fields = {}) {
        called(fields);
        answer();
        acknowledges();
    }
    /// A call whose session is to be refreshed by us, which is what comes next.
    void due(std::string_view allow) {
        up("Supported: timer\nSession-Expires: 20;refresher=uas\nAllow: " + std::string{allow} +
           "\n");
        pass(10s);
    }
    void transfers() {
        command([&](calls::leg& one) {
            CHECK(one.transfer("sip:+14155550123@192.0.2.30", now, out).has_value());
        });
    }
    /// What the peer says to our last request of that kind.
    void says(std::string_view to, std::string_view status, std::string_view fields = {},
              std::string_view sdp = {}) {
        receive(answer_to(last(std::string{to} + ' '), status, "peer1", fields, sdp));
    }
    void talks() {
        invite();
        says("INVITE", "200 OK", gateway_contact, their_sdp);
    }

    void begin() {
        sent_before = sent.size();
        events_before = events.size();
        notices_before = notices.size();
    }
};

} // namespace trunkline::calls
