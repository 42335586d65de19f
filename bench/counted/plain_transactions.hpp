// Server transactions by the containers that everybody has at hand: what sip::transaction_layer is
// measured against. For a request that is no INVITE it does what RFC 3261 section 17.2.2 asks for,
// and no more. With a keyed hash, as a table has to have whose keys are a peer's to choose, or with
// the library's own, which has no key.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <queue>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <trunkline/core/outbox.hpp>
#include <trunkline/core/siphash.hpp>
#include <trunkline/core/text.hpp>
#include <trunkline/core/time.hpp>
#include <trunkline/sip/message.hpp>
#include <trunkline/sip/timers.hpp>

namespace bench {

struct keyed_hash {
    std::size_t operator()(const std::string& key) const noexcept {
        return trunkline::siphash({1, 2}, key);
    }
};

template <class Hash>
class plain_transactions {
    struct state {
        trunkline::flow_id flow{};
        std::vector<std::byte> response{};
    };
    using table = std::unordered_map<std::string, state, Hash>;

public:
    using transaction = typename table::value_type; ///< Stays where it is for as long as it lives.

    /// The transaction of a request. A retransmission gets the response again.
    transaction& receive(const trunkline::sip::message_view& request, trunkline::flow_id flow,
                         trunkline::outbox& out) {
        key_.assign(request.top_via().branch);
        key_ += request.top_via().sent_by;
        // Tokens and host names without case (RFC 3261 section 7.3.1).
        for (auto& c : key_) c = trunkline::to_lower(c);
        key_ += request.method_text();
        const auto [found, fresh] = alive_.try_emplace(key_);
        if (fresh) found->second.flow = flow;
        if (const auto& again = found->second.response; !again.empty()) {
            const auto room = out.reserve(flow, again.size());
            std::ranges::copy(again, room.begin());
            static_cast<void>(out.commit(again.size()));
        }
        return *found;
    }
    /// `bytes` were sent by the caller.
    void responded(transaction& whose, std::span<const std::byte> bytes,
                   trunkline::time_point now) {
        if (!whose.second.response.empty()) return;
        whose.second.response.assign(bytes.begin(), bytes.end());
        due_.push({now + 64 * timers_.t1, &whose});
    }
    void tick(trunkline::time_point now) {
        for (; !due_.empty() && due_.top().when <= now; due_.pop()) {
            alive_.erase(alive_.find(due_.top().whose->first));
        }
    }
    [[nodiscard]] std::size_t size() const noexcept { return alive_.size(); }

private:
    struct deadline {
        trunkline::time_point when;
        const transaction* whose;

        friend bool operator>(const deadline& a, const deadline& b) noexcept {
            return a.when > b.when;
        }
    };

    trunkline::sip::timers timers_{};
    table alive_;
    std::priority_queue<deadline, std::vector<deadline>, std::greater<>> due_;
    std::string key_;
};

} // namespace bench
