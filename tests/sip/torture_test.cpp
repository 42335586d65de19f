#include <trunkline/sip/message.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "support/print.hpp"
#include "support/shared.hpp"

namespace trunkline::sip {
namespace {

struct verdict {
    std::string file;
    std::string parser;   ///< must_accept, must_reject, may_reject
    std::string expected; ///< What a UAS should do; decides a may_reject.
};

[[nodiscard]] bool to_be_accepted(const verdict& row) {
    if (row.parser == "must_accept") return true;
    return row.parser == "may_reject" && row.expected.find("400") == std::string::npos;
}

void check_folder(std::string_view folder, std::string_view messages, std::size_t name_column,
                  std::size_t verdict_column, std::size_t expected_column, std::size_t files) {
    const auto rows = support::read_csv(
        support::read_file(support::shared(std::string{folder} + "/expected.csv")));
    std::size_t seen = 0;
    for (std::size_t i = 1; i < rows.size(); ++i) {
        const verdict row{rows[i][name_column], rows[i][verdict_column], rows[i][expected_column]};
        CAPTURE(row.file);
        const auto base = support::shared(std::string{folder} + '/' + std::string{messages});
        auto path = base / row.file;
        if (!std::filesystem::exists(path)) path += messages == "wire" ? ".sip" : ".dat";
        auto text = support::read_file(path);
        REQUIRE(!text.empty());
        message_view parsed;
        const auto outcome = parsed.parse(text);
        CAPTURE(outcome);
        CHECK(outcome.has_value() == to_be_accepted(row));
        ++seen;
    }
    CHECK(seen == files);
}

TEST_CASE("sip::message: gives every RFC 4475 message its verdict") {
    if (!support::have_shared("rfc4475")) return;
    check_folder("rfc4475", "msgs", 0, 6, 7, 50);
}

TEST_CASE("sip::message: gives every RFC 5118 message its verdict") {
    if (!support::have_shared("rfc5118")) return;
    check_folder("rfc5118", "wire", 0, 4, 5, 12);
}

} // namespace
} // namespace trunkline::sip
