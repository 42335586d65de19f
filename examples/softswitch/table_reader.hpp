// A TOML table, read strictly: every value has one type and one range, and a key that nobody asked
// for is an error. Whoever misspells `allow_from` finds out before a carrier does.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "config.hpp"

namespace softswitch {

/// What reading one file leaves behind beside the values: where each key stood, and what is wrong.
struct reading {
    std::map<std::string, std::size_t, std::less<>> lines;
    problems found;
};

class table_reader {
public:
    /// `path` is what the fields of this table are called after, such as "trunk[0]"; empty for the
    /// file itself.
    table_reader(const toml::table& from, std::string path, reading& into);

    // Nothing when the key is absent, and nothing but a problem when the value is wrong.

    [[nodiscard]] std::optional<std::string> text(std::string_view key);
    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key, std::int64_t least,
                                                      std::int64_t most);
    [[nodiscard]] std::optional<bool> boolean(std::string_view key);
    [[nodiscard]] std::optional<std::chrono::milliseconds>
    duration(std::string_view key, std::chrono::milliseconds least);
    [[nodiscard]] const toml::table* table(std::string_view key);
    /// Calls `visit(element, field)` for each element. A value alone is a list of one if
    /// `or_single`.
    void each(std::string_view key,
              const std::function<void(const toml::node&, std::string)>& visit,
              bool or_single = false);
    /// The elements of a list that may hold nothing but text, such as allow_from.
    [[nodiscard]] std::vector<std::string> texts(std::string_view key);

    /// For a key that may be one thing or another; nothing when it is absent.
    [[nodiscard]] const toml::node* find(std::string_view key);
    [[nodiscard]] bool has(std::string_view key);
    [[nodiscard]] std::string field(std::string_view key) const;
    /// Something is wrong with the value of a key, or with the table as a whole.
    void complain(std::string_view key, std::string message);
    void complain(std::string message);
    [[nodiscard]] reading& read() const { return *into_; }

    /// Every key that was not asked for by now is one too many.
    void done();

private:
    const toml::table* from_;
    std::string path_;
    reading* into_;
    std::vector<std::string_view> known_; ///< The literals of whoever reads.
};

/// "a string", "a table": what a value is, in words.
[[nodiscard]] std::string_view kind_of(const toml::node& what);
[[nodiscard]] std::size_t line_of(const toml::node& what);

} // namespace softswitch
