// A JSON object, read strictly: every value has one type and one range, a field that nobody asked
// for is an error, and so is one that stands twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <trunkline/core/result.hpp>

#include "switch_port.hpp"

namespace softswitch {

/// Of a request's body. What is no JSON (RFC 8259), nests deeper than `max_json_depth` or has a
/// name twice is said in a sentence with line and column; an empty body is no JSON.
[[nodiscard]] trunkline::result<nlohmann::json, field_problem> parse_json(std::string_view text);

/// Nothing we read nests deeper than a list of objects in an object.
inline constexpr std::size_t max_json_depth = 8;

/// The first thing that is wrong with a body; what comes later is perhaps only a consequence.
using first_problem = std::optional<field_problem>;

class json_reader {
public:
    /// `path` is what the fields of this object are called after, such as "gateways[1]"; empty for
    /// the body itself. A value that is no object is a problem, and has no fields.
    json_reader(const nlohmann::json& from, std::string path, first_problem& found);

    // Nothing when the field is absent, and nothing but a problem when the value is wrong.

    /// UTF-8 without control characters, `least` to `most` characters of it.
    [[nodiscard]] std::optional<std::string> text(std::string_view key, std::size_t least,
                                                  std::size_t most);
    /// The same, where null stands for the empty text.
    [[nodiscard]] std::optional<std::string> text_or_null(std::string_view key, std::size_t most);
    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key, std::int64_t least,
                                                      std::int64_t most);
    [[nodiscard]] std::optional<bool> boolean(std::string_view key);
    /// One of `allowed`.
    [[nodiscard]] std::optional<std::string> word(std::string_view key,
                                                  const std::vector<std::string_view>& allowed);
    /// Calls `visit(element, field)` for each element of a list of at most `most`.
    void each(std::string_view key, std::size_t most,
              const std::function<void(const nlohmann::json&, std::string)>& visit);
    /// Names and values that the client makes up; nothing but text. Each pair has at most `most`
    /// characters, and there are at most `count`.
    [[nodiscard]] std::map<std::string, std::string> texts(std::string_view key, std::size_t count,
                                                           std::size_t most);

    /// For a value that may be one thing or another; nothing when it is absent.
    [[nodiscard]] const nlohmann::json* find(std::string_view key);
    [[nodiscard]] bool has(std::string_view key);
    [[nodiscard]] std::string field(std::string_view key) const;
    void require(std::string_view key);
    void complain(std::string_view key, std::string message);

    /// Every field that was not asked for by now is one too many.
    void done();

private:
    const nlohmann::json* from_;
    std::string path_;
    first_problem* found_;
    std::vector<std::string_view> known_; ///< The literals of whoever reads.
};

/// "a string", "an object": what a value is, in words.
[[nodiscard]] std::string_view kind_of(const nlohmann::json& what);

/// How many characters UTF-8 is. Precondition: it is UTF-8, as every text of parse_json() is.
[[nodiscard]] std::size_t characters(std::string_view text) noexcept;

} // namespace softswitch
