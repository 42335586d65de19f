// Test data that is not ours and not in the repository: ../shared/data. Where it is absent a test
// says so, by which ctest knows that it was skipped (tests/CMakeLists.txt), and fails under
// TRUNKLINE_REQUIRE_SHARED=1 (as in .ci/run). The variable TRUNKLINE_SHARED_DIR names another
// place.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

namespace trunkline::support {

[[nodiscard]] inline std::filesystem::path shared(std::string_view inside) {
    const char* elsewhere = std::getenv("TRUNKLINE_SHARED_DIR");
    return std::filesystem::path{elsewhere != nullptr ? elsewhere : TRUNKLINE_SHARED_DIR} / "data" /
           inside;
}

/// Whether the file or folder is there; reports its absence the way the environment wants it. A
/// failure must not say SKIPPED: ctest would believe it.
[[nodiscard]] inline bool have_shared(std::string_view inside) {
    if (std::filesystem::exists(shared(inside))) return true;
    const char* required = std::getenv("TRUNKLINE_REQUIRE_SHARED");
    const auto absent = shared(inside).string() + " is absent";
    if (required != nullptr && std::string_view{required} == "1") {
        FAIL(("TRUNKLINE_REQUIRE_SHARED=1, and " + absent));
    } else {
        MESSAGE(("SKIPPED: " + absent));
    }
    return false;
}

[[nodiscard]] inline std::string read_file(const std::filesystem::path& from) {
    std::ifstream file{from, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

/// RFC 4180 rows: quoted fields may hold commas and doubled quotes.
[[nodiscard]] inline std::vector<std::vector<std::string>> read_csv(std::string_view text) {
    std::vector<std::vector<std::string>> rows(1);
    std::string field;
    bool quoted = false;
    const auto end_field = [&] {
        rows.back().push_back(field);
        field.clear();
    };
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (quoted && c == '"' && at + 1 < text.size() && text[at + 1] == '"') {
            field.push_back(text[++at]);
        } else if (c == '"') {
            quoted = !quoted;
        } else if (c == ',' && !quoted) {
            end_field();
        } else if (c == '\n' && !quoted) {
            end_field();
            rows.emplace_back();
        } else if (c != '\r') {
            field.push_back(c);
        }
    }
    if (rows.back().empty() && field.empty())
        rows.pop_back();
    else
        end_field();
    return rows;
}

} // namespace trunkline::support
