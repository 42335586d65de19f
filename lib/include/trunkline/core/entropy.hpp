// Randomness as an argument: seeded in tests, the system's in net. No machine may make its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace trunkline {

class entropy {
public:
    virtual void fill(std::span<std::byte> bytes) = 0;

    [[nodiscard]] std::uint64_t number() {
        std::uint64_t drawn = 0;
        fill(std::as_writable_bytes(std::span{&drawn, 1}));
        return drawn;
    }
    /// Below `limit`, which is not 0. The bias is limit/2**64, of which nobody takes notice.
    [[nodiscard]] std::uint64_t below(std::uint64_t limit) { return number() % limit; }
    /// Lower-case letters and digits of the RFC's token, five bits each; fills all of `into`.
    std::string_view token(std::span<char> into) {
        static constexpr std::string_view alphabet = "abcdefghijkmnpqrstuvwxyz23456789";
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < into.size(); ++i) {
            if (i % 12 == 0) bits = number();
            into[i] = alphabet[bits % 32];
            bits /= 32;
        }
        return {into.data(), into.size()};
    }

protected:
    entropy() = default;
    entropy(const entropy&) = default;
    entropy& operator=(const entropy&) = default;
    ~entropy() = default;
};

/// splitmix64: the same seed, the same run. For tests, fuzzers and the simulator, never for a
/// network.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): 14 does not see that it is final.
class seeded_entropy final : public entropy {
public:
    explicit seeded_entropy(std::uint64_t seed) noexcept : state_{seed} {}

    void fill(std::span<std::byte> bytes) override {
        std::uint64_t drawn = 0;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            if (i % 8 == 0) drawn = next();
            bytes[i] = static_cast<std::byte>(drawn & 0xff);
            drawn >>= 8;
        }
    }

private:
    std::uint64_t next() noexcept {
        auto mixed = state_ += 0x9e37'79b9'7f4a'7c15;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58'476d'1ce4'e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d0'49bb'1331'11eb;
        return mixed ^ (mixed >> 31);
    }

    std::uint64_t state_;
};

} // namespace trunkline
