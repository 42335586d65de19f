// Gateways, allowed sources and numbers of a trunk: each is read with its trunk, because what the
// switch has to agree to is the trunk as it would be.
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "ids.hpp"
#include "trunk_handlers.hpp"
#include "trunk_json.hpp"

namespace softswitch {

namespace {

using nlohmann::ordered_json;

template <class Row>
[[nodiscard]] http_response list_of(const exchange& of, std::string_view name,
                                    std::vector<Row> trunk_row::*part) {
    const auto found = find_trunk(of, of.ids[0]);
    if (!found) return found.reason();
    auto list = ordered_json::array();
    for (const auto& row : found->row.*part) list.push_back(to_json(row));
    return json_response(200, {{name, std::move(list)}});
}

template <class Row>
[[nodiscard]] http_response one_of(const exchange& of, std::string_view noun,
                                   std::vector<Row> trunk_row::*part) {
    auto found = find_trunk(of, of.ids[0]);
    if (!found) return found.reason();
    const auto& rows = found->row.*part;
    const auto at = std::ranges::find(rows, of.ids[1], &Row::id);
    return at == rows.end() ? not_found(noun, of.ids[1]) : json_response(200, to_json(*at));
}

/// Takes what ids[1] names out of a trunk. `write` is told the trunk's id and that one.
template <class Row, class Write>
[[nodiscard]] http_response take_away(const exchange& of, std::string_view noun,
                                      std::vector<Row> trunk_row::*part, const Write& write) {
    auto trunk = changeable_trunk(of, of.ids[0]);
    if (!trunk) return trunk.reason();
    auto& rows = (*trunk).*part;
    const auto at = std::ranges::find(rows, of.ids[1], &Row::id);
    if (at == rows.end()) return not_found(noun, of.ids[1]);
    rows.erase(at);
    auto failed = commit(of, *trunk, {}, [&] { return write(trunk->id, of.ids[1]); });
    return failed ? *std::move(failed) : no_content();
}

[[nodiscard]] std::string part_name(std::string_view list, std::size_t index) {
    return fmt::format("{}[{}]", list, index);
}

/// A number with the trunk that it is in.
struct known_number {
    known_trunk trunk{};
    std::size_t index = 0;
};

[[nodiscard]] or_answer<known_number> find_number(const exchange& of, std::string_view id) {
    const auto index_in = [&](const trunk_row& trunk) {
        const auto at = std::ranges::find(trunk.numbers, id, &number_row::id);
        return static_cast<std::size_t>(std::distance(trunk.numbers.begin(), at));
    };
    const auto row = of.rows.number(id);
    if (row) {
        auto trunk = of.rows.trunk(row->trunk_id);
        if (!trunk) return refused(trunk.reason());
        const auto index = index_in(*trunk);
        if (index == trunk->numbers.size()) return not_found("number", id);
        return known_number{{*std::move(trunk), false}, index};
    }
    if (row.reason().fault != store_fault::absent) return refused(row.reason());
    for (auto& trunk : of.running.file_trunks()) {
        const auto index = index_in(trunk);
        if (index < trunk.numbers.size()) return known_number{{std::move(trunk), true}, index};
    }
    return not_found("number", id);
}

[[nodiscard]] or_answer<known_number> changeable_number(const exchange& of) {
    auto found = find_number(of, of.ids[0]);
    if (found && found->trunk.read_only) {
        return error_response(409, "the number is one of the configuration file: change it there");
    }
    return found;
}

} // namespace

namespace handlers {

http_response list_gateways(const exchange& of) {
    return list_of(of, "gateways", &trunk_row::gateways);
}

http_response get_gateway(const exchange& of) {
    return one_of(of, "gateway", &trunk_row::gateways);
}

http_response add_gateway(const exchange& of) {
    auto trunk = changeable_trunk(of, of.ids[0]);
    if (!trunk) return trunk.reason();
    const auto body = body_of(of);
    if (!body) return body.reason();
    first_problem wrong;
    auto row = read_gateway(*body, {}, wrong);
    if (wrong) return refused(*wrong);
    if (trunk->gateways.size() >= max_gateways) {
        return error_response(409, fmt::format("the trunk has {} gateways, which is all it may "
                                               "have: delete one first",
                                               max_gateways));
    }
    row.id = new_id("GW");
    trunk->gateways.push_back(row);
    const auto part = part_name("gateways", trunk->gateways.size() - 1);
    if (auto failed =
            commit(of, *trunk, part, [&] { return of.rows.insert_gateway(trunk->id, row); })) {
        return *std::move(failed);
    }
    return created(fmt::format("/trunks/{}/gateways/{}", trunk->id, row.id), to_json(row));
}

http_response change_gateway(const exchange& of) {
    auto trunk = changeable_trunk(of, of.ids[0]);
    if (!trunk) return trunk.reason();
    const auto at = std::ranges::find(trunk->gateways, of.ids[1], &gateway_row::id);
    if (at == trunk->gateways.end()) return not_found("gateway", of.ids[1]);
    const auto body = body_of(of);
    if (!body) return body.reason();
    first_problem wrong;
    read_gateway_changes(*body, *at, wrong);
    if (wrong) return refused(*wrong);
    const auto part =
        part_name("gateways", static_cast<std::size_t>(std::distance(trunk->gateways.begin(), at)));
    if (auto failed =
            commit(of, *trunk, part, [&] { return of.rows.update_gateway(trunk->id, *at); })) {
        return *std::move(failed);
    }
    return json_response(200, to_json(*at));
}

http_response delete_gateway(const exchange& of) {
    return take_away(of, "gateway", &trunk_row::gateways, [&](const auto& trunk, const auto& id) {
        return of.rows.erase_gateway(trunk, id);
    });
}

http_response list_ip_acls(const exchange& of) {
    return list_of(of, "ip_acls", &trunk_row::ip_acls);
}

http_response get_ip_acl(const exchange& of) {
    return one_of(of, "source", &trunk_row::ip_acls);
}

http_response add_ip_acl(const exchange& of) {
    auto trunk = changeable_trunk(of, of.ids[0]);
    if (!trunk) return trunk.reason();
    const auto body = body_of(of);
    if (!body) return body.reason();
    first_problem wrong;
    auto row = read_ip_acl(*body, {}, wrong);
    if (wrong) return refused(*wrong);
    if (std::ranges::find(trunk->ip_acls, row.cidr, &ip_acl_row::cidr) != trunk->ip_acls.end()) {
        return error_response(409, "cidr", "is allowed already");
    }
    if (trunk->ip_acls.size() >= max_ip_acls) {
        return error_response(409, fmt::format("the trunk has {} sources, which is all it may "
                                               "have: delete one first",
                                               max_ip_acls));
    }
    row.id = new_id("IA");
    trunk->ip_acls.push_back(row);
    const auto part = part_name("ip_acls", trunk->ip_acls.size() - 1);
    if (auto failed =
            commit(of, *trunk, part, [&] { return of.rows.insert_ip_acl(trunk->id, row); })) {
        return *std::move(failed);
    }
    return created(fmt::format("/trunks/{}/ip-acls/{}", trunk->id, row.id), to_json(row));
}

http_response delete_ip_acl(const exchange& of) {
    return take_away(of, "source", &trunk_row::ip_acls, [&](const auto& trunk, const auto& id) {
        return of.rows.erase_ip_acl(trunk, id);
    });
}

http_response list_numbers(const exchange& of) {
    return list_of(of, "numbers", &trunk_row::numbers);
}

http_response add_number(const exchange& of) {
    auto trunk = changeable_trunk(of, of.ids[0]);
    if (!trunk) return trunk.reason();
    const auto body = body_of(of);
    if (!body) return body.reason();
    first_problem wrong;
    auto row = read_number(*body, {}, wrong);
    if (wrong) return refused(*wrong);
    row.id = new_id("PN");
    row.trunk_id = trunk->id;
    // Whether the number is there already is the store's to say, before the switch stumbles over
    // it.
    if (std::ranges::find(trunk->numbers, row.e164, &number_row::e164) != trunk->numbers.end()) {
        return error_response(409, "e164", fmt::format("{} is in this trunk already", row.e164));
    }
    trunk->numbers.push_back(row);
    const auto part = part_name("numbers", trunk->numbers.size() - 1);
    if (auto failed = commit(of, *trunk, part, [&] { return of.rows.insert_number(row); })) {
        return *std::move(failed);
    }
    return created("/numbers/" + row.id, to_json(row));
}

http_response get_number(const exchange& of) {
    const auto found = find_number(of, of.ids[0]);
    if (!found) return found.reason();
    return json_response(200, to_json(found->trunk.row.numbers[found->index]));
}

http_response change_number(const exchange& of) {
    auto found = changeable_number(of);
    if (!found) return found.reason();
    auto& trunk = found->trunk.row;
    auto& row = trunk.numbers[found->index];
    first_problem wrong;
    if (of.request.body.empty()) {
        read_number_changes(nlohmann::json::object(), row, wrong);
    } else {
        const auto body = body_of(of);
        if (!body) return body.reason();
        read_number_changes(*body, row, wrong);
    }
    if (wrong) return refused(*wrong);
    if (auto failed = commit(of, trunk, part_name("numbers", found->index),
                             [&] { return of.rows.update_number(row); })) {
        return *std::move(failed);
    }
    return json_response(200, to_json(row));
}

http_response delete_number(const exchange& of) {
    auto found = changeable_number(of);
    if (!found) return found.reason();
    auto& numbers = found->trunk.row.numbers;
    numbers.erase(numbers.begin() + static_cast<std::ptrdiff_t>(found->index));
    auto failed = commit(of, found->trunk.row, {}, [&] { return of.rows.erase_number(of.ids[0]); });
    return failed ? *std::move(failed) : no_content();
}

} // namespace handlers

} // namespace softswitch
