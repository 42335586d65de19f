#include "trunk_section.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <trunkline/core/address.hpp>
#include <trunkline/core/text.hpp>

#include "rtp_symmetry_name.hpp"
#include "secret_field.hpp"
#include "text.hpp"

namespace softswitch {

namespace {

constexpr std::int64_t highest_port = std::numeric_limits<std::uint16_t>::max();

constexpr secret_keys password_keys{"password", "password_file", "password_env"};

/// username, password and realm of a table that may hold other things, too.
[[nodiscard]] std::optional<trunkline::userpass> read_userpass(table_reader& from,
                                                               const surroundings& around) {
    const auto problems_before = around.read.found.size();
    trunkline::userpass who;
    const auto username = from.text("username");
    const auto password = read_secret(from, password_keys, around.folder);
    who.realm = from.text("realm").value_or("");
    if (around.read.found.size() != problems_before) return std::nullopt;
    if (!username && !password) {
        if (!who.realm.empty()) from.complain("realm", "means nothing without username");
        return std::nullopt;
    }
    if (!username) {
        for (const auto key : {password_keys.given, password_keys.file, password_keys.variable}) {
            if (from.has(key)) from.complain(key, "needs a username beside it");
        }
        return std::nullopt;
    }
    if (!password) {
        from.complain("username", "needs password, password_file or password_env beside it");
        return std::nullopt;
    }
    who.username = *username;
    who.password = *password;
    return who;
}

/// "sip.example.net", "192.0.2.1:5070" or "[2001:db8::1]:5060".
[[nodiscard]] std::optional<trunkline::gateway> gateway_of(std::string_view text) {
    trunkline::gateway read;
    if (const auto whole = trunkline::address::parse(text)) {
        read.host = trunkline::to_text(*whole);
        return read;
    }
    const auto colon = text.rfind(':');
    read.host = std::string{text.substr(0, colon)};
    if (colon == std::string_view::npos) return read;
    const auto port = parse_port(text.substr(colon + 1));
    if (!port) return std::nullopt;
    read.port = *port;
    if (const auto address = trunkline::address::parse(read.host)) {
        read.host = trunkline::to_text(*address); // Without brackets.
    } else if (read.host.find(':') != std::string::npos) {
        return std::nullopt;
    }
    return read;
}

/// "udp", "tcp" or "tls"; none where nothing is said.
[[nodiscard]] std::optional<trunkline::transport> read_transport(table_reader& from) {
    const auto text = from.text("transport");
    if (!text) return std::nullopt;
    if (*text == "udp") return trunkline::transport::udp;
    if (*text == "tcp") return trunkline::transport::tcp;
    if (*text == "tls") return trunkline::transport::tls;
    from.complain("transport", R"(has to be "udp", "tcp" or "tls")");
    return std::nullopt;
}

void read_tls(table_reader& trunk, const surroundings& around, trunkline::tls_rules& into) {
    const auto* const table = trunk.table("tls");
    if (table == nullptr) return;
    table_reader tls{*table, trunk.field("tls"), around.read};
    into.ca = read_file_name(tls, "ca", around.folder);
    into.certificate = read_file_name(tls, "certificate", around.folder);
    into.key = read_file_name(tls, "key", around.folder);
    into.server_name = tls.text("server_name").value_or("");
    into.wildcards = tls.boolean("wildcards").value_or(into.wildcards);
    into.verify = tls.boolean("verify").value_or(into.verify);
    tls.done();
}

void read_gateways(table_reader& trunk, reading& read, std::vector<trunkline::gateway>& into) {
    trunk.each("gateways", [&](const toml::node& element, std::string field) {
        const auto wrong = [&](std::string message) {
            read.found.push_back({line_of(element), field, std::move(message)});
        };
        if (const auto* const text = element.as_string(); text != nullptr) {
            auto gateway = gateway_of(text->get());
            if (!gateway) return wrong("has to be host or host:port, port from 1 to 65535");
            into.push_back(std::move(*gateway));
        } else if (const auto* const table = element.as_table(); table != nullptr) {
            table_reader from{*table, field, read};
            trunkline::gateway gateway;
            const auto host = from.text("host");
            if (!host && !from.has("host")) from.complain("has to have a host");
            gateway.host = host.value_or("");
            gateway.port =
                static_cast<std::uint16_t>(from.integer("port", 1, highest_port).value_or(0));
            gateway.priority =
                static_cast<unsigned>(from.integer("priority", 0, 65'535).value_or(1));
            gateway.transport = read_transport(from);
            from.done();
            into.push_back(std::move(gateway));
        } else {
            wrong(fmt::format(
                "has to be \"host:port\" or {{host, port, priority, transport}}, and is {}",
                kind_of(element)));
        }
    });
}

void read_agent(table_reader& from, std::string_view key, const surroundings& around,
                std::string& into) {
    into = from.text(key).value_or("");
    if (into.empty()) return;
    if (auto wrong = around.agents.add(into, around.folder); !wrong.empty()) {
        from.complain(key, std::move(wrong));
    }
}

void read_numbers(table_reader& trunk, const surroundings& around,
                  std::vector<trunkline::did>& into) {
    trunk.each("numbers", [&](const toml::node& element, std::string field) {
        if (const auto* const text = element.as_string(); text != nullptr) {
            into.push_back({text->get(), {}, {}});
        } else if (const auto* const table = element.as_table(); table != nullptr) {
            table_reader from{*table, field, around.read};
            trunkline::did number;
            const auto digits = from.text("number");
            if (!digits && !from.has("number")) from.complain("has to have a number");
            number.number = digits.value_or("");
            read_agent(from, "agent", around, number.agent);
            read_agent(from, "fallback", around, number.fallback);
            from.done();
            into.push_back(std::move(number));
        } else {
            around.read.found.push_back(
                {line_of(element), std::move(field),
                 fmt::format("has to be \"+14155550100\" or {{number, agent}}, and is {}; "
                             "a number is written in quotes",
                             kind_of(element))});
        }
    });
}

/// `register = true`, or a table for who wants another expiry than the usual one.
void read_registration(table_reader& trunk, reading& read, trunkline::trunk_config& into) {
    const auto* const node = trunk.find("register");
    if (node == nullptr) return;
    if (const auto* const wanted = node->as_boolean(); wanted != nullptr) {
        if (wanted->get()) into.registration.emplace();
        return;
    }
    const auto* const table = node->as_table();
    if (table == nullptr) {
        return trunk.complain(
            "register",
            fmt::format("has to be true, false or {{ expires = 300 }}, and is {}", kind_of(*node)));
    }
    table_reader from{*table, trunk.field("register"), read};
    into.registration.emplace();
    if (const auto seconds = from.integer("expires", 60, 3'600)) {
        into.registration->expires = std::chrono::seconds{*seconds};
    }
    from.done();
}

void read_codecs(table_reader& trunk, trunkline::trunk_config& into) {
    if (!trunk.has("codecs")) return;
    into.codecs.clear();
    for (const auto& name : trunk.texts("codecs")) {
        if (trunkline::iequals(name, "pcmu")) {
            into.codecs.push_back(trunkline::codec_name::pcmu);
        } else if (trunkline::iequals(name, "pcma")) {
            into.codecs.push_back(trunkline::codec_name::pcma);
        } else {
            trunk.complain("codecs", fmt::format("there is no codec `{}`: it has to be pcmu "
                                                 "(mu-law) or pcma (A-law)",
                                                 printable(name)));
        }
    }
}

void read_headers(table_reader& trunk, reading& read, trunkline::trunk_config& into) {
    const auto* const table = trunk.table("headers");
    if (table == nullptr) return;
    for (auto at = table->cbegin(); at != table->cend(); ++at) {
        const std::string name{at->first.str()};
        const auto field = fmt::format("{}.{}", trunk.field("headers"), printable(name));
        const auto* const value = at->second.as_string();
        if (value == nullptr) {
            read.found.push_back(
                {line_of(at->second), field,
                 fmt::format("has to be a string, and is {}", kind_of(at->second))});
            continue;
        }
        // The library knows it by its place.
        read.lines.insert_or_assign(
            fmt::format("{}[{}]", trunk.field("headers"), into.headers.size()),
            line_of(at->second));
        into.headers.emplace_back(name, value->get());
    }
}

/// Durations that the library keeps in whole seconds.
[[nodiscard]] std::chrono::seconds whole_seconds(std::chrono::milliseconds what) {
    return std::chrono::ceil<std::chrono::seconds>(what);
}

/// RFC 4028 and RFC 3262: what carriers may ask of calls beyond the common.
void read_extensions(table_reader& from, trunkline::trunk_config& into) {
    if (const auto expires = from.duration("session_expires", std::chrono::milliseconds{0})) {
        into.session_expires = whole_seconds(*expires);
    }
    if (const auto least = from.duration("min_se", std::chrono::seconds{90})) {
        into.min_se = whole_seconds(*least);
    }
    const auto prack = from.text("prack");
    if (!prack) return;
    if (*prack == "off")
        into.prack = trunkline::prack_policy::off;
    else if (*prack == "supported")
        into.prack = trunkline::prack_policy::supported;
    else if (*prack == "required")
        into.prack = trunkline::prack_policy::required;
    else
        from.complain("prack", R"(has to be "off", "supported" or "required")");
}

/// Which numbers are dialled. What is wrong with a prefix the library says.
void read_dialling(table_reader& from, trunkline::trunk_config& into) {
    into.allow_prefixes = from.texts("allow_prefixes");
    if (from.has("deny_prefixes")) into.deny_prefixes = from.texts("deny_prefixes");
    into.calls_per_token =
        static_cast<unsigned>(from.integer("calls_per_token", 0, 1'000).value_or(0));
    into.allow_emergency = from.boolean("allow_emergency").value_or(into.allow_emergency);
}

void read_switches(table_reader& from, trunkline::trunk_config& into) {
    into.caller_id = from.text("caller_id").value_or("");
    if (const auto channels = from.integer("channels", 1, 1'000)) {
        into.channels = static_cast<unsigned>(*channels);
    }
    if (const auto rate = from.integer("cps", 1, 100'000)) {
        into.calls_per_second = static_cast<unsigned>(*rate);
    }
    into.inbound = from.boolean("inbound").value_or(into.inbound);
    into.outbound = from.boolean("outbound").value_or(into.outbound);
    into.leading_plus = from.boolean("leading_plus").value_or(into.leading_plus);
    if (const auto symmetry = from.text("rtp_symmetric")) {
        const auto known = rtp_symmetry_of(*symmetry);
        if (known)
            into.rtp_symmetric = *known;
        else
            from.complain("rtp_symmetric", R"(has to be "off", "auto" or "any")");
    }
    into.gateway_timeout = from.duration("gateway_timeout", std::chrono::milliseconds{100})
                               .value_or(into.gateway_timeout);
    if (const auto ringing = from.duration("ringing_timeout", std::chrono::seconds{1})) {
        into.ringing_timeout = whole_seconds(*ringing);
    }
    read_dialling(from, into);
    read_extensions(from, into);
}

} // namespace

std::string read_file_name(table_reader& from, std::string_view key,
                           const std::filesystem::path& folder) {
    const auto name = from.text(key);
    if (!name || name->empty()) return {};
    auto file = folder / *name;
    if (!std::filesystem::is_regular_file(file)) {
        from.complain(key, fmt::format("{} is no file", file.string()));
    }
    return file.string();
}

trunkline::addresses read_addresses(table_reader& from) {
    trunkline::addresses read;
    const auto one = [&](std::string_view key, bool wildcard) {
        const auto text = from.text(key);
        if (!text || text->empty()) return std::string{};
        const auto address = trunkline::address::parse(*text);
        if (!address) {
            from.complain(key, fmt::format("`{}` is no IP address", printable(*text)));
        } else if (address->is_wildcard() && !wildcard) {
            from.complain(key, "nobody can reach a wildcard address; give the one that others see");
        }
        return *text;
    };
    read.at = one("at", true);
    read.advertise = one("advertise", false);
    return read;
}

trunkline::trunk_config read_trunk(const toml::table& from, std::string field,
                                   const surroundings& around) {
    trunkline::trunk_config made;
    around.read.lines.insert_or_assign(field, line_of(from));
    table_reader trunk{from, std::move(field), around.read};
    const auto name = trunk.text("name");
    if (!trunk.has("name")) trunk.complain("has to have a name");
    made.name = name.value_or("");
    read_gateways(trunk, around.read, made.gateways);
    made.transport = read_transport(trunk);
    read_tls(trunk, around, made.tls);
    made.auth = read_userpass(trunk, around);
    if (const auto* const table = trunk.table("inbound_auth"); table != nullptr) {
        table_reader inbound{*table, trunk.field("inbound_auth"), around.read};
        const auto problems_before = around.read.found.size();
        made.inbound_auth = read_userpass(inbound, around);
        const auto md5_only = inbound.boolean("md5_only");
        if (made.inbound_auth) made.inbound_auth->md5_only = md5_only.value_or(false);
        inbound.done();
        if (!made.inbound_auth && around.read.found.size() == problems_before) {
            inbound.complain("has to have username and password");
        }
    }
    read_registration(trunk, around.read, made);
    made.allow_from = trunk.texts("allow_from");
    made.media_from = trunk.texts("media_from");
    read_numbers(trunk, around, made.numbers);
    read_agent(trunk, "agent", around, made.default_agent);
    read_agent(trunk, "fallback", around, made.default_fallback);
    read_codecs(trunk, made);
    read_switches(trunk, made);
    if (const auto* const table = trunk.table("signalling"); table != nullptr) {
        table_reader signalling{*table, trunk.field("signalling"), around.read};
        made.signalling.advertise = signalling.text("advertise").value_or("");
        if (auto wrong = wrong_with_host(made.signalling.advertise); !wrong.empty()) {
            signalling.complain("advertise", std::move(wrong));
        }
        signalling.done();
    }
    if (const auto* const table = trunk.table("media"); table != nullptr) {
        table_reader media{*table, trunk.field("media"), around.read};
        made.media = read_addresses(media);
        media.done();
    }
    read_headers(trunk, around.read, made);
    trunk.done();
    return made;
}

} // namespace softswitch
