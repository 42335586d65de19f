// The states of a leg, each as an outsider brings it about.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "call/leg_in_state.hpp"

namespace trunkline::calls {

struct leg_state {
    std::string_view name;
    void (*bring_about)(leg_in_state&);
};

inline const leg_state leg_states[] = {
    // A call in, before its answer.
    {"offered", [](leg_in_state& c) { c.called(); }},
    {"late-offered", [](leg_in_state& c) { c.called({}, {}); }},
    {"ringing",
     [](leg_in_state& c) {
         c.called();
         c.rings();
     }},
    {"early",
     [](leg_in_state& c) {
         c.called();
         c.progresses();
     }},
    {"reliable", // A 183 with the answer waits for its PRACK,
     [](leg_in_state& c) {
         c.called("Require: 100rel\n");
         c.progresses();
     }},
    {"pracked", // has it,
     [](leg_in_state& c) {
         c.called("Require: 100rel\n");
         c.progresses();
         c.prack(c.rseq());
     }},
    {"waiting", // or waits for it while the 200 waits, too.
     [](leg_in_state& c) {
         c.called("Require: 100rel\n");
         c.progresses();
         c.answer();
     }},
    {"opening", // It was answered, and its ports are on their way.
     [](leg_in_state& c) {
         c.open_at_once = false;
         c.called();
         c.answer();
     }},
    // Answered, and not acknowledged.
    {"answered",
     [](leg_in_state& c) {
         c.called();
         c.answer();
     }},
    {"mute-answered", // Without media.
     [](leg_in_state& c) {
         c.called();
         c.command([&](calls::leg& one) { CHECK(one.answer(false, c.now, c.out).has_value()); });
     }},
    {"late-answered",
     [](leg_in_state& c) {
         c.called({}, {});
         c.answer();
     }},
    {"unwanted", // Its BYE waits for the ACK.
     [](leg_in_state& c) {
         c.called();
         c.answer();
         c.hang_up();
     }},
    // In the call.
    {"up", [](leg_in_state& c) { c.up(); }},
    {"held",
     [](leg_in_state& c) {
         c.up();
         c.reinvites(replaced(c.offer(), "a=sendrecv", "a=inactive"));
         c.acknowledges();
     }},
    {"reinvited", // Theirs has its 200, which waits for its ACK.
     [](leg_in_state& c) {
         c.up();
         c.reinvites(c.offer());
     }},
    {"late-reinvited", // The offer is in our 200, the answer will be in their ACK.
     [](leg_in_state& c) {
         c.up();
         c.reinvites({});
     }},
    {"reinviting", [](leg_in_state& c) { c.due("INVITE, ACK, BYE, CANCEL"); }},
    {"updating", [](leg_in_state& c) { c.due("INVITE, ACK, BYE, CANCEL, UPDATE"); }},
    {"referring",
     [](leg_in_state& c) {
         c.up();
         c.transfers();
     }},
    {"subscribed", // To what becomes of the transfer that we have asked for.
     [](leg_in_state& c) {
         c.up();
         c.transfers();
         c.says("REFER", "202 Accepted");
     }},
    {"referred", // By them: the NOTIFY of "100" waits for its answer.
     [](leg_in_state& c) {
         c.up();
         c.receive(c.request("REFER", {}, "Refer-To: <sip:+14155550123@192.0.2.30>\n"));
     }},
    {"following", // It has its answer: what became of their transfer is still to be told.
     [](leg_in_state& c) {
         c.up();
         c.receive(c.request("REFER", {}, "Refer-To: <sip:+14155550123@192.0.2.30>\n"));
         c.says("NOTIFY", "200 OK");
     }},
    // On the way out of it.
    {"leaving",
     [](leg_in_state& c) {
         c.up();
         c.hang_up();
     }},
    {"leaving-early", // With a re-INVITE of ours that has no final response.
     [](leg_in_state& c) {
         c.due("INVITE, ACK, BYE, CANCEL");
         c.says("INVITE", "100 Trying");
         c.hang_up();
         c.says("CANCEL", "200 OK");
     }},
    {"closing", // Before the answer, with its ports on their way.
     [](leg_in_state& c) {
         c.open_at_once = false;
         c.called();
         c.answer();
         c.hang_up();
     }},
    {"over",
     [](leg_in_state& c) {
         c.up();
         c.receive(c.request("BYE"));
     }},
    // A call out, before its answer.
    {"preparing", // Its ports are on their way.
     [](leg_in_state& c) {
         c.open_at_once = false;
         c.invite();
     }},
    {"calling", [](leg_in_state& c) { c.invite(); }},
    {"proceeding",
     [](leg_in_state& c) {
         c.invite();
         c.says("INVITE", "100 Trying");
     }},
    {"alerting",
     [](leg_in_state& c) {
         c.invite();
         c.says("INVITE", "180 Ringing", gateway_contact);
     }},
    {"hearing", // Early media.
     [](leg_in_state& c) {
         c.invite();
         c.says("INVITE", "183 Session Progress", gateway_contact, their_sdp);
     }},
    {"pracking", // The same, reliably.
     [](leg_in_state& c) {
         c.invite();
         c.says("INVITE", "183 Session Progress", gateway_contact + "Require: 100rel\nRSeq: 7\n",
                their_sdp);
     }},
    {"abandoned", // The CANCEL waits for a provisional response.
     [](leg_in_state& c) {
         c.invite();
         c.hang_up();
     }},
    {"cancelling",
     [](leg_in_state& c) {
         c.invite();
         c.says("INVITE", "180 Ringing", gateway_contact);
         c.hang_up();
     }},
    {"cancelled", // The CANCEL has its 200, the INVITE not yet its 487.
     [](leg_in_state& c) {
         c.invite();
         c.says("INVITE", "180 Ringing", gateway_contact);
         c.hang_up();
         c.says("CANCEL", "200 OK");
     }},
    // Answered.
    {"moving", // The ACK waits for a way to where the Contact is.
     [](leg_in_state& c) {
         c.invite();
         c.says("INVITE", "200 OK", "Contact: <sip:gw@192.0.2.77:5070>\n", their_sdp);
     }},
    {"leaving-moving", // Its BYE waits for that way as well.
     [](leg_in_state& c) {
         c.invite();
         c.says("INVITE", "200 OK", "Contact: <sip:gw@192.0.2.77:5070>\n", their_sdp);
         c.hang_up();
     }},
    {"talking", [](leg_in_state& c) { c.talks(); }},
    {"refreshing", // A re-INVITE of who called.
     [](leg_in_state& c) {
         c.invite();
         c.says("INVITE", "200 OK", gateway_contact + "Session-Expires: 20;refresher=uac\n",
                their_sdp);
         c.pass(10s);
     }},
    {"refused",
     [](leg_in_state& c) {
         c.invite();
         c.says("INVITE", "486 Busy Here");
     }},
};

/// What the tables call several of them.
constexpr std::string_view leg_sets = R"(
incoming = offered late-offered ringing early reliable pracked waiting opening
accepting = answered mute-answered late-answered
confirmed = up held reinvited late-reinvited reinviting updating referring
confirmed = subscribed referred following moving talking refreshing
hanging-up = leaving leaving-early leaving-moving
inviting = preparing calling proceeding
early-dialog = alerting hearing pracking
withdrawn = cancelling cancelled
ended = closing over refused
)";

} // namespace trunkline::calls
