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

/// How long a nonce may be answered: as long as a transaction lives.
constexpr std::uint64_t nonce_life = 32;

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
        if (read.value.find('\\') != std::string_view::npos) return wrong(errc::bad_quote, at);
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
    const auto response = digest_response(
        {algorithm_, user, password, realm_, nonce_, count, cnonce, method, uri, qop_auth_});
    to.name(proxy_ ? header::proxy_authorization : header::authorization)
        .raw("Digest username=\"")
        .text(user)
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

/// Sixteen hex digits of seconds, then half a MAC. The port is left out of the source: a NAT may
/// give the second request another one.
digest_server::nonce_text digest_server::make_nonce(std::uint64_t seconds, const endpoint& source,
                                                    std::string_view call_id) const {
    nonce_text made;
    write_hex(seconds, 16, made.text.data());
    std::string covered{made.text.data(), 16};
    covered.append(reinterpret_cast<const char*>(source.address.bytes.data()),
                   source.address.bytes.size());
    covered.append(call_id);
    const auto mac = crypto::hmac_sha256(key_, covered);
    for (std::size_t i = 0; i < 16; ++i) {
        write_hex(static_cast<std::uint64_t>(mac[i]), 2, made.text.data() + 16 + 2 * i);
    }
    return made;
}

digest_server::verdict digest_server::check(const authorization_view& what, const account& wanted,
                                            std::string_view method, const endpoint& source,
                                            std::string_view call_id, time_point now) {
    if (what.nonce.empty() || what.response.empty()) return verdict::none;
    const auto response =
        digest_response({what.algorithm, wanted.username, wanted.password, wanted.realm, what.nonce,
                         what.nc, what.cnonce, method, what.uri, iequals(what.qop, "auth")});
    // Everything is compared whatever came before, so that no answer comes sooner than another.
    const auto differ = [](std::string_view a, std::string_view b) {
        return crypto::equal_in_constant_time(a, b) ? 0U : 1U;
    };
    const auto differing = differ(response.view(), what.response) |
                           differ(wanted.username, what.username) |
                           differ(wanted.realm, what.realm);
    if (differing != 0 || !iequals(what.qop, "auth")) return verdict::wrong;
    const auto seconds = read_hex(what.nonce.substr(0, 16));
    const auto count = read_hex(what.nc);
    if (!seconds || !count || *count == 0 || what.nc.size() != 8) return verdict::wrong;
    const auto made = make_nonce(*seconds, source, call_id);
    if (!crypto::equal_in_constant_time(made.view(), what.nonce)) return verdict::stale;
    const auto present = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
    if (*seconds > present || present - *seconds > nonce_life) return verdict::stale;
    const auto id = read_hex(what.nonce.substr(16, 16)).value_or(0);
    auto& last = used_[id % slots];
    const bool known = last.nonce == id;
    if (known && *count <= last.nc) return verdict::stale;
    if (!known && *count != 1) return verdict::stale;
    last = {id, static_cast<std::uint32_t>(*count)};
    return verdict::good;
}

void digest_server::write_challenge(writer& to, std::string_view realm, const endpoint& source,
                                    std::string_view call_id, bool stale, time_point now,
                                    bool md5_only) const {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    const auto nonce = make_nonce(static_cast<std::uint64_t>(seconds), source, call_id);
    for (const std::string_view algorithm : {"SHA-256", "MD5"}) {
        if (md5_only && algorithm != "MD5") continue;
        to.name(header::www_authenticate)
            .raw("Digest realm=\"")
            .text(realm)
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
