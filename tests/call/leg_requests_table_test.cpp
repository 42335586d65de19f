// Every request that a peer may send in a dialog, in every state of a leg.
#include "call/leg_table.hpp"

namespace trunkline::calls {
namespace {

struct from_peer {
    std::string_view name;
    void (*send)(leg_in_state&);
};

const from_peer requests[] = {
    {"INVITE", [](leg_in_state& c) { c.reinvites(c.offer()); }},
    {"INVITE-bare", [](leg_in_state& c) { c.reinvites({}); }},
    {"ACK", [](leg_in_state& c) { c.acknowledges(); }},
    {"ACK-described", [](leg_in_state& c) { c.acknowledges(c.offer()); }},
    {"BYE", [](leg_in_state& c) { c.receive(c.request("BYE")); }},
    {"CANCEL", // Of the INVITE that began the call. The 200 to it is the trunk's.
     [](leg_in_state& c) {
         const auto cancel = c.numbered("CANCEL", 100);
         c.receive(replaced(cancel, branch(cancel), "z9hG4bK-first"));
     }},
    {"PRACK", [](leg_in_state& c) { c.prack(c.rseq()); }},
    {"PRACK-wrong", [](leg_in_state& c) { c.prack("4711"); }},
    {"UPDATE", [](leg_in_state& c) { c.receive(c.request("UPDATE", c.offer())); }},
    {"UPDATE-bare", [](leg_in_state& c) { c.receive(c.request("UPDATE")); }},
    {"INFO",
     [](leg_in_state& c) {
         c.receive(c.request("INFO", "Signal=5\n", {}, "application/dtmf-relay"));
     }},
    {"OPTIONS", [](leg_in_state& c) { c.receive(c.request("OPTIONS")); }},
    {"REFER",
     [](leg_in_state& c) {
         c.receive(c.request("REFER", {}, "Refer-To: <sip:+14155550123@192.0.2.30>\n"));
     }},
    {"NOTIFY",
     [](leg_in_state& c) {
         c.receive(c.request("NOTIFY", "SIP/2.0 486 Busy Here\n",
                             "Event: refer\nSubscription-State: terminated;reason=noresource\n",
                             "message/sipfrag"));
     }},
    {"NOTIFY-trying",
     [](leg_in_state& c) {
         c.receive(c.request("NOTIFY", "SIP/2.0 100 Trying\n",
                             "Event: refer\nSubscription-State: active;expires=60\n",
                             "message/sipfrag"));
     }},
    {"SUBSCRIBE", [](leg_in_state& c) { c.receive(c.request("SUBSCRIBE", {}, "Event: refer\n")); }},
    {"MESSAGE",
     [](leg_in_state& c) { c.receive(c.request("MESSAGE", "hello\n", {}, "text/plain")); }},
    {"DANCE", [](leg_in_state& c) { c.receive(c.request("DANCE")); }},
    {"unknown-extension",
     [](leg_in_state& c) { c.receive(c.request("OPTIONS", {}, "Require: precondition\n")); }},
    {"out-of-order", // After another one with a higher number.
     [](leg_in_state& c) {
         c.receive(c.request("OPTIONS"));
         c.begin();
         c.receive(c.numbered("OPTIONS", c.cseq - 1));
     }},
    {"stranger", // Of a dialog that has another tag.
     [](leg_in_state& c) {
         const auto whole = c.request("BYE");
         c.receive(replaced(whole, tag(whole, "From"), "somebody-else"));
     }},
};

// 481 is for what is of no dialog (RFC 3261 section 12.2.2), 500 for an INVITE or an offer before
// the last one is through (14.2; RFC 3311 section 5.2), 491 for what meets one of ours, and for a
// REFER that comes before the call is up. A CANCEL finds only what has no final response (9.2), a
// PRACK only the response that it names (RFC 3262 section 3), a NOTIFY only a REFER (RFC 3515
// section 2.4.4). A caller may say BYE early, a callee may not (15).
constexpr std::string_view expected = R"(
INVITE
  incoming accepting unwanted reinvited late-reinvited | 500 | - | -
  up held talking | 200 | reinvited | -
  reinviting refreshing | 491 | - | -
  updating | 200 | updating+200 | -
  referring | 200 | referring+200 | -
  subscribed | 200 | subscribed+200 | -
  referred | 200 | referred+200 | -
  following | 200 | following+200 | -
  hanging-up inviting early-dialog withdrawn ended abandoned | 481 | - | -
  moving | 200 | moving+200 | reroute
INVITE-bare
  incoming accepting unwanted reinvited late-reinvited | 500 | - | -
  up talking | 200 | late-reinvited | -
  held referring subscribed referred following | 200 | mixed | -
  reinviting refreshing | 491 | - | -
  updating | 200 | late-reinvited+UPDATE | -
  hanging-up inviting early-dialog withdrawn ended abandoned | 481 | - | -
  moving | 200 | mixed | reroute
ACK
  incoming confirmed -reinvited -late-reinvited hanging-up inviting early-dialog withdrawn ended
  abandoned | - | - | -
  answered reinvited late-reinvited | - | up | -
  mute-answered | - | held | -
  late-answered | BYE | leaving | ended carrier 488
  unwanted | BYE | leaving | -
ACK-described
  incoming confirmed -reinvited -late-reinvited hanging-up inviting early-dialog withdrawn ended
  abandoned | - | - | -
  answered late-answered reinvited late-reinvited | - | up | -
  mute-answered | - | held | -
  unwanted | BYE | leaving | -
BYE
  incoming -opening | 200 487 | over | ended caller 487
  opening | 200 487 | closing | ended caller 487
  accepting up held reinvited late-reinvited following | 200 | over | ended caller 200
  reinviting | 200 | over+INVITE | ended caller 200
  unwanted leaving-moving | 200 | over | -
  updating | 200 | over+UPDATE | ended caller 200
  referring | 200 | over+REFER | transfer unknown, ended caller 200
  subscribed | 200 | over | transfer unknown, ended caller 200
  referred | 200 | over+NOTIFY | ended caller 200
  leaving leaving-early | 200 | over+BYE | -
  closing | 200 | - | -
  inviting early-dialog withdrawn over abandoned refused | 481 | - | -
  moving talking | 200 | over | ended callee 200
  refreshing | 200 | over+INVITE | ended callee 200
CANCEL
  incoming -opening | 487 | over | ended caller 487
  opening | 487 | closing | ended caller 487
  accepting confirmed hanging-up inviting early-dialog withdrawn ended unwanted
  abandoned | - | - | -
PRACK
  incoming -reliable -waiting accepting confirmed hanging-up inviting early-dialog withdrawn
  ended unwanted abandoned | 481 | - | -
  reliable | 200 | pracked | -
  waiting | 200+ | answered | answered
PRACK-wrong stranger
  incoming accepting confirmed hanging-up inviting early-dialog withdrawn ended unwanted
  abandoned | 481 | - | -
UPDATE
  incoming -pracked | 500 | - | -
  pracked answered mute-answered unwanted up reinvited updating referring subscribed referred
  following hearing pracking talking | 200 | - | -
  late-answered late-reinvited reinviting alerting refreshing | 491 | - | -
  held | 200 | up | -
  hanging-up inviting withdrawn ended abandoned | 481 | - | -
  moving | 200 | - | reroute
UPDATE-bare
  incoming accepting confirmed -moving early-dialog unwanted | 200 | - | -
  hanging-up inviting withdrawn ended abandoned | 481 | - | -
  moving | 200 | - | reroute
INFO
  incoming accepting confirmed early-dialog | 200 | - | digit 5
  hanging-up withdrawn unwanted closing | 200 | - | -
  inviting over abandoned refused | 481 | - | -
OPTIONS
  incoming accepting confirmed hanging-up early-dialog withdrawn unwanted closing | 200 | - | -
  inviting over abandoned refused | 481 | - | -
REFER
  incoming accepting early-dialog referred following | 491 | - | -
  hanging-up inviting withdrawn ended unwanted abandoned | 481 | - | -
  up talking | 202 NOTIFY | referred | referred
  held late-reinvited reinviting referring subscribed moving
  refreshing | 202 NOTIFY | mixed | referred
  reinvited | 202 NOTIFY | referred+200 | referred
  updating | 202 NOTIFY | referred+UPDATE | referred
NOTIFY
  incoming accepting confirmed -referring -subscribed hanging-up inviting early-dialog withdrawn
  ended unwanted abandoned | 481 | - | -
  referring subscribed | 200 | up | transfer failed 486
NOTIFY-trying
  incoming accepting confirmed -referring -subscribed hanging-up inviting early-dialog withdrawn
  ended unwanted abandoned | 481 | - | -
  referring subscribed | 200 | - | transfer trying 100
SUBSCRIBE MESSAGE
  incoming accepting confirmed hanging-up early-dialog withdrawn unwanted closing | 405 | - | -
  inviting over abandoned refused | 481 | - | -
DANCE
  incoming accepting confirmed hanging-up early-dialog withdrawn unwanted closing | 501 | - | -
  inviting over abandoned refused | 481 | - | -
unknown-extension
  incoming accepting confirmed hanging-up early-dialog withdrawn unwanted closing | 420 | - | -
  inviting over abandoned refused | 481 | - | -
out-of-order
  incoming accepting confirmed hanging-up early-dialog withdrawn unwanted closing | 500 | - | -
  inviting over abandoned refused | 481 | - | -
)";

TEST_CASE("call::leg: in each state each request of the peer has the answer of its table") {
    support::table cells{leg_sets, expected};
    for (const auto& request : requests) {
        for (const auto& state : leg_states) {
            leg_in_state call;
            state.bring_about(call);
            call.begin();
            request.send(call);
            check_cell(cells, request.name, state.name, state, call);
        }
    }
    CHECK(cells.left_over() == "");
}

} // namespace
} // namespace trunkline::calls
