// What a call was like, for people and for programs.
#pragma once

#include <optional>
#include <string>

#include <trunkline/audio/correlation.hpp>
#include <trunkline/trunk/call_record.hpp>

#include "handset.hpp"

namespace phone {

void print(const trunkline::call_record& record, const conversation& talk);
[[nodiscard]] std::string to_json(const trunkline::call_record& record, const conversation& talk);

/// What a comparison came to.
struct verdict {
    std::string said{}; ///< The files.
    std::string heard{};
    trunkline::audio::likeness found{};
    std::string other_file{};
    std::optional<trunkline::audio::likeness> other{};
    bool good = false;
};
[[nodiscard]] std::string to_json(const verdict& what);

/// "-" is stdout. Throws std::runtime_error when the file cannot be written.
void append_line(const std::string& path, const std::string& line);

} // namespace phone
