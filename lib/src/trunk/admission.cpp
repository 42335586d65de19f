#include <trunkline/trunk/admission.hpp>

#include <chrono>
#include <utility>

#include <trunkline/core/limits.hpp>
#include <trunkline/core/text.hpp>

namespace trunkline::trunks {

namespace {

/// A scanner learns little, and nobody is flooded in a stranger's name.
constexpr auto answers = token_rate::per_second(1, 1);
/// A carrier that is not configured yet stays far below it; a scanner is over it in a second.
constexpr auto patience = token_rate::per_second(1, 60);
constexpr duration ban = std::chrono::minutes{10};
/// Some phones behind one network that begin at once are far below it, and no line is full of it.
constexpr auto network_answers = token_rate::per_second(10, 128);
constexpr auto tellings = token_rate::per_second(10, 10);

[[nodiscard]] std::string_view network_of(const address& source) noexcept {
    const std::string_view bytes{reinterpret_cast<const char*>(source.bytes.data()),
                                 source.bytes.size()};
    return source.is_v4() ? bytes : bytes.substr(0, 8);
}

} // namespace

admission::admission(entropy& random)
    : source_key_{siphash_key::draw(random)},
      reply_key_{siphash_key::draw(random)},
      buckets_(limits::stranger_buckets),
      networks_(limits::stranger_buckets) {}

admission::reception admission::receive(const address& source, time_point now) noexcept {
    auto& shared = buckets_[siphash(source_key_, network_of(source)) % buckets_.size()];
    const bool banned = now < shared.banned_until;
    const bool goes_on = !shared.patience.take(patience, now);
    // A ban ends when its source has been quiet, and not while it goes on.
    if (goes_on) shared.banned_until = now + ban;
    if (banned) return reception::banned;
    if (goes_on) return reception::ban;
    return shared.answers.take(answers, now) ? reception::answer : reception::ignore;
}

bool admission::paces(const address& source, time_point now) noexcept {
    const std::string_view bytes{reinterpret_cast<const char*>(source.bytes.data()),
                                 source.is_v4() ? std::size_t{15} : std::size_t{6}};
    auto& shared = networks_[siphash(source_key_, bytes) % networks_.size()];
    return shared.take(network_answers, now);
}

std::uint64_t admission::tell(tally kind, time_point now) noexcept {
    auto& of = tellings_[static_cast<std::size_t>(kind)];
    ++of.untold;
    return of.turns.take(tellings, now) ? std::exchange(of.untold, 0) : 0;
}

admission::reply admission::reply_to(const sip::message_view& request) const noexcept {
    const auto& via = request.top_via();
    auto mixed = siphash(reply_key_, via.branch);
    // A branch that is not unique, of a peer as old as RFC 2543, leaves it to the Call-ID.
    mixed = siphash({reply_key_.k0 ^ mixed, reply_key_.k1}, request.call_id());
    reply made;
    made.text[0] = 's'; // No tag of a dialog of ours begins so.
    write_hex(mixed >> 16, made.text.size() - 1, made.text.data() + 1);
    made.retry_after = 1 + static_cast<unsigned>(mixed % 5);
    return made;
}

bool admission::answered_before(const reply& how, const endpoint& source, time_point now) noexcept {
    constexpr duration kept = std::chrono::seconds{32};
    const auto same = [&](const answer_given& one) {
        return one.how.text == how.text && one.to == source && now - one.at < kept;
    };
    if (std::ranges::any_of(given_, same)) return true;
    given_[next_given_] = {how, source, now};
    next_given_ = (next_given_ + 1) % given_.size();
    return false;
}

} // namespace trunkline::trunks
