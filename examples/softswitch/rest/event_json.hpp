// What happened to a call, as webhooks and server-sent events say it.
#pragma once

#include <string>

#include "calls/call_view.hpp"

namespace softswitch {

/// One line, ASCII only. "started" and "answered" are UTC, "answered" null until then; an event
/// "ended" has the call's record as "cdr", as docs/cdr.md describes it.
[[nodiscard]] std::string to_json(const call_event& what);

/// Of this event and no other one, of this process or another: receivers who remember it can tell
/// a repeated delivery.
[[nodiscard]] std::string event_id(const call_event& what);

} // namespace softswitch
