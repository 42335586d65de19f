#include <trunkline/core/siphash.hpp>

#include <doctest/doctest.h>

#include <string>

namespace trunkline {
namespace {

// The first, second and last line of the reference vectors (Aumasson and Bernstein): key 00..0f,
// text 00, 01, 02, ...
TEST_CASE("core::siphash: gives the reference vectors") {
    const siphash_key key{0x0706'0504'0302'0100, 0x0f0e'0d0c'0b0a'0908};
    std::string text;
    CHECK(siphash(key, text) == 0x726f'db47'dd0e'0e31);
    text.push_back(0);
    CHECK(siphash(key, text) == 0x74f8'39c5'93dc'67fd);
    for (char c = 1; c < 15; ++c) text.push_back(c);
    CHECK(siphash(key, text) == 0xa129'ca61'49be'45e5); // 15 bytes: the paper's own example.
}

} // namespace
} // namespace trunkline
