#include <trunkline/sip/digest.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/grammar.hpp>

namespace trunkline::sip {

using namespace grammar;

namespace {

using crypto::hash_algorithm;

/// How long a nonce may be answered, in milliseconds: as long as a transaction lives.
constexpr std::uint64_t nonce_life = 32'000;

[[nodiscard]] std::uint64_t milliseconds(time_point now) noexcept {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
}

[[nodiscard]] std::string_view without_plus(std::string_view number) noexcept {
    return number.starts_with('+') ? number.substr(1) : number;
}

/// RFC 7616 section 3.4.6 wants the URI of the credentials to name what the request names; RFC 3261
/// section 22.4 lets them differ, since a proxy on the way may have rewritten the request. Compared
/// is who is called, so that a password shown for one number opens no other: a telephone number
/// with or without "+", any other user as it is written. Left out is what callers write in their
/// own way, be it their domain, our name or our address, tel: or sip:, a port or a parameter; only
/// DNS knows whether two hosts are one, and is not asked for somebody who has not shown who he is.
/// A URI without a user names all of the house.
[[nodiscard]] bool same_callee(const uri_view& requested, std::string_view given) {
    const auto uri = uri_view::parse(given);
    if (!uri) return false;
    if (uri->scheme == uri_view::scheme_kind::other) return given == requested.text;
    if (uri->user.empty() || uri->user == requested.user) return true;
    const auto number = telephone_number(subscriber(*uri));
    return !number.empty() &&
           without_plus(number) == without_plus(telephone_number(subscriber(requested)));
}

struct pair {
    std::string_view name;
    std::string_view value;
};

/// auth-param *( COMMA auth-param ) after "Digest": cuts one off; an empty name is the end.
[[nodiscard]] result<pair> next_pair(std::string_view text, std::size_t& at) noexcept {
    at = skip_blank(text, at);
    while (at < text.size() && text[at] == ',') at = skip_blank(text, at + 1);
    if (at == text.size()) return pair{};
    pair read;
    const auto name = run(text, at, set::token);
    if (name == 0) return wrong(errc::bad_token, at);
    read.name = text.substr(at, name);
    at = skip_blank(text, at + name);
    if (at == text.size() || text[at] != '=') return wrong(errc::bad_token, at);
    at = skip_blank(text, at + 1);
    if (at < text.size() && text[at] == '"') {
        const auto end = after_quoted(text, at);
        if (!end) return end.reason();
        read.value = text.substr(at + 1, *end - at - 2);
        at = *end;
    } else {
        const auto value = run(text, at, set::token);
        if (value == 0) return wrong(errc::bad_token, at);
        read.value = text.substr(at, value);
        at += value;
    }
    at = skip_blank(text, at);
    if (at < text.size() && text[at] != ',') return wrong(errc::trailing_bytes, at);
    return read;
}

/// Calls `take(name, value)` for each parameter of a Digest value.
template <class Take>
[[nodiscard]] result<void> each_pair(std::string_view value, Take take) noexcept {
    const auto scheme = run(value, 0, set::token);
    if (!iequals(value.substr(0, scheme), "Digest")) return wrong(errc::not_supported, 0);
    auto at = scheme;
    while (true) {
        const auto one = next_pair(value, at);
        if (!one) return one.reason();
        if (one->name.empty()) return {};
        if (!take(one->name, one->value)) return wrong(errc::not_supported, at);
    }
}

[[nodiscard]] bool read_algorithm(std::string_view text, hash_algorithm& into) noexcept {
    if (iequals(text, "MD5"))
        into = hash_algorithm::md5;
    else if (iequals(text, "SHA-256"))
        into = hash_algorithm::sha256;
    else
        return false;
    return true;
}

/// The same text as a quoted-string has it, without its quotes.
[[nodiscard]] std::string with_escapes(std::string_view text) {
    std::string made;
    for (const char c : text) {
        if (c == '"' || c == '\\') made += '\\';
        made += c;
    }
    return made;
}

[[nodiscard]] std::optional<std::uint64_t> read_hex(std::string_view text) noexcept {
    std::uint64_t number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

} // namespace

result<challenge_view> challenge_view::parse(std::string_view value) noexcept {
    challenge_view read;
    bool qop_given = false;
    const auto done = each_pair(value, [&](std::string_view name, std::string_view text) {
        if (iequals(name, "realm"))
            read.realm = text;
        else if (iequals(name, "nonce"))
            read.nonce = text;
        else if (iequals(name, "opaque"))
            read.opaque = text;
        else if (iequals(name, "stale"))
            read.stale = iequals(text, "true");
        else if (iequals(name, "algorithm")) {
            read.algorithm_text = text;
            return read_algorithm(text, read.algorithm);
        } else if (iequals(name, "qop")) {
            qop_given = true;
            while (!text.empty()) read.qop_auth |= iequals(next_element(text), "auth");
        }
        return true;
    });
    if (!done) return done.reason();
    if (read.nonce.empty()) return wrong(errc::missing, value.size());
    if (qop_given && !read.qop_auth) return wrong(errc::not_supported, value.size());
    return read;
}

result<authorization_view> authorization_view::parse(std::string_view value) noexcept {
    authorization_view read;
    const auto done = each_pair(value, [&](std::string_view name, std::string_view text) {
        if (iequals(name, "username"))
            read.username = text;
        else if (iequals(name, "realm"))
            read.realm = text;
        else if (iequals(name, "nonce"))
            read.nonce = text;
        else if (iequals(name, "uri"))
            read.uri = text;
        else if (iequals(name, "response"))
            read.response = text;
        else if (iequals(name, "cnonce"))
            read.cnonce = text;
        else if (iequals(name, "nc"))
            read.nc = text;
        else if (iequals(name, "qop"))
            read.qop = text;
        else if (iequals(name, "algorithm"))
            return read_algorithm(text, read.algorithm);
        return true;
    });
    if (!done) return done.reason();
    return read;
}

std::string without_escapes(std::string_view quoted) {
    std::string made;
    made.reserve(quoted.size());
    for (std::size_t at = 0; at < quoted.size(); ++at) {
        if (quoted[at] == '\\' && at + 1 < quoted.size()) ++at;
        made += quoted[at];
    }
    return made;
}

crypto::hex_digest digest_response(const digest_input& from) {
    const auto a1 =
        crypto::hash(from.algorithm, {from.username, ":", from.realm, ":", from.password});
    const auto a2 = crypto::hash(from.algorithm, {from.method, ":", from.uri});
    if (!from.qop_auth) {
        return crypto::hash(from.algorithm, {a1.view(), ":", from.nonce, ":", a2.view()});
    }
    return crypto::hash(from.algorithm, {a1.view(), ":", from.nonce, ":", from.nc, ":", from.cnonce,
                                         ":auth:", a2.view()});
}

bool digest_client::take(const challenge_view& what, bool proxy) {
    const bool repeated = ready_ && !what.stale;
    realm_ = what.realm;
    nonce_ = what.nonce;
    opaque_ = what.opaque;
    algorithm_text_ = what.algorithm_text;
    algorithm_ = what.algorithm;
    qop_auth_ = what.qop_auth;
    proxy_ = proxy;
    ready_ = true;
    used_ = 0;
    return !repeated;
}

void digest_client::write(writer& to, std::string_view user, std::string_view password,
                          std::string_view method, std::string_view uri, entropy& random) {
    if (!ready_) return;
    std::array<char, 16> cnonce_text{};
    std::array<char, 8> count_text{};
    const auto cnonce = random.token(cnonce_text);
    write_hex(++used_, count_text.size(), count_text.data());
    const std::string_view count{count_text.data(), count_text.size()};
    const auto response =
        digest_response({algorithm_, user, password, without_escapes(realm_),
                         without_escapes(nonce_), count, cnonce, method, uri, qop_auth_});
    to.name(proxy_ ? header::proxy_authorization : header::authorization)
        .raw("Digest username=\"")
        .text(with_escapes(user))
        .raw("\",realm=\"")
        .text(realm_)
        .raw("\",nonce=\"")
        .text(nonce_)
        .raw("\",uri=\"")
        .text(uri)
        .raw("\",response=\"")
        .raw(response.view())
        .raw("\"");
    if (!algorithm_text_.empty()) to.raw(",algorithm=").text(algorithm_text_);
    if (qop_auth_) to.raw(",qop=auth,nc=").raw(count).raw(",cnonce=\"").raw(cnonce).raw("\"");
    if (!opaque_.empty()) to.raw(",opaque=\"").text(opaque_).raw("\"");
    to.line();
}

/// Sixteen hex digits of milliseconds, then half a MAC. The port is left out of the source: a NAT
/// may give the second request another one.
digest_server::nonce_text digest_server::make_nonce(std::uint64_t made, const endpoint& source,
                                                    std::string_view call_id) const {
    nonce_text text;
    write_hex(made, 16, text.text.data());
    std::string covered{text.text.data(), 16};
    covered.append(reinterpret_cast<const char*>(source.address.bytes.data()),
                   source.address.bytes.size());
    covered.append(call_id);
    const auto mac = crypto::hmac_sha256(key_, covered);
    for (std::size_t i = 0; i < 16; ++i) {
        write_hex(static_cast<std::uint64_t>(mac[i]), 2, text.text.data() + 16 + 2 * i);
    }
    return text;
}

digest_server::verdict digest_server::check(const authorization_view& what, const account& wanted,
                                            const asked& by, time_point now) {
    if (what.nonce.empty() || what.response.empty()) return verdict::none;
    // Before the password, so that this answer says nothing about it.
    const auto realm = without_escapes(what.realm);
    const auto username = without_escapes(what.username);
    const auto cnonce = without_escapes(what.cnonce);
    if (realm == wanted.realm && !same_callee(by.uri, what.uri)) return verdict::elsewhere;
    // With the user that is wanted, not with the one that is given: an unknown one costs as much.
    const auto response =
        digest_response({what.algorithm, wanted.username, wanted.password, wanted.realm, what.nonce,
                         what.nc, cnonce, by.method, what.uri, iequals(what.qop, "auth")});
    // Everything is compared whatever came before, so that no answer comes sooner than another.
    const auto differ = [](std::string_view a, std::string_view b) {
        return crypto::equal_in_constant_time(a, b) ? 0U : 1U;
    };
    const auto differing = differ(response.view(), what.response) |
                           differ(wanted.username, username) | differ(wanted.realm, realm);
    if (differing != 0 || !iequals(what.qop, "auth")) return verdict::wrong;
    const auto made = read_hex(what.nonce.substr(0, 16));
    const auto count = read_hex(what.nc);
    if (!made || !count || *count == 0 || what.nc.size() != 8) return verdict::wrong;
    const auto ours = make_nonce(*made, by.source, by.call_id);
    if (!crypto::equal_in_constant_time(ours.view(), what.nonce)) return verdict::stale;
    const auto present = milliseconds(now);
    if (*made > present || present - *made > nonce_life) return verdict::stale;
    const auto id = read_hex(what.nonce.substr(16, 16)).value_or(0);
    const auto fresh = use_up(id, *made, static_cast<std::uint32_t>(*count), present);
    return fresh ? verdict::good : verdict::stale;
}

bool digest_server::issued(std::string_view nonce, const endpoint& source, std::string_view call_id,
                           time_point now) const {
    const auto made = read_hex(nonce.substr(0, 16));
    if (!made) return false;
    const auto present = milliseconds(now);
    if (*made > present || present - *made > nonce_life) return false;
    return crypto::equal_in_constant_time(make_nonce(*made, source, call_id).view(), nonce);
}

/// Whether the count is a new one of its nonce (RFC 7616 section 3.4: nc), which it is from then on
/// no more.
bool digest_server::use_up(std::uint64_t nonce, std::uint64_t made, std::uint32_t nc,
                           std::uint64_t present) {
    auto& on = used_[nonce % used_.size()];
    auto place = std::ranges::find_if(
        on.uses, [&](const use& each) { return each.nonce == nonce && each.made == made; });
    if (place != on.uses.end()) {
        if (nc <= place->nc) return false;
    } else {
        if (nc != 1 || made <= on.forgotten) return false;
        place = std::ranges::min_element(on.uses, {}, &use::made);
        const bool alive = place->nc != 0 && present - place->made <= nonce_life;
        if (alive) on.forgotten = std::max(on.forgotten, place->made);
    }
    *place = {nonce, made, nc};
    return true;
}

void digest_server::write_challenge(writer& to, std::string_view realm, const endpoint& source,
                                    std::string_view call_id, bool stale, time_point now,
                                    bool md5_only) const {
    const auto nonce = make_nonce(milliseconds(now), source, call_id);
    for (const std::string_view algorithm : {"SHA-256", "MD5"}) {
        if (md5_only && algorithm != "MD5") continue;
        to.name(header::www_authenticate)
            .raw("Digest realm=\"")
            .text(with_escapes(realm))
            .raw("\",nonce=\"")
            .raw(nonce.view())
            .raw("\",algorithm=")
            .raw(algorithm)
            .raw(",qop=\"auth\"")
            .raw(stale ? ",stale=true" : "")
            .line();
    }
}

} // namespace trunkline::sip
