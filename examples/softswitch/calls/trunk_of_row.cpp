#include "trunk_of_row.hpp"

#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "dialling_rules.hpp"

namespace softswitch {

namespace {

[[nodiscard]] std::string_view without_plus(std::string_view number) {
    return number.starts_with('+') ? number.substr(1) : number;
}

/// A number is known by E.164, and by what its carrier sends where that is something else.
[[nodiscard]] std::vector<std::string> names_of(const number_row& number) {
    std::vector<std::string> made{number.e164};
    const auto& key = number.destination_key;
    if (!key.empty() && without_plus(key) != without_plus(number.e164)) made.push_back(key);
    return made;
}

/// "numbers[12].x" is 12; -1 when there is no number in brackets.
[[nodiscard]] int index_in(std::string_view field) {
    const auto open = field.find('[');
    int index = -1;
    if (open == std::string_view::npos) return index;
    std::from_chars(field.data() + open + 1, field.data() + field.size(), index);
    return index;
}

[[nodiscard]] trunkline::transport transport_of(std::string_view name) {
    if (name == "tcp") return trunkline::transport::tcp;
    return name == "tls" ? trunkline::transport::tls : trunkline::transport::udp;
}

[[nodiscard]] std::string_view name_of(trunkline::transport what) {
    switch (what) {
    case trunkline::transport::udp: return "udp";
    case trunkline::transport::tcp: return "tcp";
    case trunkline::transport::tls: return "tls";
    }
    return "udp";
}

} // namespace

trunkline::trunk_config to_config(const trunk_row& row) {
    trunkline::trunk_config made;
    made.name = row.name;
    made.transport = transport_of(row.transport);
    for (const auto& one : row.gateways)
        made.gateways.push_back({one.host, one.port, one.priority});
    if (!row.auth_username.empty()) {
        made.auth =
            trunkline::userpass{.username = row.auth_username, .password = row.auth_password};
    }
    if (row.register_expires != 0) {
        made.registration.emplace().expires = std::chrono::seconds{row.register_expires};
    }
    for (const auto& one : row.ip_acls) made.allow_from.push_back(one.cidr);
    for (const auto& one : row.numbers) {
        for (auto& number : names_of(one)) {
            made.numbers.push_back({std::move(number), one.agent_id, one.fallback_agent_id});
        }
    }
    made.default_agent = row.default_inbound_agent_id;
    made.default_fallback = row.fallback_agent_id;
    made.codecs = row.codecs;
    copy_dialling_rules(row, made);
    made.channels = row.channels;
    made.calls_per_second = row.cps;
    made.inbound = row.inbound_enabled;
    made.outbound = row.outbound_enabled;
    made.leading_plus = row.outbound_leading_plus_enabled;
    made.rtp_symmetric = row.rtp_symmetric;
    made.media_from = row.media_from;
    return made;
}

trunk_row to_row(const trunkline::trunk_config& config) {
    trunk_row made;
    made.id = config.name;
    made.name = config.name;
    made.inbound_enabled = config.inbound;
    made.outbound_enabled = config.outbound;
    made.transport = name_of(config.transport.value_or(trunkline::transport::udp));
    made.channels = config.channels;
    made.cps = config.calls_per_second;
    made.default_inbound_agent_id = config.default_agent;
    made.fallback_agent_id = config.default_fallback;
    if (config.auth) made.auth_username = config.auth->username;
    if (config.registration) {
        made.register_expires = static_cast<unsigned>(config.registration->expires.count());
    }
    made.outbound_leading_plus_enabled = config.leading_plus;
    made.rtp_symmetric = config.rtp_symmetric;
    made.media_from = config.media_from;
    copy_dialling_rules(config, made);
    made.codecs = config.codecs;
    const auto id = [&](std::string_view list, std::size_t index) {
        return fmt::format("{}/{}/{}", config.name, list, index);
    };
    constexpr std::uint16_t sip_port = 5060;
    for (const auto& one : config.gateways) {
        made.gateways.push_back({id("gateways", made.gateways.size()), one.host,
                                 one.port == 0 ? sip_port : one.port, one.priority});
    }
    for (const auto& one : config.allow_from) {
        made.ip_acls.push_back({id("ip-acls", made.ip_acls.size()), one});
    }
    for (const auto& one : config.numbers) {
        made.numbers.push_back({id("numbers", made.numbers.size()),
                                config.name,
                                one.number,
                                {},
                                one.agent,
                                one.fallback});
    }
    return made;
}

field_problem to_problem(const trunk_row& row, const trunkline::config_error& reason) {
    const auto& field = reason.field;
    const auto index = index_in(field);
    std::string named = field;
    if (field.starts_with("allow_from")) {
        named = fmt::format("ip_acls[{}].cidr", index);
    } else if (field.starts_with("numbers")) {
        int seen = 0;
        for (std::size_t i = 0; i < row.numbers.size(); ++i) {
            const auto names = names_of(row.numbers[i]);
            const auto which = index - seen;
            seen += static_cast<int>(names.size());
            if (index >= seen) continue;
            named = fmt::format("numbers[{}].{}", i, which == 0 ? "e164" : "destination_key");
            break;
        }
    } else if (field.starts_with("codecs")) {
        named = "codecs";
    } else if (field.starts_with("auth.")) {
        named = "auth_" + field.substr(5);
    } else if (field.starts_with("registration")) {
        named = "register" + field.substr(std::string_view{"registration"}.size());
    }
    return {std::move(named), reason.message};
}

} // namespace softswitch
