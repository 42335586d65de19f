#include "rest/http.hpp"

#include <doctest/doctest.h>

namespace softswitch {
namespace {

using strings = std::vector<std::string>;
using pairs = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("softswitch::http: a path is cut before it is decoded, so %2F is no separator") {
    CHECK(path_segments("/") == strings{});
    CHECK(path_segments("/trunks") == strings{"trunks"});
    CHECK(path_segments("/trunks/a%2Fb%20c") == strings{"trunks", "a/b c"});
    CHECK(path_segments("/trunks/") == strings{"trunks", ""});
    CHECK(path_segments("//") == strings{"", ""});
}

TEST_CASE("softswitch::http: a % without two hex digits is no path") {
    for (const auto* const text :
         {"/%", "/%4", "/%4g", "/%+1", "/a/%-1", "/% 1", "*", "", "http://a/"}) {
        INFO(text);
        CHECK_FALSE(path_segments(text).has_value());
    }
}

TEST_CASE("softswitch::http: query parameters may lack a value and may be empty") {
    CHECK(query_parameters("") == pairs{});
    CHECK(query_parameters("a=1&&b&c=%26=") == pairs{{"a", "1"}, {"b", ""}, {"c", "&="}});
    CHECK_FALSE(query_parameters("a=%zz").has_value());
    CHECK_FALSE(query_parameters("%").has_value());
}

TEST_CASE("softswitch::http: an error says its status, a sentence and its field") {
    const auto answer = error_response(400, "a\xff", "is \"wrong\"");
    CHECK(answer.status == 400);
    CHECK(answer.content_type == "application/json");
    CHECK(answer.body ==
          "{\"error\":400,\"message\":\"a\\ufffd: is \\\"wrong\\\"\",\"field\":\"a\\ufffd\"}\n");
    CHECK(error_response(404, "gone").body == "{\"error\":404,\"message\":\"gone\"}\n");
}

} // namespace
} // namespace softswitch
