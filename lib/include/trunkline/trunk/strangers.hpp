// Sources that no trunk knows: who was answered lately, in memory of fixed size.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

#include <trunkline/core/address.hpp>
#include <trunkline/core/siphash.hpp>
#include <trunkline/core/time.hpp>

namespace trunkline::trunks {

/// One answer a second for each bucket of sources, then silence: a scanner learns little and nobody
/// is flooded in a stranger's name.
class strangers {
public:
    explicit strangers(siphash_key key) noexcept : key_{key} {}

    [[nodiscard]] bool may_answer(const address& source, time_point now) noexcept {
        const std::string_view bytes{reinterpret_cast<const char*>(source.bytes.data()),
                                     source.bytes.size()};
        auto& next = next_answer_[siphash(key_, bytes) % next_answer_.size()];
        if (now < next) return false;
        next = now + std::chrono::seconds{1};
        return true;
    }

private:
    siphash_key key_;
    std::array<time_point, 1024> next_answer_{};
};

} // namespace trunkline::trunks
