#include <trunkline/core/diagnostic.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>

namespace trunkline {
namespace {

TEST_CASE("core::diagnostic: docs/diagnostics.md explains every code, and none that is not there") {
    std::ifstream file{TRUNKLINE_SOURCE_DIR "/docs/diagnostics.md"};
    REQUIRE(file);
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    std::set<std::string> known;
    for (unsigned code = 1; code < 1000; ++code) {
        const auto named = name(static_cast<diagnostic>(code));
        if (named == "unknown") continue;
        CAPTURE(named);
        known.emplace(named);
        CHECK(text.find("| `" + std::string{named} + "` |") != std::string::npos);
    }
    CHECK(known.size() > 20);
    for (std::size_t at = text.find("\n| `"); at != std::string::npos;
         at = text.find("\n| `", at + 1)) {
        const auto start = at + 4;
        const auto row = text.substr(start, text.find('`', start) - start);
        CAPTURE(row);
        CHECK(known.count(row) == 1);
    }
}

} // namespace
} // namespace trunkline
