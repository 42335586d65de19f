// Digest authentication, RFC 7616 and RFC 8760 with RFC 3261 section 22: MD5 and SHA-256, qop=auth.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/core/address.hpp>
#include <trunkline/core/entropy.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/result.hpp>
#include <trunkline/core/time.hpp>
#include <trunkline/crypto/hash.hpp>
#include <trunkline/sip/uri.hpp>
#include <trunkline/sip/writer.hpp>

namespace trunkline::sip {

/// One WWW-Authenticate or Proxy-Authenticate value. Borrows; quotes are taken off, and
/// quoted-pairs stay as written: see without_escapes().
struct TRUNKLINE_EXPORT challenge_view {
    std::string_view realm;
    std::string_view nonce;
    std::string_view opaque;
    crypto::hash_algorithm algorithm = crypto::hash_algorithm::md5;
    std::string_view algorithm_text; ///< As written; empty when it was not named.
    bool qop_auth = false;
    bool stale = false;

    /// errc::not_supported for another scheme, algorithm or qop: the next challenge may do.
    [[nodiscard]] static result<challenge_view> parse(std::string_view value) noexcept;
};

/// One Authorization or Proxy-Authorization value. Borrows.
struct TRUNKLINE_EXPORT authorization_view {
    std::string_view username;
    std::string_view realm;
    std::string_view nonce;
    std::string_view uri;
    std::string_view response;
    std::string_view cnonce;
    std::string_view nc;
    std::string_view qop;
    crypto::hash_algorithm algorithm = crypto::hash_algorithm::md5;

    [[nodiscard]] static result<authorization_view> parse(std::string_view value) noexcept;
};

/// What a quoted-string says: of each quoted-pair its second character (RFC 3261 section 25.1).
/// This is what is hashed and compared, and what was written is what is written again.
[[nodiscard]] TRUNKLINE_EXPORT std::string without_escapes(std::string_view quoted);

/// H(A1) ":" nonce ":" nc ":" cnonce ":" qop ":" H(A2), or the shorter form without qop.
struct digest_input {
    crypto::hash_algorithm algorithm;
    std::string_view username;
    std::string_view password;
    std::string_view realm;
    std::string_view nonce;
    std::string_view nc;     ///< Eight hex digits; unused without qop.
    std::string_view cnonce; ///< Unused without qop.
    std::string_view method;
    std::string_view uri;
    bool qop_auth;
};
[[nodiscard]] TRUNKLINE_EXPORT crypto::hex_digest digest_response(const digest_input& from);

/// Answers challenges for one user. Keeps what in-dialog requests need to be sent with credentials
/// at once: the last challenge, and how often its nonce was used.
class TRUNKLINE_EXPORT digest_client {
public:
    /// Takes the challenge over; false when it repeats one that was answered already without saying
    /// stale, which means that the password is wrong.
    [[nodiscard]] bool take(const challenge_view& what, bool proxy);
    [[nodiscard]] bool ready() const noexcept { return ready_; }

    /// The whole header line for a request, nothing before take().
    void write(writer& to, std::string_view user, std::string_view password,
               std::string_view method, std::string_view uri, entropy& random);

private:
    std::string realm_;
    std::string nonce_;
    std::string opaque_;
    std::string algorithm_text_;
    crypto::hash_algorithm algorithm_ = crypto::hash_algorithm::md5;
    bool qop_auth_ = false;
    bool proxy_ = false;
    bool ready_ = false;
    std::uint32_t used_ = 0;
};

/// Checks credentials without a table of nonces: a nonce is its time and a MAC over time, source
/// and Call-ID, and lives for 32 s. Only the last nc of each nonce is kept, in a table of fixed
/// size; a nonce that may have fallen out of it is stale.
class TRUNKLINE_EXPORT digest_server {
public:
    using key = std::array<std::byte, 32>;
    enum class verdict : std::uint8_t {
        good,
        none,      ///< No credentials at all.
        wrong,     ///< The user, the password, or anything else: nobody is told which.
        stale,     ///< Right, but for a nonce that is too old, used up, or not for this request.
        elsewhere, ///< For another callee than the request's, whoever it is from.
    };

    /// One key for all shards, so that any of them knows the nonce of another.
    explicit digest_server(const key& secret) : key_{secret}, used_(shelves) {}

    struct account {
        std::string_view realm;
        std::string_view username;
        std::string_view password;
    };
    /// What of a request its credentials are bound to.
    struct asked {
        std::string_view method;
        const uri_view& uri;
        const endpoint& source;
        std::string_view call_id;
    };
    [[nodiscard]] verdict check(const authorization_view& what, const account& wanted,
                                const asked& by, time_point now);
    /// Whether a challenge of ours had it, for that source and call, not too long ago.
    [[nodiscard]] bool issued(std::string_view nonce, const endpoint& source,
                              std::string_view call_id, time_point now) const;
    /// Two WWW-Authenticate lines, SHA-256 first (RFC 8760 section 2.4), or that of MD5 alone.
    void write_challenge(writer& to, std::string_view realm, const endpoint& source,
                         std::string_view call_id, bool stale, time_point now,
                         bool md5_only = false) const;

private:
    static constexpr std::size_t shelves = 1024;
    struct use {
        std::uint64_t nonce = 0;
        std::uint64_t made = 0; ///< In milliseconds, as the nonce says.
        std::uint32_t nc = 0;
    };
    /// Where the uses of a nonce are found. When it is full the oldest one gives way, and from then
    /// on nothing as old as that is taken for new.
    struct shelf {
        std::array<use, 8> uses{};
        std::uint64_t forgotten = 0;
    };
    struct nonce_text {
        std::array<char, 48> text{};
        [[nodiscard]] std::string_view view() const noexcept { return {text.data(), text.size()}; }
    };
    [[nodiscard]] nonce_text make_nonce(std::uint64_t made, const endpoint& source,
                                        std::string_view call_id) const;
    [[nodiscard]] bool use_up(std::uint64_t nonce, std::uint64_t made, std::uint32_t nc,
                              std::uint64_t present);

    key key_;
    std::vector<shelf> used_;
};

} // namespace trunkline::sip
