#include <trunkline/net/system_entropy.hpp>

#include <algorithm>
#include <cerrno>

#include <sys/random.h>

#include <trunkline/core/assert.hpp>

namespace trunkline::net {

namespace {

void draw(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        const auto count = ::getrandom(bytes.data(), bytes.size(), 0);
        if (count < 0 && errno == EINTR) continue;
        TRUNKLINE_ASSERT(count > 0); // Predictable tags and nonces would be worse than no service.
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
}

} // namespace

void system_entropy::fill(std::span<std::byte> bytes) {
    if (bytes.size() > drawn_.size()) return draw(bytes);
    if (bytes.size() > drawn_.size() - used_) {
        draw(drawn_);
        used_ = 0;
    }
    const auto from = std::span{drawn_}.subspan(used_, bytes.size());
    std::ranges::copy(from, bytes.begin());
    std::ranges::fill(from, std::byte{});
    used_ += bytes.size();
}

} // namespace trunkline::net
