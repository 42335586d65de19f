// Trunks out of the database, with all that is in them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "database.hpp"
#include "rows.hpp"
#include "secret_box.hpp"

namespace softswitch {

/// Of all trunks, or of the one with that id: none when there is no such trunk.
[[nodiscard]] stored<std::vector<trunk_row>> read_trunks(database& from, const secret_box& secrets,
                                                         std::string_view id = {});
[[nodiscard]] stored<std::vector<number_row>> read_number(database& from, std::string_view id);

/// What a trunk's password is sealed for.
[[nodiscard]] std::string password_place(std::string_view trunk_id);

/// "+1,+49", and back; "*" for none that is given.
[[nodiscard]] std::string prefixes_text(const std::optional<std::vector<std::string>>& prefixes);
[[nodiscard]] std::optional<std::vector<std::string>> prefixes_of(std::string_view text);

/// "PCMU,PCMA", and back. What is no codec is skipped.
[[nodiscard]] std::string codecs_text(const std::vector<trunkline::codec_name>& codecs);
[[nodiscard]] std::vector<trunkline::codec_name> codecs_of(std::string_view text);

} // namespace softswitch
