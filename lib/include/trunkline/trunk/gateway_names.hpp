// The addresses that gateways' names stand for, kept fresh: calls in are known by them, and calls
// out need not wait for DNS.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/core/address.hpp>
#include <trunkline/core/outbox.hpp>
#include <trunkline/core/time.hpp>
#include <trunkline/core/timer_wheel.hpp>

namespace trunkline::trunks {

/// Names come from the configuration alone, never from a peer. An answer is used until the next
/// one, however old: a dead name server must not stop calls to a gateway that has not moved.
class gateway_names {
public:
    static constexpr std::uint16_t timer_kind = 7;

    explicit gateway_names(timer_wheel& wheel) noexcept : wheel_{wheel} {
        timer_.kind = timer_kind;
    }
    gateway_names(const gateway_names&) = delete;
    gateway_names& operator=(const gateway_names&) = delete;
    ~gateway_names() { wheel_.disarm(timer_); }

    /// Names in use; others are forgotten, new ones are looked up at once.
    void keep(const std::vector<std::string>& names, time_point now, outbox& out);
    /// True when the answer was for one of ours.
    bool receive(const inputs::resolved& answer, time_point now, outbox& out);
    void fire(time_point now, outbox& out);

    /// An IP address stands for itself.
    [[nodiscard]] std::vector<address> find(std::string_view name) const;
    /// Whether an answer, good or bad, has come yet.
    [[nodiscard]] bool settled(std::string_view name) const;

private:
    struct entry {
        std::vector<address> v4;
        std::vector<address> v6;
        unsigned pending = 0;
        bool settled = false;
        time_point refresh_at{};
    };
    struct question {
        std::string name;
        record_type type;
    };
    void ask(const std::string& name, entry& about, outbox& out);
    void arm();

    timer_wheel& wheel_;
    timer_node timer_;
    std::map<std::string, entry, std::less<>> entries_;
    std::map<std::uint64_t, question> questions_;
    std::uint64_t next_token_ = 1;
};

} // namespace trunkline::trunks
