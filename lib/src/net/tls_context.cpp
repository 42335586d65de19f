#include "tls_context.hpp"

#include <string>
#include <utility>

#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace trunkline::net {

namespace {

using context_owner = std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>>;

/// What OpenSSL has against it, in its own words.
[[nodiscard]] std::string reason() {
    const auto code = ERR_peek_last_error();
    const char* words = ERR_reason_error_string(code);
    ERR_clear_error();
    return words != nullptr ? std::string{words} : std::string{"it cannot be used"};
}

[[nodiscard]] tls_error wrong(std::string field, const std::string& file) {
    return {std::move(field), "'" + file + "': " + reason()};
}

[[nodiscard]] result<std::shared_ptr<const tls_context>, tls_error>
open_tls(const tls_settings& from, bool server) {
    ERR_clear_error();
    context_owner made{SSL_CTX_new(server ? TLS_server_method() : TLS_client_method())};
    if (!made) return tls_error{"", reason()};
    SSL_CTX_set_min_proto_version(made.get(), TLS1_2_VERSION);
    // A connection lives for days and carries what is not compressed: nothing is gained by either.
    SSL_CTX_set_options(made.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                        SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(made.get(), SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(made.get(), SSL_SESS_CACHE_OFF);
    if (server) SSL_CTX_set_num_tickets(made.get(), 0);
    // Carriers show one certificate for both directions, often without clientAuth among its uses
    // (RFC 5924 is hardly ever followed): of who calls us it counts who vouches for it, not what
    // for. Whom we call has to show a server's: those of a carrier's customers have the same
    // authority.
    if (server) SSL_CTX_set_purpose(made.get(), X509_PURPOSE_ANY);
    if (from.ca.empty()) {
        if (SSL_CTX_set_default_verify_paths(made.get()) != 1) {
            return tls_error{"ca", "the system's certificates cannot be read; name a file"};
        }
    } else {
        if (SSL_CTX_load_verify_locations(made.get(), from.ca.c_str(), nullptr) != 1) {
            return wrong("ca", from.ca);
        }
        if (server) {
            auto* names = SSL_load_client_CA_file(from.ca.c_str());
            if (names != nullptr) SSL_CTX_set_client_CA_list(made.get(), names);
        }
    }
    if (server && from.certificate.empty()) {
        return tls_error{"certificate", "who is connected to by TLS needs a certificate"};
    }
    if (!from.certificate.empty()) {
        if (SSL_CTX_use_certificate_chain_file(made.get(), from.certificate.c_str()) != 1) {
            return wrong("certificate", from.certificate);
        }
        const auto& key = from.key.empty() ? from.certificate : from.key;
        if (SSL_CTX_use_PrivateKey_file(made.get(), key.c_str(), SSL_FILETYPE_PEM) != 1 ||
            SSL_CTX_check_private_key(made.get()) != 1) {
            return wrong("key", key);
        }
    } else if (!from.key.empty()) {
        return tls_error{"key", "a key needs its certificate beside it"};
    }
    if (server) {
        SSL_CTX_set_verify(made.get(),
                           from.verify ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                                       : SSL_VERIFY_NONE,
                           nullptr);
    } else {
        SSL_CTX_set_verify(made.get(), from.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    }
    ERR_clear_error();
    return std::make_shared<const tls_context>(made.release(), from, server);
}

} // namespace

result<std::shared_ptr<const tls_context>, tls_error> open_tls_client(const tls_settings& from) {
    return open_tls(from, false);
}

result<std::shared_ptr<const tls_context>, tls_error> open_tls_server(const tls_settings& from) {
    return open_tls(from, true);
}

void tls_profiles::serve(std::shared_ptr<const tls_context> what) {
    const std::lock_guard held{guard_};
    server_ = std::move(what);
}

tls_profiles::lease tls_profiles::add(std::shared_ptr<const tls_context> what) {
    if (!what) return {};
    const auto* context = what.get();
    const std::lock_guard held{guard_};
    // 0 is nobody's, and after four thousand million there may be some that still stand.
    do ++last_;
    while (last_ == 0 || clients_.contains(last_));
    const auto number = last_;
    clients_.emplace(number, std::move(what));
    return {number,
            std::shared_ptr<const void>{context, [from = weak_from_this(), number](const void*) {
                                            if (const auto there = from.lock())
                                                there->forget(number);
                                        }}};
}

void tls_profiles::forget(std::uint32_t profile) noexcept {
    const std::lock_guard held{guard_};
    clients_.erase(profile);
}

std::shared_ptr<const tls_context> tls_profiles::server() const {
    const std::lock_guard held{guard_};
    return server_;
}

std::shared_ptr<const tls_context> tls_profiles::client(std::uint32_t profile) const {
    const std::lock_guard held{guard_};
    const auto found = clients_.find(profile);
    return found == clients_.end() ? nullptr : found->second;
}

} // namespace trunkline::net
