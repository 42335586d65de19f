#include "trunk_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "rtp_symmetry_name.hpp"
#include "text.hpp"

namespace softswitch {

namespace {

using trunkline::codec_name;

[[nodiscard]] trunk_row trunk_of(const sql_row& row) {
    trunk_row made;
    made.id = row.text(0);
    made.name = row.text(1);
    made.description = row.text(2);
    made.preset = row.text(3);
    made.is_active = row.integer(4) != 0;
    made.inbound_enabled = row.integer(5) != 0;
    made.outbound_enabled = row.integer(6) != 0;
    made.channels = static_cast<unsigned>(row.integer(7));
    made.default_inbound_agent_id = row.text(8);
    made.fallback_agent_id = row.text(9);
    made.auth_username = row.text(10);
    made.auth_password = row.text(11);
    made.transport = row.text(12);
    made.outbound_leading_plus_enabled = row.integer(13) != 0;
    made.caller_id = row.text(14);
    made.codecs = codecs_of(row.text(15));
    made.created_at = row.text(16);
    made.updated_at = row.text(17);
    made.register_expires = static_cast<unsigned>(row.integer(18));
    made.cps = static_cast<unsigned>(row.integer(19));
    made.allow_prefixes = prefixes_of(row.text(20)).value_or(std::vector<std::string>{});
    made.deny_prefixes = prefixes_of(row.text(21));
    made.calls_per_token = static_cast<unsigned>(row.integer(22));
    made.allow_emergency = row.integer(23) != 0;
    made.rtp_symmetric = rtp_symmetry_of(row.text(24)).value_or(made.rtp_symmetric);
    made.media_from = prefixes_of(row.text(25)).value_or(std::vector<std::string>{});
    return made;
}

constexpr std::string_view trunk_columns =
    "SELECT id, name, description, preset, is_active, inbound_enabled, outbound_enabled, channels, "
    "default_inbound_agent_id, fallback_agent_id, auth_username, auth_password, transport, "
    "outbound_leading_plus_enabled, caller_id, codecs, created_at, updated_at, register_expires, "
    "cps, allow_prefixes, deny_prefixes, calls_per_token, allow_emergency, rtp_symmetric, "
    "media_from "
    "FROM trunk";

[[nodiscard]] number_row number_of(const sql_row& row) {
    return {row.text(1), row.text(0), row.text(2), row.text(3), row.text(4), row.text(5)};
}

constexpr std::string_view number_columns =
    "SELECT trunk_id, id, e164, destination_key, agent_id, fallback_agent_id FROM number";

/// What trunks are made of, each with its trunk's id in the first column.
class parts {
public:
    parts(database& from, std::vector<trunk_row>& into, std::string_view id)
        : from_{from},
          into_{into},
          id_{id} {
        for (std::size_t i = 0; i < into.size(); ++i) places_.emplace(into[i].id, i);
    }

    [[nodiscard]] stored<void> read(std::string_view columns,
                                    const std::function<void(const sql_row&, trunk_row&)>& add) {
        const auto sql = fmt::format("{}{} ORDER BY position", columns,
                                     id_.empty() ? "" : " WHERE trunk_id = ?");
        const auto visit = [&](const sql_row& row) {
            if (const auto found = places_.find(row.text(0)); found != places_.end()) {
                add(row, into_[found->second]);
            }
        };
        const auto read = id_.empty() ? from_.each(sql, {}, visit) : from_.each(sql, {id_}, visit);
        if (!read) return read.reason();
        return {};
    }

private:
    database& from_;
    std::vector<trunk_row>& into_;
    std::string_view id_;
    std::unordered_map<std::string, std::size_t> places_;
};

[[nodiscard]] stored<void> unseal(std::vector<trunk_row>& in, const secret_box& secrets,
                                  const database& from) {
    for (auto& trunk : in) {
        if (trunk.auth_password.empty()) continue;
        auto clear = secrets.open(trunk.auth_password, password_place(trunk.id));
        if (!clear) {
            return store_error{
                store_fault::broken, "auth_password",
                fmt::format("the password of trunk `{}` in {} was changed by somebody else: delete "
                            "the trunk, or put a backup in the file's place",
                            printable(trunk.name), printable(from.file().string()))};
        }
        trunk.auth_password = *std::move(clear);
    }
    return {};
}

} // namespace

std::string password_place(std::string_view trunk_id) {
    return fmt::format("trunk/{}/auth_password", trunk_id);
}

std::string codecs_text(const std::vector<codec_name>& codecs) {
    std::string text;
    for (const auto codec : codecs) {
        if (!text.empty()) text += ',';
        text += codec == codec_name::pcma ? "PCMA" : "PCMU";
    }
    return text;
}

std::vector<codec_name> codecs_of(std::string_view text) {
    std::vector<codec_name> made;
    while (!text.empty()) {
        const auto comma = text.find(',');
        const auto name = text.substr(0, comma);
        if (name == "PCMU") made.push_back(codec_name::pcmu);
        if (name == "PCMA") made.push_back(codec_name::pcma);
        text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    }
    return made;
}

std::string prefixes_text(const std::optional<std::vector<std::string>>& prefixes) {
    return prefixes ? fmt::format("{}", fmt::join(*prefixes, ",")) : "*";
}

std::optional<std::vector<std::string>> prefixes_of(std::string_view text) {
    if (text == "*") return std::nullopt;
    std::vector<std::string> made;
    while (!text.empty()) {
        const auto comma = text.find(',');
        made.emplace_back(text.substr(0, comma));
        text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    }
    return made;
}

stored<std::vector<trunk_row>> read_trunks(database& from, const secret_box& secrets,
                                           std::string_view id) {
    std::vector<trunk_row> made;
    const auto add = [&](const sql_row& row) { made.push_back(trunk_of(row)); };
    const auto sql =
        fmt::format("{}{} ORDER BY position", trunk_columns, id.empty() ? "" : " WHERE id = ?");
    const auto read = id.empty() ? from.each(sql, {}, add) : from.each(sql, {id}, add);
    if (!read) return read.reason();
    if (auto done = unseal(made, secrets, from); !done) return done.reason();
    parts rest{from, made, id};
    const auto gateways =
        rest.read("SELECT trunk_id, id, host, port, priority FROM gateway",
                  [](const sql_row& row, trunk_row& into) {
                      into.gateways.push_back({row.text(1), row.text(2),
                                               static_cast<std::uint16_t>(row.integer(3)),
                                               static_cast<unsigned>(row.integer(4))});
                  });
    if (!gateways) return gateways.reason();
    const auto ip_acls =
        rest.read("SELECT trunk_id, id, cidr FROM ip_acl", [](const sql_row& row, trunk_row& into) {
            into.ip_acls.push_back({row.text(1), row.text(2)});
        });
    if (!ip_acls) return ip_acls.reason();
    const auto numbers = rest.read(number_columns, [](const sql_row& row, trunk_row& into) {
        into.numbers.push_back(number_of(row));
    });
    if (!numbers) return numbers.reason();
    return made;
}

stored<std::vector<number_row>> read_number(database& from, std::string_view id) {
    std::vector<number_row> made;
    const auto read = from.each(fmt::format("{} WHERE id = ?", number_columns), {id},
                                [&](const sql_row& row) { made.push_back(number_of(row)); });
    if (!read) return read.reason();
    return made;
}

} // namespace softswitch
