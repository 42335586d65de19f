// Twilio Elastic SIP: 407 for who calls out, Record-Route always, X-Twilio- headers, +E.164, REFER
// to tel: and not to an address.
#include "sim/scripted_carrier.hpp"

#include "support/print.hpp"

namespace trunkline::sim {
namespace {

constexpr std::string_view at = "54.172.60.1:5060";

[[nodiscard]] trunk_config trunk() {
    trunk_config made;
    made.allow_from = {"54.172.60.0/30"};
    made.auth = userpass{"our-trunk", "secret", {}};
    return made;
}

TEST_CASE("sim::carrier: a call from Twilio is answered along its Record-Route") {
    scripted_carrier twilio{at, trunk()};
    twilio.play(R"(
<<< INVITE sip:+4930123@192.0.2.1:5060 SIP/2.0
Record-Route: <sip:54.172.60.1:5060;lr>
Via: SIP/2.0/UDP 54.172.60.1:5060;branch=$branch
Max-Forwards: 60
From: <sip:+14155550100@54.172.60.1>;tag=theirs
To: <sip:+4930123@192.0.2.1>
Call-ID: one@54.172.60.1
CSeq: 1 INVITE
Contact: <sip:+14155550100@54.172.60.3:5060>
X-Twilio-VerStat: as-it-was-written
Content-Type: application/sdp

v=0
o=- 1 1 IN IP4 54.172.60.2
s=-
c=IN IP4 54.172.60.2
t=0 0
m=audio 10000 RTP/AVP 0 8 101
a=rtpmap:101 telephone-event/8000
>>> SIP/2.0 100
>>> SIP/2.0 180
>>> SIP/2.0 200
Record-Route: <sip:54.172.60.1:5060;lr>
m=audio 16384 RTP/AVP 0 101
--- called +4930123
--- read X-Twilio-VerStat: as-it-was-written
<<< ACK $target SIP/2.0
Via: SIP/2.0/UDP 54.172.60.1:5060;branch=$branch
From: <sip:+14155550100@54.172.60.1>;tag=theirs
To: <sip:+4930123@192.0.2.1>;tag=$tag
Call-ID: one@54.172.60.1
CSeq: 1 ACK
--- told answered
--- hang up
>>> BYE sip:+14155550100@54.172.60.3:5060 SIP/2.0
Route: <sip:54.172.60.1:5060;lr>
<<< SIP/2.0 200 OK
$echo
--- told ended application 0
)");
}

TEST_CASE("sim::carrier: a call to Twilio is challenged by 407 and transferred to a tel: URI") {
    scripted_carrier twilio{at, trunk()};
    twilio.play(R"(
--- dial 14155550100
>>> INVITE sip:+14155550100@54.172.60.1 SIP/2.0
From: <sip:+4930123@
! Proxy-Authorization
<<< SIP/2.0 407 Proxy Authentication Required
$echo
Proxy-Authenticate: Digest realm="sip.twilio.com", nonce="n1", qop="auth"
>>> ACK sip:+14155550100@54.172.60.1 SIP/2.0
>>> INVITE sip:+14155550100@54.172.60.1 SIP/2.0
CSeq: 2 INVITE
Proxy-Authorization: Digest username="our-trunk"
<<< SIP/2.0 100 Trying
$echo
<<< SIP/2.0 180 Ringing
$echo
--- told ringing
<<< SIP/2.0 200 OK
$echo
Record-Route: <sip:54.172.60.1:5060;lr>
Contact: <sip:+14155550100@54.172.60.3:5060>
Content-Type: application/sdp

v=0
o=- 1 1 IN IP4 54.172.60.2
s=-
c=IN IP4 54.172.60.2
t=0 0
m=audio 10000 RTP/AVP 0 101
a=rtpmap:101 telephone-event/8000
>>> ACK sip:+14155550100@54.172.60.3:5060 SIP/2.0
Route: <sip:54.172.60.1:5060;lr>
Proxy-Authorization: Digest username="our-trunk"
--- told answered
--- transfer sip:+14155550123@203.0.113.9
>>> REFER sip:+14155550100@54.172.60.3:5060 SIP/2.0
Route: <sip:54.172.60.1:5060;lr>
Refer-To: <sip:+14155550123@203.0.113.9>
<<< SIP/2.0 403 Forbidden
$echo
--- told transfer 403
--- transfer tel:+14155550123
>>> REFER sip:+14155550100@54.172.60.3:5060 SIP/2.0
Refer-To: <tel:+14155550123>
<<< SIP/2.0 202 Accepted
$echo
--- told transfer 202
<<< BYE $target SIP/2.0
Via: SIP/2.0/UDP 54.172.60.1:5060;branch=$branch
From: <sip:+14155550100@54.172.60.1>;tag=carrier
To: <sip:+4930123@192.0.2.1>;tag=$tag
Call-ID: $call
CSeq: 1 BYE
>>> SIP/2.0 200
--- told transfer 0
--- told ended callee 200
)");
}

TEST_CASE("sim::carrier: why Twilio declined a call stands in its record") {
    scripted_carrier twilio{at, trunk()};
    twilio.play(R"(
--- dial +14155550100
>>> INVITE sip:+14155550100@54.172.60.1 SIP/2.0
<<< SIP/2.0 603 Decline
$echo
X-Twilio-Error: 32203 as it was written
>>> ACK sip:+14155550100@54.172.60.1 SIP/2.0
--- told ended callee 603
)");
    CHECK(twilio.record().carrier_words == "Decline; X-Twilio-Error: 32203 as it was written");
}

} // namespace
} // namespace trunkline::sim
