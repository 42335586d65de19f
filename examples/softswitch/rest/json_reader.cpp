#include "json_reader.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "text.hpp"

namespace softswitch {

namespace {

using nlohmann::json;

/// Builds the document and refuses what nlohmann::json would let pass.
class strict_builder {
public:
    explicit strict_builder(std::string_view text) : text_{text} {}

    bool null() { return put(nullptr); }
    bool boolean(bool value) { return put(value); }
    bool number_integer(json::number_integer_t value) { return put(value); }
    bool number_unsigned(json::number_unsigned_t value) { return put(value); }
    bool number_float(json::number_float_t value, const std::string& /*as written*/) {
        return put(value);
    }
    bool string(std::string& value) { return put(std::move(value)); }
    bool binary(json::binary_t& /*JSON has none*/) { return false; }
    bool start_object(std::size_t /*unknown*/) { return open(json::object()); }
    bool start_array(std::size_t /*unknown*/) { return open(json::array()); }
    bool end_object() { return close(); }
    bool end_array() { return close(); }

    bool key(std::string& name) {
        auto& object = *open_.back();
        if (object.contains(name)) {
            return refuse(printable(std::string_view{name}.substr(0, 64)), "stands twice");
        }
        slot_ = &object[name];
        return true;
    }

    bool parse_error(std::size_t position, const std::string& /*last token*/,
                     const nlohmann::detail::exception& /*names its own library*/) {
        const auto upto = text_.substr(0, std::min(position, text_.size()));
        const auto line = 1 + std::count(upto.begin(), upto.end(), '\n');
        const auto column = upto.size() - (upto.rfind('\n') + 1);
        return refuse({}, fmt::format("the body is not JSON: see line {}, column {}", line,
                                      std::max<std::size_t>(column, 1)));
    }

    [[nodiscard]] trunkline::result<json, field_problem> take() {
        if (problem_) return std::move(*problem_);
        return std::move(root_);
    }

private:
    bool refuse(std::string field, std::string message) {
        problem_ = field_problem{std::move(field), std::move(message)};
        return false;
    }

    json* place(json&& value) {
        if (open_.empty()) {
            root_ = std::move(value);
            return &root_;
        }
        if (open_.back()->is_array()) {
            open_.back()->push_back(std::move(value));
            return &open_.back()->back();
        }
        *slot_ = std::move(value);
        return slot_;
    }
    bool put(json&& value) {
        place(std::move(value));
        return true;
    }
    bool open(json&& value) {
        if (open_.size() == max_json_depth) {
            return refuse({}, fmt::format("the body nests deeper than {} levels", max_json_depth));
        }
        open_.push_back(place(std::move(value)));
        return true;
    }
    bool close() {
        open_.pop_back();
        return true;
    }

    std::string_view text_;
    json root_;
    std::vector<json*> open_; ///< Objects and lists that have not ended, the innermost last.
    json* slot_ = nullptr;    ///< Where the value of the last name goes.
    first_problem problem_;
};

/// A name that a stranger made up, as far as a sentence wants to quote it.
[[nodiscard]] std::string quoted_name(std::string_view name) {
    return printable(name.substr(0, 64));
}

[[nodiscard]] bool has_control_characters(std::string_view text) {
    return std::ranges::any_of(
        text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

} // namespace

trunkline::result<json, field_problem> parse_json(std::string_view text) {
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        return field_problem{{}, "the body is empty, and has to be a JSON object"};
    }
    strict_builder builder{text};
    json::sax_parse(text, &builder);
    return builder.take();
}

std::string_view kind_of(const json& what) {
    switch (what.type()) {
    case json::value_t::object: return "an object";
    case json::value_t::array: return "a list";
    case json::value_t::string: return "a string";
    case json::value_t::boolean: return "true or false";
    case json::value_t::number_integer:
    case json::value_t::number_unsigned: return "an integer";
    case json::value_t::number_float: return "a number with a point";
    default: return "null";
    }
}

std::size_t characters(std::string_view text) noexcept {
    // All bytes but those that continue a character.
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

json_reader::json_reader(const json& from, std::string path, first_problem& found)
    : from_{&from},
      path_{std::move(path)},
      found_{&found} {
    static const json nothing = json::object();
    if (from.is_object()) return;
    complain({}, path_.empty()
                     ? fmt::format("the body has to be a JSON object, and is {}", kind_of(from))
                     : fmt::format("has to be an object, and is {}", kind_of(from)));
    from_ = &nothing;
}

std::string json_reader::field(std::string_view key) const {
    if (key.empty()) return path_;
    return path_.empty() ? std::string{key} : fmt::format("{}.{}", path_, key);
}

void json_reader::complain(std::string_view key, std::string message) {
    if (!*found_) *found_ = field_problem{field(key), std::move(message)};
}

const json* json_reader::find(std::string_view key) {
    known_.push_back(key);
    const auto at = from_->find(key);
    return at == from_->end() ? nullptr : &*at;
}

bool json_reader::has(std::string_view key) {
    return find(key) != nullptr;
}

void json_reader::require(std::string_view key) {
    if (!has(key)) complain(key, "has to be there");
}

std::optional<std::string> json_reader::text(std::string_view key, std::size_t least,
                                             std::size_t most) {
    const auto* const found = find(key);
    if (found == nullptr) return std::nullopt;
    if (!found->is_string()) {
        complain(key, fmt::format("has to be a string, and is {}", kind_of(*found)));
        return std::nullopt;
    }
    const auto& value = found->get_ref<const std::string&>();
    const auto length = characters(value);
    if (length < least || length > most) {
        complain(key, least == 0 ? fmt::format("has to have at most {} characters, and has {}",
                                               most, length)
                                 : fmt::format("has to have {} to {} characters, and has {}", least,
                                               most, length));
        return std::nullopt;
    }
    if (has_control_characters(value)) {
        complain(key, "must not have control characters");
        return std::nullopt;
    }
    return value;
}

std::optional<std::string> json_reader::text_or_null(std::string_view key, std::size_t most) {
    if (const auto* const found = find(key); found != nullptr && found->is_null()) return "";
    return text(key, 0, most);
}

std::optional<std::int64_t> json_reader::integer(std::string_view key, std::int64_t least,
                                                 std::int64_t most) {
    const auto* const found = find(key);
    if (found == nullptr) return std::nullopt;
    if (!found->is_number_integer()) {
        complain(key, fmt::format("has to be an integer, and is {}", kind_of(*found)));
        return std::nullopt;
    }
    // What an int64 cannot hold is in no range of ours; it must not come out as a negative one.
    const auto in_range = [&] {
        if (found->is_number_unsigned()) {
            return found->get<std::uint64_t>() <= static_cast<std::uint64_t>(most) &&
                   found->get<std::uint64_t>() >=
                       static_cast<std::uint64_t>(std::max<std::int64_t>(least, 0));
        }
        return found->get<std::int64_t>() >= least && found->get<std::int64_t>() <= most;
    };
    if (!in_range()) {
        complain(key,
                 fmt::format("has to be from {} to {}, and is {}", least, most, found->dump()));
        return std::nullopt;
    }
    return found->get<std::int64_t>();
}

std::optional<bool> json_reader::boolean(std::string_view key) {
    const auto* const found = find(key);
    if (found == nullptr) return std::nullopt;
    if (!found->is_boolean()) {
        complain(key, fmt::format("has to be true or false, and is {}", kind_of(*found)));
        return std::nullopt;
    }
    return found->get<bool>();
}

std::optional<std::string> json_reader::word(std::string_view key,
                                             const std::vector<std::string_view>& allowed) {
    const auto* const found = find(key);
    if (found == nullptr) return std::nullopt;
    if (found->is_string()) {
        const auto& value = found->get_ref<const std::string&>();
        if (std::ranges::find(allowed, value) != allowed.end()) return value;
    }
    complain(key, fmt::format("has to be one of \"{}\"", fmt::join(allowed, "\", \"")));
    return std::nullopt;
}

void json_reader::each(std::string_view key, std::size_t most,
                       const std::function<void(const json&, std::string)>& visit) {
    const auto* const found = find(key);
    if (found == nullptr) return;
    if (!found->is_array()) {
        return complain(key, fmt::format("has to be a list, and is {}", kind_of(*found)));
    }
    if (found->size() > most) {
        return complain(
            key, fmt::format("has to have at most {} elements, and has {}", most, found->size()));
    }
    for (std::size_t i = 0; i < found->size(); ++i) {
        visit((*found)[i], fmt::format("{}[{}]", field(key), i));
    }
}

std::map<std::string, std::string> json_reader::texts(std::string_view key, std::size_t count,
                                                      std::size_t most) {
    std::map<std::string, std::string> read;
    const auto* const found = find(key);
    if (found == nullptr) return read;
    if (!found->is_object()) {
        complain(key, fmt::format("has to be an object of strings, and is {}", kind_of(*found)));
        return read;
    }
    if (found->size() > count) {
        complain(key,
                 fmt::format("has to have at most {} fields, and has {}", count, found->size()));
        return read;
    }
    for (const auto& [name, value] : found->items()) {
        const auto named = fmt::format("{}.{}", key, quoted_name(name));
        if (!value.is_string()) {
            complain(named, fmt::format("has to be a string, and is {}", kind_of(value)));
        } else if (name.empty()) {
            complain(key, "must not have a field without a name");
        } else if (characters(name) + characters(value.get_ref<const std::string&>()) > most) {
            complain(key, fmt::format("has a field that is longer than {} characters with its name",
                                      most));
        } else {
            read.emplace(name, value.get_ref<const std::string&>());
        }
    }
    return read;
}

void json_reader::done() {
    for (const auto& [key, value] : from_->items()) {
        if (std::ranges::find(known_, key) != known_.end()) continue;
        return complain(quoted_name(key), fmt::format("there is no such field; the nearest is `{}`",
                                                      nearest(key, known_)));
    }
}

} // namespace softswitch
