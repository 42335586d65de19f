// /calls: placing them, looking at them, ending them.
#pragma once

#include <nlohmann/json.hpp>

#include "calls/call_view.hpp"
#include "exchange.hpp"

namespace softswitch {

namespace handlers {

/// Those in progress; with ?ended=true those of the latest events that have ended, newest first.
[[nodiscard]] http_response list_calls(const exchange& of);
/// With an Idempotency-Key the answer is kept before anybody is dialled: whoever repeats the
/// request after a time-out, or after we crashed, never rings twice.
[[nodiscard]] http_response place_call(const exchange& of);
[[nodiscard]] http_response get_call(const exchange& of);
[[nodiscard]] http_response hang_up_call(const exchange& of);
/// 501: the library sends no REFER yet.
[[nodiscard]] http_response transfer_call(const exchange& of);
/// The answer goes on for as long as the client reads it.
[[nodiscard]] http_response watch_events(const exchange& of);

} // namespace handlers

/// With its record, as docs/cdr.md describes it, when it has ended.
[[nodiscard]] nlohmann::ordered_json to_json(const call_view& what);

} // namespace softswitch
