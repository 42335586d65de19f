// Zadarma: a SIP number with a password that registers, or a fixed address; a leading "+"; PCMA.
#include "sim/scripted_carrier.hpp"

#include "support/print.hpp"

namespace trunkline::sim {
namespace {

constexpr std::string_view at = "198.51.100.50:5060"; // Its addresses are in a published list.

[[nodiscard]] trunk_config trunk() {
    trunk_config made;
    made.codecs = {codec_name::pcma, codec_name::pcmu};
    return made;
}

TEST_CASE("sim::carrier: Zadarma calls the fixed address of a trunk that shows no password") {
    scripted_carrier zadarma{at, trunk()};
    zadarma.play(R"(
<<< INVITE sip:+4930123@192.0.2.1:5060 SIP/2.0
Via: SIP/2.0/UDP 198.51.100.50:5060;branch=$branch
Max-Forwards: 70
From: <sip:+14155550100@198.51.100.50>;tag=theirs
To: <sip:+4930123@192.0.2.1>
Call-ID: one@198.51.100.50
CSeq: 1 INVITE
Contact: <sip:198.51.100.50:5060>
Content-Type: application/sdp

v=0
o=- 1 1 IN IP4 198.51.100.51
s=-
c=IN IP4 198.51.100.51
t=0 0
m=audio 10000 RTP/AVP 8 0
>>> SIP/2.0 100
>>> SIP/2.0 180
>>> SIP/2.0 200
m=audio 16384 RTP/AVP 8
! a=rtpmap:101
<<< ACK $target SIP/2.0
Via: SIP/2.0/UDP 198.51.100.50:5060;branch=$branch
From: <sip:+14155550100@198.51.100.50>;tag=theirs
To: <sip:+4930123@192.0.2.1>;tag=$tag
Call-ID: one@198.51.100.50
CSeq: 1 ACK
--- told answered
<<< BYE $target SIP/2.0
Via: SIP/2.0/UDP 198.51.100.50:5060;branch=$branch
From: <sip:+14155550100@198.51.100.50>;tag=theirs
To: <sip:+4930123@192.0.2.1>;tag=$tag
Call-ID: one@198.51.100.50
CSeq: 2 BYE
>>> SIP/2.0 200
--- told ended caller 200
)");
    CHECK(zadarma.record().codec == "PCMA");
}

TEST_CASE("sim::carrier: a SIP number registers with Zadarma and calls out with its password") {
    auto wanted = trunk();
    wanted.auth = userpass{"123456", "secret", {}};
    wanted.registration = registration_config{};
    scripted_carrier zadarma{at, wanted};
    zadarma.play(R"(
>>> REGISTER sip:198.51.100.50 SIP/2.0
! Authorization
<<< SIP/2.0 401 Unauthorized
$echo
WWW-Authenticate: Digest realm="sip.zadarma.com", nonce="n1"
>>> REGISTER sip:198.51.100.50 SIP/2.0
Authorization: Digest username="123456"
<<< SIP/2.0 200 OK
$echo
$contact
--- dial 14155550100
>>> INVITE sip:+14155550100@198.51.100.50 SIP/2.0
m=audio 16384 RTP/AVP 8 0 101
<<< SIP/2.0 407 Proxy Authentication Required
$echo
Proxy-Authenticate: Digest realm="sip.zadarma.com", nonce="n2"
>>> ACK sip:+14155550100@198.51.100.50 SIP/2.0
>>> INVITE sip:+14155550100@198.51.100.50 SIP/2.0
Proxy-Authorization: Digest username="123456"
<<< SIP/2.0 180 Ringing
$echo
--- told ringing
--- hang up
>>> CANCEL sip:+14155550100@198.51.100.50 SIP/2.0
<<< SIP/2.0 200 OK
$echo
<<< SIP/2.0 487 Request Terminated
$echo-INVITE
>>> ACK sip:+14155550100@198.51.100.50 SIP/2.0
--- told ended application 0
--- remove
>>> REGISTER sip:198.51.100.50 SIP/2.0
Expires: 0
Authorization: Digest username="123456"
<<< SIP/2.0 200 OK
$echo
)");
}

} // namespace
} // namespace trunkline::sim
