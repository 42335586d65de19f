#include "tls_session.hpp"

#include <utility>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <trunkline/core/address.hpp>
#include <trunkline/core/assert.hpp>

#include "tls_names.hpp"

namespace trunkline::net {

namespace {

[[nodiscard]] std::string last_words() {
    const auto code = ERR_get_error();
    const char* words = code != 0 ? ERR_reason_error_string(code) : nullptr;
    ERR_clear_error();
    return words != nullptr ? std::string{words} : std::string{"the handshake failed"};
}

} // namespace

/// Within the handshake, so that a peer who is somebody else is told.
int tls_session::verify(int good, X509_STORE_CTX* about) {
    const auto* ssl =
        static_cast<SSL*>(X509_STORE_CTX_get_ex_data(about, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto& self = *static_cast<tls_session*>(SSL_get_ex_data(ssl, 0));
    if (good != 1 || X509_STORE_CTX_get_error_depth(about) != 0) return good;
    auto* shown = X509_STORE_CTX_get_current_cert(about);
    if (certificate_is_for(shown, self.name_, self.context_->wildcards())) return 1;
    X509_STORE_CTX_set_error(about, X509_V_ERR_HOSTNAME_MISMATCH);
    self.reason_ = "the certificate is not for '" + self.name_ + "'";
    return 0;
}

tls_session::tls_session(std::shared_ptr<const tls_context> around, std::string_view name)
    : context_{std::move(around)},
      ssl_{SSL_new(context_->get())},
      from_peer_{BIO_new(BIO_s_mem())},
      to_peer_{BIO_new(BIO_s_mem())} {
    TRUNKLINE_ASSERT(ssl_ && from_peer_ && to_peer_);
    // An empty one has nothing yet, and is not at its end.
    BIO_set_mem_eof_return(from_peer_, -1);
    BIO_set_mem_eof_return(to_peer_, -1);
    SSL_set_bio(ssl_.get(), from_peer_, to_peer_);
    if (context_->is_server()) {
        SSL_set_accept_state(ssl_.get());
        return;
    }
    SSL_set_connect_state(ssl_.get());
    if (context_->verifies()) {
        name_ = name;
        SSL_set_ex_data(ssl_.get(), 0, this);
        SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER, verify);
    }
    // RFC 6066 section 3: a name without its final dot, and never an address.
    while (name.ends_with('.')) name.remove_suffix(1);
    if (!name.empty() && !address::parse(name)) {
        std::string shown{name};
        SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, shown.data());
    }
}

void tls_session::receive(std::span<const std::byte> secret) {
    if (state_ == state::failed || secret.empty()) return;
    BIO_write(from_peer_, secret.data(), static_cast<int>(secret.size()));
    if (state_ == state::handshake) advance();
}

void tls_session::advance() {
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl_.get());
    if (done != 1) {
        const int why = SSL_get_error(ssl_.get(), done);
        if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return;
        const auto verified = SSL_get_verify_result(ssl_.get());
        return fail(verified != X509_V_OK ? X509_verify_cert_error_string(verified) : last_words());
    }
    state_ = state::open;
}

void tls_session::fail(std::string why) {
    state_ = state::failed;
    if (reason_.empty()) reason_ = std::move(why);
    ERR_clear_error();
}

std::span<std::byte> tls_session::read(std::span<std::byte> into) {
    if (state_ != state::open) return {};
    ERR_clear_error();
    const int count = SSL_read(ssl_.get(), into.data(), static_cast<int>(into.size()));
    if (count > 0) return into.first(static_cast<std::size_t>(count));
    switch (SSL_get_error(ssl_.get(), count)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: break;
    case SSL_ERROR_ZERO_RETURN: state_ = state::ended; break;
    default:
        refused_ = ERR_GET_REASON(ERR_peek_error()) >= SSL_AD_REASON_OFFSET;
        fail(last_words());
    }
    return {};
}

/// A memory BIO takes all there is, so nothing is ever left half written.
bool tls_session::write(std::span<const std::byte> plain) {
    if (state_ != state::open && state_ != state::ended) return false;
    ERR_clear_error();
    const int count = SSL_write(ssl_.get(), plain.data(), static_cast<int>(plain.size()));
    if (count == static_cast<int>(plain.size())) return true;
    fail(last_words());
    return false;
}

void tls_session::close() {
    if (state_ != state::open && state_ != state::ended) return;
    ERR_clear_error();
    static_cast<void>(SSL_shutdown(ssl_.get()));
    ERR_clear_error();
}

void tls_session::take(std::vector<std::byte>& into) {
    const auto waiting = BIO_ctrl_pending(to_peer_);
    if (waiting == 0) return;
    const auto before = into.size();
    into.resize(before + waiting);
    const int count = BIO_read(to_peer_, into.data() + before, static_cast<int>(waiting));
    into.resize(before + static_cast<std::size_t>(count < 0 ? 0 : count));
}

} // namespace trunkline::net
