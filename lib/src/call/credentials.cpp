#include <trunkline/call/credentials.hpp>

#include <algorithm>
#include <array>

#include <trunkline/core/limits.hpp>
#include <trunkline/core/text.hpp>

namespace trunkline::calls {

credentials::realm* credentials::known(std::string_view name, bool proxy) {
    const auto found = std::ranges::find_if(
        realms_, [&](const realm& one) { return one.name == name && one.proxy == proxy; });
    return found == realms_.end() ? nullptr : &*found;
}

credentials::verdict credentials::take(const sip::message_view& response,
                                       const leg_settings& account) {
    if (account.auth_username.empty()) return verdict::no_account;
    bool answered = false;
    bool other_realm = false;
    bool repeated = false;
    std::array<realm*, most_realms> taken{}; // In this response: its other algorithms do not count.
    std::size_t count = 0;
    realms_.reserve(most_realms); // Nothing moves below.
    const auto consider = [&](std::string_view value, bool proxy) {
        const auto challenge = sip::challenge_view::parse(value);
        if (!challenge) return;
        if (!account.auth_realm.empty() &&
            sip::without_escapes(challenge->realm) != account.auth_realm) {
            other_realm = true;
            return;
        }
        auto* asks = known(challenge->realm, proxy);
        if (std::find(taken.begin(), taken.begin() + count, asks) != taken.begin() + count) return;
        if (asks == nullptr) {
            if (realms_.size() == most_realms) return;
            asks = &realms_.emplace_back(realm{std::string{challenge->realm}, proxy});
        }
        taken[count++] = asks;
        if (asks->rounds++ == limits::auth_retries || !asks->client.take(*challenge, proxy)) {
            repeated = true;
        }
        answered = true;
    };
    // A proxy that forks collects both kinds in one response, be it 401 or 407 (section 16.7); and
    // some ask by the other kind than the status names. Each is answered by its own header.
    response.each(sip::header::www_authenticate,
                  [&](std::string_view value) { consider(value, false); });
    response.each(sip::header::proxy_authenticate,
                  [&](std::string_view value) { consider(value, true); });
    if (repeated) return verdict::repeated;
    if (answered) return verdict::answered;
    return other_realm ? verdict::other_realm : verdict::not_understood;
}

void credentials::write(sip::writer& to, std::string_view method, std::string_view uri,
                        const leg_settings& account, entropy& random) {
    if (realms_.empty()) return;
    std::array<std::byte, 4096> room{};
    sip::writer lines{room};
    for (auto& each : realms_) {
        each.client.write(lines, account.auth_username, account.auth_password, method, uri, random);
    }
    const auto text = as_text(std::span{room}.first(lines.size()));
    if (method == "INVITE") of_invite_ = text;
    to.raw(text);
}

} // namespace trunkline::calls
