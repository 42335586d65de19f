// Rows for tests of the store, and what two of them are compared by.
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "rtp_symmetry_name.hpp"
#include "store/rows.hpp"
#include "store/secret_key.hpp"
#include "store/trunk_reader.hpp"

namespace softswitch {

[[nodiscard]] inline secret_key key_of(unsigned char filled) {
    secret_key made{};
    made.fill(filled);
    return made;
}

/// All that a row holds.
[[nodiscard]] inline std::string text_of(const number_row& row) {
    return fmt::format("number {} {} {} {} {} {}\n", row.id, row.trunk_id, row.e164,
                       row.destination_key, row.agent_id, row.fallback_agent_id);
}
[[nodiscard]] inline std::string text_of(const trunk_row& row) {
    auto text =
        fmt::format("trunk {} {} {} {} {}{}{} {} {} {} {} {} {} {} {} {} {} {} {} {}\n", row.id,
                    row.name, row.description, row.preset, row.is_active, row.inbound_enabled,
                    row.outbound_enabled, row.channels, row.cps, row.default_inbound_agent_id,
                    row.fallback_agent_id, row.auth_username, row.auth_password, row.transport,
                    row.outbound_leading_plus_enabled, row.caller_id, codecs_text(row.codecs),
                    row.created_at, row.updated_at, row.register_expires);
    text += fmt::format("dialling {} {} {} {}\n", prefixes_text(row.allow_prefixes),
                        prefixes_text(row.deny_prefixes), row.calls_per_token, row.allow_emergency);
    text += fmt::format("media {} {}\n", name_of(row.rtp_symmetric), prefixes_text(row.media_from));
    for (const auto& one : row.gateways) {
        text += fmt::format("gateway {} {} {} {}\n", one.id, one.host, one.port, one.priority);
    }
    for (const auto& one : row.ip_acls) text += fmt::format("source {} {}\n", one.id, one.cidr);
    for (const auto& one : row.numbers) text += text_of(one);
    return text;
}

/// A trunk with nothing left as it would be otherwise, and two of everything in it.
[[nodiscard]] inline trunk_row full_trunk(const std::string& id) {
    trunk_row made;
    made.id = id;
    made.name = "name-" + id;
    made.description = "what it is for";
    made.preset = "twilio";
    made.is_active = false;
    made.inbound_enabled = false;
    made.outbound_enabled = false;
    made.channels = 77;
    made.cps = 7;
    made.default_inbound_agent_id = "echo";
    made.fallback_agent_id = "hold";
    made.auth_username = "user";
    made.auth_password = "hunter2-" + id;
    made.register_expires = 600;
    made.transport = "tcp";
    made.outbound_leading_plus_enabled = false;
    made.caller_id = "+14155550199";
    made.allow_prefixes = {"+1", "49"};
    made.deny_prefixes = {"+1900", "+881"};
    made.calls_per_token = 4;
    made.allow_emergency = true;
    made.rtp_symmetric = trunkline::rtp_symmetry::off;
    made.media_from = {"198.51.100.0/24", "2001:db8::/32"};
    made.codecs = {trunkline::codec_name::pcma, trunkline::codec_name::pcmu};
    made.created_at = "2026-08-02T06:30:00.123Z";
    made.updated_at = "2026-08-02T06:30:01.123Z";
    made.gateways = {{id + "-g1", "192.0.2.1", 5061, 2}, {id + "-g2", "sip.example.net", 5060, 1}};
    made.ip_acls = {{id + "-a1", "192.0.2.0/24"}, {id + "-a2", "2001:db8::1/128"}};
    made.numbers = {{id + "-n1", id, "+14155550100", "4155550100", "echo", "hold"},
                    {id + "-n2", id, "*", "", "", ""}};
    return made;
}

} // namespace softswitch
