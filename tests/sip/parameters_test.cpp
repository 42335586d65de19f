#include <trunkline/sip/parameters.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/sip/grammar.hpp>

#include "support/print.hpp"

namespace trunkline::sip {
namespace {

TEST_CASE("sip::parameters: hands out every parameter in order, white space and quotes or not") {
    const auto list = parameters_view::parse(R"( ;a;b=1 ; c = "x;y=\"z" ;d=[::1] ;A=again)");
    REQUIRE(list.has_value());
    std::vector<std::string> seen;
    auto rest = list->text();
    while (const auto one = parameters_view::next(rest)) {
        seen.push_back(std::string{one->name} + '|' + std::string{one->value});
    }
    CHECK(seen == std::vector<std::string>{"a|", "b|1", R"(c|"x;y=\"z")", "d|[::1]", "A|again"});
    CHECK(list->find("a") == "");
    CHECK(list->find("B") == "1");
    CHECK(list->find("C") == R"("x;y=\"z")");
    CHECK_FALSE(list->has("y"));
    CHECK_FALSE(list->has(""));
    CHECK(parameters_view::parse("")->text().empty());
    CHECK(parameters_view::parse("   ")->text().empty());
}

TEST_CASE("sip::parameters: says what is wrong, and where") {
    struct row {
        std::string_view text;
        errc code;
        std::uint32_t offset;
    };
    const row table[] = {
        {"a", errc::trailing_bytes, 0},
        {";", errc::need_more, 1},
        {"; ", errc::need_more, 2},
        {";;a", errc::bad_token, 1},
        {";=1", errc::bad_token, 1},
        {";a=", errc::need_more, 3},
        {";a=;b", errc::bad_token, 3},
        {";a b", errc::trailing_bytes, 3},
        {";a=1 2", errc::trailing_bytes, 5},
        {";a=\"x", errc::bad_quote, 3},
        {";a=\"x\"y", errc::trailing_bytes, 6},
        {";a=\"\x01\"", errc::bad_token, 4},
        {";a=\"\\\r\"", errc::bad_quote, 5},
        {";a,b", errc::trailing_bytes, 2},
    };
    for (const auto& row : table) {
        CAPTURE(row.text);
        const auto read = parameters_view::parse(row.text);
        CHECK_FALSE(read.has_value());
        if (read) continue;
        CHECK(read.reason() == error{.code = row.code, .offset = row.offset});
    }
}

TEST_CASE("sip::parameters: unquoting takes quotes and backslashes, and never more than fits") {
    std::array<char, 8> room{};
    const auto plain = [&](std::string_view text, std::size_t size) {
        return std::string{unquoted(text, room.data(), size)};
    };
    CHECK(plain(R"("a\"b")", 8) == "a\"b");
    CHECK(plain(R"("a\\")", 8) == "a\\");
    CHECK(plain("a\\b", 8) == "a\\b");
    CHECK(plain("\"", 8) == "\"");
    CHECK(plain("\"\"", 8).empty());
    CHECK(plain("\"0123456789\"", 8) == "01234567");
    CHECK(plain("abc", 0).empty());
}

TEST_CASE("sip::grammar: commas in quotes and in angle brackets do not cut a list") {
    std::string_view rest = R"( "a,\",b" <sip:x,y@h>;p="1,2" , c ,, d)";
    CHECK(grammar::next_element(rest) == R"("a,\",b" <sip:x,y@h>;p="1,2")");
    CHECK(grammar::next_element(rest) == "c");
    CHECK(grammar::next_element(rest).empty());
    CHECK(grammar::next_element(rest) == "d");
    CHECK(rest.empty());
    rest = "\"open, \\";
    CHECK(grammar::next_element(rest) == "\"open, \\");
    CHECK(rest.empty());
}

TEST_CASE("sip::grammar: finds the first control character, wherever it stands") {
    for (std::size_t size = 1; size <= 26; ++size) {
        for (std::size_t place = 0; place < size; ++place) {
            for (int c = 0; c < 256; ++c) {
                std::string text(size, 'x');
                text[place] = static_cast<char>(c);
                const bool bad = (c < 0x20 && c != '\t') || c == 0x7f;
                const auto found = grammar::bad_text(text);
                REQUIRE(found.has_value() == bad);
                if (found) REQUIRE(*found == place);
                if (place == 0) continue;
                text[place - 1] = '\\'; // A quoted pair, unless it breaks the line.
                REQUIRE(grammar::bad_text(text).has_value() == (c == '\r' || c == '\n'));
                text[0] = '\x7f';
                text[place] = '\x01';
                REQUIRE(grammar::bad_text(text) == 0U);
            }
        }
    }
    CHECK_FALSE(grammar::bad_text("").has_value());
}

} // namespace
} // namespace trunkline::sip
