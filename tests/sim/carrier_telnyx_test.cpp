// Telnyx: compact headers, re-INVITEs for T.38, ringback by 183, and D-codes where a call is
// refused.
#include "sim/scripted_carrier.hpp"

#include "support/print.hpp"

namespace trunkline::sim {
namespace {

constexpr std::string_view at = "192.76.120.10:5060";

[[nodiscard]] trunk_config trunk() {
    trunk_config made;
    made.allow_from = {"192.76.120.10"};
    made.auth = userpass{"our-trunk", "secret", {}};
    return made;
}

TEST_CASE("sim::carrier: a call from Telnyx has compact headers, and outlives an offer of T.38") {
    scripted_carrier telnyx{at, trunk()};
    telnyx.play(R"(
<<< INVITE sip:+4930123@192.0.2.1:5060 SIP/2.0
v: SIP/2.0/UDP 192.76.120.10:5060;branch=$branch
Max-Forwards: 70
f: <sip:+14155550100@192.76.120.10>;tag=theirs
t: <sip:+4930123@192.0.2.1>
i: one@192.76.120.10
CSeq: 1 INVITE
m: <sip:192.76.120.10:5060>
c: application/sdp

v=0
o=- 1 1 IN IP4 192.76.120.11
s=-
c=IN IP4 192.76.120.11
t=0 0
m=audio 10000 RTP/AVP 0 8 9 18 101
a=rtpmap:101 telephone-event/8000
>>> SIP/2.0 100
>>> SIP/2.0 180
>>> SIP/2.0 200
Via: SIP/2.0/UDP 192.76.120.10:5060
Call-ID: one@192.76.120.10
m=audio 16384 RTP/AVP 0 101
<<< ACK $target SIP/2.0
v: SIP/2.0/UDP 192.76.120.10:5060;branch=$branch
f: <sip:+14155550100@192.76.120.10>;tag=theirs
t: <sip:+4930123@192.0.2.1>;tag=$tag
i: one@192.76.120.10
CSeq: 1 ACK
--- told answered
<<< INVITE $target SIP/2.0
v: SIP/2.0/UDP 192.76.120.10:5060;branch=z9hG4bK-fax
f: <sip:+14155550100@192.76.120.10>;tag=theirs
t: <sip:+4930123@192.0.2.1>;tag=$tag
i: one@192.76.120.10
CSeq: 2 INVITE
m: <sip:192.76.120.10:5060>
c: application/sdp

v=0
o=- 1 2 IN IP4 192.76.120.11
s=-
c=IN IP4 192.76.120.11
t=0 0
m=image 10002 udptl t38
>>> SIP/2.0 488
<<< ACK $target SIP/2.0
v: SIP/2.0/UDP 192.76.120.10:5060;branch=z9hG4bK-fax
f: <sip:+14155550100@192.76.120.10>;tag=theirs
t: <sip:+4930123@192.0.2.1>;tag=$tag
i: one@192.76.120.10
CSeq: 2 ACK
<<< INFO $target SIP/2.0
v: SIP/2.0/UDP 192.76.120.10:5060;branch=$branch
f: <sip:+14155550100@192.76.120.10>;tag=theirs
t: <sip:+4930123@192.0.2.1>;tag=$tag
i: one@192.76.120.10
CSeq: 3 INFO
c: application/dtmf-relay

Signal=7
Duration=160
>>> SIP/2.0 200
--- told digit 7
--- hang up
>>> BYE sip:192.76.120.10:5060 SIP/2.0
<<< SIP/2.0 200 OK
$echo
--- told ended application 0
)");
}

TEST_CASE("sim::carrier: the ringback of Telnyx is heard, and the codec of its answer is taken") {
    auto wanted = trunk();
    wanted.headers = {{"X-Telnyx-Token", "known-to-both"}, {"P-Charge-Info", "<sip:+4930@h>"}};
    scripted_carrier telnyx{at, wanted};
    telnyx.play(R"(
--- dial +14155550100
>>> INVITE sip:+14155550100@192.76.120.10 SIP/2.0
X-Telnyx-Token: known-to-both
P-Charge-Info: <sip:+4930@h>
<<< SIP/2.0 100 Trying
$echo
<<< SIP/2.0 183 Session Progress
$echo
Contact: <sip:192.76.120.10:5060>
Content-Type: application/sdp

v=0
o=- 1 1 IN IP4 192.76.120.11
s=-
c=IN IP4 192.76.120.11
t=0 0
m=audio 10000 RTP/AVP 0 101
a=rtpmap:101 telephone-event/8000
--- told early media
<<< SIP/2.0 200 OK
$echo
Contact: <sip:192.76.120.10:5060>
Content-Type: application/sdp

v=0
o=- 1 2 IN IP4 192.76.120.11
s=-
c=IN IP4 192.76.120.11
t=0 0
m=audio 10000 RTP/AVP 8 101
a=rtpmap:101 telephone-event/8000
>>> ACK sip:192.76.120.10:5060 SIP/2.0
--- told answered
--- hang up
>>> BYE sip:192.76.120.10:5060 SIP/2.0
<<< SIP/2.0 200 OK
$echo
--- told ended application 0
)");
    CHECK(telnyx.record().codec == "PCMA");
}

TEST_CASE("sim::carrier: the D-code by which Telnyx refuses a caller stands in its record") {
    scripted_carrier telnyx{at, trunk()};
    telnyx.play(R"(
--- dial +14155550100
>>> INVITE sip:+14155550100@192.76.120.10 SIP/2.0
<<< SIP/2.0 403 Caller Origination Number is Invalid D35
$echo
>>> ACK sip:+14155550100@192.76.120.10 SIP/2.0
--- told ended carrier 403
)");
    CHECK(telnyx.record().carrier_words == "Caller Origination Number is Invalid D35");
}

} // namespace
} // namespace trunkline::sim
