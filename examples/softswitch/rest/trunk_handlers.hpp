// /trunks, what is in a trunk, and /numbers. All change the store first and the switch after it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "exchange.hpp"
#include "json_reader.hpp"
#include "store/rows.hpp"

namespace softswitch {

namespace handlers {

[[nodiscard]] http_response list_trunks(const exchange& of);
[[nodiscard]] http_response create_trunk(const exchange& of);
[[nodiscard]] http_response get_trunk(const exchange& of);
[[nodiscard]] http_response change_trunk(const exchange& of);
[[nodiscard]] http_response delete_trunk(const exchange& of);

[[nodiscard]] http_response list_gateways(const exchange& of);
[[nodiscard]] http_response add_gateway(const exchange& of);
[[nodiscard]] http_response get_gateway(const exchange& of);
[[nodiscard]] http_response change_gateway(const exchange& of);
[[nodiscard]] http_response delete_gateway(const exchange& of);

[[nodiscard]] http_response list_ip_acls(const exchange& of);
[[nodiscard]] http_response add_ip_acl(const exchange& of);
[[nodiscard]] http_response get_ip_acl(const exchange& of);
[[nodiscard]] http_response delete_ip_acl(const exchange& of);

[[nodiscard]] http_response list_numbers(const exchange& of);
[[nodiscard]] http_response add_number(const exchange& of);
[[nodiscard]] http_response get_number(const exchange& of);
[[nodiscard]] http_response change_number(const exchange& of);
[[nodiscard]] http_response delete_number(const exchange& of);

} // namespace handlers

/// A trunk of the database or of the configuration file.
struct known_trunk {
    trunk_row row{};
    bool read_only = false;
};

[[nodiscard]] or_answer<known_trunk> find_trunk(const exchange& of, std::string_view id);
/// 409 for one of the configuration file.
[[nodiscard]] or_answer<trunk_row> changeable_trunk(const exchange& of, std::string_view id);

/// Asks the switch, writes by `write`, and only then tells the switch. Nothing when all went well.
/// `part` is what the request was about, as "gateways[1]": the client knows its fields without.
[[nodiscard]] std::optional<http_response> commit(const exchange& of, const trunk_row& would_be,
                                                  std::string_view part,
                                                  const std::function<stored<void>()>& write);

} // namespace softswitch
