// Trunks and what is in them, as JSON: field names and limits of the API.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "json_reader.hpp"
#include "store/rows.hpp"
#include "switch_port.hpp"

namespace softswitch {

inline constexpr std::size_t max_gateways = 8;
inline constexpr std::size_t max_ip_acls = 256;
inline constexpr std::size_t max_numbers = 10'000; ///< In one request; a trunk may have more.

/// Whatever is wrong is in `found`; what is returned is good only if nothing is. Ids and times are
/// left to the caller.
[[nodiscard]] trunk_row read_new_trunk(const nlohmann::json& body, first_problem& found);
/// Its own columns, where the body has them; all else is as it was.
void read_trunk_changes(const nlohmann::json& body, trunk_row& into, first_problem& found);

[[nodiscard]] gateway_row read_gateway(const nlohmann::json& body, std::string path,
                                       first_problem& found);
void read_gateway_changes(const nlohmann::json& body, gateway_row& into, first_problem& found);
[[nodiscard]] ip_acl_row read_ip_acl(const nlohmann::json& body, std::string path,
                                     first_problem& found);
[[nodiscard]] number_row read_number(const nlohmann::json& body, std::string path,
                                     first_problem& found);
/// No fields at all is what `{"agent_id": null}` is: it clears the agent.
void read_number_changes(const nlohmann::json& body, number_row& into, first_problem& found);

/// "+14155550100", or "*" for every number (ITU-T E.164: fifteen digits at most).
[[nodiscard]] bool is_e164(std::string_view text) noexcept;

/// "disabled", "degraded" after three failed outbound calls in a row, or while a trunk that is to
/// register cannot, "waiting for carrier" while
/// nobody is known to send calls or to take them, "ok".
[[nodiscard]] std::string_view health_text(const trunk_row& what, const trunk_health& how) noexcept;

/// Passwords are never in what these make.
[[nodiscard]] nlohmann::ordered_json to_json(const trunk_row& what, const trunk_health& how,
                                             bool read_only);
[[nodiscard]] nlohmann::ordered_json to_json(const gateway_row& what);
[[nodiscard]] nlohmann::ordered_json to_json(const ip_acl_row& what);
[[nodiscard]] nlohmann::ordered_json to_json(const number_row& what);

} // namespace softswitch
