#include <trunkline/sip/header.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>

#include <trunkline/core/text.hpp>

namespace trunkline::sip {
namespace {

TEST_CASE("sip::header: every long form is known in any case, and by all of its letters") {
    for (std::size_t i = 1; i < header_count; ++i) {
        const auto which = static_cast<header>(i);
        const std::string written{name(which)};
        CAPTURE(written);
        std::string lower;
        std::string upper;
        for (const char c : written) {
            lower += to_lower(c);
            upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 0x20) : c;
        }
        CHECK(header_of(written) == which);
        CHECK(header_of(lower) == which);
        CHECK(header_of(upper) == which);
        CHECK(header_of(written + 's') != which);
        // A "T" alone is To as well.
        if (which != header::to) CHECK(header_of(written.substr(0, written.size() - 1)) != which);
        for (std::size_t at = 0; at < written.size(); ++at) {
            for (int c = 0; c < 256; ++c) {
                auto other = written;
                other[at] = static_cast<char>(c);
                const bool same = to_lower(other[at]) == to_lower(written[at]);
                REQUIRE((header_of(other) == which) == same);
            }
        }
    }
}

TEST_CASE("sip::header: a compact form is the header whose letter it is") {
    // RFC 3261 section 7.3.3, RFC 3515, RFC 3892, RFC 4028, RFC 6665 and RFC 8224.
    struct row {
        std::string_view letter;
        header which;
    };
    const row table[] = {
        {"b", header::referred_by},
        {"c", header::content_type},
        {"e", header::content_encoding},
        {"f", header::from},
        {"i", header::call_id},
        {"k", header::supported},
        {"l", header::content_length},
        {"m", header::contact},
        {"o", header::event},
        {"r", header::refer_to},
        {"s", header::subject},
        {"t", header::to},
        {"v", header::via},
        {"x", header::session_expires},
        {"y", header::identity},
        {"a", header::other},
        {"-", header::other},
        {"", header::other},
    };
    for (const auto& row : table) {
        CAPTURE(row.letter);
        CHECK(header_of(row.letter) == row.which);
    }
    CHECK(header_of("V") == header::via);
    CHECK(header_of(std::string(4096, 'a')) == header::other);
}

} // namespace
} // namespace trunkline::sip
