#include <trunkline/core/buffer_pool.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace trunkline {
namespace {

[[nodiscard]] std::vector<std::byte> bytes(std::size_t size, int value) {
    return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

TEST_CASE("core::buffer_pool: a copy holds the bytes, and none of who had the memory before") {
    buffer_pool pool;
    auto first = pool.copy(bytes(500, 1));
    CHECK(first == bytes(500, 1));
    pool.give_back(std::move(first));
    CHECK(pool.copy(bytes(3, 2)) == bytes(3, 2));
    CHECK(pool.copy({}).empty());
}

TEST_CASE("core::buffer_pool: memory that was given back is used again") {
    buffer_pool pool;
    auto first = pool.copy(bytes(500, 1));
    const auto* const memory = first.data();
    pool.give_back(std::move(first));
    auto second = pool.copy(bytes(400, 2));
    CHECK(second.data() == memory);
    CHECK(pool.copy(bytes(400, 3)).data() != memory); // It has an owner now.
}

TEST_CASE("core::buffer_pool: a large buffer and a great many leave no lasting growth") {
    buffer_pool pool;
    auto large = pool.copy(bytes(8193, 1));
    const auto capacity = large.capacity();
    pool.give_back(std::move(large));
    CHECK(pool.copy(bytes(1, 1)).capacity() < capacity);

    std::vector<buffer_pool::buffer> many;
    for (int i = 0; i < 2000; ++i) many.push_back(pool.copy(bytes(100, i)));
    for (auto& one : many) pool.give_back(std::move(one));
    std::size_t kept = 0;
    for (int i = 0; i < 2000; ++i) kept += pool.copy(bytes(1, 1)).capacity() >= 100 ? 1U : 0U;
    CHECK(kept == 1024);
    pool.give_back({}); // What never had memory is no buffer.
}

} // namespace
} // namespace trunkline
