// What any carrier may send, and what some were seen to: who calls is in P-Asserted-Identity, a BYE
// says why, a 183 comes twice and the 200 after it says nothing, and somebody answers too late.
#include "sim/scripted_carrier.hpp"

#include "support/print.hpp"

namespace trunkline::sim {
namespace {

constexpr std::string_view at = "198.51.100.60:5060";

TEST_CASE("sim::carrier: who calls and why the call ended is read as the carrier wrote it") {
    scripted_carrier any{at, {}};
    any.play(R"(
<<< INVITE sip:+4930123@192.0.2.1:5060 SIP/2.0
Via: SIP/2.0/UDP 198.51.100.60:5060;branch=$branch
Max-Forwards: 70
From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=theirs
To: <sip:+4930123@192.0.2.1>
Call-ID: one@198.51.100.60
CSeq: 1 INVITE
Contact: <sip:198.51.100.60:5060>
P-Asserted-Identity: <sip:+14155550100@198.51.100.60>
Privacy: id
Content-Type: application/sdp

v=0
o=- 1 1 IN IP4 198.51.100.61
s=-
c=IN IP4 198.51.100.61
t=0 0
m=audio 10000 RTP/AVP 0
>>> SIP/2.0 100
>>> SIP/2.0 180
>>> SIP/2.0 200
--- read P-Asserted-Identity: <sip:+14155550100@198.51.100.60>
--- read Privacy: id
<<< ACK $target SIP/2.0
Via: SIP/2.0/UDP 198.51.100.60:5060;branch=$branch
From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=theirs
To: <sip:+4930123@192.0.2.1>;tag=$tag
Call-ID: one@198.51.100.60
CSeq: 1 ACK
--- told answered
<<< BYE $target SIP/2.0
Via: SIP/2.0/UDP 198.51.100.60:5060;branch=$branch
From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=theirs
To: <sip:+4930123@192.0.2.1>;tag=$tag
Call-ID: one@198.51.100.60
CSeq: 2 BYE
Reason: Q.850;cause=16;text="Normal call clearing"
>>> SIP/2.0 200
--- told ended caller 200
)");
    CHECK(any.record().carrier_words == "Q.850;cause=16;text=\"Normal call clearing\"");
}

TEST_CASE("sim::carrier: a 183 that comes twice and a 200 that says nothing are one answer") {
    scripted_carrier any{at, {}};
    any.play(R"(
--- dial +14155550100
>>> INVITE sip:+14155550100@198.51.100.60 SIP/2.0
<<< SIP/2.0 183 Session Progress
$echo
Contact: <sip:198.51.100.60:5060>
Content-Type: application/sdp

v=0
o=- 1 1 IN IP4 198.51.100.61
s=-
c=IN IP4 198.51.100.61
t=0 0
m=audio 10000 RTP/AVP 0
--- told early media
<<< SIP/2.0 183 Session Progress
$echo
Contact: <sip:198.51.100.60:5060>
Content-Type: application/sdp

v=0
o=- 1 1 IN IP4 198.51.100.61
s=-
c=IN IP4 198.51.100.61
t=0 0
m=audio 10000 RTP/AVP 0
--- told early media
<<< SIP/2.0 200 OK
$echo
Contact: <sip:198.51.100.60:5060>
>>> ACK sip:198.51.100.60:5060 SIP/2.0
--- told answered
--- hang up
>>> BYE sip:198.51.100.60:5060 SIP/2.0
Reason: Q.850;cause=16;text="done"
<<< SIP/2.0 407 Proxy Authentication Required
$echo
Proxy-Authenticate: Digest realm="nobody", nonce="n1"
--- told ended application 0
)");
}

TEST_CASE("sim::carrier: an answer that crosses our CANCEL is acknowledged and hung up") {
    scripted_carrier any{at, {}};
    any.play(R"(
--- dial +14155550100
>>> INVITE sip:+14155550100@198.51.100.60 SIP/2.0
<<< SIP/2.0 180 Ringing
$echo
--- told ringing
--- hang up
>>> CANCEL sip:+14155550100@198.51.100.60 SIP/2.0
<<< SIP/2.0 200 OK
$echo
<<< SIP/2.0 200 OK
$echo-INVITE
Contact: <sip:198.51.100.60:5060>
Content-Type: application/sdp

v=0
o=- 1 1 IN IP4 198.51.100.61
s=-
c=IN IP4 198.51.100.61
t=0 0
m=audio 10000 RTP/AVP 0
>>> ACK sip:198.51.100.60:5060 SIP/2.0
>>> BYE sip:198.51.100.60:5060 SIP/2.0
<<< SIP/2.0 200 OK
$echo
--- told ended application 0
)");
}

} // namespace
} // namespace trunkline::sim
