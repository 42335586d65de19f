#include "tls.hpp"

#include <asio/ssl/error.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <trunkline/core/address.hpp>

namespace softswitch {

bool expect_certificate_of(SSL& tls, const std::string& host) {
    if (trunkline::address::parse(host)) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(&tls), host.c_str()) == 1;
    }
    // RFC 6066 section 3: a name, never an address.
    auto name = host;
    SSL_ctrl(&tls, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
    SSL_set_hostflags(&tls, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(&tls, host.c_str()) == 1;
}

/// That verification failed would help nobody who has to mend it.
std::string why_no_tls(SSL& tls, const asio::error_code& failed) {
    const auto verdict = SSL_get_verify_result(&tls);
    if (verdict == X509_V_ERR_HOSTNAME_MISMATCH) return "TLS: its certificate is of another name";
    if (verdict == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        return "TLS: its certificate is of another address";
    }
    if (verdict != X509_V_OK) {
        return fmt::format("TLS: its certificate: {}", X509_verify_cert_error_string(verdict));
    }
    const bool no_tls =
        failed.category() == asio::error::get_ssl_category() &&
        ERR_GET_REASON(static_cast<unsigned long>(failed.value())) == SSL_R_WRONG_VERSION_NUMBER;
    return no_tls ? "TLS: it does not speak TLS" : fmt::format("TLS: {}", failed.message());
}

} // namespace softswitch
