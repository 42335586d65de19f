// How many calls a trunk has at once, over all shards.
#pragma once

namespace trunkline {

/// The trunk's ledger. One counter for all shards: taking one may fail, giving back cannot. Whoever
/// runs several shards brings one that threads may share; nothing below that has a thread.
class channels {
public:
    channels() = default;
    channels(const channels&) = delete;
    channels& operator=(const channels&) = delete;
    virtual ~channels() = default;

    [[nodiscard]] virtual bool take() noexcept = 0;
    virtual void give_back() noexcept = 0;
    [[nodiscard]] virtual unsigned taken() const noexcept = 0;
};

/// For one shard, and for tests.
class local_channels final : public channels {
public:
    explicit local_channels(unsigned most) noexcept : most_{most} {}

    [[nodiscard]] bool take() noexcept override {
        if (taken_ == most_) return false;
        ++taken_;
        return true;
    }
    void give_back() noexcept override { --taken_; }
    [[nodiscard]] unsigned taken() const noexcept override { return taken_; }

private:
    unsigned most_;
    unsigned taken_ = 0;
};

} // namespace trunkline
