// What is asked of a leg from above, and what time and the network do to it, in every state.
#include <vector>

#include "call/leg_table.hpp"

namespace trunkline::calls {
namespace {

struct from_above {
    std::string_view name;
    void (*happen)(leg_in_state&);
};

/// A command that comes in a state in which it says nothing is refused.
template <class Command>
void command(leg_in_state& call, Command what) {
    call.command([&](calls::leg& one) {
        const result<void> how = what(one);
        call.refused = !how.has_value();
    });
}

const from_above commands[] = {
    {"ring",
     [](leg_in_state& c) { command(c, [&](auto& one) { return one.ringing(c.now, c.out); }); }},
    {"progress",
     [](leg_in_state& c) { command(c, [&](auto& one) { return one.progress(c.now, c.out); }); }},
    {"answer",
     [](leg_in_state& c) {
         command(c, [&](auto& one) { return one.answer(true, c.now, c.out); });
     }},
    {"answer-mute", // Without media.
     [](leg_in_state& c) {
         command(c, [&](auto& one) { return one.answer(false, c.now, c.out); });
     }},
    {"refuse",
     [](leg_in_state& c) {
         c.command([&](calls::leg& one) {
             one.reject(486, "Busy Here", {}, {ended_by::application, 486, "busy", {}}, c.now,
                        c.out);
         });
     }},
    {"transfer",
     [](leg_in_state& c) {
         command(c, [&](auto& one) {
             return one.transfer("sip:+14155550123@192.0.2.30", c.now, c.out);
         });
     }},
    {"report", // Of a referral of theirs: it came to nothing.
     [](leg_in_state& c) {
         command(c, [&](auto& one) { return one.report_referral(486, c.now, c.out); });
     }},
    {"hang-up", [](leg_in_state& c) { c.hang_up(); }},
    {"ports", // Those that were asked for.
     [](leg_in_state& c) {
         for (const auto& one : std::exchange(c.asked, {})) c.answer_media(one);
     }},
    {"no-ports",
     [](leg_in_state& c) {
         c.media_refused = true;
         for (const auto& one : std::exchange(c.asked, {})) c.answer_media(one);
     }},
    {"way", // That a target asked for, or where a lost connection went.
     [](leg_in_state& c) {
         auto path = c.path;
         path.flow = {8, 1};
         c.command([&](calls::leg& one) { one.set_path(path, c.now, c.out); });
     }},
    {"flow-failed", [](leg_in_state& c) { c.flow_failed(); }},
    {"33s", [](leg_in_state& c) { c.pass(33s); }},
};

// Hanging up is a final response, a CANCEL once somebody has answered at all (RFC 3261
// section 9.1), or BYE, for which a callee waits until the ACK has come (15). A 200 without an ACK
// ends in BYE (13.3.1.4), a 183 without its PRACK in a 5xx (RFC 3262 section 3), a REFER of which
// nobody tells in `unknown`. A flow that fails fails what has no response at all (RFC 3261
// section 17.1.4).
constexpr std::string_view expected = R"(
ring
  incoming -reliable -pracked -waiting | 180 | - | -
  reliable waiting | - | - | -
  pracked | 180 | mixed | -
  accepting confirmed hanging-up inviting early-dialog withdrawn ended
  unwanted abandoned | - | - | refused
progress
  offered ringing | 183 | early | -
  accepting confirmed hanging-up inviting early-dialog withdrawn ended late-offered unwanted
  abandoned | - | - | refused
  early | 183 | - | -
  reliable waiting opening | - | - | -
  pracked | 183 | reliable | -
answer
  offered ringing early pracked | 200 | answered | answered
  late-offered | 200 | late-answered | answered
  reliable | - | - | -
  accepting confirmed hanging-up inviting early-dialog withdrawn ended waiting opening unwanted
  abandoned | - | - | refused
answer-mute
  offered ringing | 200 | mute-answered | answered
  late-offered | 200 | late-answered | answered
  early pracked | 200 | answered | answered
  reliable | - | - | -
  accepting confirmed hanging-up inviting early-dialog withdrawn ended waiting opening unwanted
  abandoned | - | - | refused
refuse
  incoming -opening | 486 | over | ended application 486
  opening | 486 | closing | ended application 486
  accepting confirmed hanging-up inviting early-dialog withdrawn ended unwanted
  abandoned | - | - | -
transfer
  incoming accepting hanging-up inviting early-dialog withdrawn ended unwanted referring
  subscribed abandoned | - | - | refused
  up talking | REFER | referring | -
  held late-reinvited reinviting referred following moving refreshing | REFER | mixed | -
  reinvited | REFER | referring+200 | -
  updating | REFER | referring+UPDATE | -
report
  incoming accepting confirmed -referred -following hanging-up inviting early-dialog withdrawn
  ended unwanted abandoned | - | - | refused
  referred following | NOTIFY | up | -
hang-up
  incoming -opening | 480 | over | ended application 480
  opening | 480 | closing | ended application 480
  answered mute-answered | - | unwanted | ended application 0
  late-answered | - | mixed | ended application 0
  hanging-up withdrawn ended unwanted abandoned | - | - | -
  up held reinvited late-reinvited following talking | BYE | leaving | ended application 0
  reinviting refreshing | BYE | leaving+INVITE | ended application 0
  updating | BYE | leaving+UPDATE | ended application 0
  referring | BYE | leaving+REFER | transfer unknown, ended application 0
  subscribed | BYE | leaving | transfer unknown, ended application 0
  referred | BYE | leaving+NOTIFY | ended application 0
  preparing | - | closing | ended application 0
  calling | - | abandoned | ended application 0
  proceeding alerting hearing | CANCEL | cancelling | ended application 0
  pracking | CANCEL | cancelling+PRACK | ended application 0
  moving | - | leaving-moving | ended application 0
ports
  incoming -opening accepting confirmed hanging-up early-dialog withdrawn unwanted over calling
  proceeding abandoned refused | - | - | -
  opening | 200 | answered | answered
  closing | - | over | -
  preparing | INVITE | calling | -
no-ports
  incoming -opening accepting confirmed hanging-up early-dialog withdrawn unwanted over calling
  proceeding abandoned refused | - | - | -
  opening | 503 | over | ended local_error 503
  closing | - | over | -
  preparing | - | over | ended local_error 503
way
  incoming accepting confirmed -moving inviting early-dialog withdrawn ended unwanted leaving
  leaving-early abandoned | - | - | -
  moving | ACK | up | -
  leaving-moving | ACK BYE | leaving | -
flow-failed
  incoming accepting ended unwanted up held reinvited late-reinvited subscribed following
  preparing proceeding alerting hearing cancelled moving leaving-moving talking | - | - | -
  reinviting updating referred refreshing | - | up | -
  referring | - | up | transfer failed 503
  leaving leaving-early abandoned | - | over | -
  calling | - | over | refused local_error 503
  pracking | - | hearing | -
  cancelling | - | cancelled | -
33s
  early | - | - | unproved
  incoming -early -reliable -waiting up held following over preparing proceeding alerting hearing
  moving talking refused | - | - | -
  reliable waiting | 183+ 504+ | over | unproved, ended timeout 504
  answered | 200+ BYE+ | leaving | unproved, ended timeout 408
  accepting -answered reinvited late-reinvited | 200+ BYE+ | leaving | ended timeout 408
  unwanted | 200+ BYE+ | leaving | -
  reinviting refreshing | INVITE+ BYE+ | leaving | ended timeout 408
  updating | UPDATE+ BYE+ | leaving | ended timeout 408
  referring | REFER+ | up | transfer failed 408
  subscribed | - | up | transfer unknown
  referred | NOTIFY+ | up | -
  leaving leaving-early | BYE+ | over | -
  closing | 480+ | - | -
  calling | INVITE+ | over | refused timeout 408
  pracking | PRACK+ | hearing | -
  abandoned | INVITE+ | over | -
  cancelling | CANCEL+ | over | -
  cancelled leaving-moving | - | over | -
)";

TEST_CASE("call::leg: in each state each command, failure and hour has what its table says") {
    support::table cells{leg_sets, expected};
    for (const auto& command : commands) {
        for (const auto& state : leg_states) {
            leg_in_state call;
            state.bring_about(call);
            call.begin();
            command.happen(call);
            check_cell(cells, command.name, state.name, state, call);
        }
    }
    CHECK(cells.left_over() == "");
}

} // namespace
} // namespace trunkline::calls
