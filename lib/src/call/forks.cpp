#include <trunkline/call/forks.hpp>

#include <algorithm>
#include <string>

#include <trunkline/core/siphash.hpp>
#include <trunkline/sip/dialog.hpp>
#include <trunkline/sip/identity.hpp>
#include <trunkline/sip/via_transport.hpp>
#include <trunkline/sip/writer.hpp>

namespace trunkline::calls {

namespace {

constexpr std::size_t room_for_request = 1'024;
/// It may have had PRACKs when it rang, which nobody remembers; section 12.2.2 allows a gap.
constexpr std::uint32_t early_requests = 1'000;

constexpr auto most_byes = token_rate::per_second(16, 16);

} // namespace

void forks::leave(const sip::message_view& response, const path& by, sip::transaction_layer& with,
                  entropy& random, time_point now, outbox& out) {
    const auto other = sip::dialog::as_caller(response);
    const auto send = [&](sip::method what, std::uint32_t cseq, std::string_view branch) {
        sip::writer to{out.reserve(by.flow, room_for_request + other.room())};
        other.write_head(to, what, cseq, branch, sip::in_via(by.over), by.sent_by);
        to.no_body();
        return out.commit(to.size());
    };
    const sip::identity_text letters{{}, random};
    std::string branch{sip::magic_cookie};
    branch += letters.view();
    static_cast<void>(send(sip::method::ack, other.local_cseq(), branch));
    // One that has to do without its BYE now has it by another copy of the 2xx.
    const auto key = siphash({}, response.call_id()) ^ siphash({}, response.to().tag());
    const bool known = std::ranges::find(left_, key) != left_.end();
    if (known || !byes_.take(most_byes, now)) return;
    left_[next_++ % left_.size()] = key;
    const auto id = with.open(sip::method::bye, by.flow, by.over != transport::udp, owner_id::none);
    const auto bytes = send(sip::method::bye, other.local_cseq() + early_requests, with.branch(id));
    if (bytes.empty()) return with.forget(id);
    with.sent(id, bytes, now);
}

} // namespace trunkline::calls
