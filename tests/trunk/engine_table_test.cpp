// Everything that may reach an engine, in every state that a call of it may be in.
#include "trunk/engine_states.hpp"

namespace trunkline::engine_table {
namespace {

const named events[] = {
    {"INVITE",
     [](state& e) {
         const auto one = e.called ? e.another() : e.request;
         e.called = true;
         e.receive(one.text());
     }},
    {"INVITE-again", // The very one that the call began with, once more.
     [](state& e) { e.receive(e.called ? e.request.text() : e.another().text()); }},
    {"INVITE-merged", // The same one by another way.
     [](state& e) {
         auto other = e.request;
         other.branch += "other";
         e.receive(other.text());
     }},
    {"INVITE-stranger", [](state& e) { e.receive(support::stranger_at, e.another().text()); }},
    {"INVITE-number",
     [](state& e) {
         auto wrong = e.another();
         wrong.uri = "sip:+49000@192.0.2.1";
         wrong.to = "<sip:+49000@192.0.2.1>";
         e.receive(wrong.text());
     }},
    {"INVITE-codec",
     [](state& e) {
         auto wrong = e.another();
         wrong.body = support::replaced(wrong.body, "AVP 0 8 101", "AVP 18");
         e.receive(wrong.text());
     }},
    {"INVITE-tagged", // Of a call that nobody knows.
     [](state& e) {
         auto wrong = e.another();
         wrong.to += ";tag=nobody";
         e.receive(wrong.text());
     }},
    {"BYE-unknown",
     [](state& e) {
         auto wrong = e.another();
         wrong.method = "BYE";
         wrong.to += ";tag=nobody";
         e.receive(wrong.text());
     }},
    {"ACK-unknown",
     [](state& e) {
         auto wrong = e.another();
         wrong.method = "ACK";
         wrong.to += ";tag=nobody";
         e.receive(wrong.text());
     }},
    {"CANCEL-unknown", [](state& e) { e.receive(e.another().cancel()); }},
    {"OPTIONS",
     [](state& e) {
         auto other = e.another();
         other.method = "OPTIONS";
         e.receive(other.text());
     }},
    {"REGISTER",
     [](state& e) {
         auto other = e.another();
         other.method = "REGISTER";
         e.receive(other.text());
     }},
    {"DANCE",
     [](state& e) {
         auto other = e.another();
         other.method = "DANCE";
         e.receive(other.text());
     }},
    {"response-unknown",
     [](state& e) {
         e.receive("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKnobody\r\n"
                   "From: <sip:a@192.0.2.1>;tag=1\r\nTo: <sip:b@198.51.100.1>;tag=2\r\n"
                   "Call-ID: nobody\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n");
     }},
    {"noise", [](state& e) { e.receive("\r\n\r\n"); }},
    // In the call.
    {"ACK",
     [](state& e) {
         auto ack = e.within("ACK");
         ack.cseq = 1;
         const auto refused = support::status_of(e.tagged) == "404";
         if (refused) ack.branch = e.request.branch;
         e.receive(ack.text());
     }},
    {"CANCEL", [](state& e) { e.receive(e.request.cancel()); }},
    {"INFO",
     [](state& e) {
         auto info = e.within("INFO");
         e.receive(info.text());
     }},
    {"BYE", [](state& e) { e.receive(e.within("BYE").text()); }},
    {"BYE-elsewhere", // From another address of the carrier's.
     [](state& e) { e.receive("198.51.100.9:5060", e.within("BYE").text()); }},
    {"BYE-stranger", // It has the tags, which are no secret.
     [](state& e) { e.receive(support::stranger_at, e.within("BYE").text()); }},
    // From above and from below.
    {"hang-up",
     [](state& e) {
         e.running().hang_up_all("done", e.now, e.out());
         e.settle();
     }},
    {"drain", [](state& e) { e.engine->drain(); }},
    {"remove", [](state& e) { e.remove_trunk(); }},
    {"flow-down", // The driver needs its slot.
     [](state& e) {
         if (e.flows.contains(*endpoint::parse(support::carrier_at))) e.evict(support::carrier_at);
     }},
    {"send-failed",
     [](state& e) {
         const auto at = e.sent.empty() ? *endpoint::parse(support::carrier_at) : e.sent.back().to;
         e.running().receive(inputs::send_failed{e.flow_of(at), owner_id::none, cause::unreachable},
                             e.now, e.out());
         e.settle();
     }},
    {"too-early",
     [](state& e) {
         e.running().tick(e.now, e.out());
         e.settle();
     }},
    {"33s", [](state& e) { e.advance(33s); }},
    {"70s", [](state& e) { e.advance(70s); }},
};

// A stranger is told nothing but 403, whatever goes on, in a call too. What is of no dialog is 481
// (RFC 3261 section 12.2.2), and so is a CANCEL of nothing (9.2); a merged request is 482 as long
// as the first one proceeds (8.2.2.2), a method that is known and not for us 405, any other 501
// (21.4.6, 21.5.2). What begins a call is refused where none can begin, and nothing else is. A
// trunk that is taken away leaves its calls as they are, and its carrier becomes a stranger: the
// second thing that it says is not answered, which is why nothing is compared after a first one.
// After all that comes by a flow that was forgotten, the next thing goes by another.
//
// "mixed" is a call beside that of the state, or two hindrances at once.
constexpr std::string_view expected = R"(
INVITE
  idle | 100 180 | ringing | incoming
  draining draining-up | 100 503 | - | refused 503
  calls-in calls-out ended refused | 100 180 | mixed | incoming
  full | 486 | - | refused 486
  hurried overloaded | 503 | - | refused 503
  closed | 403 | - | refused 403
  gone | 403 | mixed | refused 403
INVITE-again
  calls-out idle | 100 180 | mixed | incoming
  draining | 100 503 | - | refused 503
  undecided | 100 | - | -
  ringing removed-ringing | 180 | - | -
  hindered answered up leaving ended removed | - | - | -
  refused | 404 | - | -
INVITE-merged
  alone -draining calls-out answered up leaving | 100 180 | mixed | incoming
  draining draining-up | 100 503 | - | refused 503
  undecided ringing | 482 | - | refused 482
  full | 486 | - | refused 486
  hurried overloaded | 503 | - | refused 503
  closed | 403 | - | refused 403
  gone | 403 | mixed | refused 403
INVITE-stranger
  alone calls-in hindered gone calls-out | 403 | - | refused 403
INVITE-number
  alone calls-in calls-out full draining-up | 404 | - | refused 404
  hurried overloaded | 503 | - | refused 503
  closed | 403 | - | refused 403
  gone | 403 | mixed | refused 403
INVITE-codec
  alone calls-in calls-out draining-up | 100 488 | - | refused 488
  full | 486 | - | refused 486
  hurried overloaded | 503 | - | refused 503
  closed | 403 | - | refused 403
  gone | 403 | mixed | refused 403
INVITE-tagged
  alone calls-in hindered calls-out | 481 | - | -
  gone | 403 | mixed | refused 403
BYE-unknown CANCEL-unknown
  alone calls-in hindered calls-out | 481 | - | -
  gone | 403 | mixed | -
ACK-unknown response-unknown noise flow-down too-early
  alone calls-in hindered gone calls-out | - | - | -
OPTIONS
  alone -draining calls-in hindered -draining-up calls-out | 200 | - | -
  draining draining-up | 503 | - | -
  gone | 403 | mixed | -
REGISTER
  alone calls-in hindered calls-out | 405 | - | -
  gone | 403 | mixed | -
DANCE
  alone calls-in hindered calls-out | 501 | - | -
  gone | 403 | mixed | -
ACK
  alone calls-in -answered hindered gone calls-out | - | - | -
  answered | - | up | -
CANCEL
  calls-out idle draining | 481 | - | -
  undecided ringing | 200 487 | idle | ended caller 487
  hindered answered up leaving ended refused removed | 200 | - | -
  removed-ringing | 200 487 | mixed | ended caller 487
INFO
  alone undecided resolving dialling dialling-last | 481 | - | -
  calls-in -undecided hindered gone alerting cancelling talking | 200 | - | -
BYE BYE-elsewhere
  alone calls-out -talking undecided | 481 | - | -
  ringing | 200 487 | idle | ended caller 487
  answered up full overloaded | 200 | idle | ended caller 200
  leaving | 200 | mixed | -
  hurried closed removed | 200 | mixed | ended caller 200
  draining-up | 200 | draining | ended caller 200
  removed-ringing | 200 487 | mixed | ended caller 487
  talking | 200 | idle | ended callee 200
BYE-stranger
  alone calls-in hindered gone resolving alerting cancelling talking | 403 | - | -
  dialling dialling-last | 481 | - | -
hang-up
  alone leaving cancelling | - | - | -
  undecided ringing | 480 | idle | ended application 480
  answered dialling dialling-last | - | mixed | ended application 0
  up full overloaded talking | BYE | leaving | ended application 0
  hurried draining-up closed removed | BYE | mixed | ended application 0
  removed-ringing | 480 | mixed | ended application 480
  resolving | - | idle | ended application 0
  alerting | CANCEL | cancelling | ended application 0
drain
  alone -draining | - | draining | -
  gone draining draining-up | - | - | -
  calls-in -up hindered -draining-up calls-out -talking | - | mixed | -
  up talking | - | draining-up | -
remove
  alone calls-out -talking undecided answered leaving | - | mixed | -
  ringing | - | removed-ringing | -
  hindered up talking | - | removed | -
  gone | - | - | -
send-failed
  alone calls-in -leaving hindered gone resolving alerting talking | - | - | -
  leaving | - | idle | -
  dialling | INVITE | - | -
  dialling-last | - | idle | ended local_error 0
  cancelling | - | mixed | -
33s
  alone -refused hindered -hurried gone undecided ringing up alerting talking | - | - | -
  answered | 200+ BYE+ | leaving | ended timeout 0
  leaving | BYE+ | idle | -
  refused | 404+ | - | -
  hurried | - | up | -
  resolving | - | idle | ended local_error 0
  dialling | INVITE+ | mixed | ended timeout 0
  dialling-last | INVITE+ | idle | ended timeout 0
  cancelling | CANCEL+ | idle | -
70s
  alone -refused hindered -hurried up removed talking | - | - | -
  undecided ringing | 480+ | idle | ended timeout 480
  answered | 200+ BYE+ | idle | ended timeout 0
  leaving | BYE+ | idle | -
  refused | 404+ | - | -
  hurried | - | up | -
  removed-ringing | 480+ | mixed | ended timeout 480
  resolving | - | idle | ended local_error 0
  dialling dialling-last | INVITE+ | idle | ended timeout 0
  alerting | CANCEL+ | cancelling | ended timeout 0
  cancelling | CANCEL+ | idle | -
)";

TEST_CASE("trunks::engine: in each state each event has the answer of its table") {
    support::table cells{sets, expected};
    for (const auto& event : events) {
        for (const auto& where : states) {
            CAPTURE(std::string{event.name});
            CAPTURE(std::string{where.name});
            state of;
            where.happen(of);
            of.begin();
            event.happen(of);
            const auto wire = sent_since(of, of.before);
            const auto told = told_since(of);
            const auto wanted = cells.take(event.name, where.name);
            const auto seen = signature(of);
            CHECK(wire == wanted.wire);
            CHECK(told == wanted.told);
            if (wanted.after == "mixed") continue;
            CHECK(seen == signature_of(wanted.after == "-" ? where.name : wanted.after));
        }
    }
    CHECK(cells.left_over() == "");
}

} // namespace
} // namespace trunkline::engine_table
