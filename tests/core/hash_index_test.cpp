#include <trunkline/core/hash_index.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <vector>

#include <trunkline/core/entropy.hpp>

namespace trunkline {
namespace {

TEST_CASE("core::hash_index: an empty one finds nothing and has nothing to erase") {
    hash_index index;
    CHECK_FALSE(index.find(1).has_value());
    index.erase(1);
    CHECK(index.size() == 0);
}

TEST_CASE("core::hash_index: one hash has one slot, the last that was given") {
    hash_index index;
    index.insert(0, 7); // 0 is a hash like any other.
    index.insert(0, 8);
    CHECK(index.size() == 1);
    CHECK(index.find(0) == 8U);
    index.erase(0);
    CHECK_FALSE(index.find(0).has_value());
    CHECK(index.size() == 0);
}

TEST_CASE("core::hash_index: erasing closes the gap, over the end of the table too") {
    // 64 places to begin with: 62 and 126 want place 62, 63 and 127 place 63, so the run goes on at
    // place 0, where 64 lives at home.
    const std::vector<std::uint64_t> hashes{62, 126, 63, 127, 64, 1, 190, 0};
    for (const auto gone : hashes) {
        hash_index index;
        for (std::size_t i = 0; i < hashes.size(); ++i) {
            index.insert(hashes[i], static_cast<std::uint32_t>(i));
        }
        index.erase(gone);
        index.erase(999);
        CHECK(index.size() == hashes.size() - 1);
        for (std::size_t i = 0; i < hashes.size(); ++i) {
            CAPTURE(gone);
            CAPTURE(hashes[i]);
            const auto found = index.find(hashes[i]);
            if (hashes[i] == gone)
                CHECK_FALSE(found.has_value());
            else
                CHECK(found == static_cast<std::uint32_t>(i));
        }
    }
}

TEST_CASE("core::hash_index: behaves like a map, whatever collides") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        CAPTURE(seed);
        seeded_entropy random{seed};
        hash_index index;
        std::map<std::uint64_t, std::uint32_t> model;
        // Few low bits and few high ones: long runs, and equal places with unequal hashes.
        const auto draw = [&] { return random.below(24) << 32 | (random.below(40) + 40); };
        for (int i = 0; i < 4000; ++i) {
            const auto hash = draw();
            if (random.below(2) == 0) {
                const auto slot = static_cast<std::uint32_t>(random.below(1000));
                index.insert(hash, slot);
                model[hash] = slot;
            } else {
                index.erase(hash);
                model.erase(hash);
            }
            REQUIRE(index.size() == model.size());
            const auto asked = draw();
            const auto known = model.find(asked);
            const auto found = index.find(asked);
            REQUIRE(found.has_value() == (known != model.end()));
            if (found) REQUIRE(*found == known->second);
        }
        for (const auto& [hash, slot] : model) REQUIRE(index.find(hash) == slot);
    }
}

} // namespace
} // namespace trunkline
