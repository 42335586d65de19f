#include <trunkline/sip/field_index.hpp>

#include <algorithm>
#include <bit>

#include <trunkline/sip/grammar.hpp>

#include "skimmer.hpp"

namespace trunkline::sip {

using namespace grammar;

namespace {

/// Headers that may stand once (section 7.3.1): a second one is how requests are smuggled.
[[nodiscard]] constexpr bool single(header which) noexcept {
    switch (which) {
    case header::call_id:
    case header::content_length:
    case header::content_type:
    case header::cseq:
    case header::expires:
    case header::from:
    case header::max_forwards:
    case header::to:
    case header::refer_to:
    case header::replaces:
    case header::session_expires:
    case header::min_se:
    case header::rack:
    case header::rseq: return true;
    default: return false;
    }
}

[[nodiscard]] constexpr bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}

struct not_colon {
    [[nodiscard]] static constexpr std::uint64_t of(std::uint64_t chars) noexcept {
        const auto difference = chars ^ lanes::words::each * ':';
        return lanes::words::from(difference & lanes::words::each * 0x7f, 1) | difference;
    }
    template <class Lanes>
    [[nodiscard]] static auto of(typename Lanes::vector chars) noexcept {
        return Lanes::without(Lanes::all(-1), Lanes::is(chars, ':'));
    }
};

/// Where the first colon of a line is; its size when there is none.
[[nodiscard]] std::size_t first_colon(std::string_view line) noexcept {
    using lanes::widest;
    if (line.size() >= widest::width) {
        const auto others = lanes::look<not_colon, widest>(line.data());
        const auto name = static_cast<std::size_t>(std::countr_one(others));
        if (name < widest::width) return name;
    }
    return std::min(line.find(':'), line.size());
}

} // namespace

/// A header line with its folds, and where in the message it stands.
struct field_index::line {
    std::string_view text;
    std::size_t at;
    bool has_controls; ///< Then its value is looked at once more.
};

result<std::size_t> field_index::read(std::span<char> text, first_error& wrong) noexcept {
    start_line_ = {};
    count_ = 0;
    first_.fill(none);
    const auto size = text.size();
    const std::string_view whole{text.data(), size};
    std::size_t at = 0;
    // Section 7.5: line breaks before the start line are keep-alives, and ignored.
    while (whole.substr(at, 2) == "\r\n") at += 2;
    if (at == size) return grammar::wrong(errc::need_more, at);

    skimmer<lanes::printable> controls{whole};
    const auto is_break = [&](std::size_t place) {
        return text[place] == '\r' && place + 1 < size && text[place + 1] == '\n';
    };
    auto end = controls.next(at);
    while (end < size && !is_break(end)) end = controls.next(end + 1);
    if (end == size) return grammar::wrong(errc::need_more, size);
    start_line_ = whole.substr(at, end - at);

    const auto start = end + 2;
    at = start;
    while (true) {
        if (at - start > limits::header_section) {
            wrong.note(errc::limit_exceeded, header::other, at);
            return at;
        }
        bool has_controls = false;
        end = controls.next(at);
        while (end < size) {
            if (is_break(end)) {
                const bool folded = end > at && end + 2 < size && is_blank(text[end + 2]);
                if (!folded) break;
                text[end] = text[end + 1] = ' ';
                ++end;
            } else {
                has_controls = true;
                if (text[end] == '\r') {
                    const bool escaped = end > at && text[end - 1] == '\\';
                    wrong.note(escaped ? errc::bad_quote : errc::bad_token, header::other, end);
                }
            }
            end = controls.next(end + 1);
        }
        if (end == size) {
            wrong.note(errc::need_more, header::other, size);
            return size;
        }
        if (end == at) return end + 2;
        add({whole.substr(at, end - at), at, has_controls}, wrong);
        at = end + 2;
    }
}

void field_index::add(const line& read, first_error& wrong) noexcept {
    const auto text = read.text;
    // A colon right behind a name of ours is what nearly all lines have.
    auto colon = first_colon(text);
    auto name = text.substr(0, colon);
    auto id = header_of(name);
    if (id == header::other || colon == text.size()) {
        name = text.substr(0, run(text, 0, set::token));
        colon = skip_blank(text, name.size());
        if (name.empty() || colon == text.size() || text[colon] != ':') {
            return wrong.note(errc::bad_token, header::other, read.at + colon);
        }
        id = header_of(name);
    }
    if (count_ == fields_.size()) {
        return wrong.note(errc::limit_exceeded, header::other, read.at);
    }
    const auto value_at = skip_blank(text, colon + 1);
    auto value_end = text.size();
    while (value_end > value_at && is_blank(text[value_end - 1])) --value_end;
    const auto value = text.substr(value_at, value_end - value_at);
    if (read.has_controls) {
        if (const auto bad = bad_text(value)) {
            wrong.note(errc::bad_token, id, read.at + value_at + *bad);
        }
    }
    if (has(id) && single(id)) wrong.note(errc::duplicate, id, read.at);
    append(id, name, value);
}

void field_index::append(header id, std::string_view name, std::string_view value) noexcept {
    const auto slot = static_cast<std::size_t>(id);
    const auto place = static_cast<std::uint8_t>(count_++);
    fields_[place] = {id, none, name, value};
    if (first_[slot] == none) {
        first_[slot] = place;
    } else {
        fields_[last_[slot]].next = place;
    }
    last_[slot] = place;
}

} // namespace trunkline::sip
