// The machine of a shard with its pump: what the shard's parts feed, and settle() empties.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/core/machine.hpp>
#include <trunkline/core/pump.hpp>
#include <trunkline/net/shard.hpp>

namespace trunkline::net {

struct machine_host {
    machine* driven = nullptr;
    trunkline::pump pump;
    std::vector<input> answers;    ///< To effects; received when all effects were acted on.
    std::deque<std::string> words; ///< That answers point to, for as long as they are there.
    shard_counters counted;

    [[nodiscard]] outbox& out() noexcept { return pump.out(); }
    void receive(const input& what, time_point at) { driven->receive(what, at, out()); }
    [[nodiscard]] std::string_view keep(std::string_view text) {
        return text.empty() ? text : std::string_view{words.emplace_back(text)};
    }
};

} // namespace trunkline::net
