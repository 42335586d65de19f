// Whom a certificate is for, RFC 5922 section 7.
#pragma once

#include <string_view>

#include <openssl/x509.h>

namespace trunkline::net {

/// Whether the certificate is for a host: by its SIP URIs, else by its DNS names and addresses, and
/// only without any of those by its common name. `wildcards` lets "*" stand for the left-most
/// label, which section 7.2 forbids and many carriers have.
[[nodiscard]] bool certificate_is_for(X509* shown, std::string_view host, bool wildcards);

} // namespace trunkline::net
