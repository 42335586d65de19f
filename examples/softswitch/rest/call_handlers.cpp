#include "call_handlers.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include <trunkline/crypto/hash.hpp>

#include "calls/live_calls.hpp"
#include "cdr.hpp"
#include "json_reader.hpp"
#include "text.hpp"

namespace softswitch {

namespace {

using nlohmann::ordered_json;

constexpr std::size_t max_parameters = 50;
constexpr std::size_t parameter_characters = 499; ///< Twilio: name and value under 500.
constexpr std::size_t max_key = 255;

[[nodiscard]] std::optional<std::chrono::seconds> seconds(json_reader& from, std::string_view key,
                                                          std::int64_t most) {
    const auto count = from.integer(key, 1, most);
    return count ? std::optional{std::chrono::seconds{*count}} : std::nullopt;
}

[[nodiscard]] call_request read_call(const nlohmann::json& body, first_problem& found) {
    call_request made;
    json_reader from{body, {}, found};
    from.require("to");
    made.to = from.text("to", 1, 255).value_or("");
    made.from = from.text_or_null("from", 255).value_or("");
    made.route = from.text_or_null("route", 100).value_or("");
    from.require("agent");
    made.agent = from.text("agent", 1, 2'048).value_or("");
    made.parameters = from.texts("parameters", max_parameters, parameter_characters);
    made.ringing_timeout = seconds(from, "ringing_timeout", 3'600);
    made.max_duration = seconds(from, "max_duration", 86'400);
    from.done();
    return made;
}

/// As it is before the switch has heard of it.
[[nodiscard]] call_view imagined(const call_request& what, std::string trunk,
                                 std::int64_t now_unix_ns) {
    call_view made;
    made.id = what.id;
    made.direction = trunkline::direction::outbound;
    made.from = what.from;
    made.to = what.to;
    made.trunk = std::move(trunk);
    made.agent = what.agent;
    made.started_unix_ns = now_unix_ns;
    return made;
}

[[nodiscard]] http_response placed(std::string_view id, std::string body) {
    http_response made;
    made.status = 201;
    made.body = std::move(body);
    made.headers.emplace_back("Location", fmt::format("/calls/{}", id));
    return made;
}

[[nodiscard]] http_response replayed(const kept_answer& kept) {
    http_response made;
    made.status = kept.status;
    made.body = kept.body;
    const auto read = nlohmann::json::parse(kept.body, nullptr, false);
    if (kept.status == 201 && read.is_object() && read.contains("id") && read["id"].is_string()) {
        made = placed(read["id"].get<std::string>(), kept.body);
    }
    made.headers.emplace_back("Idempotent-Replayed", "true");
    return made;
}

/// Of what a request means: blanks and the order of its fields are nothing.
[[nodiscard]] std::string digest_of(std::string_view what, const nlohmann::json& body) {
    using namespace trunkline::crypto;
    return std::string{hash(hash_algorithm::sha256, {what, "\n", body.dump()}).view()};
}

[[nodiscard]] bool is_key(std::string_view text) noexcept {
    return text.size() <= max_key &&
           std::ranges::all_of(text, [](char c) { return c >= '!' && c <= '~'; });
}

[[nodiscard]] http_response no_such_call(const exchange& of) {
    return not_found("call", of.ids[0]);
}

[[nodiscard]] or_answer<bool> wants_ended(std::string_view query) {
    const auto parameters = query_parameters(query);
    if (!parameters) return error_response(400, "the query cannot be decoded");
    bool ended = false;
    for (const auto& [name, value] : *parameters) {
        if (name != "ended") {
            return error_response(400, "there is no such query parameter; the only one is `ended`");
        }
        if (value != "true" && value != "false") {
            return error_response(400, "ended", "has to be true or false");
        }
        ended = value == "true";
    }
    return ended;
}

/// Of `?after=` or Last-Event-ID; the header is what a client that reconnects sends by itself.
[[nodiscard]] or_answer<http_response::stream> stream_of(const http_request& request) {
    const auto parameters = query_parameters(request.query);
    if (!parameters) return error_response(400, "the query cannot be decoded");
    std::string text = request.last_event_id;
    std::string_view field = "Last-Event-ID";
    for (const auto& [name, value] : *parameters) {
        if (name != "after") {
            return error_response(400, "there is no such query parameter; the only one is `after`");
        }
        if (!request.last_event_id.empty()) continue;
        text = value;
        field = name;
    }
    if (text.empty() && field == "Last-Event-ID") return http_response::stream{};
    std::uint64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec != std::errc{} || read.ptr != end) {
        return error_response(400, field, "has to be the number of an event");
    }
    return http_response::stream{number};
}

} // namespace

ordered_json to_json(const call_view& what) {
    ordered_json made{
        {"id", what.id},
        {"direction", what.direction == trunkline::direction::inbound ? "inbound" : "outbound"},
        {"from", what.from},
        {"to", what.to},
        {"trunk", what.trunk},
        {"agent", what.agent},
        {"state", name(what.state)},
        {"started", utc_text(what.started_unix_ns)},
        {"answered", what.answered_unix_ns == 0 ? ordered_json()
                                                : ordered_json(utc_text(what.answered_unix_ns))}};
    if (what.transfer) {
        made["transfer"] = {{"to", what.transfer->to},
                            {"state", what.transfer->state},
                            {"status", what.transfer->status}};
    }
    if (what.record) {
        made["cdr"] = ordered_json::parse(to_json(*what.record, what.started_unix_ns, what.id));
    }
    return made;
}

namespace handlers {

http_response list_calls(const exchange& of) {
    const auto ended = wants_ended(of.request.query);
    if (!ended) return ended.reason();
    auto list = ordered_json::array();
    if (!*ended) {
        for (const auto& call : of.running.calls()) list.push_back(to_json(call));
    } else {
        auto events = of.running.events_since(0);
        std::ranges::reverse(events);
        for (const auto& event : events) {
            if (event.what == call_state::ended) list.push_back(to_json(event.call));
        }
    }
    return json_response(200, {{"calls", std::move(list)}});
}

http_response place_call(const exchange& of) {
    const auto& key = of.request.idempotency_key;
    if (!is_key(key)) {
        return error_response(400, "Idempotency-Key",
                              "has to be 1 to 255 printable ASCII characters without blanks");
    }
    const auto body = body_of(of);
    if (!body) return body.reason();
    first_problem wrong;
    auto request = read_call(*body, wrong);
    if (wrong) return refused(*wrong);
    request.id = new_sid("CA");
    request.token = of.token;
    const auto answer =
        placed(request.id,
               json_response(
                   201, to_json(imagined(request, of.running.trunk_for(request), of.now_unix_ns)))
                   .body);
    wrong = of.running.check(request);
    const auto busy = wrong ? std::nullopt : of.running.too_many(request);
    if (!key.empty()) {
        const kept_answer ours{digest_of("POST /calls", *body), answer.status, answer.body};
        const auto now = of.now_unix_ns / 1'000'000'000;
        // A refusal is not kept: whoever mends what was wrong asks again, with the same key.
        const auto known =
            wrong || busy ? of.rows.find_answer(key, now) : of.rows.keep_answer(key, ours, now);
        if (!known) return refused(known.reason());
        if (known->has_value()) {
            if ((**known).request_digest == ours.request_digest) return replayed(**known);
            return error_response(409, "Idempotency-Key",
                                  "was used for another request: make a new one for this call");
        }
    }
    if (wrong) return refused(*wrong);
    if (busy) return error_response(429, *busy);
    of.running.dial(request);
    return answer;
}

http_response get_call(const exchange& of) {
    const auto found = of.running.call(of.ids[0]);
    return found ? json_response(200, to_json(*found)) : no_such_call(of);
}

http_response hang_up_call(const exchange& of) {
    if (of.running.hang_up(of.ids[0])) return no_content();
    if (!of.running.call(of.ids[0])) return no_such_call(of);
    return error_response(409, "the call has ended already");
}

http_response transfer_call(const exchange& of) {
    if (!of.running.call(of.ids[0])) return no_such_call(of);
    const auto body = body_of(of);
    if (!body) return body.reason();
    first_problem wrong;
    json_reader from{*body, {}, wrong};
    from.require("to");
    const auto to = from.text("to", 1, 255).value_or("");
    from.done();
    if (wrong) return refused(*wrong);
    if (const auto forbidden = of.running.check_transfer(of.ids[0], to)) return refused(*forbidden);
    using answer = switch_port::transfer_answer;
    switch (of.running.transfer(of.ids[0], to)) {
    case answer::asked: break;
    case answer::bad_target:
        return error_response(400, "to", "has to be a number, or a sip: or tel: URI");
    case answer::not_answered:
        return error_response(409, "the call was not answered yet, so nobody can be handed over");
    case answer::under_way: return error_response(409, "the call is being transferred already");
    case answer::no_such_call: return error_response(409, "the call has ended already");
    }
    const auto now = of.running.call(of.ids[0]);
    return now ? json_response(202, to_json(*now)) : no_such_call(of);
}

http_response watch_events(const exchange& of) {
    const auto stream = stream_of(of.request);
    if (!stream) return stream.reason();
    http_response made;
    made.content_type = "text/event-stream";
    made.headers.emplace_back("Cache-Control", "no-store");
    made.events = *stream;
    return made;
}

} // namespace handlers

} // namespace softswitch
