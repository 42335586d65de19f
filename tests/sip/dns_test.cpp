#include <trunkline/sip/dns.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace trunkline::sip::dns {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using namespace std::string_view_literals;

[[nodiscard]] result<answer> read(std::string_view bytes) {
    return parse(std::as_bytes(std::span{bytes}));
}

/// Header: id 1, a response without error, the counts. Then the question at offset 12.
[[nodiscard]] std::string packet(unsigned questions, unsigned answers, std::string_view rest,
                                 char rcode = 0) {
    std::string made = "\0\1\x81\x80"s;
    made[3] = static_cast<char>(made[3] | rcode);
    for (const auto count : {questions, answers, 0U, 0U}) {
        made += static_cast<char>(count >> 8);
        made += static_cast<char>(count & 255);
    }
    return made += rest;
}

const std::string question = "\3sip\7example\3com\0\0\1\0\1"s;           // At 12, 21 bytes.
const std::string here = "\xc0\x0c"s;                                    // Points to it.
const std::string a_record = here + "\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1"s; // 300 s, 192.0.2.1
const std::string aaaa = here + "\0\x1c\0\1\0\0\0\x3c\0\x10\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"s;

TEST_CASE("sip::dns: reads addresses of both families with the least TTL") {
    const auto got = read(packet(1, 2, question + a_record + aaaa));
    REQUIRE(got.has_value());
    REQUIRE(got->addresses.size() == 2);
    CHECK(got->addresses[0] == address::v4(192, 0, 2, 1));
    CHECK(got->addresses[1] == *address::parse("2001:db8::1"));
    CHECK(got->services.empty());
    CHECK(got->ttl == 60s);
    CHECK(got->rcode == 0);
}

TEST_CASE("sip::dns: reads RFC 2782 services, their targets compressed or not") {
    const auto got =
        read(packet(1, 2,
                    question + here + "\0\x21\0\1\0\0\0\x1e\0\x0a\0\1\0\2\x13\xc4\1p\xc0\x10"s +
                        here + "\0\x21\0\1\0\0\0\x1f\0\x0d\0\x0a\0\0\x13\xc5\1q\3net\0"s));
    REQUIRE(got.has_value());
    REQUIRE(got->services.size() == 2);
    CHECK(got->services[0].priority == 1);
    CHECK(got->services[0].weight == 2);
    CHECK(got->services[0].port == 5060);
    CHECK(got->services[0].target == "p.example.com");
    CHECK(got->services[1].priority == 10);
    CHECK(got->services[1].target == "q.net");
    CHECK(got->ttl == 30s);
    // The root as a target: the service is decidedly not there.
    const auto none =
        read(packet(1, 1, question + here + "\0\x21\0\1\0\0\0\x1e\0\7\0\0\0\0\0\0\0"s));
    REQUIRE(none.has_value());
    CHECK(none->services[0].target.empty());
}

TEST_CASE("sip::dns: an alias counts no longer than it lives, RFC 1034 3.6.2") {
    const std::string alias = here + "\0\5\0\1\0\0\0\5\0\4\1x\xc0\x10"s; // 5 s, x.example.com
    const auto got = read(packet(1, 2, question + alias + a_record));
    REQUIRE(got.has_value());
    CHECK(got->addresses.size() == 1);
    CHECK(got->ttl == 5s);
    const auto alone = read(packet(1, 1, question + alias));
    REQUIRE(alone.has_value());
    CHECK(alone->addresses.empty());
}

TEST_CASE("sip::dns: a TTL with its top bit set is none, RFC 2181 section 8") {
    const auto got = read(packet(1, 1, question + here + "\0\1\0\1\x80\0\0\1\0\4\1\2\3\4"s));
    REQUIRE(got.has_value());
    CHECK(got->ttl == 0s);
}

TEST_CASE("sip::dns: records of another type, class or length are passed over") {
    const auto got = read(packet(1, 5,
                                 question + here + "\0\x10\0\1\0\0\0\0\0\3\2hi"s + // TXT
                                     here + "\0\1\0\3\0\0\0\0\0\4\1\2\3\4"s +      // CHAOS
                                     here + "\0\1\0\1\0\0\0\0\0\5\1\2\3\4\5"s +    // A of five
                                     here + "\0\x21\0\1\0\0\0\0\0\6\0\0\0\0\0\0"s + a_record));
    REQUIRE(got.has_value());
    CHECK(got->addresses.size() == 1);
    CHECK(got->services.empty());
    CHECK(got->ttl == 300s);
}

TEST_CASE("sip::dns: says that there is no such name") {
    const auto got = read(packet(1, 0, question, 3));
    REQUIRE(got.has_value());
    CHECK(got->rcode == 3);
    CHECK(got->addresses.empty());
}

TEST_CASE("sip::dns: a name that points at itself, forward or in a circle is refused") {
    struct row {
        std::string rest;
        errc code;
        std::uint32_t offset;
    };
    const std::string type = "\0\1\0\1";
    const row table[] = {
        {"\xc0\x0c" + type, errc::bad_token, 12},    // At itself.
        {"\xc0\x0e" + type, errc::bad_token, 12},    // Forward.
        {"\1a\xc0\x0c" + type, errc::bad_token, 14}, // A label, then back to it.
        {"\xff\xff" + type, errc::bad_token, 12},
        {"\x40"
         "a" +
             type,
         errc::bad_token, 12}, // Reserved label types.
        {"\x80"
         "a" +
             type,
         errc::bad_token, 12},
        {"\x3f"
         "a" +
             type,
         errc::bad_length, 13}, // A label past the end.
        {"\1a", errc::bad_length, 14},
        {"\xc0", errc::bad_length, 12},
        {"", errc::bad_length, 12},
    };
    for (const auto& row : table) {
        CAPTURE(row.offset);
        const auto got = read(packet(1, 0, row.rest));
        CHECK_FALSE(got.has_value());
        if (got) continue;
        CHECK(got.reason().code == row.code);
        CHECK(got.reason().offset == row.offset);
    }
}

TEST_CASE("sip::dns: a name has 255 bytes at most, pointers followed") {
    std::string name;
    for (int i = 0; i < 3; ++i) name += '\x3f' + std::string(63, 'a');
    const auto legal = name + '\x3d' + std::string(61, 'b') + '\0' + "\0\1\0\1"s;
    CHECK(read(packet(1, 0, legal)).has_value());
    const auto over = name + '\x3f' + std::string(63, 'b') + '\0' + "\0\1\0\1"s;
    const auto got = read(packet(1, 0, over));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.reason().code == errc::limit_exceeded);
    const auto grown = read(packet(1, 1, legal + "\1c\xc0\x0c" + "\0\1\0\1\0\0\0\0\0\4\1\2\3\4"s));
    REQUIRE_FALSE(grown.has_value());
    CHECK(grown.reason().code == errc::limit_exceeded);
}

TEST_CASE("sip::dns: cut off anywhere it is refused, and nothing is read past the end") {
    const auto whole = packet(1, 2, question + a_record + aaaa);
    for (std::size_t length = 0; length < whole.size(); ++length) {
        CAPTURE(length);
        const std::string cut{whole, 0, length}; // Its own bytes, for AddressSanitizer.
        const auto got = parse(std::as_bytes(std::span{cut.data(), cut.size()}));
        CHECK_FALSE(got.has_value());
        if (!got) CHECK(got.reason().offset <= length);
    }
}

TEST_CASE("sip::dns: counts that promise more than there is cost nothing") {
    const auto answers = read(packet(1, 65'535, question + a_record));
    REQUIRE_FALSE(answers.has_value());
    CHECK(answers.reason().code == errc::bad_length);
    CHECK_FALSE(read(packet(65'535, 0, question)).has_value());
    std::string many = question;
    for (int i = 0; i < 40; ++i) many += a_record;
    const auto got = read(packet(1, 40, many));
    REQUIRE(got.has_value());
    CHECK(got->addresses.size() == most_records);
    // More questions than are read would have their bytes taken for records.
    std::string asked;
    for (int i = 0; i < 33; ++i) asked += question;
    const auto refused = read(packet(33, 1, asked + a_record));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.reason().code == errc::limit_exceeded);
}

TEST_CASE("sip::dns: a target may not reach beyond its record") {
    const auto got =
        read(packet(1, 1, question + here + "\0\x21\0\1\0\0\0\x1e\0\x08\0\1\0\2\x13\xc4\3net\0"s));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.reason().code == errc::bad_length);
}

TEST_CASE("sip::dns: the SOA of an answer without records says how long, RFC 2308 section 5") {
    const auto soa = [](std::string_view ttl, std::string_view minimum) {
        return here + "\0\6\0\1"s + std::string{ttl} + "\0\x19\1m\xc0\x0c\0"s +
               std::string(16, '\0') + std::string{minimum};
    };
    const auto with = [](std::string_view records, char count) {
        auto made = packet(1, 0, question, 3);
        made[9] = count;
        return read(made += records);
    };
    const auto lesser = with(soa("\0\0\0\x28"sv, "\0\0\0\x1e"sv), 1);
    REQUIRE(lesser.has_value());
    CHECK(lesser->nothing_for == 30s);
    const auto shorter = with(a_record + soa("\0\0\0\x14"sv, "\0\0\0\x1e"sv), 2);
    REQUIRE(shorter.has_value());
    CHECK(shorter->nothing_for == 20s);
    CHECK(shorter->addresses.empty()); // Not of the answer section.
    CHECK_FALSE(with("", 0)->nothing_for);
    // One that is cut off is none, and takes nothing else away.
    const auto whole = soa("\0\0\0\x28"sv, "\0\0\0\x1e"sv);
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const auto cut = with(std::string_view{whole}.substr(0, length), 1);
        REQUIRE(cut.has_value());
        CHECK_FALSE(cut->nothing_for);
    }
}

} // namespace
} // namespace trunkline::sip::dns
