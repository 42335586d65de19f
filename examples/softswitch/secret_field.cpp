#include "secret_field.hpp"

#include <cstdlib>
#include <fstream>

#include <fmt/format.h>

#include <trunkline/core/text.hpp>

#include "text.hpp"

namespace softswitch {

namespace {

/// The first line of a file: secrets are kept apart from what goes into version control.
[[nodiscard]] std::optional<std::string> first_line(const std::filesystem::path& path) {
    std::ifstream file{path};
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    return std::string{trunkline::trimmed(line)};
}

} // namespace

std::optional<std::string> read_secret(table_reader& from, const secret_keys& keys,
                                       const std::filesystem::path& folder) {
    const auto given = from.text(keys.given);
    const auto file = from.text(keys.file);
    const auto variable = from.text(keys.variable);
    if (int{given.has_value()} + int{file.has_value()} + int{variable.has_value()} > 1) {
        from.complain(keys.given, fmt::format("give one of {}, {} and {}", keys.given, keys.file,
                                              keys.variable));
        return std::nullopt;
    }
    if (file) {
        auto line = first_line(folder / *file);
        if (!line || line->empty()) {
            from.complain(keys.file, fmt::format("no {} can be read from {}", keys.given,
                                                 printable((folder / *file).string())));
        }
        return line;
    }
    if (variable) {
        // Before any thread is started, and nobody here calls setenv.
        const char* const value = std::getenv(variable->c_str()); // NOLINT(concurrency-mt-unsafe)
        if (value == nullptr || *value == '\0') {
            from.complain(keys.variable, fmt::format("the environment variable {} is not set",
                                                     printable(*variable)));
            return std::nullopt;
        }
        return std::string{value};
    }
    return given;
}

} // namespace softswitch
