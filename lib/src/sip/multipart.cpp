#include <trunkline/sip/multipart.hpp>

#include <algorithm>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/parameters.hpp>

namespace trunkline::sip {

namespace {

constexpr std::size_t longest_boundary = 70; // RFC 2046 section 5.1.1.
constexpr unsigned most_nested = 3;

[[nodiscard]] error wrong(errc code, std::size_t at = 0) noexcept {
    return {.code = code, .offset = static_cast<std::uint32_t>(at)};
}

[[nodiscard]] std::string_view blanks_off(std::string_view text) noexcept {
    constexpr std::string_view blank = " \t\r\n";
    const auto first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) return text.substr(0, 0);
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

/// Of "x;name=value", folded or not; the quotes of the value are gone.
[[nodiscard]] std::string_view parameter(std::string_view value, std::string_view name) noexcept {
    for (auto at = value.find(';'); at < value.size();) {
        auto end = at + 1;
        for (bool quoted = false; end < value.size() && (quoted || value[end] != ';'); ++end) {
            if (value[end] == '"') quoted = !quoted;
        }
        const auto one = value.substr(at + 1, end - at - 1);
        const auto equals = std::min(one.find('='), one.size());
        if (iequals(blanks_off(one.substr(0, equals)), name) && equals < one.size()) {
            auto found = blanks_off(one.substr(equals + 1));
            const bool quoted = found.size() >= 2 && found.front() == '"' && found.back() == '"';
            return quoted ? found.substr(1, found.size() - 2) : found;
        }
        at = end;
    }
    return {};
}

[[nodiscard]] bool is_plain(std::string_view encoding) noexcept {
    return encoding.empty() || iequals(encoding, "identity") || iequals(encoding, "7bit") ||
           iequals(encoding, "8bit") || iequals(encoding, "binary");
}

/// Where a line of "--boundary" begins, and where what follows it begins.
struct delimiter {
    std::size_t at = std::string_view::npos;
    std::size_t after = 0;
    bool last = false;
};

[[nodiscard]] delimiter next_delimiter(std::string_view body, std::size_t from,
                                       std::string_view boundary) noexcept {
    for (auto at = body.find("--", from); at != std::string_view::npos;
         at = body.find("--", at + 1)) {
        if (at > 0 && body[at - 1] != '\n') continue;
        if (body.substr(at + 2, boundary.size()) != boundary) continue;
        auto rest = body.substr(at + 2 + boundary.size());
        const bool last = rest.starts_with("--");
        if (last) rest.remove_prefix(2);
        const auto line = rest.substr(0, rest.find('\n'));
        if (!blanks_off(line).empty()) continue; // A longer boundary that begins alike.
        return {at, std::min(body.size() - rest.size() + line.size() + 1, body.size()), last};
    }
    return {};
}

/// The line break before a delimiter is the delimiter's.
[[nodiscard]] std::string_view without_break(std::string_view text) noexcept {
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
}

/// Cuts a header with its folds off `text`; nothing is left of the header section when it is empty.
[[nodiscard]] std::string_view cut_header(std::string_view& text) noexcept {
    std::size_t at = 0;
    do {
        at = std::min(text.find('\n', at), text.size() - 1) + 1;
    } while (at < text.size() && (text[at] == ' ' || text[at] == '\t'));
    const auto line = text.substr(0, at);
    text.remove_prefix(at);
    return blanks_off(line);
}

} // namespace

std::string_view body_part::type() const noexcept {
    return blanks_off(content_type.substr(0, content_type.find(';')));
}

bool body_part::is_optional() const noexcept {
    return iequals(parameter(disposition, "handling"), "optional");
}

bool body_part::is_required() const noexcept {
    return iequals(parameter(disposition, "handling"), "required");
}

const body_part* body_parts::find(std::string_view type) const noexcept {
    const auto all = this->all();
    const auto found =
        std::ranges::find_if(all, [&](const body_part& one) { return iequals(one.type(), type); });
    return found == all.end() ? nullptr : &*found;
}

result<void> body_parts::read(const message_view& message) noexcept {
    const auto read = this->read(message.value(header::content_type), message.body());
    const bool whole = count_ == 1 && parts_[0].content.data() == message.body().data();
    if (whole) parts_[0].disposition = message.value(header::content_disposition);
    if (!is_plain(message.value(header::content_encoding))) {
        for (std::size_t i = 0; i < count_; ++i) parts_[i].encoded = true;
    }
    return read;
}

result<void> body_parts::read(std::string_view content_type, std::string_view body) noexcept {
    count_ = 0;
    if (body.empty()) return {};
    if (iequals(content_type.substr(0, 10), "multipart/")) return read_parts(content_type, body, 0);
    parts_[count_++] = {.content_type = content_type, .content = body};
    return {};
}

result<void> body_parts::read_parts(std::string_view content_type, std::string_view body,
                                    unsigned depth) noexcept {
    const auto boundary = parameter(content_type, "boundary");
    if (boundary.empty()) return wrong(errc::missing);
    if (boundary.size() > longest_boundary || depth == most_nested) {
        return wrong(errc::limit_exceeded);
    }
    auto from = next_delimiter(body, 0, boundary);
    if (from.at == std::string_view::npos) return wrong(errc::missing, body.size());
    while (!from.last) {
        auto to = next_delimiter(body, from.after, boundary);
        // The last delimiter is missing where a gateway has cut its text: the body has an end, too.
        const auto end = std::min(to.at, body.size());
        const auto text = body.substr(from.after, end - from.after);
        if (const auto added = add(to.at < body.size() ? without_break(text) : text, depth);
            !added) {
            return added;
        }
        if (to.at == std::string_view::npos) break;
        from = to;
    }
    return {};
}

result<void> body_parts::add(std::string_view text, unsigned depth) noexcept {
    body_part made;
    while (!text.empty()) {
        const auto line = cut_header(text);
        if (line.empty()) break;
        const auto colon = std::min(line.find(':'), line.size());
        const auto name = blanks_off(line.substr(0, colon));
        const auto value = blanks_off(line.substr(std::min(colon + 1, line.size())));
        if (iequals(name, "Content-Type") || iequals(name, "c"))
            made.content_type = value;
        else if (iequals(name, "Content-Disposition"))
            made.disposition = value;
        else if (iequals(name, "Content-ID"))
            made.content_id = value;
        else if (iequals(name, "Content-Encoding") || iequals(name, "e") ||
                 iequals(name, "Content-Transfer-Encoding"))
            made.encoded = made.encoded || !is_plain(value);
    }
    made.content = text;
    if (iequals(made.content_type.substr(0, 10), "multipart/")) {
        return read_parts(made.content_type, text, depth + 1);
    }
    if (count_ == parts_.size()) return wrong(errc::limit_exceeded);
    parts_[count_++] = made;
    return {};
}

} // namespace trunkline::sip
