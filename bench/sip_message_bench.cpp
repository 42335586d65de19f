#include <trunkline/sip/message.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/sip/writer.hpp>

namespace {

using trunkline::sip::message_view;

// What a trunk really sees in a call and around it, written for this benchmark.
constexpr std::array<std::string_view, 9> corpus{
    R"(INVITE sip:+14155550100@203.0.113.7:5060;user=phone;transport=udp SIP/2.0
Via: SIP/2.0/UDP 198.51.100.20:5060;branch=z9hG4bK0cB8f0d2c7a6b5e4f3;rport
Via: SIP/2.0/UDP 198.51.100.31:5060;received=198.51.100.31;branch=z9hG4bK9f8e7d6c.1;rport=5060
Via: SIP/2.0/TCP 10.20.30.40:5060;branch=z9hG4bK-524287-1---b3a1c2d4e5f60718
Record-Route: <sip:198.51.100.20;lr;ftag=gK0c5f1a2b>
Record-Route: <sip:198.51.100.31;lr;did=3a1.7f21>
From: "Jane Q. Caller" <sip:+12125550199@carrier.example.net;user=phone>;tag=gK0c5f1a2b
To: <sip:+14155550100@203.0.113.7;user=phone>
Call-ID: 1946382751_129384756@198.51.100.20
CSeq: 784512 INVITE
Contact: "Jane Q. Caller" <sip:+12125550199@198.51.100.20:5060;transport=udp>
Max-Forwards: 67
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY, SUBSCRIBE
Accept: application/sdp, application/isup, application/dtmf, application/dtmf-relay, multipart/mixed
Supported: timer, 100rel, replaces, path, histinfo
Require: precondition
Session-Expires: 1800;refresher=uac
Min-SE: 90
P-Asserted-Identity: "Jane Q. Caller" <sip:+12125550199@carrier.example.net:5060;user=phone>
P-Charging-Vector: icid-value="a7f3c1d9e5b24860";icid-generated-at=198.51.100.31
Privacy: none
Diversion: <sip:+14155550111@carrier.example.net>;reason=no-answer;counter=1;privacy=off
Identity: eyJhbGciOiJFUzI1NiIsInBwdCI6InNoYWtlbiIsInR5cCI6InBhc3Nwb3J0In0;info=<https://c.example/p>
Date: Tue, 14 Jan 2025 12:00:00 GMT
User-Agent: Example SBC 9.2.1 (build 4711)
Content-Disposition: session;handling=required
Content-Type: application/sdp
Content-Length: 287

v=0
o=Example_SBC 24715 291640 IN IP4 198.51.100.40
s=SIP Media Capabilities
c=IN IP4 198.51.100.40
t=0 0
m=audio 27364 RTP/AVP 0 8 18 101
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:18 G729/8000
a=fmtp:18 annexb=no
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=sendrecv
a=maxptime:20
)",
    R"(SIP/2.0 100 Trying
Via: SIP/2.0/UDP 203.0.113.7:5060;branch=z9hG4bKtl00000000000100000001abcdefghijkm;rport=5060
From: <sip:+14155550100@203.0.113.7>;tag=tl00000000000200000001abcdefghijkm
To: <sip:+12125550199@carrier.example.net>
Call-ID: tl00000000000200000001nmkjihgfedcb
CSeq: 1 INVITE
Content-Length: 0

)",
    R"(SIP/2.0 180 Ringing
Via: SIP/2.0/UDP 203.0.113.7:5060;received=203.0.113.7;branch=z9hG4bKtl00000000000100000001abcd;rport=5060
Record-Route: <sip:198.51.100.20;lr;ftag=gK0c5f1a2b>
From: <sip:+14155550100@203.0.113.7>;tag=tl00000000000200000001abcdefghijkm
To: <sip:+12125550199@carrier.example.net>;tag=as5f1c2d3e
Call-ID: tl00000000000200000001nmkjihgfedcb
CSeq: 1 INVITE
Contact: <sip:+12125550199@198.51.100.20:5060>
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE
Server: Example SBC 9.2.1
Content-Length: 0

)",
    R"(SIP/2.0 200 OK
Via: SIP/2.0/UDP 203.0.113.7:5060;received=203.0.113.7;branch=z9hG4bKtl00000000000100000001abcd;rport=5060
Record-Route: <sip:198.51.100.20;lr;ftag=gK0c5f1a2b>
From: <sip:+14155550100@203.0.113.7>;tag=tl00000000000200000001abcdefghijkm
To: <sip:+12125550199@carrier.example.net>;tag=as5f1c2d3e
Call-ID: tl00000000000200000001nmkjihgfedcb
CSeq: 1 INVITE
Contact: <sip:+12125550199@198.51.100.20:5060>
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE
Supported: timer, replaces
Session-Expires: 1800;refresher=uac
Require: timer
Server: Example SBC 9.2.1
Content-Type: application/sdp
Content-Length: 135

v=0
o=- 1 1 IN IP4 198.51.100.40
s=-
c=IN IP4 198.51.100.40
t=0 0
m=audio 27364 RTP/AVP 0 101
a=rtpmap:101 telephone-event/8000
)",
    R"(ACK sip:+12125550199@198.51.100.20:5060 SIP/2.0
Via: SIP/2.0/UDP 203.0.113.7:5060;branch=z9hG4bKtl00000000000300000001abcdefghijkm;rport
Max-Forwards: 70
Route: <sip:198.51.100.20;lr;ftag=gK0c5f1a2b>
From: <sip:+14155550100@203.0.113.7>;tag=tl00000000000200000001abcdefghijkm
To: <sip:+12125550199@carrier.example.net>;tag=as5f1c2d3e
Call-ID: tl00000000000200000001nmkjihgfedcb
CSeq: 1 ACK
Content-Length: 0

)",
    R"(BYE sip:+14155550100@203.0.113.7:5060 SIP/2.0
Via: SIP/2.0/UDP 198.51.100.20:5060;branch=z9hG4bK0cB8f0d2c7a6b5e4f4;rport
Max-Forwards: 69
From: <sip:+12125550199@carrier.example.net>;tag=as5f1c2d3e
To: <sip:+14155550100@203.0.113.7>;tag=tl00000000000200000001abcdefghijkm
Call-ID: tl00000000000200000001nmkjihgfedcb
CSeq: 103 BYE
Reason: Q.850;cause=16;text="Normal call clearing"
User-Agent: Example SBC 9.2.1
Content-Length: 0

)",
    R"(REGISTER sip:carrier.example.net SIP/2.0
Via: SIP/2.0/UDP 203.0.113.7:5060;branch=z9hG4bKtl00000000000400000001abcdefghijkm;rport
Max-Forwards: 70
From: <sip:trunk42@carrier.example.net>;tag=tl00000000000500000001abcdefghijkm
To: <sip:trunk42@carrier.example.net>
Call-ID: tl00000000000500000001nmkjihgfedcb
CSeq: 2 REGISTER
Contact: <sip:trunk42@203.0.113.7:5060>;expires=3600
Authorization: Digest username="trunk42",realm="carrier.example.net",nonce="5f1c2d3e4a5b6c7d",uri="sip:carrier.example.net",response="8ca523f5e9506fed4657c9700eebdbec",algorithm=MD5,qop=auth,nc=00000001,cnonce="abcdefghijkmnpqr"
Expires: 3600
User-Agent: trunkline
Content-Length: 0

)",
    R"(SIP/2.0 401 Unauthorized
Via: SIP/2.0/UDP 203.0.113.7:5060;received=203.0.113.7;branch=z9hG4bKtl00000000000400000001abcd;rport=5060
From: <sip:trunk42@carrier.example.net>;tag=tl00000000000500000001abcdefghijkm
To: <sip:trunk42@carrier.example.net>;tag=b27e1a1d33761e85846fc98f5f3a7e58.4a1c
Call-ID: tl00000000000500000001nmkjihgfedcb
CSeq: 1 REGISTER
WWW-Authenticate: Digest realm="carrier.example.net", nonce="5f1c2d3e4a5b6c7d", qop="auth", algorithm=MD5
Server: Example Registrar
Content-Length: 0

)",
    R"(OPTIONS sip:203.0.113.7:5060 SIP/2.0
Via: SIP/2.0/UDP 198.51.100.20:5060;branch=z9hG4bK0cB8f0d2c7a6b5e4f5
Max-Forwards: 70
From: <sip:ping@198.51.100.20>;tag=gK0c5f1a2c
To: <sip:203.0.113.7>
Call-ID: 1946382752_1@198.51.100.20
CSeq: 4712 OPTIONS
Content-Length: 0

)"};

/// As on the wire, with the body that its Content-Length promises.
[[nodiscard]] std::string wire(std::string_view text) {
    std::string made;
    for (const char c : text) {
        if (c == '\n') made += '\r';
        made += c;
    }
    const auto at = made.find("Content-Length: ") + 16;
    const auto body = made.size() - made.find("\r\n\r\n") - 4;
    return made.replace(at, made.find("\r\n", at) - at, std::to_string(body));
}

void sip_message_parse(benchmark::State& state) {
    const auto text = wire(corpus[static_cast<std::size_t>(state.range(0))]);
    std::string copy = text;
    message_view read;
    for (auto _ : state) {
        // Parsing may unfold in place, so each time it gets the bytes as they came.
        std::memcpy(copy.data(), text.data(), text.size());
        auto outcome = read.parse(copy);
        if (!outcome) state.SkipWithError("a message of the corpus is refused");
        benchmark::DoNotOptimize(outcome);
        benchmark::ClobberMemory();
    }
    state.SetLabel(text.substr(0, text.find(text.starts_with("SIP") ? '\r' : ' ')));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(sip_message_parse)->DenseRange(0, static_cast<int>(corpus.size()) - 1);

void sip_message_respond(benchmark::State& state) {
    auto text = wire(corpus[0]);
    message_view read;
    if (!read.parse(text)) state.SkipWithError("the INVITE is refused");
    std::array<std::byte, 4096> room{};
    const trunkline::endpoint source{trunkline::address::v4(198, 51, 100, 20), 5060};
    for (auto _ : state) {
        trunkline::sip::writer to{room};
        to.response_head(read, 180, "Ringing", "tl00000000000200000001abcdefghijkm", source)
            .no_body();
        benchmark::DoNotOptimize(to.size());
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(sip_message_respond);

} // namespace

BENCHMARK_MAIN();
