#include "rest/json_reader.hpp"

#include <doctest/doctest.h>

#include <string>

namespace softswitch {
namespace {

[[nodiscard]] std::string refusal(std::string_view text) {
    const auto read = parse_json(text);
    REQUIRE_FALSE(read.has_value());
    const auto wrong = read.reason();
    return wrong.field.empty() ? wrong.message : wrong.field + ": " + wrong.message;
}

/// What a reader complains about first, when it reads `text` by `read`.
template <class Read>
[[nodiscard]] std::string complaint(std::string_view text, const Read& read) {
    const auto parsed = parse_json(text);
    REQUIRE(parsed.has_value());
    first_problem found;
    json_reader from{*parsed, {}, found};
    read(from);
    from.done();
    return found ? found->field + ": " + found->message : "";
}

TEST_CASE("softswitch::json_reader: what is no JSON is told by line and column") {
    CHECK(refusal("{\"a\": 1,\n \"b\" 2}") == "the body is not JSON: see line 2, column 6");
    CHECK(refusal("{") == "the body is not JSON: see line 1, column 1");
    CHECK(refusal("{} x") == "the body is not JSON: see line 1, column 4");
    CHECK(refusal("{\"a\": 01}") == "the body is not JSON: see line 1, column 8");
    CHECK(refusal("{\"a\": NaN}") == "the body is not JSON: see line 1, column 7");
    CHECK(refusal("{\"a\": 1e999}").starts_with("the body is not JSON"));
    CHECK(refusal("{\"a\": \"\xff\"}").starts_with("the body is not JSON"));
    CHECK(refusal(" \r\n") == "the body is empty, and has to be a JSON object");
}

TEST_CASE("softswitch::json_reader: a name that stands twice is refused, in whichever object") {
    CHECK(refusal(R"({"a": 1, "b": 2, "a": 3})") == "a: stands twice");
    CHECK(refusal(R"({"a": [{"c": 1}, {"b": 2, "b": {}}]})") == "b: stands twice");
    CHECK(parse_json(R"({"a": {"a": 1}, "b": {"a": 1}})").has_value());
}

TEST_CASE("softswitch::json_reader: eight levels are read, and a million are refused as nine are") {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    CHECK(parse_json(nested(8)).has_value());
    CHECK(refusal(nested(9)) == "the body nests deeper than 8 levels");
    CHECK(refusal(std::string(1'000'000, '[')) == "the body nests deeper than 8 levels");
}

TEST_CASE("softswitch::json_reader: values keep their place in what they are part of") {
    const auto read = parse_json(R"({"z": [1, {"y": [true, null]}, "t"], "a": -1.5})");
    REQUIRE(read.has_value());
    CHECK(*read == nlohmann::json::parse(R"({"a": -1.5, "z": [1, {"y": [true, null]}, "t"]})"));
}

TEST_CASE("softswitch::json_reader: a value of another type is named with its type") {
    const auto integer = [](json_reader& from) { (void)from.integer("a", 1, 10); };
    CHECK(complaint(R"({"a": "1"})", integer) == "a: has to be an integer, and is a string");
    CHECK(complaint(R"({"a": 1.0})", integer) ==
          "a: has to be an integer, and is a number with a point");
    CHECK(complaint(R"({"a": null})", integer) == "a: has to be an integer, and is null");
    CHECK(complaint(R"({"a": 10})", integer).empty());
    CHECK(complaint("{}", integer).empty());
    CHECK(complaint(R"({"a": 1})", [](json_reader& from) { (void)from.boolean("a"); }) ==
          "a: has to be true or false, and is an integer");
    CHECK(complaint(R"({"a": {}})", [](json_reader& from) { (void)from.text("a", 0, 9); }) ==
          "a: has to be a string, and is an object");
    CHECK(complaint("[]", [](json_reader& from) { (void)from.has("a"); }) ==
          ": the body has to be a JSON object, and is a list");
}

TEST_CASE("softswitch::json_reader: an integer outside its range is refused, however far outside") {
    const auto read = [](json_reader& from) { (void)from.integer("a", -5, 10); };
    CHECK(complaint(R"({"a": -5})", read).empty());
    CHECK(complaint(R"({"a": 11})", read) == "a: has to be from -5 to 10, and is 11");
    CHECK(complaint(R"({"a": -6})", read) == "a: has to be from -5 to 10, and is -6");
    CHECK(complaint(R"({"a": 18446744073709551615})", read) ==
          "a: has to be from -5 to 10, and is 18446744073709551615");
    CHECK(complaint(R"({"a": 18446744073709551616})", read) ==
          "a: has to be an integer, and is a number with a point");
}

TEST_CASE(
    "softswitch::json_reader: a text is counted in characters and has no control characters") {
    const auto read = [](json_reader& from) { (void)from.text("a", 2, 3); };
    CHECK(complaint(R"({"a": "äöü"})", read).empty());
    CHECK(complaint(R"({"a": "a"})", read) == "a: has to have 2 to 3 characters, and has 1");
    CHECK(complaint(R"({"a": "abcd"})", read) == "a: has to have 2 to 3 characters, and has 4");
    CHECK(complaint(R"({"a": "a\nb"})", read) == "a: must not have control characters");
    CHECK(complaint(R"({"a": "a\u0000"})", read) == "a: must not have control characters");
}

TEST_CASE("softswitch::json_reader: a field that nobody asked for is told the nearest one") {
    const auto read = [](json_reader& from) {
        (void)from.has("channels");
        (void)from.has("name");
    };
    CHECK(complaint(R"({"chanels": 1})", read) ==
          "chanels: there is no such field; the nearest is `channels`");
    CHECK(complaint("{\"\\u001b[31m\": 1}", read).starts_with("\\x1b[31m: there is no such field"));
    const auto endless = complaint("{\"" + std::string(100'000, 'x') + "\": 1}", read);
    CHECK(endless.size() < 200);
}

TEST_CASE("softswitch::json_reader: names and values of one's own are counted and measured") {
    const auto read = [](json_reader& from) { (void)from.texts("p", 2, 10); };
    CHECK(complaint(R"({"p": {"a": "1", "b": "2"}})", read).empty());
    CHECK(complaint(R"({"p": {"a": "1", "b": "2", "c": "3"}})", read) ==
          "p: has to have at most 2 fields, and has 3");
    CHECK(complaint(R"({"p": {"a": 1}})", read) == "p.a: has to be a string, and is an integer");
    CHECK(complaint(R"({"p": {"abcde": "123456"}})", read) ==
          "p: has a field that is longer than 10 characters with its name");
    CHECK(complaint(R"({"p": {"": "x"}})", read) == "p: must not have a field without a name");
    CHECK(complaint(R"({"p": []})", read) == "p: has to be an object of strings, and is a list");
}

} // namespace
} // namespace softswitch
