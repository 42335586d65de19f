// Requests of ours within the dialog: PRACK, UPDATE, REFER and NOTIFY. INVITE and BYE have rooms of
// their own.
#include <algorithm>
#include <utility>

#include <trunkline/call/leg.hpp>

namespace trunkline::calls {

namespace {

constexpr std::size_t room_for_request = 4096;
/// More are under way only when the peer answers none, and then one more would not help.
constexpr std::size_t most_asking = 8;
/// No real call forks further: see leave_fork().
constexpr std::size_t most_forks = 16;

} // namespace

sip::dialog* leg::dialog_with(std::string_view tag) {
    if (has_dialog_) return dialog_.remote_tag() == tag ? &dialog_ : nullptr;
    const auto found = std::ranges::find_if(
        early_, [&](const early& one) { return one.dialog.remote_tag() == tag; });
    return found == early_.end() ? nullptr : &found->dialog;
}

/// Section 12.1: a provisional response with a tag makes a dialog as well, one for each fork.
leg::early* leg::early_dialog(const sip::message_view& response) {
    const auto tag = response.to().tag();
    if (tag.empty() || has_dialog_) return nullptr;
    for (auto& one : early_) {
        if (one.dialog.remote_tag() == tag) return &one;
    }
    if (early_.size() == most_forks) return nullptr;
    return &early_.emplace_back(early{sip::dialog::as_caller(response)});
}

std::uint32_t leg::ask(asking what, time_point now, outbox& out) {
    auto* within = dialog_with(what.tag);
    if (within == nullptr || asking_.size() == most_asking) return 0;
    const auto cseq = within->next_cseq();
    what.id = around_.transactions.open(what.what, path_.flow, reliable(), owner_);
    sip::writer to{
        out.reserve(path_.flow, room_for_request + within->room() + what.body.size(), owner_)};
    within->write_head(to, what.what, cseq, around_.transactions.branch(what.id), via_transport(),
                       path_.sent_by);
    write_credentials(to, sip::name(what.what), within->remote_target());
    to.raw(what.fields).body(what.type, what.body);
    const auto bytes = out.commit(to.size());
    if (bytes.empty()) {
        around_.transactions.forget(what.id);
        return 0;
    }
    around_.transactions.sent(what.id, bytes, now);
    asking_.push_back(std::move(what));
    return cseq;
}

void leg::asked_answered(asking what, const sip::message_view& response, time_point now,
                         outbox& out) {
    const auto status = response.status();
    if ((status == 401 || status == 407) && !what.challenged) {
        what.challenged = true;
        credentials_.forget();
        if (take_challenge(response, out)) {
            const auto method = what.what;
            const auto cseq = ask(std::move(what), now, out);
            if (cseq == 0) return asked_failed(method, status, {}, now, out);
            if (method == sip::method::refer) transfer_cseq_ = cseq;
            return;
        }
    }
    if (status == 422 && what.what == sip::method::update && session_.raise(response)) {
        return refresh_session(now, out);
    }
    if (status >= 300) {
        return asked_failed(what.what, status, response.seconds(sip::header::retry_after), now,
                            out);
    }
    if (what.what == sip::method::update) return refreshed(response, now);
    if (what.what == sip::method::refer) return transfer_answered(status, now, out);
}

void leg::asked_failed(sip::method what, int status, std::optional<std::uint32_t> retry_after,
                       time_point now, outbox& out) {
    switch (what) {
    case sip::method::update: return refresh_failed(status, retry_after, now, out);
    case sip::method::refer: return transfer_answered(status, now, out);
    case sip::method::notify: referred_ = false; return;
    default: return; // A PRACK that came to nothing: the INVITE will, or it will not.
    }
}

void leg::drop_requests() noexcept {
    for (const auto& one : asking_) around_.transactions.disown(one.id);
    asking_.clear();
    if (!reinvite_) return;
    // Without a final response and a CANCEL no timer would ever end it.
    if (reinviting() && !reinvite_cancelled_)
        around_.transactions.forget(reinvite_);
    else
        around_.transactions.disown(reinvite_);
    reinvite_ = {};
}

} // namespace trunkline::calls
