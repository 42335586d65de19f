// Passwords of callers: what a request shows, what is wrong with it, and what becomes of guessers.
#include <algorithm>
#include <array>
#include <utility>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/writer.hpp>
#include <trunkline/trunk/engine.hpp>

namespace trunkline::trunks {

using sip::header;

engine::shown_credentials engine::credentials_of(const flow_info& from, time_point now) const {
    constexpr std::size_t most = 4; // Each costs a hash before anything is known of it.
    shown_credentials found;
    std::size_t looked = 0;
    message_->each(header::authorization, [&](std::string_view value) {
        if (found.count == found.ours.size() || looked == most) return;
        const auto given = sip::authorization_view::parse(value);
        if (!given || given->nonce.empty()) return;
        ++looked;
        if (digest_.issued(given->nonce, from.peer, message_->call_id(), now))
            found.ours[found.count++] = *given;
        else
            found.others = true;
    });
    return found;
}

/// Of a guesser's source nothing is compared, nor answered, for a while; the trunk's other callers
/// never notice.
engine::refusal engine::check_credentials(const trunk& on, const flow_info& from, time_point now,
                                          outbox& out) {
    if (!on.config.inbound_auth) return {};
    const auto& wanted = *on.config.inbound_auth;
    const auto& realm = wanted.realm.empty() ? on.config.name : wanted.realm;
    const auto& source = from.peer.address;
    using verdict = sip::digest_server::verdict;
    using guard = password_guard::verdict;
    const auto silent = [] { return refusal{-1, diagnostic::refused_unauthorized, {}, banned}; };
    if (passwords_.banned(source, now)) return silent();
    const auto shown = credentials_of(from, now);
    const auto user = shown.count > 0 ? shown.ours.front().username : std::string_view{};
    const password_guard::asker asks{source, on.config.name, user};
    if (const auto told = shown.count > 0 ? passwords_.ask(asks, now) : password_guard::waiting{};
        told.what == guard::wait) {
        if (told.ban) {
            refuse_login(on, from, user, true, out);
            return silent();
        }
        return {503, diagnostic::refused_unauthorized,
                "Retry-After: " + std::to_string(told.seconds) + "\r\n", too_soon};
    }
    // A nonce that is none of ours says nothing about the password, and is told nothing about it.
    auto how = shown.others ? verdict::stale : verdict::none;
    for (std::size_t i = 0; i < shown.count && how != verdict::good; ++i) {
        how = digest_.check(
            shown.ours[i], {realm, wanted.username, wanted.password},
            {message_->method_text(), message_->request_uri(), from.peer, message_->call_id()},
            now);
    }
    if (how == verdict::good) {
        passwords_.right(asks, now);
        return {};
    }
    if (how == verdict::elsewhere) return {400, diagnostic::refused_unauthorized, {}, elsewhere};
    if (how == verdict::wrong) {
        // No more guesses at once than there may be calls.
        constexpr unsigned free = 7;
        const bool ban = passwords_.wrong(asks, std::min(free, on.config.calls_per_second), now);
        refuse_login(on, from, user, ban, out);
    }
    const auto challenge = [&](bool md5_only) {
        std::array<std::byte, 1024> lines{};
        sip::writer to{lines};
        digest_.write_challenge(to, realm, from.peer, message_->call_id(), how == verdict::stale,
                                now, md5_only);
        return std::string{as_text(std::span{lines}.first(to.size()))};
    };
    const auto detail = how == verdict::wrong   ? wrong_password
                        : how == verdict::stale ? stale
                                                : not_given;
    refusal made{401, diagnostic::refused_unauthorized, challenge(wanted.md5_only), detail};
    // Every caller speaks MD5.
    made.shorter = challenge(true);
    return made;
}

/// By a connection, by a password within the last hour, by an answer to a nonce of ours, or by an
/// address that identifies a carrier. A datagram shows nothing else: anybody can write its source.
bool engine::has_shown(const trunk& on, const flow_info& from, time_point now) const {
    if (from.transport != transport::udp || passwords_.has_shown(from.peer.address, now)) {
        return true;
    }
    if (known_to(on, from.peer.address)) return true;
    return on.config.inbound_auth && credentials_of(from, now).count != 0;
}

void engine::refuse_login(const trunk& on, const flow_info& from, std::string_view user, bool ban,
                          outbox& out) {
    constexpr std::size_t most = 128; // Of a name that a stranger wrote.
    logins_.push_back({on.config.name, from.peer, std::string{user.substr(0, most)}, ban});
    out.tell(owner_id::none, login_event);
}

} // namespace trunkline::trunks
