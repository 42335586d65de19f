#include <trunkline/sip/service_order.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace trunkline::sip::dns {
namespace {

/// Draws what it was told to, one number after the other.
class dice final : public entropy {
public:
    explicit dice(std::vector<std::uint64_t> numbers) : numbers_{std::move(numbers)} {}
    void fill(std::span<std::byte> bytes) override {
        REQUIRE(bytes.size() == sizeof(std::uint64_t));
        REQUIRE(at_ < numbers_.size());
        std::memcpy(bytes.data(), &numbers_[at_++], bytes.size());
    }

private:
    std::vector<std::uint64_t> numbers_;
    std::size_t at_ = 0;
};

[[nodiscard]] std::string order(std::vector<service> services, entropy& random) {
    put_in_order(services, random);
    std::string names;
    for (const auto& one : services) names += one.target;
    return names;
}

TEST_CASE("sip::dns: a lower priority comes first whatever the weights say") {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        seeded_entropy random{seed};
        CHECK(order({{20, 65'535, 1, "c"}, {10, 0, 1, "b"}, {0, 1, 1, "a"}}, random) == "abc");
    }
}

TEST_CASE("sip::dns: equal priorities are drawn by the running sum of their weights") {
    const std::vector<service> three{{1, 10, 1, "a"}, {1, 20, 1, "b"}, {1, 30, 1, "c"}};
    struct row {
        std::vector<std::uint64_t> drawn;
        std::string order;
    };
    // Of sums 10, 30 and 60 the first that is not below the number, then the same with the rest.
    for (const auto& [drawn, expected] : std::vector<row>{{{0, 0, 0}, "abc"},
                                                          {{10, 20, 0}, "abc"},
                                                          {{11, 10, 0}, "bac"},
                                                          {{30, 11, 0}, "bca"},
                                                          {{31, 10, 0}, "cab"},
                                                          {{60, 30, 0}, "cba"}}) {
        dice random{drawn};
        CHECK(order(three, random) == expected);
    }
}

TEST_CASE("sip::dns: a weight of 0 is drawn by 0 alone, wherever it stood") {
    const std::vector<service> two{{1, 3, 1, "a"}, {1, 0, 1, "b"}};
    dice never{{1, 0}};
    CHECK(order(two, never) == "ab");
    dice once{{0, 0}};
    CHECK(order(two, once) == "ba");
    dice alone{{0, 0}};
    CHECK(order({{1, 0, 1, "a"}, {1, 0, 1, "b"}}, alone) == "ab");
}

TEST_CASE("sip::dns: over many draws weights are what share of them comes first") {
    seeded_entropy random{7};
    std::map<std::string, int> first;
    constexpr int draws = 6000;
    for (int i = 0; i < draws; ++i) {
        const auto names = order({{1, 100, 1, "a"}, {1, 200, 1, "b"}, {1, 300, 1, "c"}}, random);
        ++first[names.substr(0, 1)];
    }
    // A sixth, a third and a half: five standard deviations wide, and the seed is fixed.
    CHECK(std::abs(first["a"] - 1000) < 150);
    CHECK(std::abs(first["b"] - 2000) < 185);
    CHECK(std::abs(first["c"] - 3000) < 195);
}

TEST_CASE("sip::dns: nothing is lost and nothing added by an order") {
    seeded_entropy random{3};
    CHECK(order({}, random).empty());
    std::vector<service> many;
    for (std::uint16_t i = 0; i < 26; ++i) {
        const auto priority = static_cast<std::uint16_t>(i % 3);
        many.push_back({priority, static_cast<std::uint16_t>(i % 5), 1,
                        std::string(1, static_cast<char>('a' + i))});
    }
    auto names = order(many, random);
    std::ranges::sort(names);
    CHECK(names == "abcdefghijklmnopqrstuvwxyz");
}

} // namespace
} // namespace trunkline::sip::dns
