#include "ladder.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include <trunkline/core/text.hpp>

#include "mask.hpp"
#include "text.hpp"

namespace softswitch {

namespace {

using trunkline::sip::header;
using trunkline::sip::message_view;

/// Headers that explain a call; the others are the same in every message.
[[nodiscard]] bool is_notable(const message_view::field& field) {
    constexpr std::array<header, 24> notable{header::from,
                                             header::to,
                                             header::cseq,
                                             header::contact,
                                             header::route,
                                             header::record_route,
                                             header::authorization,
                                             header::proxy_authorization,
                                             header::www_authenticate,
                                             header::proxy_authenticate,
                                             header::reason,
                                             header::warning,
                                             header::retry_after,
                                             header::session_expires,
                                             header::require,
                                             header::unsupported,
                                             header::diversion,
                                             header::p_asserted_identity,
                                             header::refer_to,
                                             header::replaces,
                                             header::content_type,
                                             header::user_agent,
                                             header::server,
                                             header::privacy};
    if (std::ranges::find(notable, field.id) != notable.end()) return true;
    return field.name.size() > 2 && trunkline::iequals(field.name.substr(0, 2), "X-");
}

[[nodiscard]] bool is_notable_in_sdp(std::string_view line) {
    constexpr std::array<std::string_view, 10> notable{
        "c=",         "m=",         "a=rtpmap:", "a=sendrecv", "a=sendonly",
        "a=recvonly", "a=inactive", "a=crypto:", "a=ptime:",   "a=fmtp:"};
    return std::ranges::any_of(notable,
                               [&](std::string_view start) { return line.starts_with(start); });
}

[[nodiscard]] std::string shortened(std::string text) {
    if (text.size() <= ladder::widest) return text;
    text.resize(ladder::widest);
    return text + "...";
}

[[nodiscard]] std::string label_of(std::string_view call_id) {
    auto id = call_id.substr(0, call_id.find('@'));
    if (id.size() > ladder::label) id.remove_prefix(id.size() - ladder::label);
    return printable(id);
}

[[nodiscard]] std::string arrow(const tapped& what) {
    const auto& from = what.outgoing ? what.local : what.peer;
    const auto& to = what.outgoing ? what.peer : what.local;
    return fmt::format("{} -> {}", trunkline::to_text(from), trunkline::to_text(to));
}

[[nodiscard]] std::string start_line(const message_view& message) {
    if (message.is_request()) {
        return fmt::format("{} {}", message.method_text(), masked_uri(message.request_uri().text));
    }
    return fmt::format("{} {}", message.status(), message.reason());
}

void draw_body(const message_view& message, std::string_view margin, std::string& into) {
    if (!trunkline::iequals(message.content_type(), "application/sdp")) return;
    auto body = message.body();
    while (!body.empty()) {
        const auto raw = body.substr(0, body.find('\n'));
        body.remove_prefix(std::min(raw.size() + 1, body.size()));
        const auto line = trunkline::trimmed(raw);
        if (!is_notable_in_sdp(line)) continue;
        into += fmt::format("{}{}\n", margin, shortened(printable(masked_body_line(line))));
    }
}

} // namespace

ladder::ladder(std::string_view only, std::span<const trunkline::trunk_config> trunks) {
    for (const auto& trunk : trunks) {
        if (only.empty() || trunk.name != only) continue;
        by_trunk_ = true;
        for (const auto& text : trunk.allow_from) {
            if (const auto network = trunkline::cidr::parse(text)) networks_.push_back(*network);
        }
        for (const auto& gateway : trunk.gateways) {
            if (const auto one = trunkline::cidr::parse(gateway.host))
                networks_.push_back(*one);
            else
                hosts_.push_back(gateway.host);
        }
    }
    if (!by_trunk_) number_ = only.starts_with('+') ? only.substr(1) : only;
}

bool ladder::means_something() const noexcept {
    return by_trunk_ || std::ranges::all_of(number_, [](char c) { return c >= '0' && c <= '9'; });
}

bool ladder::is_of_trunk(const trunkline::endpoint& peer, const message_view& message) const {
    for (const auto& network : networks_) {
        if (network.contains(peer.address)) return true;
    }
    // Where a name leads to is the resolver's business; that we called it stands in the request.
    if (!message.is_request()) return false;
    const auto host = message.request_uri().host;
    return std::ranges::any_of(
        hosts_, [&](const std::string& name) { return trunkline::iequals(name, host); });
}

bool ladder::asked_for(const tapped& what, const message_view& message) const {
    if (by_trunk_) return is_of_trunk(what.peer, message);
    if (number_.empty()) return true;
    const auto holds = [&](const trunkline::sip::uri_view& uri) {
        return uri.user.find(number_) != std::string_view::npos ||
               trunkline::sip::telephone_number(uri.user).find(number_) != std::string::npos;
    };
    return holds(message.from().uri) || holds(message.to().uri) ||
           (message.is_request() && holds(message.request_uri()));
}

ladder::remembered& ladder::remember(const tapped& what, const message_view& message) {
    const auto id = message.call_id();
    if (const auto found = calls_.find(id); found != calls_.end()) {
        found->second.wanted = found->second.wanted || asked_for(what, message);
        return found->second;
    }
    if (oldest_.size() == most_calls) {
        calls_.erase(oldest_.front());
        oldest_.pop_front();
    }
    oldest_.emplace_back(id);
    return calls_.emplace(id, remembered{what.at, asked_for(what, message)}).first->second;
}

std::string ladder::draw_noise(const tapped& what, const trunkline::error& reason) const {
    // Keep-alives are no message and no mistake.
    if (trunkline::trimmed(what.bytes).find_first_not_of('\0') == std::string_view::npos) return {};
    if (by_trunk_) {
        const auto known = std::ranges::any_of(networks_, [&](const trunkline::cidr& network) {
            return network.contains(what.peer.address);
        });
        if (!known) return {};
    } else if (!number_.empty()) {
        return {};
    }
    const auto masked = masked_message(what.bytes);
    const auto line = masked.substr(0, masked.find_first_of("\r\n"));
    return fmt::format("{:{}} |          {}  not SIP: {} at byte {}: {}\n", "?", label, arrow(what),
                       trunkline::message(reason.code), reason.offset, shortened(printable(line)));
}

std::string ladder::draw(const tapped& what) {
    // Parsing unfolds headers in place, and what was tapped belongs to whoever asks.
    auto copy = what.bytes;
    message_view message;
    if (const auto parsed = message.parse(copy); !parsed) return draw_noise(what, parsed.reason());
    const auto& call = remember(what, message);
    if (!call.wanted) return {};
    const auto name = label_of(message.call_id());
    const auto since = std::chrono::duration<double>{what.at - call.began}.count();
    auto drawn = fmt::format("{:{}} | {:+8.3f}  {}  {}\n", name, label, since, arrow(what),
                             shortened(printable(start_line(message))));
    const auto margin = fmt::format("{:{}} |             ", name, label);
    for (const auto& field : message.fields()) {
        if (!is_notable(field)) continue;
        // A compact name is written out: it is people who read this.
        const auto full = field.id == header::other ? field.name : trunkline::sip::name(field.id);
        drawn += fmt::format("{}{}: {}\n", margin, printable(full),
                             shortened(printable(masked_header(full, field.value))));
    }
    draw_body(message, margin, drawn);
    return drawn;
}

} // namespace softswitch
