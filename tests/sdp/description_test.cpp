#include <trunkline/sdp/description.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <trunkline/core/limits.hpp>

#include "support/print.hpp"

namespace trunkline::sdp {
namespace {

using namespace std::string_view_literals;
using namespace std::string_literals;
using std::chrono::milliseconds;

constexpr std::string_view start = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n";

std::string with(std::string_view rest) {
    return std::string{start} + std::string{rest};
}

TEST_CASE("sdp::description: reads the offer of RFC 3264 section 10.1") {
    const auto text = "v=0\r\n"
                      "o=alice 2890844526 2890844526 IN IP4 host.anywhere.com\r\n"
                      "s= \r\n"
                      "c=IN IP4 host.anywhere.com\r\n"
                      "t=0 0\r\n"
                      "m=audio 49170 RTP/AVP 0\r\n"
                      "a=rtpmap:0 PCMU/8000\r\n"
                      "m=video 51372 RTP/AVP 31\r\n"
                      "a=rtpmap:31 H261/90000\r\n"
                      "m=video 53000 RTP/AVP 32\r\n"
                      "a=rtpmap:32 MPV/90000\r\n"sv;
    description read;
    REQUIRE(parse(text, read));
    CHECK(read.origin() == origin_view{"alice", "2890844526", "2890844526", "host.anywhere.com"});
    CHECK(read.session_name() == " ");
    CHECK(read.timing() == "0 0");
    REQUIRE(read.media_count() == 3);
    const auto audio = read.media(0);
    CHECK(audio.kind() == media_kind::audio);
    CHECK(audio.port() == 49170);
    CHECK(audio.transport() == transport::rtp_avp);
    CHECK(audio.direction() == direction::sendrecv);
    REQUIRE(audio.connection());
    CHECK(audio.connection()->host == "host.anywhere.com");
    CHECK_FALSE(audio.connection()->literal);
    REQUIRE(audio.format_count() == 1);
    CHECK(audio.format(0) == format_view{"0", std::uint8_t{0}, "PCMU", 8'000, 1, ""});
    CHECK(read.media(1).format(0).encoding == "H261");
    CHECK(read.media(2).kind() == media_kind::video);
    CHECK(text.substr(read.media(2).offset(), 13) == "m=video 53000");
}

TEST_CASE("sdp::description: reads every typed attribute of a carrier's m-line") {
    const auto text = with("c=IN IP4 198.51.100.1\r\nt=0 0\r\n"
                           "a=sendonly\r\n"
                           "m=audio 16384/2 RTP/SAVPF 0 101 111\r\n"
                           "i=a title\r\n"
                           "c=IN IP6 2001:db8::7\r\n"
                           "b=AS:64\r\n"
                           "a=rtpmap:101 telephone-event/8000 \r\n"
                           "a=fmtp:101  0-16\r\n"
                           "a=rtpmap:111 opus/48000/2\r\n"
                           "a=fmtp:111 minptime=10; useinbandfec=1\r\n"
                           "a=ptime:20\r\na=maxptime:150\r\n"
                           "a=rtcp:53020 IN IP4 126.16.64.4\r\n"
                           "a=rtcp-mux\r\na=mid:audio\r\na=silenceSupp:off - - - -\r\n"
                           "m=image 17000 udptl t38\r\na=recvonly\r\n");
    description read;
    REQUIRE(parse(text, read));
    REQUIRE(read.media_count() == 2);
    const auto audio = read.media(0);
    CHECK(audio.port_count() == 2);
    CHECK(audio.transport() == transport::rtp_savpf);
    CHECK(audio.connection()->literal == *address::parse("2001:db8::7"));
    CHECK(audio.direction() == direction::sendonly);
    CHECK(audio.format(1).fmtp == "0-16");
    CHECK(audio.format(1).encoding == "telephone-event");
    CHECK(audio.format(2) ==
          format_view{"111", std::uint8_t{111}, "opus", 48'000, 2, "minptime=10; useinbandfec=1"});
    CHECK(audio.ptime() == milliseconds{20});
    CHECK(audio.maxptime() == milliseconds{150});
    REQUIRE(audio.rtcp());
    CHECK(audio.rtcp()->port == 53020);
    CHECK(audio.rtcp()->connection->literal == address::v4(126, 16, 64, 4));
    CHECK(audio.rtcp_mux());
    CHECK(audio.mid() == "audio");
    CHECK(audio.attribute_count() == 10);
    CHECK(audio.attribute(9) == attribute_view{"silenceSupp", "off - - - -"});
    CHECK(audio.find("silenceSupp") == "off - - - -");
    CHECK_FALSE(audio.find("crypto"));
    const auto image = read.media(1);
    CHECK(image.kind() == media_kind::image);
    CHECK(image.transport() == transport::udptl);
    CHECK(image.format(0).text == "t38");
    CHECK_FALSE(image.format(0).payload_type);
    CHECK(image.connection()->host == "198.51.100.1");
    CHECK(image.direction() == direction::recvonly);
    CHECK_FALSE(image.rtcp());
    CHECK(read.find("sendonly") == "");
    CHECK(read.attribute(0) == attribute_view{"sendonly", ""});
}

TEST_CASE("sdp::description: is tolerant where carriers are") {
    const std::string texts[] = {
        // No CR, no line end on the last line, which is the one that counts (diago #125).
        "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 4000 RTP/AVP 8",
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8\r",
        // Session ids beyond 64 bits.
        "v=0\r\no=x 99999999999999999999999999 123456789012345678901234567890 IN IP4 h\r\n"
        "c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8\r\n",
        // A memory bomb elsewhere [CVE-2017-11521].
        with("c=IN IP4 192.0.2.1/127/2000000000\r\nm=audio 4000 RTP/AVP 8\r\n"),
        // Double spaces, trailing blanks, blank lines at the end, unknown line types.
        with("c=IN IP4 192.0.2.1 \r\nq=what\r\nm=audio  4000  RTP/AVP  8 \r\n\r\n\r\n"),
        with(
            "m=audio 4000 RTP/AVP 8\r\nc=IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.2\r\na=\r\na=:x\r\n"),
    };
    for (const auto& text : texts) {
        CAPTURE(text);
        description read;
        REQUIRE(parse(text, read));
        REQUIRE(read.media_count() == 1);
        CHECK(read.media(0).port() == 4000);
        CHECK(read.media(0).connection()->literal == address::v4(192, 0, 2, 1));
        REQUIRE(read.media(0).format_count() == 1);
        CHECK(read.media(0).format(0).encoding == "PCMA");
    }
}

TEST_CASE("sdp::description: a payload type past seven bits is a format without a number") {
    // CVE-2018-1000098 and pjsip 673b978aa.
    for (const auto* number :
         {"128", "255", "256", "65535", "4294967296", "99999999999999999999"}) {
        CAPTURE(number);
        const auto text = with("m=audio 17000 RTP/AVP "s + number + " 0\r\na=rtpmap:" + number +
                               " PCMA/8000\r\na=fmtp:" + number + " x\r\n");
        description read;
        REQUIRE(parse(text, read));
        const auto media = read.media(0);
        REQUIRE(media.format_count() == 2);
        CHECK(media.format(0) == format_view{.text = number});
        CHECK(media.format(1).encoding == "PCMU");
    }
}

TEST_CASE("sdp::description: what is malformed in an attribute leaves the rest alone") {
    // CVE-2018-1000099 and AST-2018-003, ptime that overflows, rtpmaps that map nothing.
    const auto text = with("m=audio 17000 RTP/AVP 0 8 97\r\n"
                           "a=fmtp\r\na=fmtp:\r\na=fmtp:0\r\na=fmtp:x y\r\n"
                           "a=rtpmap:97\r\na=rtpmap:97 PCMA\r\na=rtpmap:97 /8000\r\n"
                           "a=rtpmap:97 PCMA/\r\na=rtpmap:97 PCMA/0\r\na=rtpmap:97 PCMA/8000x\r\n"
                           "a=rtpmap:97 PCMA/99999999999\r\na=rtpmap: 8 pcma/8000/\r\n"
                           "a=rtpmap:96 opus/48000\r\na=ptime:4294967316\r\na=maxptime:-20\r\n"
                           "a=sendonly:now\r\n");
    description read;
    REQUIRE(parse(text, read));
    const auto media = read.media(0);
    CHECK(media.format(0).fmtp.empty());
    CHECK(media.format(1).encoding == "pcma");
    CHECK(media.format(2) == format_view{"97", std::uint8_t{97}});
    CHECK_FALSE(media.ptime());
    CHECK_FALSE(media.maxptime());
    CHECK(media.direction() == direction::sendrecv);
}

TEST_CASE("sdp::description: every static payload type works without an rtpmap") {
    std::string text = with("m=audio 4000 RTP/AVP");
    for (int i = 0; i < 35; ++i) text += ' ' + std::to_string(i);
    description read;
    REQUIRE(parse(text, read));
    struct known {
        std::size_t payload_type;
        std::string_view encoding;
        std::uint32_t clock_rate;
        std::uint8_t channels;
    };
    const known table[] = {{0, "PCMU", 8'000, 1},   {3, "GSM", 8'000, 1},    {8, "PCMA", 8'000, 1},
                           {9, "G722", 8'000, 1},   {10, "L16", 44'100, 2},  {13, "CN", 8'000, 1},
                           {18, "G729", 8'000, 1},  {34, "H263", 90'000, 1}, {1, "", 0, 0},
                           {17, "DVI4", 22'050, 1}, {19, "", 0, 0}};
    for (const auto& row : table) {
        const auto format = read.media(0).format(row.payload_type);
        CHECK(format.encoding == row.encoding);
        CHECK(format.clock_rate == row.clock_rate);
        CHECK(format.channels == row.channels);
    }
}

TEST_CASE("sdp::description: says what is wrong, and where") {
    struct rejected {
        std::string text;
        error reason;
    };
    const auto at = static_cast<std::uint32_t>(start.size());
    const rejected table[] = {
        {"", {.code = errc::missing, .field = 'v', .offset = 0}},
        {"\r\n", {.code = errc::missing, .field = 'v', .offset = 2}},
        {"v", {.code = errc::bad_token, .offset = 0}},
        {"v=", {.code = errc::bad_version, .field = 'v', .offset = 2}},
        {"v=1\r\n", {.code = errc::bad_version, .field = 'v', .offset = 2}},
        {"o=- 1 1 IN IP4 h\r\n", {.code = errc::missing, .field = 'v', .offset = 0}},
        {"v=0\r\n", {.code = errc::missing, .field = 'o', .offset = 5}},
        {"v=0\no=", {.code = errc::need_more, .field = 'o', .offset = 6}},
        {"v=0\no=- 1 1 IN IP4", {.code = errc::need_more, .field = 'o', .offset = 18}},
        {"v=0\no=- x 1 IN IP4 h", {.code = errc::bad_number, .field = 'o', .offset = 8}},
        {with("o=- 1 1 IN IP4 h"), {.code = errc::duplicate, .field = 'o', .offset = at + 2}},
        {with("c="), {.code = errc::bad_address, .field = 'c', .offset = at + 2}},
        {with("c=IN IP4 /"), {.code = errc::bad_address, .field = 'c', .offset = at + 2}},
        {with("c=IN IP4 a\rb"), {.code = errc::bad_address, .field = 'c', .offset = at + 2}},
        {with("c=IN IP7 h"), {.code = errc::bad_address, .field = 'c', .offset = at + 2}},
        {with("m"), {.code = errc::bad_token, .offset = at}},
        {with("hello"), {.code = errc::bad_token, .offset = at}},
        {with("m="), {.code = errc::need_more, .field = 'm', .offset = at + 2}},
        {with("m=audio"), {.code = errc::need_more, .field = 'm', .offset = at + 7}},
        {with("m=audio 1 RTP/AVP"), {.code = errc::need_more, .field = 'm', .offset = at + 17}},
        {with("m=audio x RTP/AVP 0"), {.code = errc::bad_number, .field = 'm', .offset = at + 8}},
        {with("m=audio 65536 RTP/AVP 0"),
         {.code = errc::bad_number, .field = 'm', .offset = at + 8}},
        {with("m=audio 1/0 RTP/AVP 0"), {.code = errc::bad_number, .field = 'm', .offset = at + 9}},
        {with("m=audio 1 RTP/AVP 0\x01"),
         {.code = errc::bad_token, .field = 'm', .offset = at + 19}},
        {with("m=audio 1 RTP/AVP 0\na=rtcp:x"),
         {.code = errc::bad_number, .field = 'a', .offset = at + 27}},
        {with("m=audio 1 RTP/AVP 0\na=rtcp:1 IN IP7 X"),
         {.code = errc::bad_address, .field = 'a', .offset = at + 28}},
        {with("a=x\0y"sv), {.code = errc::bad_token, .offset = at + 3}},
    };
    for (const auto& row : table) {
        CAPTURE(row.text);
        description read;
        CHECK(parse(row.text, read) == row.reason);
        CHECK(read.media_count() == 0);
        CHECK(read.origin() == origin_view{});
        CHECK_FALSE(read.connection());
    }
}

TEST_CASE("sdp::description: limits are refused at the first line past them") {
    const auto repeated = [](std::string_view first, std::string_view each, std::size_t count) {
        auto text = with(first);
        for (std::size_t i = 0; i < count; ++i) text += each;
        return text;
    };
    description read;
    const auto line = "m=audio 1 RTP/AVP 0\r\n"sv;
    CHECK(parse(repeated("", line, limits::sdp_media), read));
    auto refused = parse(repeated("", line, limits::sdp_media + 1), read);
    REQUIRE_FALSE(refused);
    CHECK(refused.reason().code == errc::limit_exceeded);
    CHECK(refused.reason().detail == limits::sdp_media);
    CHECK(parse(repeated("m=audio 1 RTP/AVP", " 0", limits::sdp_formats), read));
    refused = parse(repeated("m=audio 1 RTP/AVP", " 0", limits::sdp_formats + 1), read);
    REQUIRE_FALSE(refused);
    CHECK(refused.reason().code == errc::limit_exceeded);
    CHECK(parse(repeated("", "a=crypto:1\n", limits::sdp_attributes), read));
    refused = parse(repeated("", "a=crypto:1\n", limits::sdp_attributes + 1), read);
    REQUIRE_FALSE(refused);
    CHECK(refused.reason().code == errc::limit_exceeded);
    refused = parse(std::string(limits::body + 1, '\n'), read);
    REQUIRE_FALSE(refused);
    CHECK(refused.reason().code == errc::limit_exceeded);
}

TEST_CASE("sdp::description: every prefix of a description parses or says why, inside the text") {
    const auto text = with("c=IN IP4 198.51.100.1\r\nt=0 0\r\nm=audio 16384/2 RTP/AVP 0 101\r\n"
                           "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
                           "a=rtcp:53020 IN IP4 126.16.64.4\r\na=mid:1\r\n");
    for (std::size_t size = 0; size <= text.size(); ++size) {
        // A vector of just that size, so that AddressSanitizer sees a read past its end.
        const std::vector<char> bytes(text.begin(),
                                      text.begin() + static_cast<std::ptrdiff_t>(size));
        description read;
        const auto parsed = parse({bytes.data(), bytes.size()}, read);
        if (!parsed) CHECK(parsed.reason().offset <= size);
    }
}

} // namespace
} // namespace trunkline::sdp
