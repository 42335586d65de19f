// A map from a keyed 64-bit hash to a slot number: what a table keyed by a peer's bytes needs.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace trunkline {

/// Open addressing with linear probing; erasing shifts back, so there are no graves. The hash is a
/// SipHash under a secret key, so it stands for the bytes: two that meet are 2**-64 apart. Grows by
/// doubling and never shrinks, so a warm one allocates nothing.
class hash_index {
public:
    void insert(std::uint64_t hash, std::uint32_t slot) {
        if ((size_ + 1) * 2 > entries_.size()) grow();
        auto at = place(hash);
        while (entries_[at].used && entries_[at].hash != hash) at = next(at);
        if (!entries_[at].used) ++size_;
        entries_[at] = {hash, slot, true};
    }
    [[nodiscard]] std::optional<std::uint32_t> find(std::uint64_t hash) const noexcept {
        if (entries_.empty()) return std::nullopt;
        for (auto at = place(hash); entries_[at].used; at = next(at)) {
            if (entries_[at].hash == hash) return entries_[at].slot;
        }
        return std::nullopt;
    }
    void erase(std::uint64_t hash) noexcept {
        if (entries_.empty()) return;
        auto at = place(hash);
        while (entries_[at].used && entries_[at].hash != hash) at = next(at);
        if (!entries_[at].used) return;
        --size_;
        for (auto following = next(at); entries_[following].used; following = next(following)) {
            // An entry may move into the gap unless its own place lies behind the gap.
            const auto home = place(entries_[following].hash);
            const bool behind =
                at <= following ? home > at && home <= following : home > at || home <= following;
            if (behind) continue;
            entries_[at] = entries_[following];
            at = following;
        }
        entries_[at].used = false;
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    struct entry {
        std::uint64_t hash = 0;
        std::uint32_t slot = 0;
        bool used = false;
    };
    [[nodiscard]] std::size_t place(std::uint64_t hash) const noexcept {
        return hash & (entries_.size() - 1);
    }
    [[nodiscard]] std::size_t next(std::size_t at) const noexcept {
        return (at + 1) & (entries_.size() - 1);
    }
    void grow() {
        auto old = std::vector<entry>(entries_.empty() ? 64 : entries_.size() * 2);
        old.swap(entries_);
        for (const auto& kept : old) {
            if (!kept.used) continue;
            auto at = place(kept.hash);
            while (entries_[at].used) at = next(at);
            entries_[at] = kept;
        }
    }

    std::vector<entry> entries_;
    std::size_t size_ = 0;
};

} // namespace trunkline
