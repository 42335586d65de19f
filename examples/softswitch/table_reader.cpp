#include "table_reader.hpp"

#include <utility>

#include <fmt/format.h>

#include "text.hpp"

namespace softswitch {

std::string_view kind_of(const toml::node& what) {
    switch (what.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "a list";
    case toml::node_type::string: return "a string";
    case toml::node_type::integer: return "an integer";
    case toml::node_type::floating_point: return "a number with a point";
    case toml::node_type::boolean: return "true or false";
    default: return "a date or time";
    }
}

std::size_t line_of(const toml::node& what) {
    return what.source().begin.line;
}

table_reader::table_reader(const toml::table& from, std::string path, reading& into)
    : from_{&from},
      path_{std::move(path)},
      into_{&into} {}

std::string table_reader::field(std::string_view key) const {
    return path_.empty() ? std::string{key} : fmt::format("{}.{}", path_, key);
}

void table_reader::complain(std::string_view key, std::string message) {
    const auto* const at = from_->get(key);
    into_->found.push_back({line_of(at != nullptr ? *at : *from_), field(key), std::move(message)});
}

void table_reader::complain(std::string message) {
    into_->found.push_back({line_of(*from_), path_, std::move(message)});
}

const toml::node* table_reader::find(std::string_view key) {
    known_.push_back(key);
    const auto* const found = from_->get(key);
    if (found != nullptr) into_->lines.insert_or_assign(field(key), line_of(*found));
    return found;
}

bool table_reader::has(std::string_view key) {
    known_.push_back(key);
    return from_->contains(key);
}

std::optional<std::string> table_reader::text(std::string_view key) {
    const auto* const found = find(key);
    if (found == nullptr) return std::nullopt;
    const auto* const value = found->as_string();
    if (value == nullptr) {
        complain(key, fmt::format("has to be a string, and is {}", kind_of(*found)));
        return std::nullopt;
    }
    return value->get();
}

std::optional<std::int64_t> table_reader::integer(std::string_view key, std::int64_t least,
                                                  std::int64_t most) {
    const auto* const found = find(key);
    if (found == nullptr) return std::nullopt;
    const auto* const value = found->as_integer();
    if (value == nullptr) {
        complain(key, fmt::format("has to be an integer, and is {}", kind_of(*found)));
        return std::nullopt;
    }
    if (value->get() < least || value->get() > most) {
        complain(key, fmt::format("has to be from {} to {}, and is {}", least, most, value->get()));
        return std::nullopt;
    }
    return value->get();
}

std::optional<bool> table_reader::boolean(std::string_view key) {
    const auto* const found = find(key);
    if (found == nullptr) return std::nullopt;
    const auto* const value = found->as_boolean();
    if (value == nullptr) {
        complain(key, fmt::format("has to be true or false, and is {}", kind_of(*found)));
        return std::nullopt;
    }
    return value->get();
}

std::optional<std::chrono::milliseconds> table_reader::duration(std::string_view key,
                                                                std::chrono::milliseconds least) {
    const auto* const found = find(key);
    if (found == nullptr) return std::nullopt;
    const auto* const value = found->as_string();
    const auto span = value != nullptr ? parse_duration(value->get()) : std::nullopt;
    if (!span) {
        complain(key, R"(has to be a duration with its unit: "500ms", "30s", "2m" or "1h")");
        return std::nullopt;
    }
    // A day is longer than any timer of a call, and far from overflowing any of them.
    if (*span < least || *span > std::chrono::hours{24}) {
        complain(key, fmt::format("has to be from {}ms to 24h", least.count()));
        return std::nullopt;
    }
    return span;
}

const toml::table* table_reader::table(std::string_view key) {
    const auto* const found = find(key);
    if (found == nullptr) return nullptr;
    if (found->as_table() == nullptr) {
        complain(key, fmt::format("has to be a table, and is {}", kind_of(*found)));
    }
    return found->as_table();
}

void table_reader::each(std::string_view key,
                        const std::function<void(const toml::node&, std::string)>& visit,
                        bool or_single) {
    const auto* const found = find(key);
    if (found == nullptr) return;
    const auto* const list = found->as_array();
    if (list == nullptr) {
        if (or_single) {
            visit(*found, field(key));
        } else {
            complain(key, fmt::format("has to be a list in brackets, and is {}", kind_of(*found)));
        }
        return;
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
        auto name = fmt::format("{}[{}]", field(key), i);
        into_->lines.insert_or_assign(name, line_of((*list)[i]));
        visit((*list)[i], std::move(name));
    }
}

std::vector<std::string> table_reader::texts(std::string_view key) {
    std::vector<std::string> read;
    each(key, [&](const toml::node& element, std::string name) {
        if (const auto* const value = element.as_string(); value != nullptr) {
            read.push_back(value->get());
        } else {
            into_->found.push_back(
                {line_of(element), std::move(name),
                 fmt::format("has to be a string, and is {}", kind_of(element))});
        }
    });
    return read;
}

void table_reader::done() {
    for (auto at = from_->cbegin(); at != from_->cend(); ++at) {
        const std::string_view key = at->first.str();
        bool asked = false;
        for (const auto name : known_) asked = asked || name == key;
        if (asked) continue;
        const auto line = static_cast<std::size_t>(at->first.source().begin.line);
        into_->found.push_back(
            {line, field(printable(key)),
             fmt::format("there is no such key; the nearest is `{}`", nearest(key, known_))});
    }
}

} // namespace softswitch
