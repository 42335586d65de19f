#include <trunkline/sip/transaction_layer.hpp>

#include <algorithm>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/writer.hpp>

namespace trunkline::sip {

namespace {

[[nodiscard]] std::optional<time_point> deadline_of(const auto& figure) {
    return std::visit(
        [](const auto& machine) -> std::optional<time_point> {
            if constexpr (requires { machine.next_deadline(); })
                return machine.next_deadline();
            else
                return std::nullopt;
        },
        figure);
}

/// The room that an ACK or CANCEL of a request needs at most.
[[nodiscard]] std::size_t room_beside(std::span<const std::byte> request) {
    return request.size() + 512;
}

/// Request line, top Via, Route and what else section 17.1.1.3 and 9.1 copy from the INVITE.
void write_beside(writer& to, const message_view& invite, std::string_view method,
                  std::string_view to_value) {
    to.request_line(method, invite.request_uri().text);
    auto vias = invite.value(header::via);
    to.field(header::via, vias);
    to.field(header::max_forwards, 70);
    invite.each(header::route, [&](std::string_view route) { to.field(header::route, route); });
    to.field(header::from, invite.value(header::from));
    to.field(header::to, to_value);
    to.field(header::call_id, invite.call_id());
    to.name(header::cseq).number(invite.cseq().number).raw(" ").raw(method).line();
}

} // namespace

transaction_layer::transaction_layer(const timers& values, timer_wheel& wheel, entropy& random,
                                     std::uint16_t shard)
    : timers_{values},
      wheel_{wheel},
      random_{random},
      shard_{shard},
      hash_key_{siphash_key::draw(random)} {}

transaction_layer::~transaction_layer() {
    slab_.each([this](transaction& gone) { wheel_.disarm(gone.timer); });
}

transaction_layer::transaction* transaction_layer::find(std::uint64_t key) {
    const auto slot = servers_.find(key);
    return slot ? slab_.at(*slot) : nullptr;
}

transaction_layer::received transaction_layer::receive(const message_view& message, flow_id flow,
                                                       time_point now, outbox& out) {
    return message.is_request() ? receive_request(message, flow, now, out)
                                : receive_response(message, flow, now, out);
}

transaction_layer::received transaction_layer::receive_request(const message_view& message,
                                                               flow_id flow, time_point now,
                                                               outbox& out) {
    auto* known = find(key_of(message, message.method()));
    if (known == nullptr) {
        if (message.method() == method::ack) return {fate::ack, {}, owner_id::none};
        if (message.to().tag().empty() && !message.from().tag().empty() &&
            merges_.find(merge_key_of(message))) {
            return {fate::merged, {}, owner_id::none};
        }
        return {fate::fresh, {}, owner_id::none};
    }
    received answer{fate::absorbed, known->id, known->owner};
    // Its sender is where it came from first (section 18.2.2), be it from another port, and the
    // driver may have forgotten the flow that it came by before. A connection is itself where the
    // answer belongs.
    if (!known->reliable && known->flow != flow) {
        const bool same = !rules_.same_host || rules_.same_host(known->flow, flow);
        if (!same && message.method() != method::ack) return answer;
        if (same) known->flow = flow;
    }
    if (auto* invite = std::get_if<invite_server>(&known->figure)) {
        const auto todo = message.method() == method::ack ? invite->ack(now) : invite->request(now);
        if (todo == invite_server::action::resend) resend(*known, out);
        if (todo == invite_server::action::pass_up) answer.what = fate::ack;
        arm(*known);
    } else if (auto* other = std::get_if<non_invite_server>(&known->figure)) {
        if (other->request(now) == non_invite_server::action::resend) resend(*known, out);
    }
    return answer;
}

transaction_layer::received transaction_layer::receive_response(const message_view& message,
                                                                flow_id flow, time_point now,
                                                                outbox& out) {
    const auto whose = branch_identity(message.top_via().branch);
    if (!whose || whose->shard != shard_) return {fate::unmatched, {}, owner_id::none};
    auto* known = slab_.find({whose->slot, whose->generation});
    const auto branch = message.top_via().branch;
    if (known == nullptr || !iequals(branch, {known->branch.data(), known->branch.size()})) {
        return {fate::unmatched, {}, owner_id::none};
    }
    // A CANCEL has the branch of its INVITE (section 9.1).
    if (message.cseq().method == name(method::cancel) && known->what == method::invite) {
        known = slab_.find(known->cancel);
    }
    const auto verb = message.cseq().method;
    if (known == nullptr || known->what != method_of(verb)) {
        return {fate::unmatched, {}, owner_id::none};
    }
    if (known->flow != flow && rules_.answers && !rules_.answers(known->flow, flow)) {
        return {fate::unmatched, {}, owner_id::none};
    }
    received answer{fate::absorbed, known->id, known->owner};
    if (auto* invite = std::get_if<invite_client>(&known->figure)) {
        const auto todo = invite->response(message.status(), now);
        using action = invite_client::action;
        if (todo == action::pass_up || todo == action::pass_up_and_ack)
            answer.what = fate::response;
        if (todo == action::ack || todo == action::pass_up_and_ack) {
            acknowledge(*known, message, out);
        }
        if (message.status() >= 200) {
            stop_waiting(*known);
            known->cancelled_at_last.reset();
            if (message.status() < 300) forget_bytes(*known); // Neither sent nor cancelled again.
        } else if (known->cancel_wanted) {
            cancel(known->id, now, out);
        }
    } else if (auto* other = std::get_if<non_invite_client>(&known->figure)) {
        const auto todo = other->response(message.status(), now);
        using action = non_invite_client::action;
        if (todo == action::pass_up || todo == action::pass_up_and_linger) {
            answer.what = fate::response;
        }
        if (message.status() >= 200) stop_waiting(*known);
    }
    arm(*known);
    return answer;
}

transaction_id transaction_layer::open(method what, flow_id flow, bool reliable, owner_id owner) {
    const auto id = slab_.next();
    auto& made = slab_.emplace();
    made.id = id;
    made.what = what;
    made.flow = flow;
    made.owner = owner;
    made.reliable = reliable;
    made.timer.owner = &made;
    made.timer.kind = timer_kind;
    const identity_text text{{shard_, id.slot, id.generation}, random_};
    auto at = std::ranges::copy(magic_cookie, made.branch.begin()).out;
    std::ranges::copy(text.view(), at);
    return id;
}

std::string_view transaction_layer::branch(transaction_id id) const {
    const auto* found = slab_.find(id);
    TRUNKLINE_ASSERT(found != nullptr);
    return {found->branch.data(), found->branch.size()};
}

void transaction_layer::sent(transaction_id id, std::span<const std::byte> request,
                             time_point now) {
    auto* made = slab_.find(id);
    TRUNKLINE_ASSERT(made != nullptr);
    made->bytes = pool_.copy(request);
    if (made->what == method::invite) {
        made->figure.emplace<invite_client>(timers_, made->reliable, now);
    } else {
        made->figure.emplace<non_invite_client>(timers_, made->reliable, now);
    }
    made->waiting_at = static_cast<std::uint32_t>(waiting_.size());
    waiting_.push_back(id.slot);
    arm(*made);
}

void transaction_layer::forget(transaction_id id) {
    if (auto* found = slab_.find(id)) finish(*found);
}

void transaction_layer::abandon(transaction_id id, time_point now) {
    auto* invite = slab_.find(id);
    if (invite == nullptr) return;
    invite->owner = owner_id::none;
    const auto* figure = std::get_if<invite_client>(&invite->figure);
    if (figure == nullptr || figure->current() != invite_client::state::proceeding) return;
    if (!invite->cancelled_at_last) invite->cancelled_at_last = now + 64 * timers_.t1;
    arm(*invite);
}

void transaction_layer::disown(transaction_id id) {
    if (auto* found = slab_.find(id)) found->owner = owner_id::none;
}

void transaction_layer::move(transaction_id id, flow_id to) {
    auto* const found = slab_.find(id);
    auto* const beside = found != nullptr ? slab_.find(found->cancel) : nullptr;
    if (found != nullptr) found->flow = to;
    if (beside != nullptr) beside->flow = to;
}

void transaction_layer::cancel(transaction_id id, time_point now, outbox& out,
                               std::string_view fields) {
    auto* invite = slab_.find(id);
    if (invite == nullptr || invite->cancel) return;
    const auto* figure = std::get_if<invite_client>(&invite->figure);
    if (figure == nullptr) return;
    // Before a provisional response it would overtake its INVITE; after a final one it is too late.
    invite->cancel_wanted = figure->current() == invite_client::state::calling;
    if (figure->current() != invite_client::state::proceeding) return;
    auto copy = pool_.copy(invite->bytes);
    message_view request;
    // What a peer made so long that nobody reads it can have no CANCEL, nor has it an answer.
    if (!request.parse({reinterpret_cast<char*>(copy.data()), copy.size()})) {
        return pool_.give_back(std::move(copy));
    }
    const auto made = open(method::cancel, invite->flow, invite->reliable, owner_id::none);
    writer to{out.reserve(invite->flow, room_beside(invite->bytes) + fields.size(), invite->owner)};
    write_beside(to, request, name(method::cancel), request.value(header::to));
    to.raw(fields).no_body();
    const auto bytes = out.commit(to.size());
    invite->cancel = made;
    sent(made, bytes, now);
    // What has no final response then is taken for cancelled (section 9.1).
    invite->cancelled_at_last = now + 64 * timers_.t1;
    arm(*invite);
    pool_.give_back(std::move(copy));
}

transaction_id transaction_layer::accept(const message_view& request, flow_id flow, bool reliable,
                                         owner_id owner) {
    const auto id = slab_.next();
    auto& made = slab_.emplace();
    made.id = id;
    made.what = request.method();
    made.flow = flow;
    made.owner = owner;
    made.reliable = reliable;
    made.timer.owner = &made;
    made.timer.kind = timer_kind;
    made.key = key_of(request, request.method());
    servers_.insert(made.key, id.slot);
    if (made.what == method::invite) {
        made.figure.emplace<invite_server>(timers_, reliable);
        if (request.to().tag().empty()) {
            made.merge_key = merge_key_of(request);
            merges_.insert(made.merge_key, id.slot);
        }
    } else {
        made.figure.emplace<non_invite_server>(timers_, reliable);
    }
    return id;
}

void transaction_layer::responded(transaction_id id, int status, std::span<const std::byte> bytes,
                                  time_point now) {
    auto* found = slab_.find(id);
    if (found == nullptr) return;
    // What comes after the final response is discarded (sections 17.2.1 and 17.2.2).
    bool taken = false;
    if (auto* invite = std::get_if<invite_server>(&found->figure)) {
        taken = invite->respond(status, now) == invite_server::action::send;
        if (status >= 200 && found->merge_key != 0) {
            merges_.erase(found->merge_key);
            found->merge_key = 0;
        }
    } else if (auto* other = std::get_if<non_invite_server>(&found->figure)) {
        taken = other->respond(status, now) == non_invite_server::action::send;
    }
    if (taken) {
        forget_bytes(*found);
        // A 2xx is the dialog's to repeat (RFC 6026 section 8.7): nobody here needs a copy.
        const auto* invite = std::get_if<invite_server>(&found->figure);
        const bool accepted = invite && invite->current() == invite_server::state::accepted;
        if (!accepted) found->bytes = pool_.copy(bytes);
    }
    arm(*found);
}

std::optional<transaction_layer::received>
transaction_layer::cancelled(const message_view& cancel) const {
    const auto slot = servers_.find(key_of(cancel, method::invite));
    if (!slot) return std::nullopt;
    const auto* found = slab_.at(*slot);
    return received{fate::fresh, found->id, found->owner};
}

transaction_layer::ended transaction_layer::fire(timer_node& node, time_point now, outbox& out) {
    auto& whose = *static_cast<transaction*>(node.owner);
    auto what = ended::why::nothing;
    if (auto* invite = std::get_if<invite_client>(&whose.figure)) {
        const bool cancelled = whose.cancelled_at_last && *whose.cancelled_at_last <= now;
        const auto todo = cancelled ? invite->transport_error(now) : invite->tick(now);
        if (cancelled) what = ended::why::timeout;
        if (todo == invite_client::action::resend) resend(whose, out);
        if (todo == invite_client::action::give_up) what = ended::why::timeout;
    } else if (auto* client = std::get_if<non_invite_client>(&whose.figure)) {
        const auto todo = client->tick(now);
        if (todo == non_invite_client::action::resend) resend(whose, out);
        if (todo == non_invite_client::action::give_up) what = ended::why::timeout;
    } else if (auto* server = std::get_if<invite_server>(&whose.figure)) {
        const auto todo = server->tick(now);
        if (todo == invite_server::action::resend) resend(whose, out);
        if (todo == invite_server::action::no_ack) what = ended::why::no_ack;
    } else if (auto* other = std::get_if<non_invite_server>(&whose.figure)) {
        static_cast<void>(other->tick(now));
    }
    return report(whose, what);
}

transaction_layer::ended transaction_layer::report(transaction& whose, ended::why what) {
    const ended told{.what = what, .id = whose.id, .owner = whose.owner};
    arm(whose);
    return told;
}

void transaction_layer::flow_failed(flow_id flow, time_point now, std::vector<ended>& into) {
    for (std::size_t i = 0; i < waiting_.size();) {
        auto* whose = slab_.at(waiting_[i]);
        TRUNKLINE_ASSERT(whose != nullptr && whose->waiting_at == i);
        if (whose->flow != flow) {
            ++i;
            continue;
        }
        if (auto* invite = std::get_if<invite_client>(&whose->figure)) {
            // Once the far end has answered it is there; a stray ICMP does not end a call.
            if (invite->current() != invite_client::state::calling) {
                ++i;
                continue;
            }
            static_cast<void>(invite->transport_error(now));
        } else if (auto* other = std::get_if<non_invite_client>(&whose->figure)) {
            if (other->current() != non_invite_client::state::trying) {
                ++i;
                continue;
            }
            static_cast<void>(other->transport_error(now));
        }
        into.push_back(report(*whose, ended::why::transport));
    }
}

void transaction_layer::resend(const transaction& whose, outbox& out) {
    if (whose.bytes.empty()) return;
    const auto room = out.reserve(whose.flow, whose.bytes.size(), whose.owner);
    std::ranges::copy(whose.bytes, room.begin());
    static_cast<void>(out.commit(whose.bytes.size()));
}

void transaction_layer::forget_bytes(transaction& whose) {
    pool_.give_back(std::move(whose.bytes));
    whose.bytes = {}; // Which the pool did not take when it has enough.
}

/// Section 17.1.1.3: the ACK of a failure has the INVITE's branch and the response's To.
void transaction_layer::acknowledge(const transaction& whose, const message_view& response,
                                    outbox& out) {
    auto copy = pool_.copy(whose.bytes);
    message_view request;
    if (!request.parse({reinterpret_cast<char*>(copy.data()), copy.size()})) {
        return pool_.give_back(std::move(copy)); // As in cancel().
    }
    writer to{out.reserve(whose.flow, room_beside(whose.bytes) + response.value(header::to).size(),
                          whose.owner)};
    write_beside(to, request, name(method::ack), response.value(header::to));
    // Section 22.1: the ACK repeats the INVITE's credentials.
    for (const auto which : {header::authorization, header::proxy_authorization}) {
        request.each(which, [&](std::string_view value) { to.field(which, value); });
    }
    to.no_body();
    static_cast<void>(out.commit(to.size()));
    pool_.give_back(std::move(copy));
}

/// Arms the timer for the figure's next deadline, or ends the transaction when it has none and is
/// over.
void transaction_layer::arm(transaction& whose) {
    const bool over = std::visit(
        [](const auto& figure) {
            if constexpr (requires { figure.current(); }) {
                return figure.current() == std::decay_t<decltype(figure)>::state::terminated;
            } else {
                return false;
            }
        },
        whose.figure);
    if (over) return finish(whose);
    if (const auto deadline = earliest(deadline_of(whose.figure), whose.cancelled_at_last)) {
        wheel_.arm(whose.timer, *deadline);
    } else {
        wheel_.disarm(whose.timer);
    }
}

void transaction_layer::stop_waiting(transaction& whose) {
    if (whose.waiting_at == not_waiting) return;
    const auto last = waiting_.back();
    waiting_[whose.waiting_at] = last;
    slab_.at(last)->waiting_at = whose.waiting_at;
    waiting_.pop_back();
    whose.waiting_at = not_waiting;
}

void transaction_layer::finish(transaction& whose) {
    stop_waiting(whose);
    wheel_.disarm(whose.timer);
    if (whose.key != 0) servers_.erase(whose.key);
    if (whose.merge_key != 0) merges_.erase(whose.merge_key);
    forget_bytes(whose);
    slab_.erase(whose.id);
}

} // namespace trunkline::sip
