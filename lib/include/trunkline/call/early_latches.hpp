// The source latches of an INVITE's early dialogs, and of the one that answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <trunkline/call/source_latch.hpp>

namespace trunkline::calls {

/// Every fork of an INVITE describes media of its own, and each has a latch of its own
/// (RFC 3261 section 12.1, RFC 3960 section 3.2). The fork that described last is heard; the one
/// that answers is the only one that stays.
class early_latches {
public:
    static constexpr std::size_t most = 16; ///< As many as a leg has early dialogs.

    early_latches() { latches_.emplace_back(); }

    /// Before the first description.
    void know(const signalling_sources& signalling, const media_origins* origins,
              rtp_symmetry symmetry) noexcept {
        for (auto& each : latches_) each.latch.know(signalling, origins, symmetry);
    }

    /// `dialog` tells early dialogs apart.
    void describe(std::uint64_t dialog, const endpoint& described, time_point now) {
        if (!is_described_) latches_.front().dialog = dialog;
        is_described_ = true;
        choose(dialog, described);
        active().describe(described, now);
    }
    /// The dialog that was described last has answered, or an INVITE cannot fork.
    void answered() {
        forks_ = false;
        std::swap(latches_.front(), latches_[active_]);
        latches_.erase(latches_.begin() + 1, latches_.end());
        active_ = 0;
    }
    void hold(bool held, time_point now) noexcept {
        for (auto& each : latches_) each.latch.hold(held, now);
    }

    /// Other forks learn where they are heard from, and are not heard.
    [[nodiscard]] source_latch::verdict receive(const source_latch::packet& what, time_point now) {
        for (std::size_t i = 0; latches_.size() > 1 && i < latches_.size(); ++i) {
            if (i == active_) continue;
            if (latches_[i].latch.receive(what, now) == source_latch::verdict::adopted) {
                latches_[i].latch.replay([](auto) {});
            }
        }
        return active().receive(what, now);
    }

    [[nodiscard]] source_latch& active() noexcept { return latches_[active_].latch; }
    [[nodiscard]] const source_latch& active() const noexcept { return latches_[active_].latch; }

private:
    struct of_dialog {
        std::uint64_t dialog = 0;
        source_latch latch{};
    };

    void choose(std::uint64_t dialog, const endpoint& described) {
        if (!forks_) return;
        for (std::size_t i = 0; i < latches_.size(); ++i) {
            if (latches_[i].dialog != dialog) continue;
            active_ = i;
            return;
        }
        // Some carriers change their tag for the 200 and describe the same place.
        if (active().described() == described || latches_.size() == most) {
            latches_[active_].dialog = dialog;
            return;
        }
        const auto& now_active = active();
        of_dialog made{.dialog = dialog};
        made.latch.succeed(now_active);
        latches_.push_back(std::move(made));
        active_ = latches_.size() - 1;
    }

    std::vector<of_dialog> latches_;
    std::size_t active_ = 0;
    bool is_described_ = false;
    bool forks_ = true; ///< Further dialogs may describe media.
};

} // namespace trunkline::calls
