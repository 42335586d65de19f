// How many calls a trunk has at once, over all shards.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace trunkline {

/// How many calls of a trunk each token has: only those that have some are in it.
class token_ledger {
public:
    /// False when it has `most` already; 0 is without limit.
    [[nodiscard]] bool take(std::string_view token, unsigned most) {
        const auto found = taken_.find(token);
        if (found == taken_.end()) {
            taken_.emplace(token, 1);
            return true;
        }
        if (most != 0 && found->second >= most) return false;
        ++found->second;
        return true;
    }
    void give_back(std::string_view token) noexcept {
        const auto found = taken_.find(token);
        if (found != taken_.end() && --found->second == 0) taken_.erase(found);
    }

private:
    std::map<std::string, unsigned, std::less<>> taken_;
};

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
    /// Of one token, beside take(): `most` is the trunk's calls_per_token of that moment.
    [[nodiscard]] virtual bool take_for(std::string_view token, unsigned most) = 0;
    virtual void give_back_for(std::string_view token) noexcept = 0;
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
    [[nodiscard]] bool take_for(std::string_view token, unsigned most) override {
        return tokens_.take(token, most);
    }
    void give_back_for(std::string_view token) noexcept override { tokens_.give_back(token); }

private:
    unsigned most_;
    unsigned taken_ = 0;
    unsigned unacknowledged_ = 0;
    token_ledger tokens_;
};

} // namespace trunkline
