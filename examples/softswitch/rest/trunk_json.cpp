#include "trunk_json.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <trunkline/core/address.hpp>
#include <trunkline/trunk/dialling_guard.hpp>

#include "cdr.hpp"
#include "rtp_symmetry_name.hpp"
#include "store/trunk_reader.hpp"

namespace softswitch {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t agent_characters = 2'048;
constexpr std::size_t name_characters = 100;
constexpr std::size_t credential_characters = 256;
constexpr std::size_t max_prefixes = 1'000;
constexpr std::size_t max_media_networks = 64;
constexpr unsigned degraded_after = 3;

template <class Value>
void replace(Value& what, std::optional<Value>&& with) {
    if (with) what = *std::move(with);
}

/// An empty column is null to the client, who can then write it back as it came.
[[nodiscard]] ordered_json text_or_null(const std::string& text) {
    return text.empty() ? ordered_json() : ordered_json(text);
}

void read_credentials(json_reader& from, trunk_row& into) {
    const bool one = from.has("auth_username");
    const bool other = from.has("auth_password");
    auto username = from.text_or_null("auth_username", credential_characters);
    auto password = from.text_or_null("auth_password", credential_characters);
    if (one != other) {
        return from.complain(one ? "auth_password" : "auth_username",
                             fmt::format("has to be given together with {}",
                                         one ? "auth_username" : "auth_password"));
    }
    if (!username || !password) return;
    if (username->empty() != password->empty()) {
        return from.complain(username->empty() ? "auth_username" : "auth_password",
                             "has to be there when the other one is; null for both clears them");
    }
    into.auth_username = *std::move(username);
    into.auth_password = *std::move(password);
}

/// Null for a trunk that does not register; what the object leaves out is as usual.
void read_registration(json_reader& from, trunk_row& into, first_problem& found) {
    const auto* const value = from.find("register");
    if (value == nullptr) return;
    into.register_expires = 0;
    if (value->is_null()) return;
    json_reader how{*value, from.field("register"), found};
    into.register_expires = static_cast<unsigned>(how.integer("expires", 60, 3'600).value_or(300));
    how.done();
}

/// Nothing when the field is absent, and where it is null.
[[nodiscard]] std::optional<std::vector<std::string>> prefixes(json_reader& from,
                                                               std::string_view key) {
    const auto* const value = from.find(key);
    if (value == nullptr || value->is_null()) return std::nullopt;
    std::vector<std::string> made;
    from.each(key, max_prefixes, [&](const json& element, const std::string&) {
        if (element.is_string() && trunkline::is_prefix(element.get<std::string>())) {
            return made.push_back(element.get<std::string>());
        }
        from.complain(key, "has to be a list of beginnings of numbers, as \"+49\": 1 to 15 digits, "
                           "with or without +");
    });
    return made;
}

void read_dialling(json_reader& from, trunk_row& into) {
    if (const auto* const value = from.find("allow_prefixes");
        value != nullptr && value->is_null()) {
        from.complain("allow_prefixes", "has to be a list; an empty one allows every number");
    }
    replace(into.allow_prefixes, prefixes(from, "allow_prefixes"));
    if (from.has("deny_prefixes")) into.deny_prefixes = prefixes(from, "deny_prefixes");
    if (const auto count = from.integer("calls_per_token", 0, 1'000)) {
        into.calls_per_token = static_cast<unsigned>(*count);
    }
    replace(into.allow_emergency, from.boolean("allow_emergency"));
}

void read_media(json_reader& from, trunk_row& into) {
    if (const auto text = from.word("rtp_symmetric", {"off", "auto", "any"})) {
        into.rtp_symmetric = *rtp_symmetry_of(*text);
    }
    if (!from.has("media_from")) return;
    std::vector<std::string> made;
    from.each("media_from", max_media_networks, [&](const json& element, const std::string&) {
        if (element.is_string() && trunkline::cidr::parse(element.get<std::string>())) {
            return made.push_back(element.get<std::string>());
        }
        from.complain("media_from",
                      "has to be a list of addresses and networks, as 198.51.100.0/24");
    });
    into.media_from = std::move(made);
}

/// What a new trunk and a change have in common.
void read_columns(json_reader& from, trunk_row& into, first_problem& found) {
    replace(into.name, from.text("name", 1, name_characters));
    replace(into.description, from.text("description", 0, 500));
    replace(into.preset, from.word("preset", {"plivo", "telnyx", "twilio", "exotel", "vobiz",
                                              "vonage", "custom"}));
    replace(into.is_active, from.boolean("is_active"));
    replace(into.inbound_enabled, from.boolean("inbound_enabled"));
    replace(into.outbound_enabled, from.boolean("outbound_enabled"));
    if (const auto count = from.integer("channels", 1, 1'000)) {
        into.channels = static_cast<unsigned>(*count);
    }
    if (const auto count = from.integer("cps", 1, 10'000)) into.cps = static_cast<unsigned>(*count);
    replace(into.default_inbound_agent_id,
            from.text_or_null("default_inbound_agent_id", agent_characters));
    replace(into.fallback_agent_id, from.text_or_null("fallback_agent_id", agent_characters));
    read_credentials(from, into);
    read_registration(from, into, found);
    replace(into.transport, from.word("transport", {"udp", "tcp", "tls"}));
    replace(into.outbound_leading_plus_enabled, from.boolean("outbound_leading_plus_enabled"));
    read_dialling(from, into);
    read_media(from, into);
    replace(into.caller_id, from.text_or_null("caller_id", 128));
    if (const auto text = from.word("codecs", {"PCMU,PCMA", "PCMA,PCMU", "PCMU", "PCMA"})) {
        into.codecs = codecs_of(*text);
    }
}

/// What the API answers with and only the switch decides; whoever sends back what GET said is told.
void refuse_read_only(json_reader& from) {
    for (const std::string_view key : {"id", "created_at", "updated_at", "health", "active_calls",
                                       "read_only", "has_password", "registration"}) {
        if (from.has(key)) from.complain(key, "is read-only");
    }
}

void read_gateway_fields(json_reader& from, gateway_row& into) {
    if (auto host = from.text("host", 1, 253)) {
        if (host->find_first_of(" \t<>;,@/\"[]") != std::string::npos) {
            from.complain("host",
                          "has to be an IP address or a name; its port is a field of its own");
        }
        into.host = *std::move(host);
    }
    if (const auto port = from.integer("port", 1, 65'535)) {
        into.port = static_cast<std::uint16_t>(*port);
    }
    if (const auto priority = from.integer("priority", 0, 65'535)) {
        into.priority = static_cast<unsigned>(*priority);
    }
}

void read_number_fields(json_reader& from, number_row& into) {
    if (auto key = from.text_or_null("destination_key", 128)) {
        if (key->find_first_of(" \t<>;@\"") != std::string::npos) {
            from.complain("destination_key", "has to be the called number as the carrier sends it, "
                                             "without blanks and \"@\"");
        }
        into.destination_key = *std::move(key);
    }
    replace(into.agent_id, from.text_or_null("agent_id", agent_characters));
    replace(into.fallback_agent_id, from.text_or_null("fallback_agent_id", agent_characters));
}

[[nodiscard]] ordered_json time_or_null(const std::optional<std::int64_t>& unix_ns) {
    return unix_ns ? ordered_json(utc_text(*unix_ns)) : ordered_json();
}

[[nodiscard]] ordered_json to_json(const std::optional<registration_view>& what) {
    if (!what) return {};
    return {{"state", name(what->state)},
            {"gateway", text_or_null(what->gateway)},
            {"sip_code", what->sip_code == 0 ? ordered_json() : ordered_json(what->sip_code)},
            {"reason", text_or_null(what->reason)},
            {"expires_at", time_or_null(what->expires_unix_ns)},
            {"retry_at", time_or_null(what->retry_unix_ns)}};
}

template <class Row>
[[nodiscard]] ordered_json list_of(const std::vector<Row>& rows) {
    auto made = ordered_json::array();
    for (const auto& row : rows) made.push_back(to_json(row));
    return made;
}

} // namespace

bool is_e164(std::string_view text) noexcept {
    if (text == "*") return true;
    if (text.size() < 8 || text.size() > 16 || text[0] != '+' || text[1] == '0') return false;
    return std::ranges::all_of(text.substr(1), [](char c) { return c >= '0' && c <= '9'; });
}

trunk_row read_new_trunk(const json& body, first_problem& found) {
    trunk_row made;
    json_reader from{body, {}, found};
    refuse_read_only(from);
    from.require("name");
    read_columns(from, made, found);
    from.each("gateways", max_gateways, [&](const json& element, std::string field) {
        made.gateways.push_back(read_gateway(element, std::move(field), found));
    });
    from.each("ip_acls", max_ip_acls, [&](const json& element, std::string field) {
        made.ip_acls.push_back(read_ip_acl(element, std::move(field), found));
    });
    std::set<std::string> seen;
    from.each("numbers", max_numbers, [&](const json& element, const std::string& field) {
        made.numbers.push_back(read_number(element, field, found));
        if (seen.insert(made.numbers.back().e164).second || found) return;
        found = field_problem{field + ".e164", "stands in the list already"};
    });
    from.done();
    return made;
}

void read_trunk_changes(const json& body, trunk_row& into, first_problem& found) {
    json_reader from{body, {}, found};
    refuse_read_only(from);
    for (const std::string_view list : {"gateways", "ip_acls", "numbers"}) {
        if (!from.has(list)) continue;
        const std::string_view path = list == "ip_acls" ? "ip-acls" : list;
        from.complain(list, fmt::format("is changed one by one: POST to /trunks/{{id}}/{} adds, "
                                        "DELETE takes away",
                                        path));
    }
    read_columns(from, into, found);
    from.done();
}

gateway_row read_gateway(const json& body, std::string path, first_problem& found) {
    gateway_row made;
    json_reader from{body, std::move(path), found};
    from.require("host");
    read_gateway_fields(from, made);
    from.done();
    return made;
}

void read_gateway_changes(const json& body, gateway_row& into, first_problem& found) {
    json_reader from{body, {}, found};
    read_gateway_fields(from, into);
    from.done();
}

ip_acl_row read_ip_acl(const json& body, std::string path, first_problem& found) {
    ip_acl_row made;
    json_reader from{body, std::move(path), found};
    from.require("cidr");
    if (const auto text = from.text("cidr", 1, 64)) {
        if (const auto network = trunkline::cidr::parse(*text)) {
            made.cidr = trunkline::to_text(*network);
        } else {
            from.complain("cidr", "has to be an IP address or a network, as \"198.51.100.0/24\"");
        }
    }
    from.done();
    return made;
}

number_row read_number(const json& body, std::string path, first_problem& found) {
    number_row made;
    json_reader from{body, std::move(path), found};
    from.require("e164");
    if (auto number = from.text("e164", 1, 64)) {
        if (!is_e164(*number)) {
            from.complain("e164", "has to be \"+\" and 7 to 15 digits, as \"+14155550100\", "
                                  "or \"*\" for every number");
        }
        made.e164 = *std::move(number);
    }
    read_number_fields(from, made);
    from.done();
    return made;
}

void read_number_changes(const json& body, number_row& into, first_problem& found) {
    json_reader from{body, {}, found};
    if (body.is_object() && body.empty()) into.agent_id.clear();
    for (const std::string_view key : {"id", "trunk_id", "e164"}) {
        if (from.has(key)) from.complain(key, "is read-only");
    }
    read_number_fields(from, into);
    from.done();
}

std::string_view health_text(const trunk_row& what, const trunk_health& how) noexcept {
    if (!what.is_active) return "disabled";
    const bool refused =
        how.registration && how.registration->state == trunkline::registration_state::waiting;
    if (refused || how.failed_in_a_row >= degraded_after) return "degraded";
    if (what.gateways.empty() && what.ip_acls.empty()) return "waiting for carrier";
    return "ok";
}

ordered_json to_json(const gateway_row& what) {
    return {{"id", what.id}, {"host", what.host}, {"port", what.port}, {"priority", what.priority}};
}

ordered_json to_json(const ip_acl_row& what) {
    return {{"id", what.id}, {"cidr", what.cidr}};
}

ordered_json to_json(const number_row& what) {
    return {{"id", what.id},
            {"trunk_id", what.trunk_id},
            {"e164", what.e164},
            {"destination_key", text_or_null(what.destination_key)},
            {"agent_id", text_or_null(what.agent_id)},
            {"fallback_agent_id", text_or_null(what.fallback_agent_id)}};
}

ordered_json to_json(const trunk_row& what, const trunk_health& how, bool read_only) {
    return {
        {"id", what.id},
        {"name", what.name},
        {"description", what.description},
        {"preset", what.preset},
        {"is_active", what.is_active},
        {"inbound_enabled", what.inbound_enabled},
        {"outbound_enabled", what.outbound_enabled},
        {"channels", what.channels},
        {"cps", what.cps},
        {"default_inbound_agent_id", text_or_null(what.default_inbound_agent_id)},
        {"fallback_agent_id", text_or_null(what.fallback_agent_id)},
        {"auth_username", text_or_null(what.auth_username)},
        {"has_password", !what.auth_password.empty()},
        {"register", what.register_expires == 0 ? ordered_json()
                                                : ordered_json{{"expires", what.register_expires}}},
        {"registration", to_json(how.registration)},
        {"transport", what.transport},
        {"outbound_leading_plus_enabled", what.outbound_leading_plus_enabled},
        {"allow_prefixes", what.allow_prefixes},
        {"deny_prefixes", what.deny_prefixes ? ordered_json(*what.deny_prefixes) : ordered_json()},
        {"calls_per_token", what.calls_per_token},
        {"allow_emergency", what.allow_emergency},
        {"rtp_symmetric", name_of(what.rtp_symmetric)},
        {"media_from", what.media_from},
        {"caller_id", text_or_null(what.caller_id)},
        {"codecs", codecs_text(what.codecs)},
        {"health", health_text(what, how)},
        {"active_calls", how.active_calls},
        {"read_only", read_only},
        {"created_at", text_or_null(what.created_at)},
        {"updated_at", text_or_null(what.updated_at)},
        {"gateways", list_of(what.gateways)},
        {"ip_acls", list_of(what.ip_acls)},
        {"numbers", list_of(what.numbers)}};
}

} // namespace softswitch
