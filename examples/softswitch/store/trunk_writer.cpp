#include "trunk_writer.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "rtp_symmetry_name.hpp"
#include "trunk_reader.hpp"

namespace softswitch {

namespace {

/// What may change of a trunk, each column with its value.
class trunk_columns {
public:
    trunk_columns(const trunk_row& what, std::string_view sealed_password)
        : codecs_{codecs_text(what.codecs)},
          allow_prefixes_{prefixes_text(what.allow_prefixes)},
          deny_prefixes_{prefixes_text(what.deny_prefixes)},
          media_from_{prefixes_text(what.media_from)},
          columns_{{
              {"name", what.name},
              {"description", what.description},
              {"preset", what.preset},
              {"is_active", what.is_active},
              {"inbound_enabled", what.inbound_enabled},
              {"outbound_enabled", what.outbound_enabled},
              {"channels", what.channels},
              {"cps", what.cps},
              {"default_inbound_agent_id", what.default_inbound_agent_id},
              {"fallback_agent_id", what.fallback_agent_id},
              {"auth_username", what.auth_username},
              {"auth_password", sealed_password},
              {"transport", what.transport},
              {"outbound_leading_plus_enabled", what.outbound_leading_plus_enabled},
              {"caller_id", what.caller_id},
              {"codecs", codecs_},
              {"updated_at", what.updated_at},
              {"register_expires", what.register_expires},
              {"allow_prefixes", allow_prefixes_},
              {"deny_prefixes", deny_prefixes_},
              {"calls_per_token", what.calls_per_token},
              {"allow_emergency", what.allow_emergency},
              {"rtp_symmetric", name_of(what.rtp_symmetric)},
              {"media_from", media_from_},
          }} {}
    trunk_columns(const trunk_columns&) = delete;
    trunk_columns& operator=(const trunk_columns&) = delete;

    /// "name, description, ..."
    [[nodiscard]] std::string names() const {
        std::vector<std::string_view> all;
        for (const auto& one : columns_) all.push_back(one.name);
        return fmt::format("{}", fmt::join(all, ", "));
    }
    /// "?, ?, ..."
    [[nodiscard]] std::string marks() const {
        return fmt::format("{}", fmt::join(std::vector<char>(columns_.size(), '?'), ", "));
    }
    /// Of the columns, behind those that stand before them.
    [[nodiscard]] std::vector<sql_value> values(std::vector<sql_value> before) const {
        for (const auto& one : columns_) before.push_back(one.value);
        return before;
    }

private:
    struct column {
        std::string_view name;
        sql_value value;
    };
    std::string codecs_;
    std::string allow_prefixes_;
    std::string deny_prefixes_;
    std::string media_from_;
    std::array<column, 24> columns_;
};

} // namespace

stored<std::int64_t> insert_trunk_row(database& into, const trunk_row& what,
                                      std::string_view sealed_password) {
    const trunk_columns columns{what, sealed_password};
    return into.run(fmt::format("INSERT INTO trunk (id, created_at, {}) VALUES (?, ?, {})",
                                columns.names(), columns.marks()),
                    columns.values({what.id, what.created_at}));
}

stored<std::int64_t> update_trunk_row(database& in, const trunk_row& what,
                                      std::string_view sealed_password) {
    const trunk_columns columns{what, sealed_password};
    auto values = columns.values({});
    values.emplace_back(what.id);
    return in.run(
        fmt::format("UPDATE trunk SET ({}) = ({}) WHERE id = ?", columns.names(), columns.marks()),
        values);
}

} // namespace softswitch
