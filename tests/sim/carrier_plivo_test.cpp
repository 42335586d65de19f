// Plivo Zentrunk: no "+", PCMA before PCMU, and of methods neither PRACK nor INFO.
#include "sim/scripted_carrier.hpp"

#include "support/print.hpp"

namespace trunkline::sim {
namespace {

constexpr std::string_view at = "15.207.90.192:5060";

[[nodiscard]] trunk_config trunk() {
    trunk_config made;
    made.allow_from = {"15.207.90.192/31"};
    made.leading_plus = false;
    made.prack = prack_policy::off;
    made.codecs = {codec_name::pcma, codec_name::pcmu};
    return made;
}

TEST_CASE("sim::carrier: a call from Plivo finds its number without the plus") {
    scripted_carrier plivo{at, trunk()};
    plivo.play(R"(
<<< OPTIONS sip:192.0.2.1:5060 SIP/2.0
Via: SIP/2.0/UDP 15.207.90.192:5060;branch=$branch
Max-Forwards: 70
From: <sip:15.207.90.192>;tag=ping
To: <sip:192.0.2.1>
Call-ID: ping@15.207.90.192
CSeq: 1 OPTIONS
>>> SIP/2.0 200
Allow: INVITE, ACK, CANCEL, BYE, OPTIONS
<<< INVITE sip:4930123@192.0.2.1:5060 SIP/2.0
Via: SIP/2.0/UDP 15.207.90.192:5060;branch=$branch
Max-Forwards: 70
From: <sip:14155550100@15.207.90.192>;tag=theirs
To: <sip:4930123@192.0.2.1>
Call-ID: one@15.207.90.192
CSeq: 1 INVITE
Contact: <sip:15.207.90.192:5060>
Allow: ACK, BYE, CANCEL, INVITE, OPTIONS, REFER, UPDATE
Content-Type: application/sdp

v=0
o=- 1 1 IN IP4 15.207.90.193
s=-
c=IN IP4 15.207.90.193
t=0 0
m=audio 10000 RTP/AVP 8 0 101
a=rtpmap:101 telephone-event/8000
>>> SIP/2.0 100
>>> SIP/2.0 180
! Require: 100rel
! RSeq:
>>> SIP/2.0 200
! Require: 100rel
m=audio 16384 RTP/AVP 8 101
--- called +4930123
<<< ACK $target SIP/2.0
Via: SIP/2.0/UDP 15.207.90.192:5060;branch=$branch
From: <sip:14155550100@15.207.90.192>;tag=theirs
To: <sip:4930123@192.0.2.1>;tag=$tag
Call-ID: one@15.207.90.192
CSeq: 1 ACK
--- told answered
<<< UPDATE $target SIP/2.0
Via: SIP/2.0/UDP 15.207.90.192:5060;branch=$branch
From: <sip:14155550100@15.207.90.192>;tag=theirs
To: <sip:4930123@192.0.2.1>;tag=$tag
Call-ID: one@15.207.90.192
CSeq: 2 UPDATE
Contact: <sip:15.207.90.192:5060>
>>> SIP/2.0 200
<<< BYE $target SIP/2.0
Via: SIP/2.0/UDP 15.207.90.192:5060;branch=$branch
From: <sip:14155550100@15.207.90.192>;tag=theirs
To: <sip:4930123@192.0.2.1>;tag=$tag
Call-ID: one@15.207.90.192
CSeq: 3 BYE
>>> SIP/2.0 200
--- told ended caller 200
)");
}

TEST_CASE("sim::carrier: a call to Plivo has no plus and speaks of no PRACK") {
    scripted_carrier plivo{at, trunk()};
    plivo.play(R"(
--- dial +14155550100
>>> INVITE sip:14155550100@15.207.90.192 SIP/2.0
Supported: timer
! Supported: timer, 100rel
! Require:
m=audio 16384 RTP/AVP 8 0 101
<<< SIP/2.0 100 Trying
$echo
<<< SIP/2.0 180 Ringing
$echo
--- told ringing
<<< SIP/2.0 200 OK
$echo
Contact: <sip:15.207.90.192:5060>
Allow: ACK, BYE, CANCEL, INVITE, OPTIONS, REFER, UPDATE
Content-Type: application/sdp

v=0
o=- 1 1 IN IP4 15.207.90.193
s=-
c=IN IP4 15.207.90.193
t=0 0
m=audio 10000 RTP/AVP 8
>>> ACK sip:15.207.90.192:5060 SIP/2.0
--- told answered
--- hang up
>>> BYE sip:15.207.90.192:5060 SIP/2.0
<<< SIP/2.0 200 OK
$echo
--- told ended application 0
)");
}

} // namespace
} // namespace trunkline::sim
