#include <trunkline/call/forks.hpp>

#include <algorithm>
#include <string>

#include <trunkline/core/siphash.hpp>
#include <trunkline/sip/dialog.hpp>
#include <trunkline/sip/identity.hpp>
#include <trunkline/sip/writer.hpp>

namespace trunkline::calls {

namespace {

constexpr std::size_t room_for_request = 1'024;
/// It may have had PRACKs when it rang, which nobody remembers; section 12.2.2 allows a gap.
constexpr std::uint32_t early_requests = 1'000;

constexpr auto most_byes = token_rate::per_second(16, 16);

[[nodiscard]] std::string_view name_of(transport which) noexcept {
    switch (which) {
    case transport::udp: return "UDP";
    case transport::tcp: return "TCP";
    case transport::tls: return "TLS";
    }
    return "UDP";
}

} // namespace

bool forks::was_left(const sip::message_view& response) {
    const auto key = siphash({}, response.call_id()) ^ siphash({}, response.to().tag());
    if (std::ranges::find(left_, key) != left_.end()) return true;
    left_[next_++ % left_.size()] = key;
    return false;
}

void forks::leave(const sip::message_view& response, const path& by, sip::transaction_layer& with,
                  entropy& random, time_point now, outbox& out) {
    const auto other = sip::dialog::as_caller(response);
    const auto send = [&](sip::method what, std::uint32_t cseq, std::string_view branch) {
        sip::writer to{out.reserve(by.flow, room_for_request + other.room())};
        other.write_head(to, what, cseq, branch, name_of(by.over), by.sent_by);
        to.no_body();
        return out.commit(to.size());
    };
    const sip::identity_text letters{{}, random};
    std::string branch{sip::magic_cookie};
    branch += letters.view();
    static_cast<void>(send(sip::method::ack, other.local_cseq(), branch));
    if (was_left(response) || !byes_.take(most_byes, now)) return;
    const auto id = with.open(sip::method::bye, by.flow, by.over != transport::udp, owner_id::none);
    const auto bytes = send(sip::method::bye, other.local_cseq() + early_requests, with.branch(id));
    if (bytes.empty()) return with.forget(id);
    with.sent(id, bytes, now);
}

} // namespace trunkline::calls
