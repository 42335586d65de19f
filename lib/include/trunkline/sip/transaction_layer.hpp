// All transactions of a shard, RFC 3261 section 17: matching, retransmission, timers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <trunkline/core/buffer_pool.hpp>
#include <trunkline/core/entropy.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/hash_index.hpp>
#include <trunkline/core/outbox.hpp>
#include <trunkline/core/siphash.hpp>
#include <trunkline/core/slab.hpp>
#include <trunkline/core/timer_wheel.hpp>
#include <trunkline/sip/identity.hpp>
#include <trunkline/sip/invite_client.hpp>
#include <trunkline/sip/invite_server.hpp>
#include <trunkline/sip/message.hpp>
#include <trunkline/sip/non_invite_client.hpp>
#include <trunkline/sip/non_invite_server.hpp>

namespace trunkline::sip {

struct transaction_id {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0; ///< 0 in no transaction that ever lived.

    friend constexpr bool operator==(const transaction_id&, const transaction_id&) = default;
    [[nodiscard]] explicit constexpr operator bool() const noexcept { return generation != 0; }
};

/// Text of a branch of ours.
using branch_text = std::array<char, magic_cookie.size() + identity_text::size>;

class TRUNKLINE_EXPORT transaction_layer {
public:
    /// The `kind` of every timer it arms, so that a shared wheel knows whose a node is.
    static constexpr std::uint16_t timer_kind = 1;

    transaction_layer(const timers& values, timer_wheel& wheel, entropy& random,
                      std::uint16_t shard);
    transaction_layer(const transaction_layer&) = delete;
    transaction_layer& operator=(const transaction_layer&) = delete;
    ~transaction_layer();

    /// What is known of flows above: asked only where a message comes by another one than its
    /// transaction has. Unset, every flow will do.
    struct flow_rules {
        /// Whether the same host is at the far end of both: else a copy of a request is a forgery,
        /// and moves no response.
        std::function<bool(flow_id known, flow_id other)> same_host{};
        /// Whether a request that went by `known` may be answered by `other`.
        std::function<bool(flow_id known, flow_id other)> answers{};
    };
    void set_flow_rules(flow_rules rules) { rules_ = std::move(rules); }

    enum class fate : std::uint8_t {
        fresh,     ///< A request that belongs to no transaction: accept() it or answer statelessly.
        ack,       ///< An ACK for a 2xx: the dialog's.
        response,  ///< Belongs to `id`, and its owner wants it.
        absorbed,  ///< A retransmission. Whatever it deserved was sent.
        unmatched, ///< A response to nothing.
        merged,    ///< The same request by another path (section 8.2.2.2).
    };
    struct received {
        fate what = fate::absorbed;
        transaction_id id;
        owner_id owner = owner_id::none;
    };
    [[nodiscard]] received receive(const message_view& message, flow_id flow, time_point now,
                                   outbox& out);

    /// Makes room and a branch for a request; it is written with that branch, and then sent() has
    /// to be called, or forget().
    [[nodiscard]] transaction_id open(method what, flow_id flow, bool reliable, owner_id owner);
    [[nodiscard]] std::string_view branch(transaction_id id) const;
    void sent(transaction_id id, std::span<const std::byte> request, time_point now);
    void forget(transaction_id id);
    /// An INVITE of ours in which nobody is interested any more: its final response has its ACK
    /// (section 17.1.1.3), and 64*T1 later it ends without one.
    void abandon(transaction_id invite, time_point now);
    /// Sends the CANCEL of an INVITE of ours, as soon as it has a provisional response and unless a
    /// final one comes first (section 9.1). 64*T1 later the INVITE ends by timeout if it has none.
    /// `fields` are whole header lines, as Reason, for a CANCEL that goes at once.
    void cancel(transaction_id invite, time_point now, outbox& out, std::string_view fields = {});

    /// A server transaction for a fresh request.
    [[nodiscard]] transaction_id accept(const message_view& request, flow_id flow, bool reliable,
                                        owner_id owner);
    /// `bytes` were put into the outbox by the caller; they are kept for retransmissions.
    void responded(transaction_id id, int status, std::span<const std::byte> bytes, time_point now);
    /// The INVITE that a CANCEL is for (section 9.2).
    [[nodiscard]] std::optional<received> cancelled(const message_view& cancel) const;
    /// Its flow went, and its peer is reached by another one: what is sent again goes that way.
    void move(transaction_id id, flow_id to);
    /// From now on events of the transaction have nobody to go to.
    void disown(transaction_id id);

    /// What a timer or a broken flow made of a transaction that somebody waits for.
    struct ended {
        enum class why : std::uint8_t { nothing, timeout, no_ack, transport } what = why::nothing;
        transaction_id id;
        owner_id owner = owner_id::none;
        /// Of a flow that failed: how, and what else is known of it, for as long as that is heard.
        cause down = cause::closed;
        std::string_view words{};
    };
    [[nodiscard]] ended fire(timer_node& node, time_point now, outbox& out);
    /// Appends to `into`, one for each client transaction that was waiting on the flow.
    void flow_failed(flow_id flow, time_point now, std::vector<ended>& into);

    [[nodiscard]] std::size_t size() const noexcept { return slab_.size(); }

private:
    using machine = std::variant<std::monostate, invite_client, non_invite_client, invite_server,
                                 non_invite_server>;
    static constexpr std::uint32_t not_waiting = 0xffff'ffff;
    struct transaction {
        transaction_id id;
        machine figure;
        method what = method::other;
        flow_id flow;
        owner_id owner = owner_id::none;
        bool reliable = false;
        std::uint32_t waiting_at = not_waiting; ///< Its place in waiting_.
        timer_node timer;
        buffer_pool::buffer bytes; ///< The request of a client, the last response of a server.
        branch_text branch{};
        std::uint64_t key = 0;       ///< Of a server transaction.
        std::uint64_t merge_key = 0; ///< Of an INVITE that still proceeds.
        transaction_id cancel;       ///< The CANCEL that we sent for it.
        bool cancel_wanted = false;  ///< As soon as a provisional response allows it.
        std::optional<time_point> cancelled_at_last; ///< Without a final response by then it ends.
    };

    [[nodiscard]] std::uint64_t key_of(const message_view& message, method what) const;
    [[nodiscard]] std::uint64_t merge_key_of(const message_view& message) const;
    [[nodiscard]] transaction* find(std::uint64_t key);
    [[nodiscard]] received receive_request(const message_view& message, flow_id flow,
                                           time_point now, outbox& out);
    [[nodiscard]] received receive_response(const message_view& message, flow_id flow,
                                            time_point now, outbox& out);
    void resend(const transaction& whose, outbox& out);
    void forget_bytes(transaction& whose);
    void acknowledge(const transaction& whose, const message_view& response, outbox& out);
    void arm(transaction& whose);
    void finish(transaction& whose);
    void stop_waiting(transaction& whose);
    [[nodiscard]] ended report(transaction& whose, ended::why what);

    const timers timers_;
    timer_wheel& wheel_;
    flow_rules rules_;
    entropy& random_;
    std::uint16_t shard_;
    siphash_key hash_key_;
    buffer_pool pool_;
    slab<transaction, transaction_id> slab_;
    hash_index servers_;
    hash_index merges_;
    std::vector<std::uint32_t> waiting_; ///< Slots of client transactions without a final response.
};

} // namespace trunkline::sip
