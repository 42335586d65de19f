#include "config.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "calls/live_calls.hpp"
#include "secret_field.hpp"
#include "table_reader.hpp"
#include "text.hpp"
#include "trunk_section.hpp"

namespace softswitch {

namespace {

/// "udp:0.0.0.0:5060", or what is wrong with it.
[[nodiscard]] std::string wrong_with_listener(std::string_view at) {
    constexpr std::string_view example =
        R"(has to be "udp:address:port", or with tcp or tls, as "udp:0.0.0.0:5060")";
    const bool known = at.starts_with("udp:") || at.starts_with("tcp:") || at.starts_with("tls:");
    if (!known) return std::string{example};
    if (!trunkline::endpoint::parse(at.substr(4))) return std::string{example};
    return {};
}

void read_listeners(table_reader& root, std::vector<trunkline::listen>& into) {
    if (!root.has("listen")) return;
    into.clear();
    auto& read = root.read();
    const auto add = [&](const toml::node& element, std::string field) {
        trunkline::listen made;
        if (const auto* const text = element.as_string(); text != nullptr) {
            made.at = text->get();
            if (auto wrong = wrong_with_listener(made.at); !wrong.empty()) {
                read.found.push_back({line_of(element), std::move(field), std::move(wrong)});
            }
        } else if (const auto* const table = element.as_table(); table != nullptr) {
            table_reader from{*table, std::move(field), read};
            made.at = from.text("at").value_or(made.at);
            made.advertise = from.text("advertise").value_or("");
            if (auto wrong = wrong_with_listener(made.at); !wrong.empty()) {
                from.complain("at", std::move(wrong));
            }
            if (auto wrong = wrong_with_host(made.advertise); !wrong.empty()) {
                from.complain("advertise", std::move(wrong));
            }
            from.done();
        } else {
            read.found.push_back({line_of(element), std::move(field),
                                  fmt::format("has to be a string or {{at, advertise}}, and is {}",
                                              kind_of(element))});
        }
        into.push_back(std::move(made));
    };
    root.each("listen", add, true);
    if (into.empty()) root.complain("listen", "has to name at least one address");
}

/// [tls]: who we are to whoever connects by it.
void read_tls(table_reader& root, const std::filesystem::path& folder,
              trunkline::manager_config& into) {
    const auto secure = std::ranges::any_of(
        into.listen, [](const auto& one) { return one.at.starts_with("tls:"); });
    if (const auto* const table = root.table("tls"); table != nullptr) {
        table_reader tls{*table, "tls", root.read()};
        into.tls.certificate = read_file_name(tls, "certificate", folder);
        into.tls.key = read_file_name(tls, "key", folder);
        into.tls.ca = read_file_name(tls, "ca", folder);
        into.tls.verify = tls.boolean("verify_clients").value_or(false);
        tls.done();
    } else if (secure) {
        root.complain("listen", "tls needs a [tls] with certificate and key");
    }
    const auto streams = std::ranges::any_of(
        into.listen, [](const auto& one) { return !one.at.starts_with("udp:"); });
    if (streams && into.shards > 1) {
        root.complain("shards", "has to be 1 where tcp or tls is listened for: a connection has "
                                "one owner");
    }
}

void read_media(table_reader& root, trunkline::manager_config& into) {
    const auto* const table = root.table("media");
    if (table == nullptr) return;
    table_reader media{*table, "media", root.read()};
    into.media = read_addresses(media);
    if (const auto ports = media.text("ports")) {
        if (const auto range = parse_port_range(*ports)) {
            into.media_ports = *range;
        } else {
            media.complain("ports",
                           R"(has to be a range of at least two ports that begins with an )"
                           R"(even one, as "16384-32767")");
        }
    }
    media.done();
}

void read_unknown_source(table_reader& root, trunkline::manager_config& into) {
    const auto what = root.text("unknown_source");
    if (!what) return;
    if (*what == "drop") {
        into.unknown_source = trunkline::unknown_source::drop;
    } else if (*what != "answer") {
        root.complain("unknown_source", R"(has to be "answer" (403) or "drop" (silence) )"
                                        R"(for calls from an address that no trunk knows)");
    }
}

/// [agents]: of those behind sockets.
void read_agents(table_reader& root, const std::filesystem::path& folder, socket_settings& into) {
    into.identity.account_sid = new_sid("AC");
    const auto* const table = root.table("agents");
    if (table == nullptr) return;
    table_reader agents{*table, "agents", root.read()};
    if (const auto file = agents.text("ca_file")) {
        into.ca_file = folder / *file;
        if (!std::filesystem::is_regular_file(into.ca_file)) {
            agents.complain("ca_file", fmt::format("{} is no file", into.ca_file.string()));
        }
    }
    into.connect_within = agents.duration("connect_within", std::chrono::milliseconds{100})
                              .value_or(into.connect_within);
    if (const auto sid = agents.text("account_sid")) {
        const auto hex = std::string_view{*sid}.substr(std::min<std::size_t>(2, sid->size()));
        const bool good = sid->starts_with("AC") && hex.size() == 32 &&
                          hex.find_first_not_of("0123456789abcdef") == std::string_view::npos;
        if (good)
            into.identity.account_sid = *sid;
        else
            agents.complain("account_sid", "has to be AC and 32 hex digits in lower case");
    }
    into.identity.auth_token =
        read_secret(agents, {"auth_token", "auth_token_file", "auth_token_env"}, folder)
            .value_or("");
    agents.done();
}

void read_trunks(table_reader& root, const std::filesystem::path& folder, configuration& into) {
    const surroundings around{folder, into.agents, root.read()};
    root.each("trunk", [&](const toml::node& element, std::string field) {
        if (const auto* const table = element.as_table(); table != nullptr) {
            into.trunks.push_back(read_trunk(*table, std::move(field), around));
        } else {
            around.read.found.push_back(
                {line_of(element), std::move(field),
                 fmt::format("has to be a table, written [[trunk]], and is {}", kind_of(element))});
        }
    });
    for (std::size_t i = 0; i < into.trunks.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (into.trunks[i].name.empty() || into.trunks[i].name != into.trunks[j].name) continue;
            const auto name = fmt::format("trunk[{}].name", i);
            const auto line = around.read.lines[name];
            const auto other = around.read.lines[fmt::format("trunk[{}].name", j)];
            around.read.found.push_back(
                {line, name,
                 fmt::format("`{}` is the name of the trunk at line {}, too",
                             printable(into.trunks[i].name), other)});
        }
    }
    // By REST they come later.
    if (into.trunks.empty() && !root.has("rest")) {
        around.read.found.push_back(
            {0, "trunk", "there is none: add a [[trunk]] with name and gateways, or [rest]"});
    }
}

/// The library's name of a trunk's field, as the file has it.
[[nodiscard]] std::string in_the_file(std::string_view field) {
    if (field == "default_agent") return "agent";
    if (field == "default_fallback") return "fallback";
    if (field == "auth") return "username";
    constexpr std::string_view registration = "registration";
    if (field.starts_with(registration)) {
        return "register" + std::string{field.substr(registration.size())};
    }
    if (field.starts_with("auth.")) return std::string{field.substr(5)};
    return std::string{field};
}

} // namespace

std::string to_text(const problem& what, const std::filesystem::path& file) {
    std::string text = file.string();
    if (what.line != 0) text += fmt::format(":{}", what.line);
    if (!what.field.empty()) text += fmt::format(": {}", what.field);
    return fmt::format("{}: {}", text, what.message);
}

std::size_t configuration::line_of(std::string_view field) const {
    while (!field.empty()) {
        if (const auto found = lines.find(field); found != lines.end()) return found->second;
        const auto end = field.find_last_of(".[");
        field = field.substr(0, end == std::string_view::npos ? 0 : end);
    }
    return 0;
}

problem configuration::explain(std::size_t trunk, const trunkline::config_error& reason) const {
    auto field = fmt::format("trunk[{}]", trunk);
    if (!reason.field.empty()) field += "." + in_the_file(reason.field);
    const auto line = line_of(field);
    return {line, std::move(field), printable(reason.message)};
}

trunkline::result<configuration, problems>
parse_configuration(std::string_view text, const std::filesystem::path& folder) {
    toml::table parsed;
    try {
        parsed = toml::parse(text);
    } catch (const toml::parse_error& wrong) {
        const auto line = static_cast<std::size_t>(wrong.source().begin.line);
        return problems{{line, {}, fmt::format("not TOML: {}", printable(wrong.description()))}};
    }
    configuration made;
    reading read;
    table_reader root{parsed, {}, read};
    auto& manager = made.manager;
    manager.shards = static_cast<std::uint16_t>(root.integer("shards", 1, 64).value_or(1));
    manager.max_calls =
        static_cast<std::size_t>(root.integer("max_calls", 1, 100'000)
                                     .value_or(static_cast<std::int64_t>(manager.max_calls)));
    manager.user_agent = root.text("user_agent").value_or("");
    manager.dns_servers = root.texts("dns_servers");
    made.drain = root.duration("drain", std::chrono::milliseconds{0}).value_or(made.drain);
    read_unknown_source(root, manager);
    read_listeners(root, manager.listen);
    read_tls(root, folder, manager);
    read_media(root, manager);
    made.sockets.allow_private = root.boolean("allow_private_urls").value_or(false);
    read_agents(root, folder, made.sockets);
    read_trunks(root, folder, made);
    for (const auto& trunk : made.trunks) {
        made.sockets.trust(trunk.default_agent);
        made.sockets.trust(trunk.default_fallback);
        for (const auto& number : trunk.numbers) {
            made.sockets.trust(number.agent);
            made.sockets.trust(number.fallback);
        }
    }
    made.rest = read_rest(root, folder);
    made.webhook = read_webhook(root, folder);
    if (made.webhook) made.webhook->allow_private = made.sockets.allow_private;
    root.done();
    if (!read.found.empty()) {
        std::ranges::stable_sort(read.found, {}, &problem::line);
        return std::move(read.found);
    }
    made.lines = std::move(read.lines);
    return made;
}

trunkline::result<configuration, problems> load_configuration(const std::filesystem::path& file) {
    std::error_code failed;
    // A name may be a folder, which opens well and reads as nothing.
    if (!std::filesystem::exists(file, failed) || std::filesystem::is_directory(file, failed)) {
        return problems{{0, {}, "is no file; say --config FILE"}};
    }
    std::ifstream stream{file, std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{stream}, {}};
    if (!stream) return problems{{0, {}, "cannot be read"}};
    return parse_configuration(text, file.parent_path());
}

} // namespace softswitch
