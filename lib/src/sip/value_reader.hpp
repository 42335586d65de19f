// How the values of headers are read: every production on one text, which is looked at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <trunkline/core/address.hpp>
#include <trunkline/core/result.hpp>
#include <trunkline/core/text.hpp>
#include <trunkline/sip/grammar.hpp>
#include <trunkline/sip/name_addr.hpp>
#include <trunkline/sip/parameters.hpp>
#include <trunkline/sip/uri.hpp>
#include <trunkline/sip/via.hpp>

#include "skimmer.hpp"

namespace trunkline::sip {

/// Reads parts of one text, each from a position to another. Every set of characters that it reads
/// holds the plain ones, so it looks only at the others, the marks. Every production answers
/// whether it matched, or where it ended; one that did not has said why and where in reason(), and
/// leaves `into` in no certain state.
class value_reader {
public:
    explicit value_reader(std::string_view text) noexcept : marks_{text} {}

    [[nodiscard]] bool via(std::size_t at, std::size_t to, via_view& into) noexcept;
    [[nodiscard]] bool name_addr(std::size_t at, std::size_t to, name_addr_view& into) noexcept;
    /// After name_addr() did not match: the same with a display name that should have been quoted.
    /// reason() stays that of name_addr().
    [[nodiscard]] bool odd_name_addr(std::size_t at, std::size_t to, name_addr_view& into,
                                     bool commas) noexcept;
    [[nodiscard]] static bool lone_tag(std::string_view text, name_addr_view& into) noexcept;
    [[nodiscard]] bool uri(std::size_t at, std::size_t to, uri_view& into) noexcept {
        return uri(at, to, find('@', at, to), into);
    }
    /// *( SEMI generic-param ) up to `to`. Calls `visit(name, value)` for each, in order.
    template <class Visit>
    [[nodiscard]] bool parameters(std::size_t at, std::size_t to, parameters_view& into,
                                  Visit visit) noexcept;
    [[nodiscard]] bool parameters(std::size_t at, std::size_t to, parameters_view& into) noexcept {
        return parameters(at, to, into, [](std::string_view, std::string_view) {});
    }

    /// The position after the characters of `which`.
    [[nodiscard]] std::size_t run_end(std::size_t at, std::size_t to, grammar::set which) noexcept {
        const auto* const chars = text().data();
        for (at = marks_.next(at); at < to; at = marks_.next(at + 1)) {
            if (!grammar::is(chars[at], which)) return at;
        }
        return to;
    }

    /// Of the production that did not match; its offset is one in the text.
    [[nodiscard]] error reason() const noexcept { return reason_; }

private:
    /// No position: what was to be read there is wrong.
    static constexpr std::size_t none = std::string_view::npos;

    [[nodiscard]] std::string_view text() const noexcept { return marks_.text(); }
    [[nodiscard]] std::string_view cut(std::size_t at, std::size_t to) const noexcept {
        return {text().data() + at, to - at};
    }
    [[nodiscard]] bool stands(char c, std::size_t at, std::size_t to) const noexcept {
        return at < to && text()[at] == c;
    }
    [[nodiscard]] std::size_t skip_blank(std::size_t at, std::size_t to) const noexcept {
        return grammar::skip_blank({text().data(), to}, at);
    }
    /// The first `mark` from `at` on, or `to`. It is none of the plain characters.
    [[nodiscard]] std::size_t find(char mark, std::size_t at, std::size_t to) noexcept {
        const auto* const chars = text().data();
        for (at = marks_.next(at); at < to; at = marks_.next(at + 1)) {
            if (chars[at] == mark) return at;
        }
        return to;
    }
    [[nodiscard]] bool fail(errc code, std::size_t at) noexcept {
        reason_ = grammar::wrong(code, at);
        return false;
    }
    [[nodiscard]] std::size_t nowhere(errc code, std::size_t at) noexcept {
        reason_ = grammar::wrong(code, at);
        return none;
    }

    [[nodiscard]] std::size_t word_behind_slash(std::size_t at, std::size_t to,
                                                std::string_view& word) noexcept;
    /// The position after the quoted string that starts at `at`.
    [[nodiscard]] std::size_t quoted(std::size_t at, std::size_t to) noexcept;
    /// Characters of `which` and escapes, each "%" followed by two hex digits, up to one that
    /// `ends` it or up to `to`: the position of that.
    template <class Ends>
    [[nodiscard]] std::size_t escaped(std::size_t at, std::size_t to, grammar::set which,
                                      Ends ends) noexcept;
    [[nodiscard]] bool is_escape(std::size_t at, std::size_t to) const noexcept {
        using namespace grammar;
        return at + 2 < to && is(text()[at + 1], set::hex) && is(text()[at + 2], set::hex);
    }
    [[nodiscard]] std::size_t host(std::size_t at, std::size_t to) noexcept;
    /// host [ ":" port ], as URIs and Via have it, and the position after it. `blank` allows white
    /// space around the colon, which Via does and a URI does not.
    template <bool blank, class Into>
    [[nodiscard]] std::size_t host_port(std::size_t at, std::size_t to, Into& into) noexcept;

    /// `sign` is where the first "@" is, or `to`.
    [[nodiscard]] bool uri(std::size_t at, std::size_t to, std::size_t sign,
                           uri_view& into) noexcept;
    [[nodiscard]] bool telephone(std::size_t at, std::size_t to, uri_view& into) noexcept;
    [[nodiscard]] bool other_scheme(std::size_t at, std::size_t colon, std::size_t to) noexcept;
    [[nodiscard]] bool user_info(std::size_t at, std::size_t sign, uri_view& into) noexcept;
    template <class Ends>
    [[nodiscard]] std::size_t uri_parameters(std::size_t at, std::size_t to, Ends ends) noexcept;
    [[nodiscard]] std::size_t display(std::size_t at, std::size_t to,
                                      name_addr_view& into) noexcept;
    [[nodiscard]] bool own_parameters(std::size_t at, std::size_t to,
                                      name_addr_view& into) noexcept;
    [[nodiscard]] bool bare(std::size_t at, std::size_t semicolon, std::size_t to,
                            name_addr_view& into) noexcept;

    skimmer<lanes::plain> marks_;
    error reason_{};
};

template <class Visit>
bool value_reader::parameters(std::size_t at, std::size_t to, parameters_view& into,
                              Visit visit) noexcept {
    using namespace grammar;
    at = skip_blank(at, to);
    into = parameters_view{cut(at, to)};
    while (at < to) {
        if (text()[at] != ';') return fail(errc::trailing_bytes, at);
        const auto name = skip_blank(at + 1, to);
        const auto name_end = run_end(name, to, set::token);
        if (name_end == name) return fail(name == to ? errc::need_more : errc::bad_token, name);
        std::string_view value;
        at = skip_blank(name_end, to);
        if (stands('=', at, to)) {
            const auto begin = skip_blank(at + 1, to);
            const bool is_quoted = stands('"', begin, to);
            at = is_quoted ? quoted(begin, to) : run_end(begin, to, set::param_value);
            if (at == none) return false;
            if (at == begin) return fail(at == to ? errc::need_more : errc::bad_token, at);
            value = cut(begin, at);
            at = skip_blank(at, to);
        }
        visit(cut(name, name_end), value);
    }
    return true;
}

template <class Ends>
std::size_t value_reader::escaped(std::size_t at, std::size_t to, grammar::set which,
                                  Ends ends) noexcept {
    for (at = marks_.next(at); at < to; at = marks_.next(at)) {
        const char c = text()[at];
        if (ends(c)) return at;
        if (c == '%') {
            if (!is_escape(at, to)) return nowhere(errc::bad_escape, at);
            at += 2;
        } else if (!grammar::is(c, which)) {
            return nowhere(errc::bad_token, at);
        }
        ++at;
    }
    return to;
}

template <bool blank, class Into>
std::size_t value_reader::host_port(std::size_t at, std::size_t to, Into& into) noexcept {
    using namespace grammar;
    const auto end = host(at, to);
    if (end == none) return none;
    into.host = cut(at, end);
    into.port = 0;
    into.has_port = false;
    const auto colon = blank ? skip_blank(end, to) : end;
    if (!stands(':', colon, to)) return end;
    at = blank ? skip_blank(colon + 1, to) : colon + 1;
    const auto digits = at;
    unsigned port = 0;
    for (; at < to && is(text()[at], set::digit); ++at) {
        port = port * 10 + static_cast<unsigned>(text()[at] - '0');
        if (port > 65'535) return nowhere(errc::bad_number, digits);
    }
    if (at == digits) return nowhere(errc::bad_number, digits);
    into.port = static_cast<std::uint16_t>(port);
    into.has_port = true;
    return at;
}

} // namespace trunkline::sip
