// How many calls a trunk has at once, over all shards.
#pragma once

namespace trunkline {

/// The trunk's ledger. One counter for all shards: taking one may fail, giving back cannot. Whoever
/// runs several shards brings one that threads may share; nothing below that has a thread.
///
/// An inbound call that its caller has not acknowledged yet costs its sender one datagram, which
/// may bear anybody's address. It is counted apart: with the others it is held to the limit when it
/// comes, and it takes no channel from calls that go out.
class channels {
public:
    channels() = default;
    channels(const channels&) = delete;
    channels& operator=(const channels&) = delete;
    virtual ~channels() = default;

    /// For a call that goes out.
    [[nodiscard]] virtual bool take() noexcept = 0;
    virtual void give_back() noexcept = 0;
    /// For a call that comes in, until its ACK.
    [[nodiscard]] virtual bool take_unacknowledged() noexcept = 0;
    virtual void give_back_unacknowledged() noexcept = 0;
    /// The ACK has come: from then on the call counts for those that go out as well.
    virtual void acknowledged() noexcept = 0;
    /// All calls, acknowledged or not.
    [[nodiscard]] virtual unsigned taken() const noexcept = 0;
};

/// For one shard, and for tests.
class local_channels final : public channels {
public:
    explicit local_channels(unsigned most) noexcept : most_{most} {}

    [[nodiscard]] bool take() noexcept override {
        if (taken_ >= most_) return false;
        ++taken_;
        return true;
    }
    void give_back() noexcept override { --taken_; }
    [[nodiscard]] bool take_unacknowledged() noexcept override {
        if (taken() >= most_) return false;
        ++unacknowledged_;
        return true;
    }
    void give_back_unacknowledged() noexcept override { --unacknowledged_; }
    void acknowledged() noexcept override {
        --unacknowledged_;
        ++taken_;
    }
    [[nodiscard]] unsigned taken() const noexcept override { return taken_ + unacknowledged_; }

private:
    unsigned most_;
    unsigned taken_ = 0;
    unsigned unacknowledged_ = 0;
};

} // namespace trunkline
