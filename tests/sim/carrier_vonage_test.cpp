// Vonage: digest on each INVITE, session timers, six codecs, OPTIONS to see whether we are well.
#include "sim/scripted_carrier.hpp"

#include "support/print.hpp"

namespace trunkline::sim {
namespace {

constexpr std::string_view at = "198.51.100.40:5060"; // Its addresses are in a published list.

[[nodiscard]] trunk_config trunk() {
    trunk_config made;
    made.allow_from = {"198.51.100.40"};
    made.auth = userpass{"our-trunk", "secret", {}};
    return made;
}

TEST_CASE("sim::carrier: Vonage keeps the session of its call alive, or loses the call") {
    scripted_carrier vonage{at, trunk()};
    vonage.play(R"(
<<< OPTIONS sip:192.0.2.1:5060 SIP/2.0
Via: SIP/2.0/UDP 198.51.100.40:5060;branch=$branch
Max-Forwards: 70
From: <sip:198.51.100.40>;tag=ping
To: <sip:192.0.2.1>
Call-ID: ping@198.51.100.40
CSeq: 1 OPTIONS
>>> SIP/2.0 200
<<< INVITE sip:4930123@192.0.2.1:5060 SIP/2.0
Via: SIP/2.0/UDP 198.51.100.40:5060;branch=$branch
Max-Forwards: 70
From: <sip:14155550100@198.51.100.40>;tag=theirs
To: <sip:4930123@192.0.2.1>
Call-ID: one@198.51.100.40
CSeq: 1 INVITE
Contact: <sip:198.51.100.40:5060>
Supported: timer
Session-Expires: 90;refresher=uac
X-Customer: as-it-was-written
Content-Type: application/sdp

v=0
o=- 1 1 IN IP4 198.51.100.41
s=-
c=IN IP4 198.51.100.41
t=0 0
m=audio 10000 RTP/AVP 97 18 9 8 0 98 101
a=rtpmap:97 iLBC/8000
a=fmtp:18 annexb=no
a=rtpmap:98 speex/16000
a=rtpmap:101 telephone-event/8000
>>> SIP/2.0 100
>>> SIP/2.0 180
>>> SIP/2.0 200
Require: timer
Session-Expires: 90;refresher=uac
m=audio 16384 RTP/AVP 0 101
--- called +4930123
--- read X-Customer: as-it-was-written
<<< ACK $target SIP/2.0
Via: SIP/2.0/UDP 198.51.100.40:5060;branch=$branch
From: <sip:14155550100@198.51.100.40>;tag=theirs
To: <sip:4930123@192.0.2.1>;tag=$tag
Call-ID: one@198.51.100.40
CSeq: 1 ACK
--- told answered
--- wait 45
<<< INVITE $target SIP/2.0
Via: SIP/2.0/UDP 198.51.100.40:5060;branch=$branch
From: <sip:14155550100@198.51.100.40>;tag=theirs
To: <sip:4930123@192.0.2.1>;tag=$tag
Call-ID: one@198.51.100.40
CSeq: 2 INVITE
Contact: <sip:198.51.100.40:5060>
Supported: timer
Session-Expires: 90;refresher=uac
Content-Type: application/sdp

v=0
o=- 1 1 IN IP4 198.51.100.41
s=-
c=IN IP4 198.51.100.41
t=0 0
m=audio 10000 RTP/AVP 0 101
a=rtpmap:101 telephone-event/8000
>>> SIP/2.0 200
Session-Expires: 90;refresher=uac
m=audio 16384 RTP/AVP 0 101
<<< ACK $target SIP/2.0
Via: SIP/2.0/UDP 198.51.100.40:5060;branch=$branch
From: <sip:14155550100@198.51.100.40>;tag=theirs
To: <sip:4930123@192.0.2.1>;tag=$tag
Call-ID: one@198.51.100.40
CSeq: 2 ACK
--- wait 59
--- told ended timeout 0
>>> BYE sip:198.51.100.40:5060 SIP/2.0
<<< SIP/2.0 200 OK
$echo
)");
}

TEST_CASE("sim::carrier: Vonage challenges each call out, and has us refresh what it says") {
    scripted_carrier vonage{at, trunk()};
    for (int call = 0; call < 2; ++call) {
        vonage.play(R"(
--- dial +14155550100
>>> INVITE sip:+14155550100@198.51.100.40 SIP/2.0
Session-Expires: 1800
! Authorization
<<< SIP/2.0 401 Unauthorized
$echo
WWW-Authenticate: Digest realm="vonage", nonce="n1", qop="auth"
>>> ACK sip:+14155550100@198.51.100.40 SIP/2.0
>>> INVITE sip:+14155550100@198.51.100.40 SIP/2.0
Authorization: Digest username="our-trunk"
<<< SIP/2.0 200 OK
$echo
Contact: <sip:198.51.100.40:5060>
Require: timer
Session-Expires: 90;refresher=uac
Content-Type: application/sdp

v=0
o=- 1 1 IN IP4 198.51.100.41
s=-
c=IN IP4 198.51.100.41
t=0 0
m=audio 10000 RTP/AVP 0 101
a=rtpmap:101 telephone-event/8000
>>> ACK sip:198.51.100.40:5060 SIP/2.0
--- told answered
>>> INVITE sip:198.51.100.40:5060 SIP/2.0
CSeq: 3 INVITE
Session-Expires: 90;refresher=uac
<<< SIP/2.0 200 OK
$echo
Contact: <sip:198.51.100.40:5060>
Session-Expires: 90;refresher=uac
Content-Type: application/sdp

v=0
o=- 1 1 IN IP4 198.51.100.41
s=-
c=IN IP4 198.51.100.41
t=0 0
m=audio 10000 RTP/AVP 0 101
a=rtpmap:101 telephone-event/8000
>>> ACK sip:198.51.100.40:5060 SIP/2.0
--- hang up
>>> BYE sip:198.51.100.40:5060 SIP/2.0
<<< SIP/2.0 200 OK
$echo
--- told ended application 0
)");
    }
}

} // namespace
} // namespace trunkline::sim
