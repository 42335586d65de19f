#include <trunkline/sdp/writer.hpp>

#include <array>

#include <doctest/doctest.h>

#include "support/print.hpp"

namespace trunkline::sdp {
namespace {

result<std::size_t> write_a_description(std::span<char> into) {
    writer out{into};
    out.origin("-", 7, 8, *address::parse("2001:db8::1")).line('s', "-");
    out.connection(address::v4(192, 0, 2, 1)).line('t', "0 0");
    out.media("audio", 4000, "RTP/AVP").format(8).format("101").end_of_formats();
    out.rtpmap(8, "PCMA", 8'000).fmtp(101, "0-15").attribute("ptime", 20U);
    out.attribute("mid", "a").attribute("sendrecv");
    return out.size();
}

constexpr std::string_view expected = "v=0\r\no=- 7 8 IN IP6 2001:db8::1\r\ns=-\r\n"
                                      "c=IN IP4 192.0.2.1\r\nt=0 0\r\n"
                                      "m=audio 4000 RTP/AVP 8 101\r\n"
                                      "a=rtpmap:8 PCMA/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
                                      "a=mid:a\r\na=sendrecv\r\n";

TEST_CASE("sdp::writer: writes lines as RFC 8866 prints them") {
    std::array<char, 512> memory{};
    const auto size = write_a_description(memory);
    REQUIRE(size);
    CHECK(std::string_view{memory.data(), *size} == expected);
}

TEST_CASE("sdp::writer: memory that is one byte short is full, and nothing past it is touched") {
    for (std::size_t room = 0; room < expected.size(); ++room) {
        std::array<char, 512> memory{};
        const auto size = write_a_description({memory.data(), room});
        REQUIRE_FALSE(size);
        CHECK(size.reason().code == errc::full);
        CHECK(memory[room] == '\0');
    }
    std::array<char, expected.size()> memory{};
    CHECK(write_a_description(memory) == expected.size());
}

} // namespace
} // namespace trunkline::sdp
