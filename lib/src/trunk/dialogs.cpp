// Requests in a call's dialogs, before its leg hears of them: whether they come from the peer.
#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <trunkline/trunk/engine.hpp>

namespace trunkline::trunks {

/// False: the request was answered, or waits, or is not answered at all.
bool engine::may_speak(held_leg& held, std::string_view bytes, flow_id flow, const flow_info& from,
                       time_point now, outbox& out) {
    const auto* within = held.machine.dialog_of(*message_);
    if (within == nullptr) return true; // The leg says 481, to anybody.
    auto how = held.peers.judge(from, *within);
    if (how == dialog_peers::verdict::peer) return true;
    if (how == dialog_peers::verdict::unknown) {
        if (knows(*held.trunk, from.peer.address)) return true;
        const auto names = dialog_peers::names_of(*within);
        using finding = peer_names::finding;
        switch (peer_names_.lead_to(from.peer.address, names, now, out)) {
        case finding::yes: return true;
        case finding::pending: hold(bytes, flow); return false;
        case finding::no: break;
        }
        if (held.trunk->config.inbound_auth) return moves(held, flow, from, now, out);
    }
    refuse_speaker(held, flow, from, now, out);
    return false;
}

/// By a network that identifies its addresses, or by a gateway.
bool engine::knows(const trunk& one, const address& source) const {
    return identifies(one.allow_from, source) || is_gateway_of(one, source);
}

/// A phone that roams comes back from another address: where it shows the trunk's password, there
/// the dialog is from now on (RFC 3261 section 22.1: any request may be challenged).
bool engine::moves(held_leg& held, flow_id flow, const flow_info& from, time_point now,
                   outbox& out) {
    const auto wrong = check_credentials(*held.trunk, from, now, out);
    if (wrong.status != 0) {
        if (wrong.detail == wrong_password && held.peers.first_refusal(from.peer.address)) {
            note_speaker(held, from, out);
        }
        out.note(severity::trace, wrong.why, held.call.owner(), {wrong.detail, wrong.status, 1});
        answer_statelessly(*held.trunk, wrong, flow, from, now, out);
        return false;
    }
    held.peers.move_to(from.peer.address);
    if (held.on != flow) {
        leave(std::exchange(held.on, flow), now, out);
        join(flow, out);
        held.machine.set_path(path_of(flow, *held.trunk), now, out);
    }
    return true;
}

void engine::refuse_speaker(held_leg& held, flow_id flow, const flow_info& from, time_point now,
                            outbox& out) {
    if (!held.peers.first_refusal(from.peer.address)) return;
    note_speaker(held, from, out);
    answer_statelessly(*held.trunk, {.status = 403}, flow, from, now, out);
}

void engine::note_speaker(const held_leg& held, const flow_info& from, outbox& out) {
    std::array<std::int64_t, 2> halves{};
    std::memcpy(halves.data(), from.peer.address.bytes.data(), sizeof halves);
    out.note(severity::warning, diagnostic::dialog_stranger, held.call.owner(),
             {halves[0], halves[1], from.transport == transport::tls ? 0 : 1});
}

/// A flow that a driver has forgotten, and whose slot is another's by now, says nothing.
bool engine::same_host(flow_id known, flow_id other) const {
    const auto* before = info_of(known);
    const auto* now = info_of(other);
    return before == nullptr || now == nullptr || before->peer.address == now->peer.address;
}

/// Servers answer from wherever they like (RFC 3261 section 18.1.2 asks for the branch alone), but
/// what went by TLS is not answered in the open.
bool engine::may_answer(flow_id known, flow_id other) const {
    const auto* went = info_of(known);
    const auto* came = info_of(other);
    return went == nullptr || came == nullptr || went->transport != transport::tls ||
           came->transport == transport::tls;
}

/// Until the names in its dialog are looked up. Over a connection it does not come again by itself.
void engine::hold(std::string_view bytes, flow_id flow) {
    constexpr std::size_t most = 64;
    const bool again = std::ranges::any_of(held_requests_, [&](const held_request& one) {
        return one.flow == flow && one.bytes == bytes;
    });
    if (again || held_requests_.size() == most) return;
    held_requests_.push_back({flow, std::string{bytes}});
}

void engine::take_held(time_point now, outbox& out) {
    for (auto& one : std::exchange(held_requests_, {})) {
        const auto* from = info_of(one.flow);
        if (from == nullptr) continue;
        const auto info = *from;
        receive_message(one.bytes, one.flow, info, now, out);
    }
}

} // namespace trunkline::trunks
