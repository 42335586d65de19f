#include "trunk_handlers.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cdr.hpp"
#include "ids.hpp"
#include "trunk_json.hpp"

namespace softswitch {

namespace {

[[nodiscard]] http_response shown(const exchange& of, int status, const known_trunk& what) {
    return json_response(status,
                         to_json(what.row, of.running.health(what.row.name), what.read_only));
}

/// Ids and times of a new trunk and of all that is in it.
void christen(trunk_row& what, std::int64_t now_unix_ns) {
    what.id = new_id("TK");
    what.created_at = what.updated_at = utc_text(now_unix_ns);
    for (auto& gateway : what.gateways) gateway.id = new_id("GW");
    for (auto& source : what.ip_acls) source.id = new_id("IA");
    for (auto& number : what.numbers) {
        number.id = new_id("PN");
        number.trunk_id = what.id;
    }
}

/// The store sees to it that no two of its own trunks have one name.
[[nodiscard]] std::optional<http_response> name_in_file(const exchange& of,
                                                        const std::string& name) {
    for (const auto& row : of.running.file_trunks()) {
        if (row.name != name) continue;
        return error_response(409, "name", "is the name of a trunk in the configuration file");
    }
    return std::nullopt;
}

} // namespace

or_answer<known_trunk> find_trunk(const exchange& of, std::string_view id) {
    auto row = of.rows.trunk(id);
    if (row) return known_trunk{*std::move(row), false};
    if (row.reason().fault != store_fault::absent) return refused(row.reason());
    for (auto& one : of.running.file_trunks()) {
        if (one.id == id) return known_trunk{std::move(one), true};
    }
    return not_found("trunk", id);
}

or_answer<trunk_row> changeable_trunk(const exchange& of, std::string_view id) {
    auto found = find_trunk(of, id);
    if (!found) return found.reason();
    if (found->read_only) {
        return error_response(409, fmt::format("the trunk `{}` is one of the configuration file: "
                                               "change it there",
                                               found->row.name));
    }
    return std::move(found->row);
}

std::optional<http_response> commit(const exchange& of, const trunk_row& would_be,
                                    std::string_view part,
                                    const std::function<stored<void>()>& write) {
    if (auto wrong = of.running.check(would_be)) {
        if (!part.empty() && wrong->field.starts_with(part)) {
            wrong->field.erase(0, std::min(part.size() + 1, wrong->field.size()));
        }
        return refused(*wrong);
    }
    if (const auto written = write(); !written) return refused(written.reason());
    of.running.put(would_be);
    return std::nullopt;
}

namespace handlers {

http_response list_trunks(const exchange& of) {
    const auto rows = of.rows.trunks();
    if (!rows) return refused(rows.reason());
    auto list = nlohmann::ordered_json::array();
    for (const auto& row : of.running.file_trunks()) {
        list.push_back(to_json(row, of.running.health(row.name), true));
    }
    for (const auto& row : *rows) {
        list.push_back(to_json(row, of.running.health(row.name), false));
    }
    return json_response(200, {{"trunks", std::move(list)}});
}

http_response create_trunk(const exchange& of) {
    const auto body = body_of(of);
    if (!body) return body.reason();
    first_problem wrong;
    auto row = read_new_trunk(*body, wrong);
    if (wrong) return refused(*wrong);
    if (auto taken = name_in_file(of, row.name)) return *std::move(taken);
    christen(row, of.now_unix_ns);
    if (auto failed = commit(of, row, {}, [&] { return of.rows.insert_trunk(row); })) {
        return *std::move(failed);
    }
    return created("/trunks/" + row.id, to_json(row, of.running.health(row.name), false));
}

http_response get_trunk(const exchange& of) {
    const auto found = find_trunk(of, of.ids[0]);
    return found ? shown(of, 200, *found) : found.reason();
}

http_response change_trunk(const exchange& of) {
    auto row = changeable_trunk(of, of.ids[0]);
    if (!row) return row.reason();
    const auto body = body_of(of);
    if (!body) return body.reason();
    first_problem wrong;
    read_trunk_changes(*body, *row, wrong);
    if (wrong) return refused(*wrong);
    if (auto taken = name_in_file(of, row->name)) return *std::move(taken);
    row->updated_at = utc_text(of.now_unix_ns);
    if (auto failed = commit(of, *row, {}, [&] { return of.rows.update_trunk(*row); })) {
        return *std::move(failed);
    }
    return shown(of, 200, {*row, false});
}

http_response delete_trunk(const exchange& of) {
    const auto row = changeable_trunk(of, of.ids[0]);
    if (!row) return row.reason();
    if (const auto erased = of.rows.erase_trunk(row->id); !erased) return refused(erased.reason());
    of.running.remove(row->id);
    return no_content();
}

} // namespace handlers

} // namespace softswitch
