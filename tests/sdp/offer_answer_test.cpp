#include <trunkline/sdp/offer_answer.hpp>

#include <array>
#include <string>

#include <doctest/doctest.h>

#include "support/print.hpp"

namespace trunkline::sdp {
namespace {

using namespace std::string_literals;
using std::chrono::milliseconds;
using state = negotiation::state;

local_media us() {
    return {.address = address::v4(203, 0, 113, 7), .rtp_port = 20'000};
}

std::string offer_of(const std::string& media) {
    return "v=0\r\no=- 1 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n" +
           media;
}

std::string offer_from(negotiation& side, const local_media& local) {
    std::array<char, 2048> memory{};
    const auto size = side.write_offer(local, memory);
    REQUIRE(size);
    return {memory.data(), *size};
}
std::string answer_from(negotiation& side) {
    std::array<char, 2048> memory{};
    const auto size = side.write_answer(memory);
    REQUIRE(size);
    return {memory.data(), *size};
}
/// All lines that start so, each ended by a bar.
std::string lines(const std::string& text, std::string_view start) {
    std::string found;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find("\r\n", at);
        REQUIRE(end != std::string::npos);
        if (std::string_view{text}.substr(at).starts_with(start)) {
            found += text.substr(at, end - at) + '|';
        }
        at = end + 2;
    }
    return found;
}
/// A fresh call that was offered `media`, and how it answered.
struct answered {
    negotiation side{1};
    agreed outcome;
    std::string text;

    explicit answered(const std::string& media, const local_media& local = us(),
                      preference whose = preference::offerer)
        : side{1, whose} {
        side.set_local(local);
        const auto agreed_to = side.receive_offer(offer_of(media));
        REQUIRE(agreed_to);
        outcome = *agreed_to;
        text = answer_from(side);
    }
};
errc refusal_of(const std::string& media) {
    negotiation side{1};
    side.set_local(us());
    const auto outcome = side.receive_offer(offer_of(media));
    REQUIRE_FALSE(outcome);
    CHECK(side.current_state() == state::none);
    return outcome.reason().code;
}

TEST_CASE("sdp::negotiation: writes an offer that RFC 8866 would print") {
    negotiation side{40};
    CHECK(offer_from(side, us()) == "v=0\r\n"
                                    "o=- 10 10 IN IP4 203.0.113.7\r\n"
                                    "s=-\r\n"
                                    "c=IN IP4 203.0.113.7\r\n"
                                    "t=0 0\r\n"
                                    "m=audio 20000 RTP/AVP 0 8 101\r\n"
                                    "a=rtpmap:0 PCMU/8000\r\n"
                                    "a=rtpmap:8 PCMA/8000\r\n"
                                    "a=rtpmap:101 telephone-event/8000\r\n"
                                    "a=fmtp:101 0-15\r\n"
                                    "a=ptime:20\r\n"
                                    "a=sendrecv\r\n");
    CHECK(side.current_state() == state::offered);
    CHECK_FALSE(side.current());
}

TEST_CASE("sdp::negotiation: RFC 3264 10.1, one audio and two video streams") {
    const answered call{"m=audio 49170 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
                        "m=video 51372 RTP/AVP 31\r\na=rtpmap:31 H261/90000\r\n"
                        "m=video 53000 RTP/AVP 32\r\na=rtpmap:32 MPV/90000\r\n"};
    CHECK(call.outcome == agreed{.rtp = {address::v4(198, 51, 100, 1), 49170},
                                 .rtcp = {address::v4(198, 51, 100, 1), 49171}});
    CHECK(lines(call.text, "m=") ==
          "m=audio 20000 RTP/AVP 0|m=video 0 RTP/AVP 31|m=video 0 RTP/AVP 32|");
}

TEST_CASE("sdp::negotiation: RFC 3264 10.2, one of many codecs, and the others are not offered") {
    // 10.2's offer, with our laws beside its 4 (G.723) and 18 (G.729), which we do not have.
    const answered call{"m=audio 62986 RTP/AVP 4 0 8 18\r\na=rtpmap:0 PCMU/8000\r\n"
                        "a=rtpmap:4 G723/8000\r\na=rtpmap:18 G729/8000\r\na=inactive\r\n"};
    CHECK(call.outcome.law == encoding::pcmu);
    CHECK(call.outcome.direction == direction::inactive);
    CHECK(lines(call.text, "m=") == "m=audio 20000 RTP/AVP 0|");
    CHECK(lines(call.text, "a=inactive") == "a=inactive|");
}

TEST_CASE("sdp::negotiation: one stream is taken of what carriers offer, all others get port 0") {
    struct row {
        std::string media;
        std::string answer;
        encoding law;
    };
    const row table[] = {
        {"m=audio 10000 RTP/AVP 0 8 101\r\nm=image 10002 udptl t38\r\n",
         "m=audio 20000 RTP/AVP 0|m=image 0 udptl t38|", encoding::pcmu},
        {"m=image 10002 udptl t38\r\nm=audio 10000 RTP/AVP 8\r\n",
         "m=image 0 udptl t38|m=audio 20000 RTP/AVP 8|", encoding::pcma},
        {"m=audio 10000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n"
         "m=audio 10002 RTP/AVP 0\r\n",
         "m=audio 0 RTP/SAVP 0|m=audio 20000 RTP/AVP 0|", encoding::pcmu},
        {"m=audio 10000 RTP/AVP 8\r\nm=audio 10002 RTP/AVP 8\r\n",
         "m=audio 20000 RTP/AVP 8|m=audio 0 RTP/AVP 8|", encoding::pcma},
        {"m=audio 10000 RTP/AVP 18\r\nm=audio 10002 RTP/AVP 18 8\r\n",
         "m=audio 0 RTP/AVP 18|m=audio 20000 RTP/AVP 8|", encoding::pcma},
        {"m=audio 10000 RTP/AVPF 8\r\n", "m=audio 20000 RTP/AVPF 8|", encoding::pcma},
        {"m=message 9 TCP/MSRP *\r\nm=audio 10000 RTP/AVP 0\r\n",
         "m=message 0 TCP/MSRP *|m=audio 20000 RTP/AVP 0|", encoding::pcmu},
        {"m=audio 0 RTP/AVP 0\r\nm=audio 10000 RTP/AVP 0\r\n",
         "m=audio 0 RTP/AVP 0|m=audio 20000 RTP/AVP 0|", encoding::pcmu},
        {"m=application 9 UDP/DTLS/SCTP-with-a-long-name webrtc-datachannel\r\n"
         "m=audio 10000 RTP/AVP 0\r\n",
         "m=application 0 UDP/DTLS/SCTP-with-a-long-name 0|m=audio 20000 RTP/AVP 0|",
         encoding::pcmu},
        {"m=audio 10000 RTP/AVP 65535 4294967296 8\r\n", "m=audio 20000 RTP/AVP 8|",
         encoding::pcma},
    };
    for (const auto& row : table) {
        CAPTURE(row.media);
        const answered call{row.media};
        CHECK(lines(call.text, "m=") == row.answer);
        CHECK(call.outcome.law == row.law);
    }
}

TEST_CASE(
    "sdp::negotiation: a Twilio-like offer of many codecs is answered with one law and DTMF") {
    const auto media = "m=audio 14022 RTP/AVP 9 8 0 111 18 101 96\r\n"
                       "a=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
                       "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n"
                       "a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\n"
                       "a=rtpmap:101 telephone-event/48000\r\n"
                       "a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-16\r\n"
                       "a=ptime:20\r\na=maxptime:150\r\na=sendrecv\r\n"s;
    const answered theirs{media};
    CHECK(theirs.outcome.law == encoding::pcma);
    CHECK(theirs.outcome.send_telephone_event == 96);
    CHECK(theirs.outcome.receive_telephone_event == 96);
    CHECK(lines(theirs.text, "m=") == "m=audio 20000 RTP/AVP 8 96|");
    CHECK(lines(theirs.text, "a=rtpmap") ==
          "a=rtpmap:8 PCMA/8000|a=rtpmap:96 telephone-event/8000|");
    CHECK(lines(theirs.text, "a=fmtp") == "a=fmtp:96 0-15|");
    const answered ours{media, us(), preference::ours};
    CHECK(ours.outcome.law == encoding::pcmu);
    auto silent = us();
    silent.dtmf = false;
    const answered none{media, silent};
    CHECK_FALSE(none.outcome.send_telephone_event);
    CHECK(lines(none.text, "m=") == "m=audio 20000 RTP/AVP 8|");
}

TEST_CASE("sdp::negotiation: a law under a dynamic number keeps that number in our answer") {
    const answered call{"m=audio 10000 RTP/AVP 97\r\na=rtpmap:97 pcma/8000\r\n"};
    CHECK(call.outcome.law == encoding::pcma);
    CHECK(call.outcome.send_payload_type == 97);
    CHECK(call.outcome.receive_payload_type == 97);
    CHECK(lines(call.text, "a=rtpmap") == "a=rtpmap:97 PCMA/8000|");
}

TEST_CASE("sdp::negotiation: what we cannot do is refused, for a 488") {
    struct row {
        const char* media;
        errc reason;
    };
    const row table[] = {
        {"", errc::not_supported},
        {"m=audio 10000 RTP/AVP 18\r\n", errc::not_supported},
        {"m=audio 10000 RTP/SAVP 0\r\n", errc::not_supported},
        {"m=audio 10000 UDP/TLS/RTP/SAVPF 0\r\n", errc::not_supported},
        {"m=audio 10000 RTP/AVP 4294967296\r\n", errc::not_supported},
        {"m=audio 10000 RTP/AVP 0\r\na=rtpmap:0 opus/48000/2\r\n", errc::not_supported},
        {"m=audio 10000 RTP/AVP 8\r\na=rtpmap:8 PCMA/16000\r\n", errc::not_supported},
        {"m=audio 10000 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000\r\n", errc::not_supported},
        {"m=video 10000 RTP/AVP 31\r\n", errc::not_supported},
        {"m=audio 0 RTP/AVP 0\r\nm=audio 10000 RTP/SAVP 0\r\n", errc::not_supported},
        {"m=audio 10000 RTP/AVP 0\r\nc=IN IP4 224.2.1.1/127\r\n", errc::bad_address},
        {"m=audio 10000 RTP/AVP 0\r\nc=IN IP4 media.example.com\r\n", errc::bad_address},
        {"m=audio 10000 RTP/AVP 0\r\nc=IN IP6 2001:db8::7\r\n", errc::bad_address},
        // An answer would have port 0 in every line, and the offer has not.
        {"m=audio 0 RTP/AVP 0\r\nm=image 10002 udptl t38\r\n", errc::not_supported},
        {"m=image 10002 udptl t38\r\nm=audio 0 RTP/AVP 0\r\n", errc::not_supported},
        {"m=audio 0 RTP/AVP 0\r\nm=video 10000 RTP/AVP 31\r\n", errc::not_supported},
        {"m=audio 10000 RTP/AVP\r\n", errc::need_more},
        {"m=x-a-kind-of-media-that-nobody-has-a-use-for-at-all 1 x y\r\nm=audio 1 RTP/AVP 0\r\n",
         errc::limit_exceeded},
    };
    for (const auto& row : table) {
        CAPTURE(row.media);
        CHECK(refusal_of(row.media) == row.reason);
    }
    negotiation side{1};
    const auto nowhere = side.receive_offer("v=0\no=- 1 1 IN IP4 h\nm=audio 1 RTP/AVP 0\n");
    REQUIRE_FALSE(nowhere);
    CHECK(nowhere.reason().code == errc::missing);
}

TEST_CASE("sdp::negotiation: where nothing can be sent to, it is said why, RFC 3264 section 6") {
    const auto why = [](std::string_view host, const address& ours) {
        negotiation side{1};
        auto local = us();
        local.address = ours;
        side.set_local(local);
        const auto taken = side.receive_offer(
            offer_of("m=audio 10000 RTP/AVP 0\r\nc=IN " + std::string{host} + "\r\n"));
        if (taken) return std::string{"taken"};
        CHECK(taken.reason().code == errc::bad_address);
        switch (static_cast<unreachable>(taken.reason().detail)) {
        case unreachable::none: return std::string{"none"};
        case unreachable::host_name: return std::string{"host name"};
        case unreachable::other_family: return std::string{"other family"};
        }
        return std::string{};
    };
    const auto v4 = address::v4(203, 0, 113, 7);
    const auto v6 = *address::parse("2001:db8::1");
    CHECK(why("IP6 2001:db8::7", v4) == "other family");
    CHECK(why("IP4 192.0.2.7", v6) == "other family");
    CHECK(why("IP6 2001:db8::7", v6) == "taken");
    CHECK(why("IP4 media.example.com", v4) == "host name");
    CHECK(why("IP6 media.example.com", v6) == "host name");
    CHECK(why("IP4 224.2.1.1/127", v4) == "none");
    // These are no places but holds (RFC 3264 section 8.4, RFC 6157 section 5.1).
    for (const std::string_view hold : {"IP6 ::", "IP4 0.0.0.0", "IP6 x.invalid"}) {
        CHECK(why(hold, v4) == "taken");
        CHECK(why(hold, v6) == "taken");
    }
}

TEST_CASE("sdp::negotiation: both ends agree, each in its own numbers") {
    negotiation caller{1};
    negotiation callee{2};
    auto local = us();
    local.codecs = {{98, encoding::pcma}, {0, encoding::pcmu}, {100, encoding::telephone_event}};
    const auto offer = offer_from(caller, local);
    auto far = us();
    far.address = address::v4(192, 0, 2, 9);
    far.rtp_port = 31'000;
    callee.set_local(far);
    const auto theirs = callee.receive_offer(offer);
    REQUIRE(theirs);
    const auto answer = answer_from(callee);
    const auto ours = caller.receive_answer(answer);
    REQUIRE(ours);
    CHECK(ours->rtp == endpoint{far.address, 31'000});
    CHECK(theirs->rtp == endpoint{local.address, 20'000});
    CHECK(ours->law == encoding::pcma);
    CHECK(ours->send_payload_type == theirs->receive_payload_type);
    CHECK(theirs->send_payload_type == 98);
    CHECK(ours->send_telephone_event == 100);
    CHECK(caller.current() == *ours);
    CHECK(callee.current() == *theirs);
    // The same text twice is the same outcome.
    CHECK(caller.receive_answer(answer) == *ours);
    CHECK(answer_from(callee) == answer);
}

TEST_CASE("sdp::negotiation: we send what they mapped and receive what we mapped") {
    negotiation side{1};
    static_cast<void>(offer_from(side, us()));
    const auto outcome =
        side.receive_answer(offer_of("m=audio 10000 RTP/AVP 96 8 97\r\na=rtpmap:96 PCMA/8000\r\n"
                                     "a=rtpmap:97 telephone-event/8000\r\n"));
    REQUIRE(outcome);
    CHECK(outcome->law == encoding::pcma);
    CHECK(outcome->send_payload_type == 96);
    CHECK(outcome->receive_payload_type == 8);
    CHECK(outcome->send_telephone_event == 97);
    CHECK(outcome->receive_telephone_event == 101);
}

TEST_CASE("sdp::negotiation: a dynamic number without an rtpmap in an answer is our own") {
    negotiation side{1};
    auto local = us();
    local.codecs = {{98, encoding::pcma}};
    static_cast<void>(offer_from(side, local));
    const auto outcome = side.receive_answer(offer_of("m=audio 10000 RTP/AVP 98 101\r\n"));
    REQUIRE(outcome);
    CHECK(outcome->send_payload_type == 98);
    CHECK(outcome->send_telephone_event == 101);
}

TEST_CASE("sdp::negotiation: an answer that does not fit is an error, and a later one may fit") {
    const char* const answers[] = {"", "m=video 1 RTP/AVP 31\r\n", "m=audio 1 RTP/AVP 18\r\n",
                                   "m=audio 1 RTP/SAVP 0\r\n"};
    negotiation side{1};
    static_cast<void>(offer_from(side, us()));
    for (const auto* answer : answers) {
        CAPTURE(answer);
        CHECK_FALSE(side.receive_answer(offer_of(answer)));
        CHECK(side.current_state() == state::offered);
    }
    const auto early = side.receive_answer(offer_of("m=audio 1000 RTP/AVP 0\r\n"));
    REQUIRE(early);
    // The 200 brings another answer than the 183 did, and then one that is of no use.
    const auto final = side.receive_answer(offer_of("m=audio 2000 RTP/AVP 8\r\n"));
    REQUIRE(final);
    CHECK(final->rtp.port == 2000);
    CHECK_FALSE(side.receive_answer(offer_of("m=audio 3000 RTP/AVP 18\r\n")));
    CHECK(side.current() == *final);
}

TEST_CASE("sdp::negotiation: RTCP goes to the next port, to a=rtcp, or beside the RTP") {
    struct row {
        const char* attributes;
        endpoint rtcp;
        bool mux;
    };
    const auto host = address::v4(198, 51, 100, 1);
    const row table[] = {
        {"", {host, 10'001}, false},
        {"a=rtcp:5000\r\n", {host, 5000}, false},
        {"a=rtcp:5000 IN IP4 192.0.2.5\r\n", {address::v4(192, 0, 2, 5), 5000}, false},
        {"a=rtcp:5000 IN IP4 0.0.0.0\r\n", {host, 5000}, false},
        {"a=rtcp-mux\r\na=rtcp:5000\r\n", {host, 10'000}, true},
    };
    for (const auto& row : table) {
        CAPTURE(row.attributes);
        auto local = us();
        local.rtcp_mux = true;
        const answered call{"m=audio 10000 RTP/AVP 0\r\n"s + row.attributes, local};
        CHECK(call.outcome.rtcp == row.rtcp);
        CHECK(call.outcome.rtcp_mux == row.mux);
        CHECK(lines(call.text, "a=rtcp-mux").empty() != row.mux);
    }
    CHECK(answered{"m=audio 65535 RTP/AVP 0\r\n"}.outcome.rtcp.port == 0);
    auto apart = us();
    apart.rtcp_port = 20'777;
    CHECK(lines(answered{"m=audio 10000 RTP/AVP 0\r\n", apart}.text, "a=rtcp") == "a=rtcp:20777|");
}

TEST_CASE("sdp::negotiation: packets are as long as the peer asks, in tens, from 10 to 60 ms") {
    struct row {
        const char* attributes;
        int ptime;
    };
    const row table[] = {
        {"", 20},
        {"a=ptime:30\r\n", 30},
        {"a=ptime:25\r\n", 20},
        {"a=ptime:1\r\n", 10},
        {"a=ptime:200\r\n", 60},
        {"a=ptime:0\r\n", 20},
        {"a=ptime:40\r\na=maxptime:30\r\n", 30},
        {"a=maxptime:10\r\n", 10},
        {"a=maxptime:1\r\n", 10},
        {"a=ptime:99999999999\r\n", 20},
    };
    for (const auto& row : table) {
        CAPTURE(row.attributes);
        const answered call{"m=audio 10000 RTP/AVP 0\r\n"s + row.attributes};
        CHECK(call.outcome.ptime == milliseconds{row.ptime});
    }
}

TEST_CASE("sdp::negotiation: a direction is answered by RFC 3264 6.1, whatever we would like") {
    using enum direction;
    struct row {
        direction ours;
        direction offered;
        direction outcome;
        bool held;
    };
    const row table[] = {
        {sendrecv, sendrecv, sendrecv, false}, {sendrecv, sendonly, recvonly, true},
        {sendrecv, recvonly, sendonly, false}, {sendrecv, inactive, inactive, true},
        {sendonly, sendrecv, sendonly, false}, {sendonly, sendonly, inactive, true},
        {sendonly, recvonly, sendonly, false}, {recvonly, sendrecv, recvonly, false},
        {recvonly, sendonly, recvonly, false}, {recvonly, recvonly, inactive, false},
        {inactive, sendrecv, inactive, false}, {inactive, inactive, inactive, false},
    };
    for (const auto& row : table) {
        auto local = us();
        local.direction = row.ours;
        const auto attribute = "a=" + std::string{to_text(row.offered)} + "\r\n";
        CAPTURE(attribute);
        const answered call{"m=audio 10000 RTP/AVP 0\r\n" + attribute, local};
        CHECK(call.outcome.direction == row.outcome);
        CHECK(call.outcome.held == row.held);
        CHECK(lines(call.text, "a=" + std::string{to_text(row.outcome)}).size() > 0);
        // And the same seen from the offerer's side.
        negotiation offerer{1};
        local.direction = row.offered;
        static_cast<void>(offer_from(offerer, local));
        const auto back = offerer.receive_answer(call.text);
        REQUIRE(back);
        CHECK(back->direction == reversed(row.outcome));
    }
}

TEST_CASE("sdp::negotiation: an address that is nowhere is a hold") {
    for (const auto* host : {"IP4 0.0.0.0", "IP6 ::", "IP4 held.invalid"}) {
        CAPTURE(host);
        const auto connection = "c=IN "s + host + "\r\n";
        const answered call{"m=audio 10000 RTP/AVP 0\r\n" + connection};
        CHECK(call.outcome.direction == direction::recvonly);
        CHECK(call.outcome.held);
        const answered silent{"m=audio 10000 RTP/AVP 0\r\na=recvonly\r\n" + connection};
        CHECK(silent.outcome.direction == direction::inactive);
    }
}

TEST_CASE("sdp::negotiation: hold and resume, by them and by us") {
    answered call{"m=audio 10000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"};
    auto& side = call.side;
    const auto media = "m=audio 10000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"s;
    CHECK(lines(call.text, "o=") == "o=- 0 0 IN IP4 203.0.113.7|");

    const auto held = side.receive_offer(offer_of(media + "a=sendonly\r\n"));
    REQUIRE(held);
    CHECK(held->held);
    CHECK(side.current() == call.outcome); // Not before the answer is out.
    auto text = answer_from(side);
    CHECK(lines(text, "a=recvonly") == "a=recvonly|");
    CHECK(lines(text, "o=") == "o=- 0 1 IN IP4 203.0.113.7|");
    CHECK(side.current() == *held);

    const auto resumed = side.receive_offer(offer_of(media));
    REQUIRE(resumed);
    CHECK(*resumed == call.outcome);
    text = answer_from(side);
    CHECK(lines(text, "o=") == "o=- 0 2 IN IP4 203.0.113.7|");
    // A session refresh changes nothing, and so the version stays.
    REQUIRE(side.receive_offer(offer_of(media)));
    CHECK(answer_from(side) == text);

    auto local = us();
    local.direction = direction::sendonly;
    text = offer_from(side, local);
    CHECK(lines(text, "a=sendonly") == "a=sendonly|");
    const auto we_hold = side.receive_answer(offer_of(media + "a=recvonly\r\n"));
    REQUIRE(we_hold);
    CHECK(we_hold->direction == direction::sendonly);
    CHECK_FALSE(we_hold->held);
}

TEST_CASE("sdp::negotiation: a re-offer may change codec, address and m-lines") {
    answered call{"m=audio 10000 RTP/AVP 0\r\n"};
    const auto moved = call.side.receive_offer(
        offer_of("m=audio 12000 RTP/AVP 8\r\nc=IN IP4 192.0.2.77\r\nm=image 12002 udptl t38\r\n"));
    REQUIRE(moved);
    CHECK(moved->law == encoding::pcma);
    CHECK(moved->rtp == endpoint{address::v4(192, 0, 2, 77), 12'000});
    CHECK(lines(answer_from(call.side), "m=") == "m=audio 20000 RTP/AVP 8|m=image 0 udptl t38|");
    // And our own re-offer repeats the m-lines that were once there (section 8).
    CHECK(lines(offer_from(call.side, us()), "m=") ==
          "m=audio 20000 RTP/AVP 0 8 101|m=image 0 udptl t38|");
}

TEST_CASE("sdp::negotiation: the running stream stays in its m-line") {
    answered call{"m=audio 10000 RTP/SAVP 0\r\nm=audio 10002 RTP/AVP 0\r\n"};
    REQUIRE(call.side.receive_offer(
        offer_of("m=audio 10000 RTP/AVP 0\r\nm=audio 10002 RTP/AVP 0\r\n")));
    CHECK(lines(answer_from(call.side), "m=") == "m=audio 0 RTP/AVP 0|m=audio 20000 RTP/AVP 0|");
}

TEST_CASE("sdp::negotiation: a re-offer that is refused leaves the session as it was") {
    answered call{"m=audio 10000 RTP/AVP 0\r\n"};
    const auto refused = call.side.receive_offer(offer_of("m=audio 10000 RTP/AVP 18\r\n"));
    REQUIRE_FALSE(refused);
    CHECK(refused.reason().code == errc::not_supported);
    CHECK(call.side.current_state() == state::stable);
    CHECK(call.side.current() == call.outcome);
    // One that we could take, but the call does not want.
    REQUIRE(call.side.receive_offer(offer_of("m=audio 10000 RTP/AVP 8\r\n")));
    call.side.abandon();
    CHECK(call.side.current() == call.outcome);
    CHECK(answer_from(call.side) == call.text);
    // One of ours that they refuse: the next one is new again, and so is its version.
    auto local = us();
    local.direction = direction::sendonly;
    CHECK(lines(offer_from(call.side, local), "o=") == "o=- 0 1 IN IP4 203.0.113.7|");
    call.side.abandon();
    CHECK(call.side.current() == call.outcome);
    CHECK(lines(offer_from(call.side, us()), "o=") == "o=- 0 2 IN IP4 203.0.113.7|");
}

TEST_CASE("sdp::negotiation: offers that cross are glare") {
    negotiation side{1};
    static_cast<void>(offer_from(side, us()));
    const auto crossed = side.receive_offer(offer_of("m=audio 10000 RTP/AVP 0\r\n"));
    REQUIRE_FALSE(crossed);
    CHECK(crossed.reason().code == errc::wrong_state);
    std::array<char, 1024> memory{};
    CHECK_FALSE(side.write_answer(memory));
    CHECK_FALSE(side.write_offer(us(), memory));
    side.abandon();
    CHECK(side.current_state() == state::none);
    CHECK_FALSE(side.receive_answer(offer_of("m=audio 10000 RTP/AVP 0\r\n")));
}

TEST_CASE("sdp::negotiation: a late offer in the 200 is answered in the ACK") {
    negotiation server{1};
    negotiation client{2};
    client.set_local(us());
    REQUIRE(client.receive_offer(offer_from(server, us())));
    const auto outcome = server.receive_answer(answer_from(client));
    REQUIRE(outcome);
    CHECK(outcome->direction == direction::sendrecv);
}

TEST_CASE("sdp::negotiation: port 0 disables the stream, and a later offer wakes it") {
    negotiation side{1};
    static_cast<void>(offer_from(side, us()));
    const auto refused = side.receive_answer(offer_of("m=audio 0 RTP/AVP 0\r\n"));
    REQUIRE(refused);
    CHECK(refused->disabled);
    CHECK(refused->direction == direction::inactive);
    static_cast<void>(offer_from(side, us()));
    REQUIRE(side.receive_answer(offer_of("m=audio 10000 RTP/AVP 0\r\n")));

    const auto asleep = side.receive_offer(offer_of("m=audio 0 RTP/AVP 0\r\n"));
    REQUIRE(asleep);
    CHECK(asleep->disabled);
    CHECK(lines(answer_from(side), "m=") == "m=audio 0 RTP/AVP 0|");
    const auto awake = side.receive_offer(offer_of("m=audio 10000 RTP/AVP 0\r\n"));
    REQUIRE(awake);
    CHECK_FALSE(awake->disabled);
    CHECK(lines(answer_from(side), "m=") == "m=audio 20000 RTP/AVP 0|");

    answered secure{"m=audio 0 RTP/SAVP 0\r\n"};
    CHECK(secure.outcome.disabled);
    CHECK(lines(offer_from(secure.side, us()), "m=") == "m=audio 20000 RTP/AVP 0 8 101|");
}

TEST_CASE("sdp::negotiation: an answer repeats the offer's t= when it is one") {
    const auto timing_of = [](const std::string& line) {
        negotiation side{1};
        side.set_local(us());
        REQUIRE(side.receive_offer("v=0\no=- 1 1 IN IP4 h\nc=IN IP4 192.0.2.1\n" + line +
                                   "\nm=audio 1 RTP/AVP 0\n"));
        return lines(answer_from(side), "t=");
    };
    CHECK(timing_of("t=2873397496 2873404696") == "t=2873397496 2873404696|");
    CHECK(timing_of("t=0 0\rm=audio 1 RTP/AVP 8") == "t=0 0|");
    CHECK(timing_of("t=") == "t=0 0|");
}

TEST_CASE("sdp::negotiation: what we could not stand by is not written") {
    std::array<char, 1024> memory{};
    negotiation side{1};
    auto local = us();
    local.address = address::v4(0, 0, 0, 0);
    CHECK_FALSE(side.write_offer(local, memory));
    local = us();
    local.rtp_port = 0;
    CHECK_FALSE(side.write_offer(local, memory));
    local = us();
    local.codecs = {{101, encoding::telephone_event}};
    CHECK_FALSE(side.write_offer(local, memory));
    local.codecs = {{0, encoding::pcmu}, {0, encoding::pcma}};
    CHECK_FALSE(side.write_offer(local, memory));
    local.codecs = {{200, encoding::pcmu}};
    CHECK_FALSE(side.write_offer(local, memory));
    local.codecs = {{101, encoding::pcmu}};
    CHECK_FALSE(side.write_offer(local, memory));
    const auto full = side.write_offer(us(), std::span{memory}.first(100));
    REQUIRE_FALSE(full);
    CHECK(full.reason().code == errc::full);
    CHECK(side.current_state() == state::none);
    CHECK(side.write_offer(us(), memory));
}

TEST_CASE("sdp::negotiation: a number keeps its format for as long as the session lasts") {
    // RFC 3264 section 8.3.2; a telephone-event of 48 kHz is another format than ours.
    answered call{"m=audio 10000 RTP/AVP 0 100 101\r\na=rtpmap:100 telephone-event/8000\r\n"
                  "a=rtpmap:101 telephone-event/48000\r\n"};
    CHECK(lines(call.text, "m=") == "m=audio 20000 RTP/AVP 0 100|");
    CHECK(lines(offer_from(call.side, us()), "m=") == "m=audio 20000 RTP/AVP 0 8 100|");
    answered without{"m=audio 10000 RTP/AVP 0 101\r\na=rtpmap:101 opus/48000/2\r\n"};
    CHECK(lines(offer_from(without.side, us()), "m=") == "m=audio 20000 RTP/AVP 0 8|");
}

TEST_CASE("sdp::negotiation: what is repeated is what was said, whoever had offered") {
    const auto repeated = [](negotiation& side) {
        std::array<char, 2048> memory{};
        const auto size = side.repeat(us(), memory);
        REQUIRE(size);
        return std::string{memory.data(), *size};
    };
    const std::string media =
        "m=audio 10000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";
    answered call{media + "a=sendonly\r\n"};
    CHECK(repeated(call.side) == call.text);
    const auto again = call.side.receive_answer(offer_of(media + "a=sendonly\r\n"));
    REQUIRE(again);
    CHECK(*again == call.outcome);
    CHECK(again->held);
    CHECK(repeated(call.side) == call.text); // Now it was an offer of ours.
    call.side.abandon();
    answered asleep{"m=audio 0 RTP/AVP 0\r\n"};
    CHECK(lines(repeated(asleep.side), "m=") == "m=audio 0 RTP/AVP 0|");
    REQUIRE(asleep.side.receive_answer(offer_of("m=audio 0 RTP/AVP 0\r\n")));
    CHECK(asleep.side.current()->disabled);
    negotiation first{1};
    CHECK(lines(repeated(first), "m=") == "m=audio 20000 RTP/AVP 0 8 101|");
}

} // namespace
} // namespace trunkline::sdp
