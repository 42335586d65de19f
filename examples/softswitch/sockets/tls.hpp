// What is asked of a certificate, and what was wrong with one, in words.
#pragma once

#include <string>

#include <asio/error_code.hpp>
#include <openssl/ssl.h>

namespace softswitch {

/// The certificate has to be one of `host`, a name or an IP address, which is then told to the
/// server, too. False: nothing can be compared, and there must be no handshake.
[[nodiscard]] bool expect_certificate_of(SSL& tls, const std::string& host);

/// After a handshake that failed; the end of a sentence.
[[nodiscard]] std::string why_no_tls(SSL& tls, const asio::error_code& failed);

} // namespace softswitch
