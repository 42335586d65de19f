#include <trunkline/net/listeners.hpp>

#include <utility>

#include <trunkline/core/assert.hpp>

#include "listeners_state.hpp"
#include "stream_socket.hpp"

namespace trunkline::net {

namespace {

// A second of a thousand INVITEs: what a shard may be late by before any is lost.
constexpr int receive_buffer = 4 * 1024 * 1024;

} // namespace

listeners::listeners() : state_{std::make_unique<listeners_state>()} {}
listeners::~listeners() = default;

std::error_code listeners::open(listeners_config wanted, std::size_t* failed_at) {
    TRUNKLINE_ASSERT(state_->opened.empty() && wanted.shards > 0 && wanted.at.size() < 65'536);
    auto made = std::make_unique<listeners_state>();
    for (const auto& [transport, at] : wanted.at) {
        const bool wildcard = at.address.is_wildcard();
        listeners_state::listener next{transport, {}, {}, wildcard};
        const auto failed = transport == transport::udp
                                ? open_udp(at,
                                           {.kind = traffic::signalling,
                                            .receive_buffer = receive_buffer,
                                            .tells_local = wildcard,
                                            .tells_errors = true},
                                           next.socket)
                                : listen_stream(at, next.socket);
        if (failed) {
            if (failed_at != nullptr) *failed_at = made->opened.size();
            return failed;
        }
        next.local = local_of(next.socket.get());
        made->opened.push_back(std::move(next));
    }
    made->shards = wanted.shards;
    made->owner_of = std::move(wanted.owner_of);
    made->to_shard.resize(wanted.shards);
    for (std::size_t i = 1; i < made->to_shard.size(); ++i) {
        if (const auto failed = made->to_shard[i].open()) return failed;
    }
    state_ = std::move(made);
    return {};
}

std::size_t listeners::size() const noexcept {
    return state_->opened.size();
}

std::uint16_t listeners::shards() const noexcept {
    return state_->shards;
}

endpoint listeners::local(listener_id which) const {
    const auto index = static_cast<std::size_t>(which);
    TRUNKLINE_ASSERT(index < state_->opened.size());
    return state_->opened[index].local;
}

} // namespace trunkline::net
