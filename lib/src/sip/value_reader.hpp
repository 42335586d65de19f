// How the values of headers are read: every production on one text, which is looked at once.
#pragma once

#include <cstddef>
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
/// holds the plain ones, so it looks only at the others, the marks. Reasons have their offset in
/// the text. What could not be read leaves `into` in no certain state.
class value_reader {
public:
    explicit value_reader(std::string_view text) noexcept : marks_{text} {}

    [[nodiscard]] result<void> via(std::size_t at, std::size_t to, via_view& into) noexcept;
    [[nodiscard]] result<void> name_addr(std::size_t at, std::size_t to,
                                         name_addr_view& into) noexcept;
    [[nodiscard]] result<void> uri(std::size_t at, std::size_t to, uri_view& into) noexcept {
        return uri(at, to, find('@', at, to), into);
    }

    /// *( SEMI generic-param ) up to `to`. The value of the first parameter that is called `wanted`
    /// is put into `found`.
    [[nodiscard]] result<void> parameters(std::size_t at, std::size_t to, parameters_view& into,
                                          std::string_view wanted,
                                          std::string_view& found) noexcept;
    [[nodiscard]] result<void> parameters(std::size_t at, std::size_t to,
                                          parameters_view& into) noexcept {
        std::string_view ignored;
        return parameters(at, to, into, {}, ignored);
    }

    /// The position after the characters of `which`.
    [[nodiscard]] std::size_t run_end(std::size_t at, std::size_t to, grammar::set which) noexcept {
        for (at = marks_.next(at); at < to; at = marks_.next(at + 1)) {
            if (!grammar::is(text()[at], which)) return at;
        }
        return to;
    }

private:
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
        for (at = marks_.next(at); at < to; at = marks_.next(at + 1)) {
            if (text()[at] == mark) return at;
        }
        return to;
    }
    /// The position after the quoted string that starts at `at`.
    [[nodiscard]] result<std::size_t> quoted(std::size_t at, std::size_t to) noexcept;

    /// Characters of `which` and escapes, each "%" followed by two hex digits, up to one that
    /// `ends` it or up to `to`: the position of that.
    template <class Ends>
    [[nodiscard]] result<std::size_t> escaped(std::size_t at, std::size_t to, grammar::set which,
                                              Ends ends) noexcept {
        for (at = marks_.next(at); at < to; at = marks_.next(at)) {
            const char c = text()[at];
            if (ends(c)) return at;
            if (c == '%') {
                if (!is_escape(at, to)) return grammar::wrong(errc::bad_escape, at);
                at += 2;
            } else if (!grammar::is(c, which)) {
                return grammar::wrong(errc::bad_token, at);
            }
            ++at;
        }
        return to;
    }
    [[nodiscard]] bool is_escape(std::size_t at, std::size_t to) const noexcept {
        using namespace grammar;
        return at + 2 < to && is(text()[at + 1], set::hex) && is(text()[at + 2], set::hex);
    }

    /// host [ ":" port ], as URIs and Via have it, and the position after it. `blank` allows white
    /// space around the colon, which Via does and a URI does not.
    template <bool blank, class Into>
    [[nodiscard]] result<std::size_t> host_port(std::size_t at, std::size_t to,
                                                Into& into) noexcept;
    [[nodiscard]] result<std::size_t> host(std::size_t at, std::size_t to) noexcept;

    /// `sign` is where the first "@" is, or `to`.
    [[nodiscard]] result<void> uri(std::size_t at, std::size_t to, std::size_t sign,
                                   uri_view& into) noexcept;
    [[nodiscard]] result<void> telephone(std::size_t at, std::size_t to, uri_view& into) noexcept;
    [[nodiscard]] result<void> other_scheme(std::size_t at, std::size_t colon,
                                            std::size_t to) const noexcept;
    [[nodiscard]] result<void> user_info(std::size_t at, std::size_t sign, uri_view& into) noexcept;
    template <class Ends>
    [[nodiscard]] result<std::size_t> uri_parameters(std::size_t at, std::size_t to,
                                                     Ends ends) noexcept;
    [[nodiscard]] result<std::size_t> display(std::size_t at, std::size_t to,
                                              name_addr_view& into) noexcept;
    [[nodiscard]] result<void> bare(std::size_t at, std::size_t semicolon, std::size_t to,
                                    name_addr_view& into) noexcept;

    skimmer<lanes::plain> marks_;
};

template <bool blank, class Into>
result<std::size_t> value_reader::host_port(std::size_t at, std::size_t to, Into& into) noexcept {
    using namespace grammar;
    const auto end = host(at, to);
    if (!end) return end;
    into.host = cut(at, *end);
    const auto colon = blank ? skip_blank(*end, to) : *end;
    if (!stands(':', colon, to)) return end;
    at = blank ? skip_blank(colon + 1, to) : colon + 1;
    const auto digits = at;
    unsigned port = 0;
    for (; at < to && is(text()[at], set::digit); ++at) {
        port = port * 10 + static_cast<unsigned>(text()[at] - '0');
        if (port > 65'535) return wrong(errc::bad_number, digits);
    }
    if (at == digits) return wrong(errc::bad_number, digits);
    into.port = static_cast<std::uint16_t>(port);
    into.has_port = true;
    return at;
}

} // namespace trunkline::sip
