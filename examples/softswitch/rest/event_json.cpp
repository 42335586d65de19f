#include "event_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cdr.hpp"

namespace softswitch {

std::string to_json(const call_event& what) {
    using json = nlohmann::ordered_json;
    const auto& call = what.call;
    json made{
        {"id", call.id},
        {"event", name(what)},
        {"number", what.number},
        {"at", utc_text(what.at_unix_ns)},
        {"direction", call.direction == trunkline::direction::inbound ? "inbound" : "outbound"},
        {"from", call.from},
        {"to", call.to},
        {"trunk", call.trunk},
        {"agent", call.agent},
        {"started", utc_text(call.started_unix_ns)},
        {"answered", call.answered_unix_ns == 0 ? json() : json(utc_text(call.answered_unix_ns))}};
    if (call.transfer) {
        made["transfer"] = {{"to", call.transfer->to},
                            {"state", call.transfer->state},
                            {"status", call.transfer->status}};
    }
    auto text = made.dump(-1, ' ', true, json::error_handler_t::replace);
    if (what.what != call_state::ended || !call.record) return text;
    // The record is JSON already.
    text.pop_back();
    return fmt::format("{},\"cdr\":{}}}", text,
                       to_json(*call.record, call.started_unix_ns, call.id));
}

std::string event_id(const call_event& what) {
    return fmt::format("{}-{}", what.call.id, what.number);
}

} // namespace softswitch
