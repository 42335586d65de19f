// The operating system's randomness, in sips: one system call serves many tags and branches.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include <trunkline/core/entropy.hpp>
#include <trunkline/core/export.hpp>

namespace trunkline::net {

/// One a thread. What was handed out is wiped, so that no later leak of memory tells of an old
/// nonce.
class TRUNKLINE_EXPORT system_entropy final : public entropy {
public:
    system_entropy() = default;
    // Two copies would hand out the same bytes.
    system_entropy(const system_entropy&) = delete;
    system_entropy& operator=(const system_entropy&) = delete;
    ~system_entropy() = default;

    void fill(std::span<std::byte> bytes) override;

private:
    std::array<std::byte, 256> drawn_{};
    std::size_t used_ = sizeof(drawn_);
};

} // namespace trunkline::net
