// DIDWW: credentials of the realm out.didww.com, Diversion and a line of T.38 in its INVITE, and a
// REFER that is challenged.
#include "sim/scripted_carrier.hpp"

#include "support/print.hpp"

namespace trunkline::sim {
namespace {

constexpr std::string_view at = "46.19.209.14:5060";

[[nodiscard]] trunk_config trunk() {
    trunk_config made;
    made.allow_from = {"46.19.209.14", "46.19.210.14", "46.19.212.14"};
    made.auth = userpass{"our-trunk", "secret", "out.didww.com"};
    return made;
}

TEST_CASE("sim::carrier: DIDWW offers an image beside the sound, which is answered with port 0") {
    scripted_carrier didww{at, trunk()};
    didww.play(R"(
<<< INVITE sip:4930123@192.0.2.1:5060 SIP/2.0
Via: SIP/2.0/UDP 46.19.209.14:5060;branch=$branch
Max-Forwards: 70
From: <sip:14155550100@46.19.209.14>;tag=theirs
To: <sip:4930123@192.0.2.1>
Call-ID: one@46.19.209.14
CSeq: 1 INVITE
Contact: <sip:46.19.209.14:5060>
Diversion: <sip:49301@46.19.209.14>;reason=unconditional
Content-Type: application/sdp

v=0
o=- 1 1 IN IP4 46.19.209.14
s=-
c=IN IP4 46.19.209.14
t=0 0
m=audio 10000 RTP/AVP 0 8 18 4 101
a=rtpmap:101 telephone-event/8000
m=image 10002 udptl t38
>>> SIP/2.0 100
>>> SIP/2.0 180
>>> SIP/2.0 200
m=audio 16384 RTP/AVP 0 101
m=image 0 udptl t38
--- called +4930123
--- read Diversion: <sip:49301@46.19.209.14>;reason=unconditional
<<< ACK $target SIP/2.0
Via: SIP/2.0/UDP 46.19.209.14:5060;branch=$branch
From: <sip:14155550100@46.19.209.14>;tag=theirs
To: <sip:4930123@192.0.2.1>;tag=$tag
Call-ID: one@46.19.209.14
CSeq: 1 ACK
--- told answered
--- wait 1
--- transfer +14155550123
>>> REFER sip:46.19.209.14:5060 SIP/2.0
! Proxy-Authorization
<<< SIP/2.0 407 Proxy Authentication Required
$echo
Proxy-Authenticate: Digest realm="out.didww.com", nonce="n1", qop="auth"
>>> REFER sip:46.19.209.14:5060 SIP/2.0
Refer-To: <sip:+14155550123@46.19.209.14>
Proxy-Authorization: Digest username="our-trunk"
<<< SIP/2.0 202 Accepted
$echo
--- told transfer 202
<<< NOTIFY $target SIP/2.0
Via: SIP/2.0/UDP 46.19.209.14:5060;branch=$branch
From: <sip:14155550100@46.19.209.14>;tag=theirs
To: <sip:4930123@192.0.2.1>;tag=$tag
Call-ID: one@46.19.209.14
CSeq: 2 NOTIFY
Event: refer
Subscription-State: terminated;reason=noresource
Content-Type: message/sipfrag

SIP/2.0 200 OK
>>> SIP/2.0 200
--- told transfer 200
<<< BYE $target SIP/2.0
Via: SIP/2.0/UDP 46.19.209.14:5060;branch=$branch
From: <sip:14155550100@46.19.209.14>;tag=theirs
To: <sip:4930123@192.0.2.1>;tag=$tag
Call-ID: one@46.19.209.14
CSeq: 3 BYE
>>> SIP/2.0 200
--- told ended caller 200
)");
}

TEST_CASE("sim::carrier: DIDWW is shown the password of its realm, and no other realm is") {
    scripted_carrier didww{at, trunk()};
    didww.play(R"(
--- dial +14155550100
>>> INVITE sip:+14155550100@46.19.209.14 SIP/2.0
! Authorization
<<< SIP/2.0 401 Unauthorized
$echo
WWW-Authenticate: Digest realm="out.didww.com", nonce="n1", qop="auth"
>>> ACK sip:+14155550100@46.19.209.14 SIP/2.0
>>> INVITE sip:+14155550100@46.19.209.14 SIP/2.0
Authorization: Digest username="our-trunk"
<<< SIP/2.0 200 OK
$echo
Contact: <sip:46.19.209.14:5060>
Content-Type: application/sdp

v=0
o=- 1 1 IN IP4 46.19.209.14
s=-
c=IN IP4 46.19.209.14
t=0 0
m=audio 10000 RTP/AVP 8 101
a=rtpmap:101 telephone-event/8000
>>> ACK sip:46.19.209.14:5060 SIP/2.0
--- told answered
--- hang up
>>> BYE sip:46.19.209.14:5060 SIP/2.0
<<< SIP/2.0 200 OK
$echo
--- told ended application 0
--- dial +14155550100
>>> INVITE sip:+14155550100@46.19.209.14 SIP/2.0
<<< SIP/2.0 401 Unauthorized
$echo
WWW-Authenticate: Digest realm="somebody.else", nonce="n1", qop="auth"
>>> ACK sip:+14155550100@46.19.209.14 SIP/2.0
--- told ended carrier 401
)");
}

} // namespace
} // namespace trunkline::sim
