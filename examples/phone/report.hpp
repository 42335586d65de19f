// What a call was like, for people and for programs.
#pragma once

#include <string>

#include <trunkline/trunk/call_record.hpp>

#include "handset.hpp"

namespace phone {

void print(const trunkline::call_record& record, const conversation& talk);
[[nodiscard]] std::string to_json(const trunkline::call_record& record, const conversation& talk);

/// "-" is stdout. Throws std::runtime_error when the file cannot be written.
void append_line(const std::string& path, const std::string& line);

} // namespace phone
