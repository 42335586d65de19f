#include <trunkline/sip/field_index.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/wire.hpp"

namespace trunkline::sip {
namespace {

using support::crlf;

struct indexed {
    explicit indexed(std::string_view text)
        : bytes{crlf(text)},
          outcome{lines.read(bytes, wrong)} {}

    std::string bytes;
    field_index lines;
    first_error wrong;
    result<std::size_t> outcome;
};

TEST_CASE(
    "sip::field_index: names and values are cut, unfolded and trimmed, and no value is read") {
    const indexed read{"\n\nNOT A START LINE\nvia: <not a via>\nX-Y \t:\t a b \t\nSubject:\n"
                       "t: one\n two\n\tthree\nVia:second\n\nbody\n\n"};
    REQUIRE(read.outcome.has_value());
    CHECK(std::string_view{read.bytes}.substr(*read.outcome) == "body\r\n\r\n");
    CHECK_FALSE(read.wrong.noted());
    CHECK(read.lines.start_line() == "NOT A START LINE");
    std::vector<std::string> seen;
    for (const auto& field : read.lines.fields()) {
        seen.push_back(std::string{field.name} + '|' + std::string{field.value});
    }
    CHECK(seen == std::vector<std::string>{"via|<not a via>", "X-Y|a b", "Subject|",
                                           "t|one   two  \tthree", "Via|second"});
    CHECK(read.lines.value(header::to) == "one   two  \tthree");
    std::string vias;
    read.lines.each(header::via, [&](std::string_view value) { vias += value; });
    CHECK(vias == "<not a via>second");
    CHECK_FALSE(read.lines.has(header::from));
}

[[nodiscard]] error fault(errc code, header which, std::uint32_t at) {
    return {.code = code, .field = static_cast<std::uint8_t>(which), .offset = at};
}

TEST_CASE("sip::field_index: lines that are wrong are told one by one, in order") {
    const indexed read{"A b c\nFrom: a\x01\nno colon here\nFrom: twice\n\n"};
    REQUIRE(read.outcome.has_value());
    CHECK_FALSE(read.wrong.noted());
    REQUIRE(read.lines.faults().size() == 3);
    CHECK(read.lines.faults()[0] == fault(errc::bad_token, header::from, 14));
    CHECK(read.lines.faults()[1] == fault(errc::bad_token, header::other, 20));
    CHECK(read.lines.faults()[2] == fault(errc::duplicate, header::from, 32));
    CHECK(read.lines.fields().size() == 2);
}

TEST_CASE("sip::field_index: what is wrong in more than eight lines spoils the message") {
    std::string text{"A b c\n"};
    for (int i = 0; i < 8; ++i) text += "no colon\n";
    CHECK_FALSE(indexed{text + "\n"}.wrong.noted());
    const indexed more{text + "From a\n\n"};
    REQUIRE(more.wrong.noted());
    CHECK(more.lines.faults().size() == 8);
    CHECK(more.wrong.reason().offset == 7 + 8 * 10 + 5);
}

TEST_CASE("sip::field_index: a header that was dropped is as good as absent") {
    indexed read{"A b c\nMin-SE: x\nTo: y\n\n"};
    read.lines.drop(header::min_se);
    CHECK_FALSE(read.lines.has(header::min_se));
    CHECK(read.lines.value(header::min_se).empty());
    CHECK(read.lines.value(header::to) == "y");
    read.lines.blank(read.bytes, 22);
    CHECK(read.lines.value(header::to).empty());
    CHECK(read.lines.has(header::to));
}

TEST_CASE("sip::field_index: a header of which there is one may not stand twice") {
    const indexed read{"A b c\nTo: a\nt: b\n\n"};
    REQUIRE(read.lines.faults().size() == 1);
    CHECK(read.lines.faults()[0] == fault(errc::duplicate, header::to, 14));
}

TEST_CASE("sip::field_index: bytes without an end of the header section want more") {
    for (const std::string_view text : {"", "\n\n", "A b c", "A b c\r"}) {
        CAPTURE(text);
        const indexed read{text};
        CHECK(read.outcome == error{.code = errc::need_more,
                                    .offset = static_cast<std::uint32_t>(read.bytes.size())});
    }
    const indexed open{"A b c\nTo: x\n"};
    REQUIRE(open.outcome.has_value());
    CHECK(open.wrong.reason().code == errc::need_more);
    CHECK(open.lines.value(header::to) == "x");
}

} // namespace
} // namespace trunkline::sip
