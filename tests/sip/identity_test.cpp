#include <trunkline/sip/identity.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <trunkline/core/text.hpp>

#include "support/wire.hpp"

namespace trunkline::sip {
namespace {

[[nodiscard]] std::optional<std::uint16_t> owner(std::string_view text, std::uint16_t shards = 8) {
    return owner_of(as_bytes(support::crlf(text)), shards);
}

TEST_CASE("sip::identity: what was written is read, and no two texts are alike") {
    seeded_entropy random{1};
    const identity table[] = {
        {0, 0, 1}, {7, 123'456, 42}, {0xffff, 0xffff'ffff, 0xffff'ffff}, {0, 0, 0}};
    for (const auto& what : table) {
        const identity_text text{what, random};
        CHECK(read_identity(text.view()) == what);
        CHECK(branch_identity("z9hG4bK" + std::string{text.view()}) == what);
        CHECK_FALSE(branch_identity(text.view()).has_value());
        CHECK(identity_text{what, random}.view() != text.view());
    }
}

TEST_CASE("sip::identity: a stranger's token is nobody's") {
    for (const std::string_view text :
         {"", "tl", "tl00070000000100000001", "tl0007000000010000000-abcdefghijkm",
          "xx00070000000100000001abcdefghijkm", "tl00070000000100000001abcdefghijkmn",
          "tl+0070000000100000001abcdefghijkm", "tl 0070000000100000001abcdefghijkm",
          "tl0x070000000100000001abcdefghijkm"}) {
        CAPTURE(text);
        CHECK_FALSE(read_identity(text).has_value());
    }
    CHECK(read_identity("tl00070000000100000001abcdefghijkm") == identity{7, 1, 1});
}

TEST_CASE("sip::owner_of: a response goes where its top branch says") {
    const std::string_view lines =
        "Via: SIP/2.0/UDP h;rport=1;branch=z9hG4bKtl00050000000100000001abcdefghijkm\n"
        "Via: SIP/2.0/UDP i;branch=z9hG4bKtl00030000000100000001abcdefghijkm\n"
        "f: <sip:a@h>;tag=tl00020000000100000001abcdefghijkm\n"
        "To: <sip:b@h>;tag=tl00010000000100000001abcdefghijkm\nCall-ID: c\nCSeq: 1 BYE\n\n";
    CHECK(owner("SIP/2.0 200 OK\n" + std::string{lines}) == 5);
    CHECK(owner("sip/2.0 200 OK\n" + std::string{lines}) == 5);
    CHECK(owner("\n\nSIP/2.0 200 OK\n" + std::string{lines}) == 5);
    CHECK(owner("SIP/2.0 200 OK\nv: SIP/2.0/UDP h\n ;branch =\n "
                "z9hG4bKtl00050000000100000001abcdefghijkm\n\n") == 5);
    CHECK(owner("SIP/2.0 200 OK\nVIA : SIP/2.0/UDP "
                "h;branch=z9hG4bKtl00050000000100000001abcdefghijkm,x;branch=y\n\n") == 5);
    // Not ours, or from a process with more shards: somebody has to say that it is unmatched.
    CHECK(owner("SIP/2.0 200 OK\n" + std::string{lines}, 5) == 0);
    CHECK(owner("SIP/2.0 200 OK\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\n\n") == 0);
}

TEST_CASE(
    "sip::owner_of: a request in a dialog goes where its To tag says, however it is written") {
    const std::string tag = "tl00060000000100000001abcdefghijkm";
    for (const auto& line :
         {"To: <sip:b@h>;tag=" + tag, "t: sip:b@h ; TAG = " + tag + ";x=y",
          "t:<sip:b@h>;tag=" + tag, "TO\t: \"t;tag=no\" <sip:b@h;tag=no>;tag=" + tag,
          "To: <sip:b@h>\n ;tag=" + tag, "To: <sip:b@h>;\n\ttag\n =\n " + tag}) {
        CAPTURE(line);
        CHECK(owner("BYE sip:x SIP/2.0\nCall-ID: c\n" + line + "\nFrom: <sip:a@h>;tag=1\n\n") == 6);
        CHECK(owner("\n\nBYE sip:x SIP/2.0\nCall-ID: c\n" + line + "\n\n") == 6);
    }
    // The To of the body, or behind the end, is nobody's.
    const auto hashed = owner("BYE sip:x SIP/2.0\nCall-ID: c\n\n");
    CHECK(owner("BYE sip:x SIP/2.0\nCall-ID: c\n\nTo: <sip:b@h>;tag=" + tag + "\n") == hashed);
}

TEST_CASE("sip::owner_of: any other request is spread by its Call-ID, the same everywhere") {
    std::array<int, 4> seen{};
    for (int i = 0; i < 400; ++i) {
        const auto call = "c" + std::to_string(i) + "@h";
        const auto one = owner("INVITE sip:x SIP/2.0\nCall-ID: " + call + "\nTo: sip:b@h\n\n", 4);
        REQUIRE(one.has_value());
        REQUIRE(*one < 4);
        ++seen[*one];
        CHECK(owner("CANCEL sip:x SIP/2.0\nTo: sip:b@h;tag=other\ni:" + call + " \nX-A: 1\n\n",
                    4) == one);
    }
    for (const auto count : seen) CHECK(count > 60);
}

TEST_CASE("sip::owner_of: bytes that are no SIP belong to nobody, and none of them hurts") {
    for (const std::string_view text :
         {"", "\n", "\n\n", "\n\n\n\n", "x", "x\n", "x\ny", "x\ny:", "INVITE", ":\n:\n:", "To",
          "a\nTo:\n\n", "a\nCall-ID:\n\n", "a\nCall-ID: \n \n\n"}) {
        CAPTURE(text);
        CHECK_FALSE(owner(text).has_value());
    }
    seeded_entropy random{7};
    std::array<std::byte, 200> noise{};
    for (int i = 0; i < 20'000; ++i) {
        random.fill(noise);
        const auto found = owner_of(std::span{noise}.first(random.below(noise.size())), 3);
        if (found) CHECK(*found < 3);
    }
}

} // namespace
} // namespace trunkline::sip
