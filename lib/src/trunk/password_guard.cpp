#include <trunkline/trunk/password_guard.hpp>

#include <algorithm>
#include <chrono>

namespace trunkline::trunks {

using namespace std::chrono_literals;

namespace {

/// Guesses that are forgotten when none came for so long.
constexpr duration memory = 10min;
constexpr duration ban = 10min;
constexpr duration longest_wait = 60s;
constexpr duration shown_for = 1h;
/// A person who mistypes, or a telephone with an old password, stays far below.
constexpr std::uint32_t most_strikes = 20;
/// Many sources that guess at one trunk have fewer tries each.
constexpr auto together = token_rate::per_second(1, 60);
constexpr std::uint32_t strikes_together = 7;

[[nodiscard]] std::string_view network_of(const address& source) noexcept {
    const std::string_view bytes{reinterpret_cast<const char*>(source.bytes.data()),
                                 source.bytes.size()};
    return source.is_v4() ? bytes : bytes.substr(0, 8);
}

} // namespace

password_guard::entry* password_guard::table::find(std::uint64_t key) {
    auto& shelf = shelves_[key % shelves_.size()];
    const auto found = std::ranges::find(shelf, key, &entry::key);
    return found == shelf.end() ? nullptr : &*found;
}

const password_guard::entry* password_guard::table::find(std::uint64_t key) const {
    const auto& shelf = shelves_[key % shelves_.size()];
    const auto found = std::ranges::find(shelf, key, &entry::key);
    return found == shelf.end() ? nullptr : &*found;
}

password_guard::entry& password_guard::table::at(std::uint64_t key, time_point now) {
    auto* found = find(key);
    if (found == nullptr) {
        found = &*std::ranges::min_element(shelves_[key % shelves_.size()], {}, &entry::last);
        *found = {.key = key};
    }
    found->last = now;
    return *found;
}

void password_guard::table::erase(std::uint64_t key) {
    if (auto* found = find(key)) *found = {};
}

password_guard::password_guard(entropy& random) : key_{siphash_key::draw(random)} {}

std::uint64_t password_guard::key_of(const address& source) const {
    return std::max<std::uint64_t>(1, siphash(key_, network_of(source)));
}

/// The names lie behind the hash of the source, each hashed by itself, so that no two of them can
/// be cut in another way.
std::uint64_t password_guard::key_of(const asker& by) const {
    const auto user = siphash({key_.k0 ^ key_of(by.source), key_.k1}, by.user);
    return std::max<std::uint64_t>(1, siphash({key_.k0, key_.k1 ^ user}, by.trunk));
}

bool password_guard::has_shown(const address& source, time_point now) const {
    const auto* found = shown_.find(key_of(source));
    return found != nullptr && now - found->last < shown_for;
}

bool password_guard::banned(const address& source, time_point now) const {
    const auto* found = sources_.find(key_of(source));
    return found != nullptr && now < found->banned_until && !has_shown(source, now);
}

password_guard::waiting password_guard::ask(const asker& by, time_point now) {
    const bool shown = has_shown(by.source, now);
    auto* found = shown ? users_.find(key_of(by)) : sources_.find(key_of(by.source));
    if (found == nullptr) return {};
    if (!shown && now < found->banned_until) return {verdict::banned, 0, false};
    if (now >= found->wait_until) return {};
    const auto left = std::chrono::ceil<std::chrono::seconds>(found->wait_until - now);
    waiting told{verdict::wait, static_cast<unsigned>(left.count()), false};
    if (!shown && ++found->strikes >= most_strikes) {
        found->banned_until = now + ban;
        told.ban = true;
    }
    return told;
}

password_guard::entry& password_guard::struck(const asker& by, time_point now) {
    const bool shown = has_shown(by.source, now);
    auto& of = shown ? users_ : sources_;
    const auto key = shown ? key_of(by) : key_of(by.source);
    if (const auto* known = of.find(key); known != nullptr && now - known->last >= memory) {
        of.erase(key);
    }
    return of.at(key, now);
}

bool password_guard::wrong(const asker& by, unsigned free, time_point now) {
    auto& heat = trunks_[siphash(key_, by.trunk) % trunks_.size()];
    const bool many = !heat.take(together, now);
    auto& of = struck(by, now);
    ++of.wrong;
    of.strikes += many ? strikes_together : 1;
    if (of.wrong >= free) {
        const auto doubled = std::min(of.wrong - free, 6U);
        of.wait_until = now + std::min<duration>(longest_wait, 1s * (1U << doubled));
    }
    if (of.strikes < most_strikes || has_shown(by.source, now)) return false;
    of.banned_until = now + ban;
    return true;
}

void password_guard::right(const asker& by, time_point now) {
    static_cast<void>(shown_.at(key_of(by.source), now));
    sources_.erase(key_of(by.source));
    users_.erase(key_of(by));
}

} // namespace trunkline::trunks
