#include <trunkline/sip/field_index.hpp>

#include <algorithm>
#include <bit>

#include <trunkline/sip/grammar.hpp>

#include "header_names.hpp"
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

struct colon {
    [[nodiscard]] static constexpr std::uint64_t of(std::uint64_t chars) noexcept {
        const auto difference = chars ^ lanes::words::each * ':';
        return ~(lanes::words::from(difference & lanes::words::each * 0x7f, 1) | difference);
    }
    template <class Lanes>
    [[nodiscard]] static auto of(typename Lanes::vector chars) noexcept {
        return Lanes::is(chars, ':');
    }
};

/// Where the first colon of a line is; its size when there is none.
[[nodiscard]] std::size_t first_colon(std::string_view line) noexcept {
    if (line.size() >= lanes::widest::width) {
        const auto found = lanes::look<colon, lanes::widest>(line.data());
        if (found != 0) return static_cast<std::size_t>(std::countr_zero(found));
    }
    return std::min(line.find(':'), line.size());
}

/// Whether a line ends here, and what follows begins another or none at all: not a fold.
[[nodiscard]] bool ends_line(std::string_view text, std::size_t at) noexcept {
    return at + 2 < text.size() && text[at] == '\r' && text[at + 1] == '\n' &&
           static_cast<unsigned char>(text[at + 2]) > ' ';
}

[[nodiscard]] bool is_break(std::string_view text, std::size_t at) noexcept {
    return text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n';
}

/// Where the line that begins at `at` really ends, behind its folds and whatever stands in it.
[[nodiscard]] std::size_t unfold(std::span<char> text, std::size_t at, std::size_t end,
                                 skimmer<lanes::printable>& controls, bool& has_controls,
                                 first_error& wrong) noexcept {
    const std::string_view whole{text.data(), text.size()};
    for (; end < text.size(); end = controls.next(end + 1)) {
        if (is_break(whole, end)) {
            const bool folded = end > at && end + 2 < text.size() && is_blank(text[end + 2]);
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
    }
    return end;
}

/// What stands behind the colon, without the blanks at both ends; one before it is the custom. The
/// line is followed by its line break.
[[nodiscard]] std::string_view value_behind(std::size_t colon, std::string_view line) noexcept {
    const auto* begin = line.data() + colon + 1;
    const auto* end = line.data() + line.size();
    if (*begin == ' ') ++begin;
    while (begin < end && is_blank(*begin)) ++begin;
    while (end > begin && is_blank(end[-1])) --end;
    return {begin, static_cast<std::size_t>(end - begin)};
}

} // namespace

result<std::size_t> field_index::read(std::span<char> text, first_error& wrong) noexcept {
    start_line_ = {};
    count_ = 0;
    fault_count_ = 0;
    first_.fill(none);
    const auto size = text.size();
    const std::string_view whole{text.data(), size};
    std::size_t at = 0;
    // Section 7.5: line breaks before the start line are keep-alives, and ignored.
    while (whole.substr(at, 2) == "\r\n") at += 2;
    if (at == size) return grammar::wrong(errc::need_more, at);

    skimmer<lanes::printable> controls{whole};
    auto end = controls.next(at);
    while (end < size && !is_break(whole, end)) end = controls.next(end + 1);
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
        if (!ends_line(whole, end)) {
            end = unfold(text, at, end, controls, has_controls, wrong);
            if (end == size) {
                wrong.note(errc::need_more, header::other, size);
                return size;
            }
        }
        if (end == at) return end + 2;
        add({text.data() + at, size - at}, end - at, at, has_controls, wrong);
        at = end + 2;
    }
}

[[gnu::cold, gnu::noinline]] void field_index::fault(errc code, header which, std::size_t at,
                                                     first_error& wrong) noexcept {
    if (fault_count_ == faults_.size()) return wrong.note(code, which, at);
    faults_[fault_count_++] = {.code = code,
                               .field = static_cast<std::uint8_t>(which),
                               .offset = static_cast<std::uint32_t>(at)};
}

void field_index::blank(std::string_view whole, std::size_t at) noexcept {
    for (std::size_t i = 0; i < count_; ++i) {
        auto& value = fields_[i].value;
        const auto begin = static_cast<std::size_t>(value.data() - whole.data());
        if (at >= begin && at < begin + value.size()) value = value.substr(0, 0);
    }
}

/// Of the line of `size` characters that the rest of the message begins with. Every line of every
/// message passes here, from one place: a call of its own costs a tenth of the reader.
[[gnu::always_inline]] inline void field_index::add(std::string_view rest, std::size_t size,
                                                    std::size_t at, bool has_controls,
                                                    first_error& wrong) noexcept {
    const std::string_view line{rest.data(), size};
    // A colon right behind a long name of ours is what nearly all lines have.
    auto colon = first_colon(line);
    auto name_size = colon;
    auto id = header::other;
    if (colon > 1 && rest.size() >= name_pattern::longest) {
        id = known_headers.find(rest.data(), colon);
    }
    if (id == header::other || colon == size) {
        name_size = run(line, 0, set::token);
        colon = skip_blank(line, name_size);
        if (name_size == 0 || colon == size || line[colon] != ':') {
            return fault(errc::bad_token, header::other, at + colon, wrong);
        }
        id = header_of({line.data(), name_size});
    }
    if (count_ == fields_.size()) return wrong.note(errc::limit_exceeded, header::other, at);
    const auto value = value_behind(colon, line);
    if (has_controls) {
        if (const auto bad = bad_text(value)) {
            const auto begin = static_cast<std::size_t>(value.data() - line.data());
            fault(errc::bad_token, id, at + begin + *bad, wrong);
        }
    }
    const auto slot = static_cast<std::size_t>(id);
    const auto place = static_cast<std::uint8_t>(count_++);
    fields_[place] = {id, none, {line.data(), name_size}, value};
    if (first_[slot] == none) {
        first_[slot] = place;
    } else {
        if (single(id)) fault(errc::duplicate, id, at, wrong);
        fields_[last_[slot]].next = place;
    }
    last_[slot] = place;
}

} // namespace trunkline::sip
