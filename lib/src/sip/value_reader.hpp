// How the values of headers are read: every production on one text, which is looked at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <trunkline/core/result.hpp>
#include <trunkline/sip/grammar.hpp>
#include <trunkline/sip/name_addr.hpp>
#include <trunkline/sip/parameters.hpp>
#include <trunkline/sip/uri.hpp>
#include <trunkline/sip/via.hpp>

#include "skimmer.hpp"

namespace trunkline::sip {

/// host [ ":" port ], as URIs and Via have it; `end` is the position after it.
struct host_port {
    std::string_view host; ///< With the brackets of an IPv6 reference.
    std::uint16_t port = 0;
    bool has_port = false;
    std::size_t end = 0;
};

/// Reads parts of one text, each from a position to another. Every set of characters that it reads
/// holds the plain ones, so it looks only at the others, the marks. Reasons have their offset in
/// the text. What could not be read leaves `into` in no certain state.
class value_reader {
public:
    explicit value_reader(std::string_view text) noexcept : marks_{text} {}

    [[nodiscard]] result<void> via(std::size_t at, std::size_t to, via_view& into) noexcept;
    [[nodiscard]] result<void> name_addr(std::size_t at, std::size_t to,
                                         name_addr_view& into) noexcept;
    [[nodiscard]] result<void> uri(std::size_t at, std::size_t to, uri_view& into) noexcept;

    /// *( SEMI generic-param ) up to `to`. The value of the first parameter that is called `wanted`
    /// is put into `found`.
    [[nodiscard]] result<void> parameters(std::size_t at, std::size_t to, parameters_view& into,
                                          std::string_view wanted,
                                          std::string_view& found) noexcept;
    /// `blank` allows white space around the colon, which Via does and a URI does not.
    [[nodiscard]] result<host_port> host(std::size_t at, std::size_t to, bool blank) noexcept;

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
    /// Every "%" is followed by two hex digits, and all else belongs to `which`.
    [[nodiscard]] result<void> escaped(std::size_t at, std::size_t to, grammar::set which) noexcept;
    [[nodiscard]] bool is_escape(std::size_t at, std::size_t to) const noexcept {
        using namespace grammar;
        return at + 2 < to && is(text()[at + 1], set::hex) && is(text()[at + 2], set::hex);
    }
    [[nodiscard]] result<void> telephone(std::size_t at, std::size_t to, uri_view& into) noexcept;
    [[nodiscard]] result<void> other_scheme(std::size_t at, std::size_t colon,
                                            std::size_t to) const noexcept;
    [[nodiscard]] result<std::size_t> user_info(std::size_t at, std::size_t to,
                                                uri_view& into) noexcept;
    /// *( ";" uri-parameter ), each with a name, up to `to` or, where there may be `headers`, the
    /// "?" before them.
    [[nodiscard]] result<std::size_t> uri_parameters(std::size_t at, std::size_t to,
                                                     bool headers) noexcept;
    [[nodiscard]] result<std::size_t> display(std::size_t at, std::size_t to,
                                              name_addr_view& into) noexcept;

    skimmer<lanes::plain> marks_;
};

} // namespace trunkline::sip
