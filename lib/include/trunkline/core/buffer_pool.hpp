// Byte buffers that are used again, for copies that outlive the packet they were made from.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace trunkline {

/// One for each shard: it has no lock. What is given back keeps its memory, up to a number of
/// buffers; so a burst leaves no lasting growth and steady work allocates nothing.
class buffer_pool {
public:
    using buffer = std::vector<std::byte>;

    [[nodiscard]] buffer copy(std::span<const std::byte> bytes) {
        buffer made;
        if (!free_.empty()) {
            made = std::move(free_.back());
            free_.pop_back();
        }
        made.assign(bytes.begin(), bytes.end());
        return made;
    }
    void give_back(buffer&& used) {
        if (used.capacity() == 0 || used.capacity() > largest || free_.size() == most) return;
        if (free_.capacity() == 0) free_.reserve(most);
        used.clear();
        free_.push_back(std::move(used));
    }

private:
    static constexpr std::size_t most = 1024;
    static constexpr std::size_t largest = 8192;

    std::vector<buffer> free_;
};

} // namespace trunkline
