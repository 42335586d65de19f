// What a trace must not show: passwords' traces and media keys. Everything else stays readable.
#pragma once

#include <string>
#include <string_view>

namespace softswitch {

/// The value of a header. Of digest credentials and challenges the names of who and where remain
/// (username, realm, uri, algorithm, qop, nc); the rest is "***". Other schemes hide all.
[[nodiscard]] std::string masked_header(std::string_view name, std::string_view value);

/// A line of a body. Hides the keys of a=crypto, a=key-mgmt, a=ice-pwd and k=.
[[nodiscard]] std::string masked_body_line(std::string_view line);

/// "sip:user:***@host" for a URI with a password in it, anywhere in the text.
[[nodiscard]] std::string masked_uri(std::string_view text);

/// A message as it stands on the wire, well formed or not, folded headers and bare line feeds
/// included.
[[nodiscard]] std::string masked_message(std::string_view message);

} // namespace softswitch
