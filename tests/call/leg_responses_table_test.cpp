// Every class of response to every request of ours that can be outstanding.
#include "call/leg_table.hpp"

namespace trunkline::calls {
namespace {

struct response {
    std::string_view name; ///< The status line is what follows.
    std::string_view status;
    std::string_view fields{};
    bool described = false;
};

const response responses[] = {
    {"100", "100 Trying"},
    {"180", "180 Ringing"},
    {"183-described", "183 Session Progress", {}, true},
    {"183-reliable", "183 Session Progress", "Require: 100rel\nRSeq: 8\n", true},
    {"200", "200 OK", {}, true},
    {"200-bare", "200 OK"},
    {"202", "202 Accepted"},
    {"302", "302 Moved Temporarily"},
    {"401", "401 Unauthorized", "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n1\"\n"},
    {"407", "407 Proxy Authentication Required",
     "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n1\"\n"},
    {"401-unknown", "401 Unauthorized", "WWW-Authenticate: Basic realm=\"carrier\"\n"},
    {"405", "405 Method Not Allowed"},
    {"408", "408 Request Timeout"},
    {"422", "422 Session Interval Too Small", "Min-SE: 3600\n"},
    {"422-bare", "422 Session Interval Too Small"},
    {"481", "481 Call/Transaction Does Not Exist"},
    {"486", "486 Busy Here"},
    {"487", "487 Request Terminated"},
    {"491", "491 Request Pending"},
    {"500", "500 Server Internal Error"},
    {"503", "503 Service Unavailable", "Retry-After: 5\n"},
    {"603", "603 Decline"},
};

/// Which requests of ours a state has outstanding, or answered by a 2xx that may come again.
struct outstanding {
    std::string_view state;
    std::string_view request;
};

const outstanding places[] = {
    {"calling", "INVITE"},   {"proceeding", "INVITE"},     {"alerting", "INVITE"},
    {"hearing", "INVITE"},   {"pracking", "INVITE"},       {"pracking", "PRACK"},
    {"abandoned", "INVITE"}, {"cancelling", "INVITE"},     {"cancelling", "CANCEL"},
    {"moving", "INVITE"},    {"talking", "INVITE"},        {"refreshing", "INVITE"},
    {"refused", "INVITE"},   {"reinviting", "INVITE"},     {"updating", "UPDATE"},
    {"referring", "REFER"},  {"subscribed", "REFER"},      {"referred", "NOTIFY"},
    {"leaving", "BYE"},      {"leaving-early", "INVITE"},  {"leaving-early", "BYE"},
    {"cancelled", "INVITE"}, {"leaving-moving", "INVITE"},
};

constexpr std::string_view response_sets = R"(
unanswered = INVITE@calling INVITE@proceeding INVITE@alerting INVITE@hearing
answered = INVITE@moving INVITE@talking INVITE@leaving-moving REFER@subscribed
refresh = INVITE@refreshing INVITE@reinviting
withdrawn = INVITE@abandoned INVITE@cancelling INVITE@cancelled
requests = PRACK@pracking UPDATE@updating REFER@referring NOTIFY@referred
byes = BYE@leaving BYE@leaving-early
)";

// Every final response to an INVITE has its ACK (RFC 3261 sections 13.2.2.4 and 17.1.1.3), and a
// 200 that nobody wants its BYE. 401, 407 and 422 are done as they ask, as long as they ask for
// something. In a call 408 and 481 say that there is none (12.2.1.2); a REFER's and a NOTIFY's say
// so of their subscription. A reliable 18x has its PRACK in the same call (RFC 3262 section 4).
//
// After a 491 who was called asks again within two seconds (RFC 3261 section 14.1), which may be
// before the call is looked at.
constexpr std::string_view expected = R"(
100
  INVITE@calling | - | proceeding | -
  unanswered -INVITE@calling answered requests byes INVITE@pracking INVITE@cancelling
  CANCEL@cancelling INVITE@refused INVITE@leaving-early INVITE@cancelled | - | - | -
  INVITE@abandoned | CANCEL | cancelling | -
  refresh | - | mixed | -
180
  INVITE@calling INVITE@proceeding | - | alerting | ringing
  INVITE@alerting INVITE@hearing INVITE@pracking | - | - | ringing
  answered requests byes INVITE@cancelling CANCEL@cancelling INVITE@refused INVITE@leaving-early
  INVITE@cancelled | - | - | -
  INVITE@abandoned | CANCEL | cancelling | -
  refresh | - | mixed | -
183-described
  unanswered -INVITE@hearing | - | hearing | early
  INVITE@hearing INVITE@pracking | - | - | early
  answered requests byes INVITE@cancelling CANCEL@cancelling INVITE@refused INVITE@leaving-early
  INVITE@cancelled | - | - | -
  INVITE@abandoned | CANCEL | cancelling | -
  refresh | - | mixed | -
183-reliable
  unanswered | PRACK | pracking | early
  INVITE@pracking | PRACK | - | early
  answered requests byes INVITE@cancelling CANCEL@cancelling INVITE@refused INVITE@leaving-early
  INVITE@cancelled | - | - | -
  INVITE@abandoned | CANCEL | cancelling | -
  refresh | - | mixed | -
200
  unanswered | ACK | up | answered
  INVITE@pracking | ACK | up+PRACK | answered
  PRACK@pracking | - | hearing | -
  INVITE@abandoned INVITE@cancelled | ACK BYE | leaving | -
  INVITE@cancelling | ACK BYE | leaving+CANCEL | -
  CANCEL@cancelling | - | cancelled | -
  answered -INVITE@talking INVITE@refused | - | - | -
  INVITE@talking INVITE@leaving-early | ACK | - | -
  refresh | ACK | up | -
  UPDATE@updating | - | up | -
  REFER@referring | - | subscribed | transfer accepted #
  NOTIFY@referred | - | following | -
  byes | - | over | -
200-bare 202
  unanswered -INVITE@hearing | ACK BYE | leaving | ended carrier 488
  INVITE@hearing | ACK | up | answered
  INVITE@pracking | ACK | up+PRACK | answered
  PRACK@pracking | - | hearing | -
  INVITE@abandoned INVITE@cancelled | ACK BYE | leaving | -
  INVITE@cancelling | ACK BYE | leaving+CANCEL | -
  CANCEL@cancelling | - | cancelled | -
  answered -INVITE@talking INVITE@refused | - | - | -
  INVITE@talking INVITE@leaving-early | ACK | - | -
  refresh | ACK | up | -
  UPDATE@updating | - | up | -
  REFER@referring | - | subscribed | transfer accepted #
  NOTIFY@referred | - | following | -
  byes | - | over | -
302 401-unknown 422-bare 487 500 503
  unanswered | ACK | over | refused carrier #
  INVITE@pracking | ACK | over+PRACK | refused carrier #
  PRACK@pracking | - | hearing | -
  INVITE@abandoned INVITE@cancelled | ACK | over | -
  INVITE@cancelling | ACK | over+CANCEL | -
  CANCEL@cancelling | - | cancelled | -
  answered | - | - | -
  refresh | ACK | up | -
  INVITE@refused INVITE@leaving-early | ACK | - | -
  UPDATE@updating NOTIFY@referred | - | up | -
  REFER@referring | - | up | transfer failed #
  byes | - | over | -
491
  unanswered | ACK | over | refused carrier #
  INVITE@pracking | ACK | over+PRACK | refused carrier #
  PRACK@pracking | - | hearing | -
  INVITE@abandoned INVITE@cancelled | ACK | over | -
  INVITE@cancelling | ACK | over+CANCEL | -
  CANCEL@cancelling | - | cancelled | -
  answered | - | - | -
  INVITE@refreshing | ACK | up | -
  INVITE@reinviting | ACK | mixed | -
  INVITE@refused INVITE@leaving-early | ACK | - | -
  UPDATE@updating NOTIFY@referred | - | up | -
  REFER@referring | - | up | transfer failed #
  byes | - | over | -
401 407
  refresh INVITE@calling | ACK INVITE | - | -
  INVITE@proceeding INVITE@alerting | ACK INVITE | calling | -
  INVITE@hearing INVITE@pracking | ACK INVITE | mixed | -
  PRACK@pracking | PRACK | - | -
  INVITE@abandoned INVITE@cancelled | ACK | over | -
  INVITE@cancelling | ACK | over+CANCEL | -
  CANCEL@cancelling | - | cancelled | -
  answered | - | - | -
  INVITE@refused INVITE@leaving-early | ACK | - | -
  UPDATE@updating | UPDATE | - | -
  REFER@referring | REFER | - | -
  NOTIFY@referred | NOTIFY | - | -
  byes | BYE | - | -
405
  unanswered | ACK | over | refused carrier #
  INVITE@pracking | ACK | over+PRACK | refused carrier #
  PRACK@pracking | - | hearing | -
  INVITE@abandoned INVITE@cancelled | ACK | over | -
  INVITE@cancelling | ACK | over+CANCEL | -
  CANCEL@cancelling | - | cancelled | -
  answered | - | - | -
  refresh | ACK | up | -
  INVITE@refused INVITE@leaving-early | ACK | - | -
  UPDATE@updating | INVITE | reinviting | -
  REFER@referring | - | up | transfer failed #
  NOTIFY@referred | - | up | -
  byes | - | over | -
408 481
  unanswered | ACK | over | refused carrier #
  INVITE@pracking | ACK | over+PRACK | refused carrier #
  PRACK@pracking | - | hearing | -
  INVITE@abandoned INVITE@cancelled | ACK | over | -
  INVITE@cancelling | ACK | over+CANCEL | -
  CANCEL@cancelling | - | cancelled | -
  answered | - | - | -
  refresh | ACK BYE | leaving | ended timeout #
  INVITE@refused INVITE@leaving-early | ACK | - | -
  UPDATE@updating | BYE | leaving | ended timeout #
  REFER@referring | - | up | transfer failed #
  NOTIFY@referred | - | up | -
  byes | - | over | -
422
  refresh INVITE@calling | ACK INVITE | - | -
  INVITE@proceeding INVITE@alerting | ACK INVITE | calling | -
  INVITE@hearing INVITE@pracking | ACK INVITE | mixed | -
  PRACK@pracking | - | hearing | -
  INVITE@abandoned INVITE@cancelled | ACK | over | -
  INVITE@cancelling | ACK | over+CANCEL | -
  CANCEL@cancelling | - | cancelled | -
  answered | - | - | -
  INVITE@refused INVITE@leaving-early | ACK | - | -
  UPDATE@updating | UPDATE | - | -
  REFER@referring | - | up | transfer failed #
  NOTIFY@referred | - | up | -
  byes | - | over | -
486 603
  unanswered | ACK | over | refused callee #
  INVITE@pracking | ACK | over+PRACK | refused callee #
  PRACK@pracking | - | hearing | -
  INVITE@abandoned INVITE@cancelled | ACK | over | -
  INVITE@cancelling | ACK | over+CANCEL | -
  CANCEL@cancelling | - | cancelled | -
  answered | - | - | -
  refresh | ACK | up | -
  INVITE@refused INVITE@leaving-early | ACK | - | -
  UPDATE@updating NOTIFY@referred | - | up | -
  REFER@referring | - | up | transfer failed #
  byes | - | over | -
)";

TEST_CASE("call::leg: each response to each request that is outstanding does what its table says") {
    support::table cells{response_sets, expected};
    for (const auto& response : responses) {
        for (const auto& place : places) {
            const auto* const state = std::ranges::find(leg_states, place.state, &leg_state::name);
            REQUIRE(state != std::end(leg_states));
            leg_in_state call;
            state->bring_about(call);
            call.begin();
            call.says(place.request, response.status,
                      gateway_contact + std::string{response.fields},
                      response.described ? std::string_view{their_sdp} : std::string_view{});
            check_cell(cells, response.name,
                       std::string{place.request} + '@' + std::string{place.state}, *state, call);
        }
    }
    CHECK(cells.left_over() == "");
}

} // namespace
} // namespace trunkline::calls
