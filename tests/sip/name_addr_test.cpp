#include <trunkline/sip/name_addr.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string_view>

#include "support/print.hpp"

namespace trunkline::sip {
namespace {

TEST_CASE("sip::name_addr: takes the examples of RFC 3261 section 20 apart") {
    struct row {
        std::string_view text;
        std::string_view display;
        std::string_view uri;
        std::string_view parameters;
        std::string_view tag;
        bool bracketed;
    };
    const row table[] = {
        {"\"Mr. Watson\" <sip:watson@worcester.bell-telephone.com>;q=0.7; expires=3600",
         "\"Mr. Watson\"", "sip:watson@worcester.bell-telephone.com", ";q=0.7; expires=3600", "",
         true},
        {"\"A. G. Bell\" <sip:agb@bell-telephone.com> ;tag=a48s", "\"A. G. Bell\"",
         "sip:agb@bell-telephone.com", ";tag=a48s", "a48s", true},
        {"sip:+12125551212@server.phone2net.com;tag=887s", "",
         "sip:+12125551212@server.phone2net.com", ";tag=887s", "887s", false},
        {"The Operator <sip:operator@cs.columbia.edu>;tag=287447", "The Operator",
         "sip:operator@cs.columbia.edu", ";tag=287447", "287447", true},
        {"<sip:a@b;lr?x=y>", "", "sip:a@b;lr?x=y", "", "", true},
        {" < sip:a@b>", "", "", "", "", true},
        {"\"<sip:evil@e>\" <sip:a@b>", "\"<sip:evil@e>\"", "sip:a@b", "", "", true},
        {"\"a\\\"b;c\"<sip:a@b>;TAG=1;tag=2", "\"a\\\"b;c\"", "sip:a@b", ";TAG=1;tag=2", "1", true},
        {"\"\xc3\xbc\" <sip:a@b>", "\"\xc3\xbc\"", "sip:a@b", "", "", true},
        // What section 25.1 wants quoted, and other stacks do not quote.
        {"Bell, Alexander <sip:a@b>;tag=1", "Bell, Alexander", "sip:a@b", ";tag=1", "1", true},
        {"J\xc3\xbcrgen M\xc3\xbcller <sip:a@b>", "J\xc3\xbcrgen M\xc3\xbcller", "sip:a@b", "", "",
         true},
        {"J\xfcrgen<sip:a@b>", "J\xfcrgen", "sip:a@b", "", "", true},
        {"ACME (Sales) [1]; x <tel:+1201>;q=1", "ACME (Sales) [1]; x", "tel:+1201", ";q=1", "",
         true},
        {"ACME <Sales> <sips:a@b>", "ACME <Sales>", "sips:a@b", "", "", true},
        {"John \"Jack\" Doe <sip:a@b>", "John \"Jack\" Doe", "sip:a@b", "", "", true},
        {"tel:+1201 ;tag=x", "", "tel:+1201", ";tag=x", "x", false},
        {"<sip:a@b>;x=\"<>;tag=no\";tag=yes", "", "sip:a@b", ";x=\"<>;tag=no\";tag=yes", "yes",
         true},
    };
    for (const auto& row : table) {
        CAPTURE(row.text);
        const auto read = name_addr_view::parse(row.text);
        CHECK(read.has_value() == !row.uri.empty());
        if (!read) continue;
        CHECK(read->display == row.display);
        CHECK(read->uri.text == row.uri);
        CHECK(read->parameters.text() == row.parameters);
        CHECK(read->tag() == row.tag);
        CHECK(read->bracketed == row.bracketed);
    }
}

TEST_CASE("sip::name_addr: says what is wrong, and where") {
    struct row {
        std::string_view text;
        errc code;
        std::uint32_t offset;
    };
    const row table[] = {
        {"", errc::need_more, 0},
        {"\"abc <sip:a@b>", errc::bad_quote, 0},
        {"\"abc\\", errc::bad_quote, 0},
        {"\"x\" y <sip:a@b>", errc::bad_token, 4},
        {"\"x\"", errc::bad_token, 3},
        {"Bell \x01 <sip:a@b>", errc::bad_token, 5},
        {"Bell, <sip:a@b>, <sip:c@d>", errc::bad_token, 4},
        {"O\"Brien <sip:a@b>", errc::bad_token, 1},
        {"<sip:a@b", errc::need_more, 8},
        {"<sip:a b>", errc::trailing_bytes, 6},
        {"<>", errc::need_more, 1},
        {"<sip:a@b>x", errc::trailing_bytes, 9},
        {"<sip:a@b>;tag=", errc::need_more, 14},
        {"<sip:a@b>;tag=\"", errc::bad_quote, 14},
        {"sip:a?b@c", errc::bad_token, 0},
        {"sip:a,b@c", errc::bad_token, 0},
        {"sip:a@b?x=y", errc::bad_token, 0},
        {"sip:a@b>", errc::trailing_bytes, 7},
    };
    for (const auto& row : table) {
        CAPTURE(row.text);
        const auto read = name_addr_view::parse(row.text);
        CHECK_FALSE(read.has_value());
        if (read) continue;
        CHECK(read.reason() == error{.code = row.code, .offset = row.offset});
    }
}

} // namespace
} // namespace trunkline::sip
