// Where a webhook goes.
#pragma once

#include <string>
#include <string_view>

namespace softswitch {

/// What is wrong with it, as the end of a sentence; empty when nothing is.
[[nodiscard]] std::string wrong_with_webhook_url(std::string_view text);

/// "https://host": what may be shown. The path, the query, a name and a password are nobody's
/// business.
[[nodiscard]] std::string receiver_of(std::string_view url);

} // namespace softswitch
