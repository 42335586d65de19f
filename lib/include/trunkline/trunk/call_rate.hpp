// How many calls a trunk may begin in a second, over all shards.
#pragma once

#include <optional>

#include <trunkline/core/token_bucket.hpp>

namespace trunkline {

/// The trunk's ledger of new calls. Each direction has a bucket of its own: what a carrier sends is
/// limited for our sake, what we dial for the carrier's, and neither is to starve the other.
/// Whoever runs several shards brings one that threads may share; nothing below that has a thread.
class call_rate {
public:
    call_rate() = default;
    call_rate(const call_rate&) = delete;
    call_rate& operator=(const call_rate&) = delete;
    virtual ~call_rate() = default;

    /// A call that comes in: now or not at all. A second's worth may come at once.
    [[nodiscard]] virtual bool admit(time_point now) noexcept = 0;
    /// A call that goes out: the moment of its turn, evenly spaced, because carriers count in
    /// windows that we cannot see. Nothing when that were later than `patience` from now.
    [[nodiscard]] virtual std::optional<time_point> turn(time_point now,
                                                         duration patience) noexcept = 0;

    [[nodiscard]] static constexpr token_rate inbound(unsigned per_second) noexcept {
        return token_rate::per_second(per_second, per_second);
    }
    [[nodiscard]] static constexpr token_rate outbound(unsigned per_second) noexcept {
        return token_rate::per_second(per_second, 1);
    }
};

/// For one shard, and for tests.
class local_call_rate final : public call_rate {
public:
    explicit local_call_rate(unsigned per_second) noexcept : per_second_{per_second} {}

    [[nodiscard]] bool admit(time_point now) noexcept override {
        return in_.take(inbound(per_second_), now);
    }
    [[nodiscard]] std::optional<time_point> turn(time_point now,
                                                 duration patience) noexcept override {
        const auto got = out_.peek(outbound(per_second_), now, patience);
        if (!got) return std::nullopt;
        out_.full_at = got->full_at;
        return got->turn;
    }

private:
    unsigned per_second_;
    token_bucket in_{};
    token_bucket out_{};
};

} // namespace trunkline
